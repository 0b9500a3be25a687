//! Mappings of files: the one place in the library that needs `unsafe`.
//!
//! **Why reading is sound.** `Mmap::map` is unsafe because the bytes behind `&[u8]` could change under it. Three
//! things keep that away. Files this program writes are never changed in place: they appear whole by rename, and a
//! replaced file lives on under its mapping. Temporary files are unlinked, so nobody else can open them. A user's own
//! input may be changed by another program: nothing here prevents that, so the file's identity (device, inode, size,
//! times) is compared again by `recheck`, at every row group and before anything is published, and what was read from a
//! changed file is thrown away. Readers of mapped bytes never index by a value they read twice. A file cut short while
//! it is mapped ends the process by `SIGBUS`, which is documented; `Contents::read` is the way without mappings.
//!
//! **Why writing is sound.** A `Scratch` is a vector whose memory is a shared mapping of a file of its own, which never
//! had a name or has lost it. It hands out exactly the entries that were written, borrowed from itself, and maps anew only
//! when nothing is borrowed.

use std::{
    fs::{File, Metadata},
    io::{IoSliceMut, Read as _},
    marker::PhantomData,
    ops::{Deref, DerefMut, Range},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use memmap2::{Advice, Mmap, MmapOptions, MmapRaw};
use rustix::{
    fs::{FallocateFlags, fallocate},
    io::{Errno, ReadWriteFlags, preadv2},
};

use super::error::{self, Error};

/// What tells one state of one file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// How the bytes of a file are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Mapped: nothing is copied, memory is the page cache.
    #[default]
    Map,
    /// Read whole into memory (`--no-mmap`).
    Read,
}

/// How the bytes will be walked, so that the kernel reads ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// From front to back.
    Sequential,
    /// Here and there.
    Random,
    /// All of it, soon: pages are mapped ahead instead of one fault each.
    Whole,
}

/// The bytes of an open file, cheap to clone.
#[derive(Debug, Clone)]
pub struct Contents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    path: PathBuf,
    identity: Identity,
    bytes: Held,
}

#[derive(Debug)]
enum Held {
    Mapped(Mmap),
    Read(Vec<u8>),
}

impl Identity {
    /// That of the file whose metadata this is.
    pub fn of(metadata: &Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), size: metadata.size(), modified }
    }

    /// Size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Contents {
    /// Opens and maps or reads `path`.
    pub fn open(path: &Path, access: Access) -> Result<Self, Error> {
        let file = File::open(path).map_err(error::io(path, "open"))?;
        Self::of_file(file, path, access)
    }

    /// Maps or reads an open file; `path` is what errors call it.
    pub fn of_file(file: File, path: &Path, access: Access) -> Result<Self, Error> {
        let metadata = file.metadata().map_err(error::io(path, "stat"))?;
        let identity = Identity::of(&metadata);
        let bytes = match access {
            Access::Map if identity.size > 0 => map(&file).map(Held::Mapped),
            _ => read(&file, identity.size).map(Held::Read),
        };
        let bytes = bytes.map_err(error::io(path, "read"))?;
        Ok(Self(Arc::new(Inner { file, path: path.to_owned(), identity, bytes })))
    }

    /// Says that the file is still the one that was opened.
    pub fn recheck(&self) -> Result<(), Error> {
        let metadata = self.0.file.metadata().map_err(error::io(&self.0.path, "stat"))?;
        let same = Identity::of(&metadata) == self.0.identity && self.len() as u64 == self.0.identity.size;
        if same { Ok(()) } else { Err(Error::Changed { path: self.0.path.clone() }) }
    }

    /// What the file was when it was opened.
    pub fn identity(&self) -> Identity {
        self.0.identity
    }

    /// The name errors give the file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Tells the kernel how the bytes will be walked. Advice: failure costs time only.
    pub fn advise(&self, walk: Walk) {
        let Held::Mapped(map) = &self.0.bytes else { return };
        _ = match walk {
            Walk::Sequential => map.advise(Advice::Sequential),
            Walk::Random => map.advise(Advice::Random),
            Walk::Whole => map.advise(Advice::PopulateRead),
        };
    }

    /// Has the kernel read `range` while something else is done, unless it is in the page cache already: then asking
    /// costs more than it saves. Advice: failure costs time only.
    pub fn prefetch(&self, range: Range<usize>) {
        if let Held::Mapped(map) = &self.0.bytes
            && range.start < range.end
            && range.end <= map.len()
            && self.would_wait(range.end - 1)
        {
            _ = map.advise_range(Advice::WillNeed, range.start, range.len());
        }
    }

    /// Whether reading the byte at `position` would wait for the disk.
    fn would_wait(&self, position: usize) -> bool {
        let mut byte = [0];
        let read =
            preadv2(&self.0.file, &mut [IoSliceMut::new(&mut byte)], position as u64, ReadWriteFlags::NOWAIT);
        read == Err(Errno::AGAIN)
    }

    /// The same bytes for those who hold them beyond this value; nothing is copied.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from_owner(self.clone())
    }
}

