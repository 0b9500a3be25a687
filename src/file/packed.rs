//! What a pickle is wrapped in: compressed streams, and archives with one member. Bytes in, bytes out; no file is opened
//! here.
//!
//! What a layer is, its first bytes say, not the file's name: `.tar.gz` of pandas before 1.5 is a bare gzip stream, its
//! `.zst` is not compressed at all, and a `.pkl` may be either. An archive never names a place to write to, because
//! nothing is extracted: its one member is a range of bytes. Streams are read into whatever the caller keeps bytes in,
//! bounded over all layers together.

use std::{fmt, ops::Range};

use bytes::Bytes;

use crate::limits::files::Decompression;

mod fault;
mod lz4;
mod stream;
mod tar;
mod zip;

pub use fault::{Fault, Unread};
pub use stream::Stream;

/// One layer around the bytes that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the format of its name")]
pub enum Layer {
    Gzip,
    Bzip2,
    Xz,
    /// LZMA alone, without the container that xz gives it: an old joblib option.
    Lzma,
    /// A bare zlib stream: what joblib writes under `compress=True`.
    Zlib,
    Zstd,
    /// The LZ4 frame format.
    Lz4,
    Zip,
    Tar,
}

/// Where the magic of a tar header stands.
const USTAR: Range<usize> = 257..262;

/// The opcode that opens every pickle since protocol 2.
const PROTO: u8 = 0x80;

impl Layer {
    /// What the first bytes say.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        const MAGICS: [(&[u8], Layer); 8] = [
            (&[0x1f, 0x8b, 8], Layer::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Layer::Zstd),
            (b"BZh", Layer::Bzip2),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Layer::Xz),
            // Also how an empty list of protocol 0 begins, but no opcode is 0.
            (&[0x5d, 0, 0], Layer::Lzma),
            (b"PK\x03\x04", Layer::Zip),
            (b"PK\x05\x06", Layer::Zip),
            (&[0x04, 0x22, 0x4d, 0x18], Layer::Lz4),
        ];
        let known = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic));
        known.map(|(_, layer)| *layer).or_else(|| Self::without_magic(bytes))
    }

    fn without_magic(bytes: &[u8]) -> Option<Self> {
        let zlib = matches!(bytes, [0x78, flags, ..] if (0x7800 | u16::from(*flags)).is_multiple_of(31));
        let tar = bytes.get(USTAR) == Some(b"ustar") && bytes.first() != Some(&PROTO);
        match (zlib, tar) {
            (true, _) => Some(Self::Zlib),
            (_, true) => Some(Self::Tar),
            _ => None,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Zip => "zip",
            Self::Tar => "tar",
        })
    }
}

/// Layers as people say them, the innermost first: `tar in gzip`.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a>(pub &'a [Layer]);

impl fmt::Display for Layers<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layer) in self.0.iter().rev().enumerate() {
            write!(formatter, "{}{layer}", if index > 0 { " in " } else { "" })?;
        }
        Ok(())
    }
}

/// A form that is known by its first bytes and not read.
pub fn unread_format(bytes: &[u8]) -> Option<&'static str> {
    const MAGICS: [(&[u8], &str); 6] = [
        (&[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c], "7z"),
        (b"Rar!\x1a\x07", "rar"),
        (&[0x1f, 0x9d], "compress (.Z)"),
        (&[0x02, 0x21, 0x4c, 0x18], "legacy lz4"),
        (b"\xff\x06\x00\x00sNaPpY", "snappy"),
        (b"ZF0x", "joblib before 0.10"),
    ];
    MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

/// What stands inside one layer.
enum Inside {
    /// A range of the layer's own bytes.
    Part(Range<usize>),
    /// A stream to be read.
    Stream(Packed),
    /// Arrays: the archive that `numpy.savez` writes.
    Arrays(zip::Arrays),
}

/// A stream that has not been opened.
enum Packed {
    /// The whole layer.
    Whole(Layer),
    /// Members of a zip archive, one after the other.
    Members(Vec<zip::Content>),
}

/// Whether a member is one that a Mac puts beside each file or folder, such as its icon.
fn is_of_finder(name: &[u8]) -> bool {
    let file = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.starts_with(b"__MACOSX/") || file == b".DS_Store" || file.starts_with(b"._")
}

fn inside(layer: Layer, bytes: &[u8]) -> Result<Inside, Fault> {
    match layer {
        Layer::Tar => tar::only_member(bytes).map(Inside::Part),
        Layer::Zip => zip::inside(bytes),
        _ => Ok(Inside::Stream(Packed::Whole(layer))),
    }
}

