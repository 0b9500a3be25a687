//! One compressed stream, whatever its format, read piece by piece within what it was granted.

use std::io::{self, ErrorKind, Read};

use bzip2::bufread::BzDecoder;
use flate2::{
    Crc,
    bufread::{DeflateDecoder, GzDecoder, ZlibDecoder},
};
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::{LzmaReader, XzReader, lzma_get_memory_usage_by_props};

use super::{
    Bound, Fault, Layer, Packed, Peeling, Unread, lz4,
    zip::{self, Method},
};
use crate::limits::files::{LZMA_MEMORY_KIB_MAX, ZSTD_WINDOW_LOG_MAX};

/// A stream that is being decompressed.
pub struct Stream<'a> {
    decoder: Box<dyn Decode + 'a>,
    packed_bytes: usize,
    layers: &'a [Layer],
    /// What this stream and those around it gave.
    unpacked_bytes: u64,
    bound: Bound,
}

/// A decoder that knows what it has not read yet.
trait Decode: Read {
    fn left(&self) -> usize;
}

impl<'a> Stream<'a> {
    pub(super) fn open(packed: Packed, peeling: &'a Peeling) -> Result<Self, Fault> {
        let bytes = &peeling.bytes[..];
        let decoder = match packed {
            Packed::Whole(layer) => decoder(layer, bytes),
            Packed::Members(contents) => {
                Ok(Box::new(Archive { bytes, contents: contents.into_iter(), current: None }) as Box<_>)
            }
        };
        Ok(Self {
            decoder: decoder.map_err(|error| Fault::of(&error, 0, bytes.len() as u64))?,
            packed_bytes: bytes.len(),
            layers: &peeling.layers,
            unpacked_bytes: peeling.unpacked_bytes,
            bound: peeling.bound,
        })
    }

    /// Fills the front of `piece` and says how far; 0 at the end.
    pub fn next_piece(&mut self, piece: &mut [u8]) -> Result<usize, Unread> {
        loop {
            match self.decoder.read(piece) {
                Ok(bytes) => {
                    self.unpacked_bytes += bytes as u64;
                    return self.check().map(|()| bytes);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unread(self.fault(&error))),
            }
        }
    }

    fn check(&self) -> Result<(), Unread> {
        let Bound { limit_bytes, name: bound } = self.bound;
        let fits = self.unpacked_bytes <= limit_bytes;
        if fits { Ok(()) } else { Err(self.unread(Fault::Expands { limit_bytes, bound })) }
    }

    fn fault(&self, error: &io::Error) -> Fault {
        let read = self.packed_bytes - self.decoder.left().min(self.packed_bytes);
        Fault::of(error, read as u64, self.packed_bytes as u64)
    }

    fn unread(&self, what: Fault) -> Unread {
        Unread { layers: self.layers.to_vec(), what }
    }
}

fn decoder<'a>(layer: Layer, bytes: &'a [u8]) -> io::Result<Box<dyn Decode + 'a>> {
    Ok(match layer {
        Layer::Gzip => Box::new(Members::<Gzip<'_>>::open(bytes)),
        Layer::Bzip2 => Box::new(Members::<Bzip2<'_>>::open(bytes)),
        Layer::Zlib => Box::new(Single(ZlibDecoder::new(bytes))),
        Layer::Xz => Box::new(Xz(XzReader::new_mem_limit(bytes, true, LZMA_MEMORY_KIB_MAX))),
        Layer::Lzma => Box::new(Lzma(Some(LzmaReader::new_mem_limit(bytes, LZMA_MEMORY_KIB_MAX, None)?))),
        Layer::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(Zstd(decoder))
        }
        Layer::Lz4 => {
            lz4::check_frames(bytes)?;
            Box::new(Lz4(FrameDecoder::new(bytes)))
        }
        Layer::Zip | Layer::Tar => return Err(ErrorKind::Unsupported.into()),
    })
}

fn follows() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "bytes follow its end that belong to nothing")
}

// === formats whose decoder stops after one stream ===

