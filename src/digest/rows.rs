//! The hash of each row, and the sums of them.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use xxhash_rust::xxh3::xxh3_128;

use super::{Error, form::Form};
use crate::columnar::cells::Column;

/// Hashes rows of one schema.
#[derive(Debug, Clone)]
pub struct RowHasher {
    forms: Vec<Form>,
}

/// Sums of row hashes, modulo 2^128.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of the hashes with the row's index.
    pub d: u128,
    /// Of the hashes without it.
    pub k: u128,
}

impl RowHasher {
    /// A hasher for batches of `schema`.
    pub fn new(schema: &Schema) -> Result<Self, Error> {
        let forms = schema.fields().iter().map(|field| Form::of(field, "")).collect::<Result<_, _>>()?;
        Ok(Self { forms })
    }

    /// Hashes each row of `batch`, whose first row is row `first_row` of the table: `each` gets the hash with the index
    /// and the hash without it.
    pub fn hash(
        &self,
        batch: &RecordBatch,
        first_row: u64,
        mut each: impl FnMut(u128, u128),
    ) -> Result<(), Error> {
        self.bind(batch)?.each(0..batch.num_rows(), |row, buffer| {
            let indexed = hash_indexed(first_row + row as u64, buffer);
            each(indexed, xxh3_128(&buffer[INDEX..]));
        })
    }

    /// `D` of `rows` of `batch`, whose first row is row `first_row` of the table.
    pub fn range_digest(
        &self,
        batch: &RecordBatch,
        rows: Range<usize>,
        first_row: u64,
    ) -> Result<u128, Error> {
        let mut sum = 0_u128;
        self.bind(batch)?.each(rows, |row, buffer| {
            sum = sum.wrapping_add(hash_indexed(first_row + row as u64, buffer));
        })?;
        Ok(sum)
    }

    /// The columns of `batch`, ready to be hashed from several threads.
    pub(super) fn bind(&self, batch: &RecordBatch) -> Result<Rows<'_>, Error> {
        let (expected, found) = (self.forms.len(), batch.num_columns());
        if expected != found {
            return Err(Error::Columns { expected, found });
        }
        let columns = self.forms.iter().enumerate().map(|(index, form)| form.bind(batch, index));
        Ok(Rows { forms: &self.forms, columns: columns.collect::<Result<_, _>>()? })
    }
}

/// A batch whose rows can be hashed.
pub(super) struct Rows<'a> {
    forms: &'a [Form],
    columns: Vec<Column>,
}

/// Rows that are put together at a time where all columns are numbers.
const BLOCK_ROWS: usize = 32;

/// Bytes in front of the canonical row that hold its index.
const INDEX: usize = 8;

impl Rows<'_> {
    /// Both sums of `rows`; the batch's first row is row `first_row` of the table.
    pub(super) fn sums(&self, rows: Range<usize>, first_row: u64) -> Result<Sums, Error> {
        let mut sums = Sums::default();
        self.each(rows, |row, buffer| {
            sums.k = sums.k.wrapping_add(xxh3_128(&buffer[INDEX..]));
            sums.d = sums.d.wrapping_add(hash_indexed(first_row + row as u64, buffer));
        })?;
        Ok(sums)
    }

    /// The same, and the hash of each row without its index.
    pub(super) fn sums_and_hashes(
        &self,
        rows: Range<usize>,
        first_row: u64,
    ) -> Result<(Sums, Vec<u128>), Error> {
        let (mut sums, mut hashes) = (Sums::default(), Vec::with_capacity(rows.len()));
        self.each(rows, |row, buffer| {
            let keyed = xxh3_128(&buffer[INDEX..]);
            hashes.push(keyed);
            sums += Sums { d: hash_indexed(first_row + row as u64, buffer), k: keyed };
        })?;
        Ok((sums, hashes))
    }

    // One buffer for a few rows: their bytes are in the first-level cache when they are hashed, so the copy is cheap, and
    // hashing a row in one piece is faster than streaming it.
    fn each(&self, rows: Range<usize>, mut visit: impl FnMut(usize, &mut [u8])) -> Result<(), Error> {
        let mut buffer = Vec::new();
        let mut first = rows.start;
        while first < rows.end {
            let block = first..rows.end.min(first + BLOCK_ROWS);
            match self.number_offsets(&block) {
                Some(offsets) => self.each_of_numbers(&block, &offsets, &mut buffer, &mut visit),
                None => self.each_by_cells(&block, &mut buffer, &mut visit)?,
            }
            first = block.end;
        }
        Ok(())
    }

    fn each_by_cells(
        &self,
        rows: &Range<usize>,
        buffer: &mut Vec<u8>,
        visit: &mut impl FnMut(usize, &mut [u8]),
    ) -> Result<(), Error> {
        for row in rows.clone() {
            buffer.clear();
            buffer.extend_from_slice(&[0; INDEX]);
            for (form, column) in self.forms.iter().zip(&self.columns) {
                form.put(column, row, buffer)?;
            }
            visit(row, buffer);
        }
        Ok(())
    }

    /// Where each column's form stands in a row, and the length of the row, if all cells of `rows` are numbers.
    fn number_offsets(&self, rows: &Range<usize>) -> Option<Vec<usize>> {
        let widths =
            self.forms.iter().zip(&self.columns).map(|(form, column)| form.width(column, rows.clone()));
        let ends = widths.scan(INDEX, |end, width| {
            *end += width.unwrap_or(0);
            Some(width.map(|_| *end))
        });
        std::iter::once(Some(INDEX)).chain(ends).collect()
    }

    /// Column by column, which is how numbers lie in memory.
    fn each_of_numbers(
        &self,
        rows: &Range<usize>,
        offsets: &[usize],
        buffer: &mut Vec<u8>,
        visit: &mut impl FnMut(usize, &mut [u8]),
    ) {
        let length = offsets.last().copied().unwrap_or(INDEX);
        buffer.resize(rows.len() * length, 0);
        for ((form, column), offset) in self.forms.iter().zip(&self.columns).zip(offsets) {
            let cells = buffer.chunks_exact_mut(length).map(|row| &mut row[*offset..]);
            form.put_numbers(column, rows.clone(), cells);
        }
        for (row, bytes) in rows.clone().zip(buffer.chunks_exact_mut(length)) {
            visit(row, bytes);
        }
    }
}

fn hash_indexed(index: u64, buffer: &mut [u8]) -> u128 {
    buffer[..INDEX].copy_from_slice(&index.to_le_bytes());
    xxh3_128(buffer)
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.d = self.d.wrapping_add(other.d);
        self.k = self.k.wrapping_add(other.k);
    }
}
