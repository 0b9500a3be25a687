//! Keys by their 16 bytes, and the digest of a table in which the last row of each key counts.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_128;

use crate::identifier;

/// The sum of keyed hashes of which the last of each key counts. Holds 32 bytes and more for each key.
#[derive(Debug, Clone, Default)]
pub struct Keyed {
    hashes: HashMap<[u8; 16], u128>,
    sum: u128,
}

impl Keyed {
    /// Counts a row, in place of an earlier one of the same key.
    pub fn insert(&mut self, key: [u8; 16], keyed_hash: u128) {
        let replaced = self.hashes.insert(key, keyed_hash).unwrap_or(0);
        self.sum = self.sum.wrapping_sub(replaced).wrapping_add(keyed_hash);
    }

    /// Distinct keys.
    pub fn keys(&self) -> usize {
        self.hashes.len()
    }

    /// The sum.
    pub fn value(&self) -> u128 {
        self.sum
    }
}

/// The 16 bytes by which an index knows `key`: the UUID that its 36 characters spell, in either case, else its XXH3-128
/// with the most significant byte first.
pub fn key_hash(key: &str) -> [u8; 16] {
    identifier::parse(key)
        .map_or_else(|| xxh3_128(key.as_bytes()).to_be_bytes(), identifier::Uuid::into_bytes)
}
