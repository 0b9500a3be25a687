//! Files that appear whole or not at all: written under a temporary name beside their place, synced, renamed, and the
//! folder synced. Dropping an unfinished file removes it.
//!
//! While it writes, the file counts and digests what passes. An error from a sync condemns the file: Linux forgets such an error after telling it once, so a second attempt would
//! succeed over lost data.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

mod direct;
mod sum;
mod unfinished;

use self::{
    direct::{Block, BlockWriter},
    sum::Sum,
};
use super::error::{self, Error};

pub use self::unfinished::{NoMore, publishing, remove_unfinished};

/// Bytes hashed at a time: what was just copied is still in the core's cache, and a power of two keeps BLAKE3 on its
/// widest path.
const PIECE_BYTES: usize = 128 * 1024;

/// A file being written under a temporary name.
#[derive(Debug)]
pub struct AtomicFile {
    file: Arc<File>,
    temporary: Temporary,
    block: Block,
    hashed: usize,
    length: u64,
    writer: Option<BlockWriter>,
    sum: Sum,
    /// Time spent waiting for a block to become free.
    waited: Duration,
    /// A block was not written: whatever comes after it would close the gap unseen.
    is_condemned: bool,
    #[cfg(test)]
    pub(crate) room: Option<u64>,
}

/// A file written and synced, still under its temporary name.
#[derive(Debug)]
#[must_use = "dropping it removes the file"]
pub struct Synced {
    temporary: Temporary,
    /// Bytes in the file.
    pub length: u64,
    /// BLAKE3 of the file, unless another digest or none was asked for.
    pub blake3: Option<blake3::Hash>,
    /// XXH3 of the file in 128 bits, if it was asked for.
    pub xxh3: Option<u128>,
    /// Time spent waiting for the disk: for a block to become free, and for the sync.
    pub waited: Duration,
}

/// The temporary name; it goes when this is dropped.
#[derive(Debug)]
struct Temporary {
    folder: PathBuf,
    path: PathBuf,
    target: PathBuf,
    renamed: bool,
}

impl AtomicFile {
    /// Begins `folder/name`; what stands there stays until `commit`.
    pub fn create(folder: &Path, name: &str) -> Result<Self, Error> {
        let target = folder.join(name);
        let (file, path) = create_temporary(folder, name).map_err(error::io(&target, "create"))?;
        let temporary = Temporary { folder: folder.to_owned(), path, target, renamed: false };
        Ok(Self {
            file: Arc::new(file),
            temporary,
            block: Block::new(),
            hashed: 0,
            length: 0,
            writer: None,
            sum: Sum::Blake3(Box::default()),
            waited: Duration::ZERO,
            is_condemned: false,
            #[cfg(test)]
            room: None,
        })
    }

    /// Leaves out the digest.
    #[must_use]
    pub fn without_digest(mut self) -> Self {
        self.sum = Sum::None;
        self
    }

    /// Takes XXH3 in place of BLAKE3: for files that nobody but their writer names, where only accidents are to be found.
    #[must_use]
    pub fn with_xxh3(mut self) -> Self {
        self.sum = Sum::Xxh3(Box::default());
        self
    }

    /// The place the file will have.
    pub fn target(&self) -> &Path {
        &self.temporary.target
    }

    /// Bytes written so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Writes what is buffered and waits until all of it is on the disk.
    pub fn sync(mut self) -> Result<Synced, Error> {
        let started = Instant::now();
        let target = self.temporary.target.clone();
        self.write_rest().map_err(error::io(&target, "write"))?;
        self.open_to_readers().and_then(|()| self.file.sync_all()).map_err(error::io(&target, "sync"))?;
        Ok(Synced {
            temporary: self.temporary,
            length: self.length,
            blake3: self.sum.blake3(),
            xxh3: self.sum.xxh3(),
            waited: self.waited + started.elapsed(),
        })
    }

    /// Syncs the file, gives it its name and syncs the folder.
    pub fn commit(self) -> Result<Synced, Error> {
        let mut synced = self.sync()?;
        synced.publish()?;
        sync_folder(&synced.temporary.folder)?;
        Ok(synced)
    }

    fn open_to_readers(&self) -> io::Result<()> {
        self.file.set_permissions(fs::Permissions::from_mode(0o666 & !umask()))
    }

    fn hash(&mut self) {
        self.sum.update(self.block.filled(self.hashed));
        self.hashed = self.block.len();
    }

