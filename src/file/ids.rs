//! The id index: where the row of a key is.
//!
//! ```text
//! header   "BRINEIDS" · u32le version 1 · u32le bytes of a row number (4, or 8 above 2^32 rows) · u64le entries
//! entries  16-byte key (see `digest::key_hash`) · row number, little endian      sorted by key, then by row
//! trailer  BLAKE3 of everything before it
//! ```
//!
//! The same rows always give the same bytes, so an index that is missing can be made again and still be the one its
//! manifest names. Rows without a key are not in it; of rows with the same key all are, and the last one is found.

use std::path::{Path, PathBuf};

use arrow_array::Array;

use super::{
    error::{self, Damage, Error},
    map::Contents,
};
use crate::{
    columnar::cells::{Cells, Column},
    digest::key_hash,
};

mod build;
pub use build::{IdsBuilder, Repeats};

const MAGIC: &[u8; 8] = b"BRINEIDS";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 24;
const KEY_BYTES: usize = 16;

/// A key as the index knows it.
pub type Key = [u8; KEY_BYTES];

/// An open id index.
#[derive(Debug, Clone)]
pub struct Ids {
    contents: Contents,
    entries: usize,
    entry_bytes: usize,
}

impl Ids {
    /// Checks header and size; the digest is checked by `verify`.
    pub fn open(contents: Contents) -> Result<Self, Error> {
        let path = contents.path().to_owned();
        let header = contents.get(..HEADER_BYTES).filter(|header| header.starts_with(MAGIC));
        let header = header.ok_or_else(|| error::damaged(&path, Damage::Magic))?;
        let version = number(&header[8..12]) as u32;
        if version > VERSION {
            return Err(Error::NewerFormat { path, found: version, known: VERSION });
        }
        let (row_bytes, entries) = (number(&header[12..16]), number(&header[16..24]));
        let expected = file_bytes(row_bytes, entries).filter(|_| version == VERSION);
        let expected = expected.ok_or_else(|| error::damaged(&path, Damage::Magic))?;
        let found = contents.len() as u64;
        if expected != found {
            return Err(error::damaged(path, Damage::Size { expected, found }));
        }
        Ok(Self { contents, entries: entries as usize, entry_bytes: KEY_BYTES + row_bytes as usize })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether the index has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The last row of `key`.
    pub fn find(&self, key: &str) -> Option<u64> {
        self.find_key(&key_hash(key))
    }

    /// The last row of a key as the index knows it.
    pub fn find_key(&self, key: &Key) -> Option<u64> {
        self.row_at(self.partition(|entry| entry <= key).checked_sub(1)?, key)
    }

    /// The first row of `key`.
    pub fn find_first(&self, key: &str) -> Option<u64> {
        let key = key_hash(key);
        self.row_at(self.partition(|entry| *entry < key), &key)
    }

    /// How many entries, from the first on, have keys of which `is_before` is true.
    fn partition(&self, is_before: impl Fn(&Key) -> bool) -> usize {
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(&self.entry(middle).0) { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn row_at(&self, index: usize, key: &Key) -> Option<u64> {
        let (found, row) = (index < self.entries).then(|| self.entry(index))?;
        (found == *key).then_some(row)
    }

    /// Every entry, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (Key, u64)> {
        (0..self.entries).map(|index| self.entry(index))
    }

    /// Checks the digest.
    pub fn verify(&self) -> Result<(), Error> {
        let (body, trailer) = self.contents.split_at(self.contents.len() - blake3::OUT_LEN);
        if super::digest_of(body).as_bytes() == trailer {
            return Ok(());
        }
        Err(error::damaged(self.contents.path(), Damage::Digest))
    }

    /// The bytes of the file.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    fn entry(&self, index: usize) -> (Key, u64) {
        let start = HEADER_BYTES + index * self.entry_bytes;
        let entry = &self.contents[start..start + self.entry_bytes];
        let (key, row) = entry.split_at(KEY_BYTES);
        (key.try_into().expect("an entry begins with a whole key"), number(row))
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn file_bytes(row_bytes: u64, entries: u64) -> Option<u64> {
    let entry_bytes = [4, 8].contains(&row_bytes).then_some(KEY_BYTES as u64 + row_bytes)?;
    entries.checked_mul(entry_bytes)?.checked_add((HEADER_BYTES + blake3::OUT_LEN) as u64)
}

/// The keys of a column, row by row; none for a missing one.
#[derive(Debug)]
pub struct Keys(Column);

impl Keys {
    /// Reads keys from `array`, the column `name`; `path` is what errors call the index.
    pub fn of(array: &dyn Array, name: &str, path: &Path) -> Result<Self, Error> {
        let refused = || {
            let (path, column) = (PathBuf::from(path), name.to_owned());
            Error::Key { path, column, data_type: array.data_type().to_string() }
        };
        let column = Column::of(array).map_err(|_| refused())?;
        let sound = match column.cells() {
            Cells::Dictionary(_, values) => is_key(values.cells()),
            cells => is_key(cells),
        };
        if sound { Ok(Self(column)) } else { Err(refused()) }
    }

    /// The key of `row`. Integers are taken as their decimal digits.
    pub fn key(&self, row: usize) -> Option<Key> {
        match self.0.resolve(row)? {
            (Cells::Bytes(texts), row) => std::str::from_utf8(texts.value(row)).ok().map(key_hash),
            (Cells::Integer(integers), row) => Some(key_hash(&integers.value(row).to_string())),
            _ => None,
        }
    }
}

fn is_key(cells: &Cells) -> bool {
    matches!(cells, Cells::Bytes(_) | Cells::Integer(_) | Cells::Null)
}

#[cfg(test)]
mod tests;
