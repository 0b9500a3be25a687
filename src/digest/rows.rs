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

    // One buffer for all rows: the row's bytes are in the first-level cache when they are hashed, so the copy is cheap,
    // and hashing them in one piece is faster than streaming them.
    fn each(&self, rows: Range<usize>, mut visit: impl FnMut(usize, &mut [u8])) -> Result<(), Error> {
        let mut buffer = Vec::new();
        for row in rows {
            buffer.clear();
            buffer.extend_from_slice(&[0; INDEX]);
            for (form, column) in self.forms.iter().zip(&self.columns) {
                form.put(column, row, &mut buffer)?;
            }
            visit(row, &mut buffer);
        }
        Ok(())
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