    /// Gives the full block to the writing thread, which begins with the first: a file of less than a block needs none.
    fn pass_on(&mut self) -> io::Result<()> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => BlockWriter::start(Arc::clone(&self.file))?,
        };
        let full = std::mem::replace(&mut self.block, Block::none());
        self.hashed = 0;
        let started = Instant::now();
        let exchanged = writer.exchange(full);
        self.waited += started.elapsed();
        let Some(empty) = exchanged else {
            self.is_condemned = true;
            return Err(writer.finish().err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()));
        };
        (self.block, self.writer) = (empty, Some(writer));
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        if self.is_condemned { Err(io::Error::other("a write to this file failed before")) } else { Ok(()) }
    }

    fn write_rest(&mut self) -> io::Result<()> {
        self.check()?;
        self.hash();
        self.writer.take().map_or(Ok(()), BlockWriter::finish)?;
        (&*self.file).write_all(self.block.filled(0))
    }

    #[cfg(test)]
    fn spend(&mut self, bytes: usize) -> io::Result<()> {
        let Some(room) = &mut self.room else { return Ok(()) };
        *room = room.checked_sub(bytes as u64).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        let piece = bytes.len().min(PIECE_BYTES - self.block.len() % PIECE_BYTES);
        #[cfg(test)]
        self.spend(piece)?;
        let taken = self.block.fill(&bytes[..piece]);
        self.length += taken as u64;
        if self.block.len().is_multiple_of(PIECE_BYTES) {
            self.hash();
        }
        if self.block.is_full() {
            self.pass_on()?;
        }
        Ok(taken)
    }

    /// Nothing: nobody can read the file before `commit`, which writes what is left.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Synced {
    /// Gives the file its name. The folder must be synced after this.
    pub fn publish(&mut self) -> Result<(), Error> {
        let target = self.temporary.target.clone();
        self.publish_as(&target)
    }

    /// Gives the file its name, unless something has that name. The folder must be synced after this.
    pub fn publish_new(self) -> Result<(), Error> {
        let Temporary { path, target, .. } = &self.temporary;
        fs::hard_link(path, target).map_err(error::io(target, "create"))
    }

    /// Gives the file another name in the same folder, which must be synced after this.
    pub fn publish_as(&mut self, path: &Path) -> Result<(), Error> {
        fs::rename(&self.temporary.path, path).map_err(error::io(path, "rename"))?;
        self.temporary.renamed = true;
        Ok(())
    }

    /// Where the file is until it has its name.
    pub fn path(&self) -> &Path {
        &self.temporary.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            _ = fs::remove_file(&self.path);
        }
        unfinished::forget(&self.path);
    }
}

/// Makes renames and removals in `folder` outlast a power cut.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(error::io(folder, "sync the folder"))
}

/// Makes `folder` and its missing parents, each made to outlast a power cut.
pub fn create_folder(folder: &Path) -> Result<(), Error> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || folder.is_file() => {
            Err(error::io(folder, "create the folder")(error))
        }
        _ => sync_folder(parent),
    }
}

/// Removes temporary files of `name` whose writer is gone: a living writer holds a lock on its own.
pub fn sweep(folder: &Path, name: &str) -> Result<(), Error> {
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(folder).map_err(error::io(folder, "list"))? {
        let entry = entry.map_err(error::io(folder, "list"))?;
        let file_name = entry.file_name();
        let Some(middle) = file_name.to_str().and_then(|name| name.strip_prefix(&prefix)) else { continue };
        if middle.strip_suffix(".tmp").is_some_and(is_tag) {
            remove_abandoned(&entry.path());
        }
    }
    Ok(())
}

fn is_tag(middle: &str) -> bool {
    middle.split_once('.').is_some_and(|(pid, serial)| {
        [pid, serial].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

fn remove_abandoned(path: &Path) {
    if File::open(path).is_ok_and(|file| file.try_lock().is_ok()) {
        _ = fs::remove_file(path);
    }
}

fn create_temporary(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    loop {
        let path = folder.join(format!(".{name}.{}.{:x}.tmp", process::id(), serial()));
        let make = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match unfinished::begin(&path, make) {
            Ok(file) if is_kept(&file) => return Ok((file, path)),
            Ok(_) => unfinished::forget(&path),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {}
        }
    }
}

/// Locks the new file, which tells sweepers that its writer lives; one that came before the lock has removed it.
fn is_kept(file: &File) -> bool {
    file.try_lock().is_ok() && file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

pub(super) fn serial() -> u64 {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let nanos = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos() as u64);
    nanos.wrapping_add(SERIAL.fetch_add(1, Ordering::Relaxed))
}

/// The process's file mode mask. Setting it is the only call that returns it, which would race with other threads, so
/// it is read from `/proc`; where that is missing, the usual one is assumed.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
}

#[cfg(test)]
mod tests;
