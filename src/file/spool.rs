//! Input files as bytes: plain ones are mapped; compressed ones are decompressed once, bounded, into an unlinked temporary
//! file, which is then mapped like any other.
//!
//! What a file is, its first bytes say, not its name. The temporary file has no name, so it is gone when the last user
//! of its bytes is, however the program ends.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write as _},
    ops::Deref,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use bytes::Bytes;
use rustix::fs::{Mode, OFlags};

use super::{
    error::{self, Damage, Error},
    map::{Access, Contents, Walk},
};
use crate::limits::files::Decompression;

const PIECE_BYTES: usize = 256 * 1024;

/// zstd frames may ask for windows of up to 2 GiB; this is what `zstd -d` itself grants without being asked.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one member or several.
    Gzip,
    /// zstd, one frame or several.
    Zstd,
    /// Known, not supported.
    Other(&'static str),
}

/// The bytes of an input; cheap to clone.
#[derive(Debug, Clone)]
pub struct Input {
    contents: Contents,
    source: Contents,
    compression: Compression,
}

/// Opens `path`; what has to be decompressed goes to `temporary_folder`.
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
    let source = Contents::open(path, access)?;
    let compression = Compression::of(&source);
    source.advise(Walk::Sequential);
    let contents = match compression {
        Compression::None => source.clone(),
        Compression::Gzip => decompress(
            flate2::read::MultiGzDecoder::new(&source[..]),
            &source,
            temporary_folder,
            limits,
            access,
        )?,
        Compression::Zstd => decompress(zstd_decoder(&source)?, &source, temporary_folder, limits, access)?,
        Compression::Other(format) => return Err(Error::Compression { path: path.to_owned(), format }),
    };
    Ok(Input { contents, source, compression })
}

impl Compression {
    /// What the first bytes say.
    pub fn of(bytes: &[u8]) -> Self {
        const MAGICS: [(&[u8], Compression); 6] = [
            (&[0x1f, 0x8b, 8], Compression::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
            (b"BZh", Compression::Other("bzip2")),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Other("xz")),
            (b"PK\x03\x04", Compression::Other("zip")),
            (&[0x04, 0x22, 0x4d, 0x18], Compression::Other("lz4")),
        ];
        let known = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic));
        known.map_or(Self::None, |(_, compression)| *compression)
    }
}

impl Input {
    /// How the file was compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Size of the file itself, before decompression.
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

    /// Tells the kernel how the bytes will be walked.
    pub fn advise(&self, walk: Walk) {
        self.contents.advise(walk);
    }

    /// The same bytes for those who hold them beyond this value; nothing is copied.
    pub fn to_bytes(&self) -> Bytes {
        self.contents.to_bytes()
    }
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.contents
    }
}

fn zstd_decoder(source: &Contents) -> Result<impl Read, Error> {
    let action = error::io(source.path(), "start decompressing");
    let mut decoder = zstd::stream::read::Decoder::with_buffer(&source[..]).map_err(action)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(error::io(source.path(), "start decompressing"))?;
    Ok(decoder)
}

fn decompress(
    decoder: impl Read,
    source: &Contents,
    temporary_folder: &Path,
    limits: &Decompression,
    access: Access,
) -> Result<Contents, Error> {
    let temporary = temporary_folder.join(".brine-spool");
    let mut file = unnamed(temporary_folder).map_err(error::io(&temporary, "create"))?;
    let spool =
        Spool { source: source.path(), temporary: &temporary, bound: limits.bound(source.len() as u64) };
    spool.copy(decoder, &mut file)?;
    source.recheck()?;
    Contents::of_file(file, source.path(), access)
}

struct Spool<'a> {
    source: &'a Path,
    temporary: &'a Path,
    bound: (u64, &'static str),
}

impl Spool<'_> {
    fn copy(&self, mut decoder: impl Read, file: &mut File) -> Result<(), Error> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut done = 0;
        loop {
            match decoder.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(bytes) => {
                    done += bytes as u64;
                    self.check(done)?;
                    file.write_all(&piece[..bytes]).map_err(error::io(self.temporary, "write"))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault(&error, done)),
            }
        }
    }

    fn check(&self, done: u64) -> Result<(), Error> {
        let (limit_bytes, bound) = self.bound;
        if done <= limit_bytes {
            return Ok(());
        }
        Err(Error::Expands { path: self.source.to_owned(), limit_bytes, bound })
    }

    fn fault(&self, error: &io::Error, bytes: u64) -> Error {
        let what = if error.kind() == io::ErrorKind::UnexpectedEof {
            Damage::CutShort { bytes }
        } else {
            Damage::Corrupt { bytes, reason: error.to_string() }
        };
        error::damaged(self.source, what)
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
