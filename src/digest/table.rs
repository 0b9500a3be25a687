//! The digest of a whole table, batch by batch.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use rayon::prelude::*;

use super::{Error, RowHasher, Summed, Sums};

/// Rows between two checkpoints.
pub const CHECKPOINT_ROWS: u64 = 1_000;

/// The digest of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Rows digested.
    pub rows: u64,
    /// Sum of the row hashes with their index.
    pub d: u128,
    /// Sum of the row hashes without their index, over every row: where a key repeats, take the rows that a later one
    /// replaced away with [`Digest::supersede`].
    pub k: u128,
    /// `d` of the first 1,000, 2,000, … rows.
    pub checkpoints: Vec<u128>,
}

impl Digest {
    /// Takes a row that a later row of the same key replaces out of `k`; `keyed_hash` is its hash without the index.
    pub fn supersede(&mut self, keyed_hash: u128) {
        self.k = self.k.wrapping_sub(keyed_hash);
    }
}

/// Digests a table batch by batch, each on all cores.
#[derive(Debug)]
pub struct Digester {
    hasher: RowHasher,
    rows: u64,
    sums: Sums,
    checkpoints: Vec<u128>,
}

impl Digester {
    /// A digester for batches of `schema`.
    pub fn new(schema: &Schema) -> Result<Self, Error> {
        Ok(Self { hasher: RowHasher::new(schema)?, rows: 0, sums: Sums::default(), checkpoints: Vec::new() })
    }

    /// Adds the next batch.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let rows = self.hasher.bind(batch, batch.num_rows())?;
        let first_row = self.rows;
        let ranges = between_checkpoints(first_row, batch.num_rows());
        let sums = ranges.into_par_iter().map(|range| Ok((range.len(), rows.sums(range, first_row)?)));
        let sums = sums.collect::<Result<Vec<_>, Error>>()?;
        for (rows, sums) in sums {
            self.add(rows, sums);
        }
        Ok(())
    }

    /// Adds the next batch, of which `summed` are the sums by rows of the same schema; they are found again if they are those
    /// of other places in the table.
    pub fn update_summed(&mut self, batch: &RecordBatch, summed: &Summed) -> Result<(), Error> {
        if !summed.is_of(self.rows, batch) {
            return self.update(batch);
        }
        summed.parts().for_each(|(rows, sums)| self.add(rows, sums));
        Ok(())
    }

    /// Adds the next batch, and gives the hash of each of its rows without the index.
    pub fn update_with_hashes(&mut self, batch: &RecordBatch) -> Result<Vec<u128>, Error> {
        let rows = self.hasher.bind(batch, batch.num_rows())?;
        let first_row = self.rows;
        let ranges = between_checkpoints(first_row, batch.num_rows());
        let parts = ranges.into_par_iter().map(|range| rows.sums_and_hashes(range, first_row));
        let parts = parts.collect::<Result<Vec<_>, Error>>()?;
        let mut hashes = Vec::with_capacity(batch.num_rows());
        for (sums, of_rows) in parts {
            self.add(of_rows.len(), sums);
            hashes.extend(of_rows);
        }
        Ok(hashes)
    }

    fn add(&mut self, rows: usize, sums: Sums) {
        self.rows += rows as u64;
        self.sums += sums;
        if self.rows.is_multiple_of(CHECKPOINT_ROWS) {
            self.checkpoints.push(self.sums.d);
        }
    }

    /// The digest of everything added.
    pub fn finish(self) -> Digest {
        Digest { rows: self.rows, d: self.sums.d, k: self.sums.k, checkpoints: self.checkpoints }
    }
}

/// The rows of a batch that starts at `first_row` of the table, cut where the checkpoints are.
pub(super) fn between_checkpoints(first_row: u64, rows: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::with_capacity(rows / CHECKPOINT_ROWS as usize + 2);
    let mut start = 0;
    while start < rows {
        let until_checkpoint = CHECKPOINT_ROWS - (first_row + start as u64) % CHECKPOINT_ROWS;
        let end = rows.min(start + until_checkpoint as usize);
        ranges.push(start..end);
        start = end;
    }
    ranges
}
