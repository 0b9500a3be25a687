//! Input files as bytes: plain ones are mapped; packed and piped ones are written once, bounded, into an unlinked temporary
//! file, which is then mapped like any other.
//!
//! The temporary file has no name, so it is gone when the last user of its bytes is, however the program ends. Only the
//! bytes of the last stream are kept: those of a `tar` in a `gzip` go when the archive's member has been found, which is a
//! part of them and is not copied.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    ops::Deref,
    os::{fd::AsFd as _, unix::fs::OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use rustix::fs::{Mode, OFlags};

use super::{
    arrays,
    error::{self, Error},
    map::{Access, Contents, Walk},
    packed::{self, Layer, Peeling},
};
use crate::{
    limits::{Limits, files::Decompression},
    numpy::npy::Value,
    pickle::{self, Graph, Grounds, UnknownGlobals},
};

const PIECE_BYTES: usize = 256 * 1024;

/// The paths that mean standard input, and what errors and data sets call it.
const STDIN: [&str; 2] = ["-", "/dev/stdin"];
const STDIN_NAME: &str = "stdin";

/// The bytes of an input; cheap to clone.
#[derive(Debug, Clone)]
pub struct Input {
    bytes: Bytes,
    source: Contents,
    layers: Vec<Layer>,
    /// The arrays of a file of NumPy's; a pickle is what its bytes say.
    value: Option<Value>,
}

/// Opens `path`, or standard input for `-`; what has to be written first goes to `temporary_folder`.
pub fn open_input(path: &Path, temporary_folder: &Path, limits: &Decompression) -> Result<Input, Error> {
    open_input_with(path, temporary_folder, limits, Access::Map)
}

/// The same, with or without mapping.
pub fn open_input_with(
    path: &Path,
    temporary_folder: &Path,
    limits: &Decompression,
    access: Access,
) -> Result<Input, Error> {
    let (path, file) = open_source(path)?;
    let source = contents(file, path, temporary_folder, limits, access)?;
    source.advise(Walk::Sequential);
    if let Some(format) = packed::unread_format(&source) {
        return Err(Error::Compression { path: path.to_owned(), format });
    }
    let mut peeling = Peeling::new(source.to_bytes(), limits);
    let unread = |source| Error::Packed { path: path.to_owned(), source };
    loop {
        let Some(mut stream) = peeling.next_stream().map_err(unread)? else { break };
        let file = spooled(temporary_folder, |piece| stream.next_piece(piece).map_err(unread))?;
        drop(stream);
        source.recheck()?;
        peeling.go_on(Contents::of_file(file, path, access)?.to_bytes());
    }
    let peeled = peeling.finish();
    let arrays = arrays::find(&peeled).map_err(|source| Error::Npy { path: path.to_owned(), source })?;
    let mut input = Input { bytes: peeled.bytes, source, layers: peeled.layers, value: None };
    if let Some(arrays) = arrays {
        let (bytes, value) = arrays.in_columns(&input.bytes, path, temporary_folder, access)?;
        (input.bytes, input.value) = (bytes, Some(value));
    }
    Ok(input)
}

/// What an input is called: standard input has a name of its own.
pub fn called(path: &Path) -> &Path {
    let stdin = STDIN.iter().any(|name| path == Path::new(name));
    if stdin { Path::new(STDIN_NAME) } else { path }
}

fn open_source(path: &Path) -> Result<(&Path, File), Error> {
    let name = called(path);
    let file = if name == path {
        File::open(path)
    } else {
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    };
    Ok((name, file.map_err(error::io(name, "open"))?))
}

/// The bytes of an open file. What cannot be mapped, because it is a pipe or its front has been read already, is written
/// to a temporary file first.
fn contents(
    mut file: File,
    path: &Path,
    temporary_folder: &Path,
    limits: &Decompression,
    access: Access,
) -> Result<Contents, Error> {
    let kind = file.metadata().map_err(error::io(path, "stat"))?.file_type();
    if kind.is_dir() {
        return Err(Error::Folder { path: path.to_owned() });
    }
    if kind.is_file() && file.stream_position().is_ok_and(|position| position == 0) {
        return Contents::of_file(file, path, access);
    }
    let limit_bytes = limits.bytes_max;
    let mut done_bytes = 0;
    let file = spooled(temporary_folder, |piece| {
        let bytes = read(&mut file, piece).map_err(error::io(path, "read"))?;
        done_bytes += bytes as u64;
        let fits = done_bytes <= limit_bytes;
        if fits { Ok(bytes) } else { Err(Error::Piped { path: path.to_owned(), limit_bytes }) }
    })?;
    Contents::of_file(file, path, access)
}

fn read(file: &mut File, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

impl Input {
    /// What it is packed in, from the outside in.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The values in it: those of a pickle, or of arrays as a pickle of them would hold them.
    ///
    /// Tables of values that outgrow the heap go on `ground`, if there is one.
    pub fn graph(
        &self,
        limits: &Limits,
        unknown: UnknownGlobals,
        ground: Option<Arc<dyn Grounds>>,
    ) -> pickle::Result<Graph<'_>> {
        match &self.value {
            Some(value) => value.assemble(&self.bytes, limits, unknown, ground),
            None => pickle::load_on(&self.bytes, limits, unknown, ground),
        }
    }

    /// What the pickle in it names, also if it cannot be read.
    pub fn names(&self, limits: &Limits) -> pickle::Names {
        if self.value.is_some() { pickle::Names::default() } else { pickle::names(&self.bytes, limits) }
    }

    /// Size of the file itself, before unpacking.
    pub fn source_bytes(&self) -> u64 {
        self.source.identity().size()
    }

    /// BLAKE3 of the file itself, on one core.
    pub fn source_blake3(&self) -> blake3::Hash {
        super::digest_of(&self.source)
    }

    /// Says that the file is still the one that was opened.
    pub fn recheck(&self) -> Result<(), Error> {
        self.source.recheck()
    }

    /// Tells the kernel how the bytes will be walked, if they are those of the file.
    pub fn advise(&self, walk: Walk) {
        if self.layers.is_empty() {
            self.source.advise(walk);
        }
    }

    /// The same bytes for those who hold them beyond this value; nothing is copied.
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writes what `next_piece` gives into a file without a name.
fn spooled(
    folder: &Path,
    mut next_piece: impl FnMut(&mut [u8]) -> Result<usize, Error>,
) -> Result<File, Error> {
    let temporary = folder.join(".brine-spool");
    let mut file = unnamed(folder).map_err(error::io(&temporary, "create"))?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match next_piece(&mut piece)? {
            0 => return Ok(file),
            bytes => file.write_all(&piece[..bytes]).map_err(error::io(&temporary, "write"))?,
        }
    }
}

/// A file without a name in `folder`; file systems that cannot make one get a named one, unlinked at once.
pub(crate) fn unnamed(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Ok(file.into()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR | rustix::io::Errno::INVAL) => {
            unlinked(folder)
        }
        Err(error) => Err(error.into()),
    }
}

fn unlinked(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".brine-spool.{}.{:x}.tmp", std::process::id(), super::atomic::serial()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
