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
            // A message of its own, behind a prefix of its own.
            None => GRPC_PREFIX_BYTES + self.len_from(0, row_len),
        }
    }

    /// Bytes of a chunk whose rows add `shares`: of its one message, or of its messages and their prefixes.
    #[inline]
    pub(super) fn chunk_len(&self, shares: usize) -> usize {
        if self.repeated { self.len_from(0, shares) } else { shares }
    }

    /// Bytes of the message of level `from`, which holds `held` bytes of rows.
    pub(super) fn len_from(&self, from: usize, held: usize) -> usize {
        let inner = match self.levels.get(from + 1) {
            Some(_) => self.len_from(from + 1, held),
            None => held,
        };
        let level = &self.levels[from];
        let inner =
            level.key.filter(|_| !self.holds_runs(from)).map_or(inner, |key| delimited_len(key, inner));
        level.head.len() + inner + level.tail.len()
    }

    /// Appends the message of level `from`; `rows` appends what the innermost holds, which takes `held` bytes.
    pub(super) fn put<E>(
        &self,
        from: usize,
        held: usize,
        out: &mut Vec<u8>,
        rows: &mut impl FnMut(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let level = &self.levels[from];
        let is_last = from + 1 == self.levels.len();
        out.extend_from_slice(&level.head);
        if let Some(key) = level.key.filter(|_| !self.holds_runs(from)) {
            put_delimited(key, if is_last { held } else { self.len_from(from + 1, held) }, out);
        }
        if is_last {
            rows(out)?;
        } else {
            self.put(from + 1, held, out, rows)?;
        }
        out.extend_from_slice(&level.tail);
        Ok(())
    }

    /// The key that stands before each row, if a message holds many.
    #[inline]
    pub(super) fn rows_key(&self) -> Option<u32> {
        self.levels.last().filter(|_| self.repeated)?.key
    }

    /// Whether level `at` holds rows each of which has its key.
    fn holds_runs(&self, at: usize) -> bool {
        self.repeated && at + 1 == self.levels.len()
    }
}
