//! The hash of each row, and the sums of them.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    Error,
    dictionary::Dictionary,
    flat::{Flat, Placed, SLACK, Strided},
    form::Form,
};
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
        self.bind(batch, batch.num_rows())?.each(0..batch.num_rows(), |row, buffer| {
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
        self.bind(batch, rows.len())?.each(rows, |row, buffer| {
            sum = sum.wrapping_add(hash_indexed(first_row + row as u64, buffer));
        })?;
        Ok(sum)
    }

    /// The columns of `batch`, of which `rows` rows will be hashed, from several threads.
    pub(super) fn bind(&self, batch: &RecordBatch, rows: usize) -> Result<Rows<'_>, Error> {
        let (expected, found) = (self.forms.len(), batch.num_columns());
        if expected != found {
            return Err(Error::Columns { expected, found });
        }
        let columns = self.forms.iter().enumerate().map(|(index, form)| form.bind(batch, index));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let dictionaries = columns.iter().zip(batch.columns()).zip(&self.forms);
        let dictionaries =
            dictionaries.map(|((column, array), form)| Dictionary::of(array, column, form, rows)).collect();
        Ok(Rows { forms: &self.forms, columns, dictionaries })
    }
}

/// A batch whose rows can be hashed.
pub(super) struct Rows<'a> {
    forms: &'a [Form],
    columns: Vec<Column>,
    /// The forms of what the columns of codes name.
    dictionaries: Vec<Option<Dictionary>>,
}

/// Rows that are put together at a time where no column is nested; more if all are of one length and short.
const BLOCK_ROWS: usize = 32;

/// Bytes of such rows at most, if they differ in length and are more than one.
const BLOCK_BYTES: usize = 1 << 16;

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
        let columns = self.forms.iter().zip(&self.columns).zip(&self.dictionaries);
        let flats = columns.map(|((form, column), dictionary)| form.flat(column, dictionary.as_ref()));
        let Some(flats) = flats.collect::<Option<Vec<_>>>() else { return self.each_by_cells(rows, visit) };
        let widths = flats.iter().map(Flat::width).collect::<Option<Vec<_>>>();
        match widths {
            Some(widths) => each_of_one_length(&flats, &widths, rows, &mut visit),
            None => each_of_any_length(&flats, rows, &mut visit),
        }
        Ok(())
    }

    fn each_by_cells(
        &self,
        rows: Range<usize>,
        mut visit: impl FnMut(usize, &mut [u8]),
    ) -> Result<(), Error> {
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

/// Rows of numbers, whose places are known beforehand.
fn each_of_one_length(
    columns: &[Flat<'_>],
    widths: &[usize],
    rows: Range<usize>,
    visit: &mut impl FnMut(usize, &mut [u8]),
) {
    let stride = INDEX + widths.iter().sum::<usize>();
    let block_rows = (BLOCK_BYTES / stride).max(BLOCK_ROWS);
    let mut bytes = vec![0; block_rows.min(rows.len()) * stride];
    for first in rows.clone().step_by(block_rows) {
        let block = first..rows.end.min(first + block_rows);
        let mut offset = INDEX;
        for (column, width) in columns.iter().zip(widths) {
            column.put_numbers(block.clone(), &mut Strided { bytes: &mut bytes, stride, offset });
            offset += width;
        }
        for (row, bytes) in block.zip(bytes.chunks_exact_mut(stride)) {
            visit(row, bytes);
        }
    }
}

fn each_of_any_length(columns: &[Flat<'_>], rows: Range<usize>, visit: &mut impl FnMut(usize, &mut [u8])) {
    let (mut bytes, mut first) = (Vec::new(), rows.start);
    while first < rows.end {
        let most = first..rows.end.min(first + BLOCK_ROWS);
        let mut lengths = [INDEX; BLOCK_ROWS];
        for column in columns {
            column.add_lengths(most.clone(), &mut lengths);
        }
        let (fitting, total) = fitting(&lengths[..most.len()]);
        let block = first..first + fitting;
        bytes.resize(total.max(bytes.len()), 0);
        let starts = starts(&lengths);
        let mut places = starts.map(|start| start + INDEX);
        let mut out = Placed { bytes: &mut bytes, places: &mut places };
        for column in columns {
            column.put(block.clone(), &mut out);
        }
        for ((row, start), end) in block.clone().zip(starts).zip(places) {
            visit(row, &mut bytes[start..end]);
        }
        first = block.end;
    }
}

/// How many rows of these lengths go into a block, and the bytes of the block.
fn fitting(lengths: &[usize]) -> (usize, usize) {
    let ends = lengths.iter().scan(0, |end, length| {
        *end += length + SLACK;
        Some(*end)
    });
    let fitting = ends.clone().take_while(|end| *end <= BLOCK_BYTES).count().max(1);
    (fitting, ends.take(fitting).last().unwrap_or(0))
}

/// Where each row begins.
fn starts(lengths: &[usize; BLOCK_ROWS]) -> [usize; BLOCK_ROWS] {
    let mut end = 0;
    lengths.map(|length| {
        let start = end;
        end += length + SLACK;
        start
    })
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
