//! The bytes of a file as the library reads its pages: no page header before it was walked.
//!
//! The library asks for a reader at every page header, one after the other, and for the bytes of the page afterwards. The
//! reader it gets walks the header when its first byte is wanted, and ends where the header ends. So opening a file costs
//! nothing, and a page header that is read costs a second look at its few dozen bytes.
//!
//! The offset index is not loaded: with it the library would find its headers another way, and whole columns are read
//! without it.

use std::{
    io::{self, Read},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

use super::{
    structs::{PAGE_HEADER, PAGE_HEADER_COMPRESSED_PAGE_SIZE, PAGE_HEADER_UNCOMPRESSED_PAGE_SIZE},
    thrift::{self, Struct, Watch},
};
use crate::{file::error::Damage, limits::files::Decompression};

/// The bytes of a file.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    bytes: Bytes,
    /// The first page header that was refused: the library passes errors on as text.
    refused: Arc<OnceLock<Damage>>,
}

impl Pages {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, refused: Arc::default() }
    }

    /// Why reading ended, if that was a page header.
    pub(super) fn refused(&self) -> Option<Damage> {
        self.refused.get().cloned()
    }
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl ChunkReader for Pages {
    type T = PageHeader;

    /// The library asks also where a page begins whose header it has seen, and then reads nothing.
    fn get_read(&self, start: u64) -> Result<PageHeader> {
        let start = usize::try_from(start).ok().filter(|start| *start <= self.bytes.len());
        let start = start.ok_or_else(|| ParquetError::EOF("a page begins behind the file".to_owned()))?;
        Ok(PageHeader { pages: self.clone(), start, end: None })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.bytes.get_bytes(start, length)
    }
}

/// Reads one page header.
#[derive(Debug)]
pub(super) struct PageHeader {
    pages: Pages,
    start: usize,
    /// Where it ends, once it was walked.
    end: Option<usize>,
}

impl Read for PageHeader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let end = match self.end {
            Some(end) => end,
            None => checked(&self.pages.bytes, self.start).map_err(|damage| self.refuse(damage))?,
        };
        self.end = Some(end);
        let mut rest = &self.pages.bytes[self.start..end];
        let read = rest.read(into)?;
        self.start += read;
        Ok(read)
    }
}

impl PageHeader {
    fn refuse(&self, damage: Damage) -> io::Error {
        let text = damage.to_string();
        _ = self.pages.refused.set(damage);
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

/// Where the page header at `start` ends, if it is sound enough for the library.
fn checked(bytes: &[u8], start: usize) -> std::result::Result<usize, Damage> {
    let mut sizes = Sizes::default();
    let walked = thrift::walk(bytes, start..bytes.len(), &PAGE_HEADER, &mut sizes);
    let end = walked.map_err(|fault| Damage::Thrift { part: "a page header", fault })?;
    sizes.check((bytes.len() - end) as u64)?;
    Ok(end)
}

/// What a page takes, as its header says.
#[derive(Debug, Default)]
struct Sizes {
    compressed: i64,
    uncompressed: i64,
}

impl Watch for Sizes {
    fn integer(&mut self, of: &'static Struct, field: i16, value: i64) {
        match field {
            _ if !of.is(&PAGE_HEADER) => {}
            PAGE_HEADER_COMPRESSED_PAGE_SIZE => self.compressed = value,
            PAGE_HEADER_UNCOMPRESSED_PAGE_SIZE => self.uncompressed = value,
            _ => {}
        }
    }
}

impl Sizes {
    /// The library takes room for a page as its header names it, before it is unpacked.
    fn check(&self, left: u64) -> std::result::Result<(), Damage> {
        let outside = Damage::OutOfBounds { what: "a page" };
        let compressed = u64::try_from(self.compressed).ok().filter(|compressed| *compressed <= left);
        let (Some(compressed), Ok(found)) = (compressed, u64::try_from(self.uncompressed)) else {
            return Err(outside);
        };
        let (limit, _) = Decompression::default().bound(compressed);
        if found > limit { Err(Damage::TooLarge { what: "a page", found, limit }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