/// A decoder over borrowed bytes that leaves what it has not read.
trait Rest<'a>: Read {
    fn rest(&self) -> &'a [u8];
}

macro_rules! rest {
    ($decoder:ty, $inner:ident) => {
        impl<'a> Rest<'a> for $decoder {
            fn rest(&self) -> &'a [u8] {
                self.$inner()
            }
        }
    };
}

type Gzip<'a> = GzDecoder<&'a [u8]>;
type Bzip2<'a> = BzDecoder<&'a [u8]>;

rest!(GzDecoder<&'a [u8]>, get_ref);
rest!(BzDecoder<&'a [u8]>, get_ref);
rest!(ZlibDecoder<&'a [u8]>, get_ref);
rest!(DeflateDecoder<&'a [u8]>, get_ref);

/// One stream, after which nothing may follow.
struct Single<D>(D);

impl<'a, D: Rest<'a>> Read for Single<D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 if !out.is_empty() && !self.0.rest().is_empty() => Err(follows()),
            bytes => Ok(bytes),
        }
    }
}

impl<'a, D: Rest<'a>> Decode for Single<D> {
    fn left(&self) -> usize {
        self.0.rest().len()
    }
}

/// A format whose streams may follow each other.
trait Member<'a>: Rest<'a> {
    const MAGIC: &'static [u8];

    fn start(bytes: &'a [u8]) -> Self;
}

impl<'a> Member<'a> for Gzip<'a> {
    const MAGIC: &'static [u8] = &[0x1f, 0x8b];

    fn start(bytes: &'a [u8]) -> Self {
        GzDecoder::new(bytes)
    }
}

impl<'a> Member<'a> for Bzip2<'a> {
    const MAGIC: &'static [u8] = b"BZh";

    fn start(bytes: &'a [u8]) -> Self {
        BzDecoder::new(bytes)
    }
}

/// Streams one after the other, with zeros behind them: block devices and tapes leave those.
struct Members<D>(D);

impl<'a, D: Member<'a>> Members<D> {
    fn open(bytes: &'a [u8]) -> Self {
        Self(D::start(bytes))
    }
}

impl<'a, D: Member<'a>> Read for Members<D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.0.read(out)?;
            if bytes > 0 || out.is_empty() {
                return Ok(bytes);
            }
            let rest = self.0.rest();
            if rest.iter().all(|byte| *byte == 0) {
                return Ok(0);
            }
            if !rest.starts_with(D::MAGIC) {
                return Err(follows());
            }
            self.0 = D::start(rest);
        }
    }
}

impl<'a, D: Member<'a>> Decode for Members<D> {
    fn left(&self) -> usize {
        self.0.rest().len()
    }
}

// === formats whose decoder goes through all streams ===

struct Xz<'a>(XzReader<&'a [u8]>);
struct Zstd<'a>(zstd::stream::read::Decoder<'static, &'a [u8]>);

macro_rules! decode {
    ($decoder:ty, $inner:ident) => {
        impl Read for $decoder {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                self.0.read(out)
            }
        }

        impl Decode for $decoder {
            fn left(&self) -> usize {
                self.0.$inner().len()
            }
        }
    };
}

decode!(Xz<'_>, inner);
decode!(Zstd<'_>, get_ref);

// === formats whose decoder needs help at the end ===

/// Says 0 at the end of each frame; the next read goes on with the next one.
struct Lz4<'a>(FrameDecoder<&'a [u8]>);

impl Read for Lz4<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.0.read(out)?;
            if bytes > 0 || out.is_empty() || self.0.get_ref().is_empty() {
                return Ok(bytes);
            }
        }
    }
}

impl Decode for Lz4<'_> {
    fn left(&self) -> usize {
        self.0.get_ref().len()
    }
}

/// Reads ahead, and only its parts say how far. None after the end.
struct Lzma<'a>(Option<LzmaReader<&'a [u8]>>);

