//! What stands around rows in a message: the messages that hold them, from the request inwards, and the constants beside
//! them.

use super::{
    encode::GRPC_PREFIX_BYTES,
    varint::{Wire, delimited_len, key, put_delimited},
};

/// The way from a request to its rows.
#[derive(Debug, Clone)]
pub(super) struct Wrap {
    /// The messages around the rows, from the request inwards; the last holds the rows.
    pub(super) levels: Vec<Level>,
    /// A message holds many rows, else one.
    pub(super) repeated: bool,
}

/// One of the messages around the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// Fields before what it holds.
    pub(super) head: Vec<u8>,
    /// Key of what it holds; none if that is the row itself.
    pub(super) key: Option<u32>,
    /// Fields behind what it holds.
    pub(super) tail: Vec<u8>,
}

impl Wrap {
    /// Field `rows` of field `chunk` of the request.
    pub(super) fn chunk(chunk: u32, rows: u32) -> Self {
        let level = |number| Level { key: Some(key(number, Wire::Bytes)), ..Level::default() };
        Self { levels: vec![level(chunk), level(rows)], repeated: true }
    }

    /// Bytes that a row of `row_len` adds to its chunk.
    #[inline]
    pub(super) fn share(&self, row_len: usize) -> usize {
        match self.rows_key() {
            Some(key) => delimited_len(key, row_len),
            None => self.framed_len(row_len),
        }
    }

    /// Bytes of a row in a message of its own, behind a prefix of its own. Not inlined, so that `share` is.
    #[inline(never)]
    fn framed_len(&self, row_len: usize) -> usize {
        GRPC_PREFIX_BYTES + self.len_from(0, row_len)
    }

    /// Bytes of a chunk whose rows add `shares`: of its one message, or of its messages and their prefixes.
    #[inline]
    pub(super) fn chunk_len(&self, shares: usize) -> usize {
        if self.repeated { self.len_from(0, shares) } else { shares }
    }

    /// Bytes of the message of level `from`, which holds `held` bytes of rows.
    #[inline]
    pub(super) fn len_from(&self, from: usize, held: usize) -> usize {
        let mut len = held;
        for (at, level) in self.levels.iter().enumerate().skip(from).rev() {
            len = level.key.filter(|_| !self.holds_runs(at)).map_or(len, |key| delimited_len(key, len));
            len += level.head.len() + level.tail.len();
        }
        len
    }

    /// Appends what stands before `held` bytes of rows.
    pub(super) fn put_before(&self, held: usize, out: &mut Vec<u8>) {
        for (at, level) in self.levels.iter().enumerate() {
            out.extend_from_slice(&level.head);
            if let Some(key) = level.key.filter(|_| !self.holds_runs(at)) {
                put_delimited(key, self.len_from(at + 1, held), out);
            }
        }
    }

    /// Appends what stands behind the rows.
    pub(super) fn put_behind(&self, out: &mut Vec<u8>) {
        for level in self.levels.iter().rev() {
            out.extend_from_slice(&level.tail);
        }
    }

    /// The key that stands before each row, if a message holds many.
    #[inline]
    pub(super) fn rows_key(&self) -> Option<u32> {
        self.levels.last().filter(|_| self.repeated)?.key
    }

    /// Whether level `at` holds rows each of which has its key.
    #[inline]
    fn holds_runs(&self, at: usize) -> bool {
        self.repeated && at + 1 == self.levels.len()
    }
}
