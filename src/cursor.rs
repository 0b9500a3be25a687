//! Bounds-checked reading of borrowed bytes with absolute offsets.
//!
//! However deep a reader stands, the offset in its errors is the offset in the input. The shape is that of wasmparser's
//! `BinaryReader`: one bounds check, and no count is read without the remaining bytes being asked first.

use std::ops::Range;

/// The input ended before what was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the input ends at byte {offset:#x}, {needed} more bytes were expected")]
pub struct Eof {
    /// Where the input ended.
    pub offset: u64,
    /// How many bytes were missing, at least.
    pub needed: u64,
}

/// A position in borrowed bytes.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// Stands before the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Stands before the first byte of a part; offsets are those of the whole.
    pub fn between(whole: &'a [u8], part: Range<usize>) -> Self {
        Self { bytes: &whole[..part.end], position: part.start }
    }

    /// Offset of the next byte.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.position as u64
    }

    /// Bytes not read yet.
    #[inline]
    pub fn remaining(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Eof> {
        let Some(taken) = self.remaining().get(..count) else { return Err(self.eof(count as u64)) };
        self.position += count;
        Ok(taken)
    }

    /// As [`Cursor::take`], for a count as wide as formats store it.
    pub fn take_long(&mut self, count: u64) -> Result<&'a [u8], Eof> {
        let fits = usize::try_from(count).ok().filter(|count| *count <= self.remaining().len());
        let Some(count) = fits else { return Err(self.eof(count)) };
        self.take(count)
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Eof> {
        let Some(taken) = self.remaining().first_chunk::<N>() else { return Err(self.eof(N as u64)) };
        self.position += N;
        Ok(*taken)
    }

    /// The next byte.
    #[inline]
    pub fn take_byte(&mut self) -> Result<u8, Eof> {
        self.take_array::<1>().map(|[byte]| byte)
    }

    /// The bytes up to the next line feed, which is consumed too; at most `bytes_max` are searched.
    pub fn take_line(&mut self, bytes_max: usize) -> Result<&'a [u8], Eof> {
        let rest = self.remaining();
        let searched = &rest[..rest.len().min(bytes_max)];
        let Some(length) = searched.iter().position(|byte| *byte == b'\n') else {
            return Err(Eof { offset: (self.position + searched.len()) as u64, needed: 1 });
        };
        self.position += length + 1;
        Ok(&rest[..length])
    }

    #[cold]
    fn eof(&self, count: u64) -> Eof {
        let left = self.remaining().len() as u64;
        Eof { offset: self.bytes.len() as u64, needed: count - left.min(count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_says_where_it_ended() {
        let mut cursor = Cursor::new(b"ab\ncde");
        assert_eq!(cursor.take_line(10), Ok(&b"ab"[..]));
        assert_eq!(cursor.take_array(), Ok(*b"cd"));
        assert_eq!(cursor.take(5), Err(Eof { offset: 6, needed: 4 }));
        assert_eq!(cursor.take_long(u64::MAX), Err(Eof { offset: 6, needed: u64::MAX - 1 }));
        assert_eq!((cursor.offset(), cursor.take_byte()), (5, Ok(b'e')));
        assert_eq!(cursor.take_byte(), Err(Eof { offset: 6, needed: 1 }));
    }

    #[test]
    fn a_line_is_not_searched_beyond_its_bound() {
        assert!(Cursor::new(b"aaaa\n").take_line(4).is_err());
        assert!(Cursor::new(b"aaaa\n").take_line(5).is_ok());
    }
}
