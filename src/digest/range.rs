//! Digests of ranges of a table whose prefixes are known here and there.

use std::ops::Range;

use arrow_array::RecordBatch;

use super::{Error, Prefixes, RowHasher};

/// Gives `D` of ranges of rows: the difference of two known prefixes where there are such, else by hashing.
#[derive(Debug, Clone)]
pub struct RangeDigester {
    hasher: RowHasher,
    prefixes: Prefixes,
}

impl RangeDigester {
    /// For a table whose rows `hasher` hashes, with these prefixes.
    pub fn new(hasher: RowHasher, prefixes: Prefixes) -> Self {
        Self { hasher, prefixes }
    }

    /// `D` of `rows` of `batch`, whose first row is row `first_row` of the table.
    pub fn digest(&self, batch: &RecordBatch, rows: &Range<usize>, first_row: u64) -> Result<u128, Error> {
        let (start, end) = (first_row + rows.start as u64, first_row + rows.end as u64);
        match (self.prefixes.at(start), self.prefixes.at(end)) {
            (Some(before), Some(with)) => Ok(with.wrapping_sub(before)),
            _ => self.hasher.range_digest(batch, rows.clone(), first_row),
        }
    }
}