impl Read for Lzma<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(reader) = &mut self.0 else { return Ok(0) };
        let bytes = reader.read(out)?;
        if bytes > 0 || out.is_empty() {
            return Ok(bytes);
        }
        let (rest, ahead) = self.0.take().map(LzmaReader::into_parts).unwrap_or_default();
        if rest.is_empty() && ahead.is_empty() { Ok(0) } else { Err(follows()) }
    }
}

impl Decode for Lzma<'_> {
    fn left(&self) -> usize {
        self.0.as_ref().map_or(0, |reader| reader.inner().len())
    }
}

// === members of an archive ===

/// The members that are asked for, one after the other.
struct Archive<'a> {
    bytes: &'a [u8],
    contents: std::vec::IntoIter<zip::Content>,
    current: Option<Checked<'a>>,
}

impl Read for Archive<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(current) = &mut self.current {
                let bytes = current.read(out)?;
                if bytes > 0 || out.is_empty() {
                    return Ok(bytes);
                }
            }
            let Some(next) = self.contents.next() else { return Ok(0) };
            self.current = Some(Checked::new(self.bytes, next)?);
        }
    }
}

impl Decode for Archive<'_> {
    fn left(&self) -> usize {
        self.current.as_ref().map_or(0, Checked::left)
    }
}

/// A member whose length and checksum the directory knows.
struct Checked<'a> {
    inner: Box<dyn Decode + 'a>,
    crc: Crc,
    unpacked_bytes: u64,
    wanted: u32,
    /// Bytes of the archive behind the member.
    behind: usize,
}

impl<'a> Checked<'a> {
    fn new(archive: &'a [u8], content: zip::Content) -> io::Result<Self> {
        let zip::Content { range, method, unpacked_bytes, crc: wanted } = content;
        let behind = archive.len() - range.end;
        let bytes = &archive[range];
        let inner: Box<dyn Decode + 'a> = match method {
            Method::Stored => Box::new(bytes),
            Method::Deflated => Box::new(Single(DeflateDecoder::new(bytes))),
            Method::Bzip2 => decoder(Layer::Bzip2, bytes)?,
            Method::Zstd => decoder(Layer::Zstd, bytes)?,
            Method::Xz => decoder(Layer::Xz, bytes)?,
            Method::Lzma => Box::new(Lzma(Some(lzma_member(bytes)?))),
        };
        Ok(Self { inner, crc: Crc::new(), unpacked_bytes, wanted, behind })
    }

    fn left(&self) -> usize {
        self.inner.left() + self.behind
    }
}

/// In a zip, LZMA has a header of its own: version, length of the properties, properties; and always an end marker.
fn lzma_member(bytes: &[u8]) -> io::Result<LzmaReader<&[u8]>> {
    let ([_, _, 5, 0, properties, a, b, c, d], rest) =
        bytes.split_first_chunk().ok_or(ErrorKind::UnexpectedEof)?
    else {
        return Err(io::Error::new(ErrorKind::InvalidData, "an LZMA header of unknown form"));
    };
    let dictionary_bytes = u32::from_le_bytes([*a, *b, *c, *d]);
    if lzma_get_memory_usage_by_props(dictionary_bytes, *properties)? > LZMA_MEMORY_KIB_MAX {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "more memory is asked for than an LZMA stream gets",
        ));
    }
    LzmaReader::new_with_props(rest, u64::MAX, *properties, dictionary_bytes, None)
}

impl Decode for &[u8] {
    fn left(&self) -> usize {
        self.len()
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(out)?;
        self.crc.update(&out[..bytes]);
        self.unpacked_bytes = self.unpacked_bytes.checked_sub(bytes as u64).ok_or_else(wrong_length)?;
        let end = bytes == 0 && !out.is_empty();
        match end {
            true if self.unpacked_bytes > 0 => Err(wrong_length()),
            true if self.crc.sum() != self.wanted => Err(io::Error::new(
                ErrorKind::InvalidData,
                "its CRC-32 is not the one that the directory says",
            )),
            _ => Ok(bytes),
        }
    }
}

fn wrong_length() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "its length is not the one that the directory says")
}