/// An input on its way out of its layers. Archives come off by themselves; a stream is handed out, and whoever reads it
/// says where its bytes are now.
#[derive(Debug)]
pub struct Peeling {
    bytes: Bytes,
    layers: Vec<Layer>,
    layers_max: usize,
    /// What all streams together gave.
    unpacked_bytes: u64,
    bound: Bound,
    arrays: Option<Vec<Named>>,
}

/// The name of an array in an archive, and where its file is in the bytes inside all layers.
pub type Named = (String, Range<usize>);

/// What is left when nothing is packed any more.
#[derive(Debug)]
pub struct Peeled {
    /// The bytes that count.
    pub bytes: Bytes,
    /// The layers around them, from the outside in.
    pub layers: Vec<Layer>,
    /// The files of arrays in them, if the innermost layer is an archive of such files.
    pub arrays: Option<Vec<Named>>,
}

/// What all streams together may give, and which bound that is.
#[derive(Debug, Clone, Copy)]
struct Bound {
    limit_bytes: u64,
    name: &'static str,
}

impl Peeling {
    /// Begins with the bytes of a file.
    pub fn new(bytes: Bytes, limits: &Decompression) -> Self {
        let (limit_bytes, name) = limits.bound(bytes.len() as u64);
        let bound = Bound { limit_bytes, name };
        Self {
            bytes,
            layers: Vec::new(),
            layers_max: limits.layers_max,
            unpacked_bytes: 0,
            bound,
            arrays: None,
        }
    }

    /// The next stream to be read, or nothing when the bytes are packed no more.
    pub fn next_stream(&mut self) -> Result<Option<Stream<'_>>, Unread> {
        while let Some(layer) = Layer::of(&self.bytes).filter(|_| self.arrays.is_none()) {
            self.layers.push(layer);
            if self.layers.len() > self.layers_max {
                return Err(self.unread(Fault::Nested { limit: self.layers_max }));
            }
            match inside(layer, &self.bytes) {
                Ok(Inside::Part(range)) => self.bytes = self.bytes.slice(range),
                Ok(Inside::Stream(packed)) => return self.stream(packed).map(Some),
                Ok(Inside::Arrays(arrays)) => {
                    self.arrays = Some(arrays.named);
                    if let Some(contents) = arrays.packed {
                        return self.stream(Packed::Members(contents)).map(Some);
                    }
                }
                Err(fault) => return Err(self.unread(fault)),
            }
        }
        Ok(None)
    }

    fn stream(&self, packed: Packed) -> Result<Stream<'_>, Unread> {
        Stream::open(packed, self).map_err(|fault| self.unread(fault))
    }

    /// Goes on with what a stream gave.
    pub fn go_on(&mut self, inner: Bytes) {
        self.unpacked_bytes += inner.len() as u64;
        self.bytes = inner;
    }

    /// The bytes inside all layers.
    pub fn finish(self) -> Peeled {
        Peeled { bytes: self.bytes, layers: self.layers, arrays: self.arrays }
    }

    fn unread(&self, what: Fault) -> Unread {
        Unread { layers: self.layers.clone(), what }
    }
}

/// Takes off all layers in memory: for small inputs and for fuzzing.
pub fn peel(bytes: Bytes, limits: &Decompression) -> Result<Peeled, Unread> {
    const PIECE_BYTES: usize = 16 << 10;
    let mut peeling = Peeling::new(bytes, limits);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let Some(mut stream) = peeling.next_stream()? else { return Ok(peeling.finish()) };
        let mut inner = Vec::new();
        loop {
            match stream.next_piece(&mut piece)? {
                0 => break,
                bytes => inner.extend_from_slice(&piece[..bytes]),
            }
        }
        drop(stream);
        peeling.go_on(inner.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pickles_are_not_taken_for_what_they_begin_like() {
        let zlib_but_for_its_check = [0x78, 0x9d, 0];
        let mut tar_inside_a_pickle = vec![PROTO; 600];
        tar_inside_a_pickle[USTAR].copy_from_slice(b"ustar");
        let plain: [&[u8]; 7] =
            [b"]q\x00.", b"]", b"(lp0\n.", b"PK", b"", &zlib_but_for_its_check, &tar_inside_a_pickle];
        for bytes in plain {
            assert_eq!(Layer::of(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn layers_stand_in_each_other() {
        assert_eq!(Layers(&[Layer::Gzip, Layer::Tar]).to_string(), "tar in gzip");
    }
}
