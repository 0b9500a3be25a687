//! Sums of rows that were found before the table's digest wanted them.

use arrow_array::RecordBatch;

use super::{Error, RowHasher, Sums, table::between_checkpoints};

/// The sums of a batch's rows at their place in a table, which that table's digest needs not find again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summed {
    first_row: u64,
    /// Rows and their sums, cut where the checkpoints are.
    parts: Vec<(usize, Sums)>,
}

impl Summed {
    /// Whether they are those of `batch`, if its rows stand from `first_row` on.
    pub(super) fn is_of(&self, first_row: u64, batch: &RecordBatch) -> bool {
        self.first_row == first_row && self.rows() == batch.num_rows() as u64
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (usize, Sums)> + '_ {
        self.parts.iter().copied()
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|(rows, _)| *rows as u64).sum()
    }

    /// `D` of them.
    pub fn digest(&self) -> u128 {
        self.parts.iter().fold(0, |sum, (_, sums)| sum.wrapping_add(sums.d))
    }
}

impl RowHasher {
    /// The sums of `batch`, whose first row is row `first_row` of the table.
    pub fn summed(&self, batch: &RecordBatch, first_row: u64) -> Result<Summed, Error> {
        let rows = self.bind(batch, batch.num_rows())?;
        let ranges = between_checkpoints(first_row, batch.num_rows()).into_iter();
        let parts = ranges.map(|range| Ok((range.len(), rows.sums(range, first_row)?)));
        Ok(Summed { first_row, parts: parts.collect::<Result<_, Error>>()? })
    }
}
