//! The seam: turns rows of one source column into one Arrow array. One small file for each kind of column implements it.

use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_buffer::MutableBuffer;
use arrow_schema::Field;

use super::error::{BadRow, Reason};

/// Turns rows of one column into one array.
///
/// A cell that cannot be converted gets a placeholder and a line in `faults`; what becomes of its row is not decided
/// here. The array always has as many values as there are rows.
pub(super) trait Convert: Send + Sync {
    /// The Arrow field.
    fn field(&self) -> Field;

    /// Converts `rows`.
    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef;

    /// Bytes of text in `rows`, which a file can make many times its own size by naming one text again and again.
    fn text_bytes(&self, _rows: Range<usize>) -> usize {
        0
    }

    /// How many values were rounded so far.
    fn rounded(&self) -> u64 {
        0
    }

    /// Takes back the memory of an array that nobody reads any more.
    fn recycle(&self, _array: ArrayRef) {}

    /// The column as one of a matrix, if its items lie between those of other columns.
    fn interleaved(&self) -> Option<&dyn Interleaved> {
        None
    }
}

/// A column whose items lie a row of a matrix apart: some columns of such a matrix are copied together, a few rows at a
/// time, because they share cache lines.
pub(super) trait Interleaved: Sync {
    /// Memory for `rows` rows.
    fn buffer(&self, rows: usize) -> MutableBuffer;

    /// Copies the items of `rows`, which fill `out`.
    fn copy(&self, rows: Range<usize>, out: &mut [u8]);

    /// The array of `rows`, which fill `buffer`.
    fn array(&self, rows: Range<usize>, buffer: MutableBuffer) -> ArrayRef;
}

/// Collects the bad cells of one column.
#[derive(Debug)]
pub(super) struct Faults<'a> {
    pub(super) column: &'a str,
    pub(super) bad: &'a mut Vec<BadRow>,
}

impl Faults<'_> {
    /// Notes a bad cell.
    #[cold]
    pub(super) fn push(&mut self, row: usize, reason: impl Into<Reason>) {
        self.bad.push(BadRow { row, column: self.column.to_owned(), reason: reason.into() });
    }
}