impl AsRef<[u8]> for Contents {
    fn as_ref(&self) -> &[u8] {
        match &self.0.bytes {
            Held::Mapped(map) => map,
            Held::Read(bytes) => bytes,
        }
    }
}

impl Deref for Contents {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_ref()
    }
}

#[expect(unsafe_code, reason = "mapping a file; the module's head says why it is sound")]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: see the head of this module.
    unsafe { Mmap::map(file) }
}

fn read(mut file: &File, size: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A vector whose memory is a file without a name: its pages are the kernel's to write out.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    file: File,
    map: Option<MmapRaw>,
    len: usize,
    capacity: usize,
    entries: PhantomData<T>,
}

/// Bytes of a new one: page tables and system calls are paid for by the megabyte.
const SCRATCH_BYTES: usize = 4 << 20;

impl<T: Copy> Scratch<T> {
    /// An empty one in a file that nobody else has.
    pub(super) fn new(file: File) -> Self {
        Self { file, map: None, len: 0, capacity: 0, entries: PhantomData }
    }

    /// Adds entries at the end.
    pub(super) fn extend(&mut self, entries: &[T]) -> std::io::Result<()> {
        let len = self.len + entries.len();
        if len > self.capacity {
            self.grow(len)?;
        }
        self.copy_in(entries);
        self.len = len;
        Ok(())
    }

    /// Forgets all entries from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Takes room on the disk before it is needed: a full disk is an error here, and would end the process later.
    fn grow(&mut self, entries: usize) -> std::io::Result<()> {
        let wanted = entries.max(2 * self.capacity) * size_of::<T>();
        let bytes = wanted.next_multiple_of(SCRATCH_BYTES);
        match fallocate(&self.file, FallocateFlags::empty(), 0, bytes as u64) {
            Err(Errno::OPNOTSUPP) => self.file.set_len(bytes as u64)?,
            taken => taken?,
        }
        self.map = Some(MmapOptions::new().len(bytes).map_raw(&self.file)?);
        self.capacity = bytes / size_of::<T>();
        Ok(())
    }

    #[expect(unsafe_code, reason = "copying into a mapping; the module's head says why it is sound")]
    fn copy_in(&mut self, entries: &[T]) {
        let Some(map) = &self.map else { return };
        assert!(self.len + entries.len() <= self.capacity && align_of::<T>() <= 4096, "room was made");
        // SAFETY: the mapping is page-aligned and has room for `capacity` entries; `entries` lies outside of it, because it
        // is borrowed from elsewhere while `self` is borrowed mutably.
        unsafe {
            map.as_mut_ptr()
                .cast::<T>()
                .add(self.len)
                .copy_from_nonoverlapping(entries.as_ptr(), entries.len());
        }
    }
}

impl<T: Copy> Deref for Scratch<T> {
    type Target = [T];

    #[expect(unsafe_code, reason = "reading a mapping; the module's head says why it is sound")]
    fn deref(&self) -> &[T] {
        let Some(map) = &self.map else { return &[] };
        // SAFETY: the first `len` entries were written by `copy_in`, and nobody else has the file.
        unsafe { std::slice::from_raw_parts(map.as_ptr().cast::<T>(), self.len) }
    }
}

impl<T: Copy> DerefMut for Scratch<T> {
    #[expect(unsafe_code, reason = "writing a mapping; the module's head says why it is sound")]
    fn deref_mut(&mut self) -> &mut [T] {
        let Some(map) = &self.map else { return &mut [] };
        // SAFETY: as in `deref`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(map.as_mut_ptr().cast::<T>(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    #[test]
    fn bytes_outlive_the_contents_and_equal_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, b"brine").unwrap();
        for access in [Access::Map, Access::Read] {
            let contents = Contents::open(&path, access).unwrap();
            let bytes = contents.to_bytes();
            drop(contents);
            assert_eq!(bytes, &b"brine"[..]);
        }
    }

    #[test]
    fn a_scratch_holds_what_was_written_however_often_it_is_mapped_anew() {
        let mut scratch = Scratch::new(tempfile::tempfile().unwrap());
        assert!(scratch.is_empty());
        let entries: Vec<[u32; 5]> = (0..500_000).map(|at| [at, 1, 2, 3, !at]).collect();
        entries.chunks(1_000).for_each(|piece| scratch.extend(piece).unwrap());
        assert_eq!(scratch[..], entries[..]);
        scratch[7][0] = 70;
        scratch.truncate(8);
        scratch.extend(&entries[..1]).unwrap();
        assert_eq!((scratch.len(), scratch[7][0], scratch[8]), (9, 70, entries[0]));
    }

    #[test]
    fn an_empty_file_has_no_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        fs::write(&path, b"").unwrap();
        assert!(Contents::open(&path, Access::Map).unwrap().is_empty());
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, b"brine").unwrap();
        let contents = Contents::open(&path, Access::Map).unwrap();
        contents.recheck().unwrap();
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"!").unwrap();
        assert!(matches!(contents.recheck(), Err(Error::Changed { .. })));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Contents::open(Path::new("/nowhere/x.pkl"), Access::Map).unwrap_err();
        assert!(error.to_string().contains("/nowhere/x.pkl"), "{error}");
    }
}
