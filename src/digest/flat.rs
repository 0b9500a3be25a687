//! Columns without nested cells: their canonical forms are put into several rows at a time, column by column, which is how
//! they lie in memory.

use std::ops::Range;

use arrow_buffer::{BooleanBuffer, NullBuffer};

use super::dictionary::Dictionary;
use crate::columnar::cells::{ByteStrings, Cells, Column, Fixed, Integers};

/// Bytes that may be written behind a cell, and so behind a row: short texts are copied in one piece of this length, which
/// the next cell overwrites.
pub(super) const SLACK: usize = 32;

/// Bytes of a text's length.
const LENGTH: usize = size_of::<u32>();

/// A column of a batch.
pub(super) struct Flat<'b> {
    values: Values<'b>,
    /// If there is a null in the batch.
    nulls: Option<&'b NullBuffer>,
    /// Whether a byte before each value says that it is there.
    marked: bool,
    /// What stands for a null.
    missing: &'b [u8],
}

enum Values<'b> {
    Boolean(&'b BooleanBuffer),
    Integer(&'b Integers),
    Fixed(&'b Fixed),
    Bytes(&'b ByteStrings),
    Coded(&'b Integers, &'b Dictionary),
}

/// Where the next cell of each row goes.
pub(super) trait Slots {
    /// The place of a cell of `length` bytes in row `row` of the block.
    fn slot(&mut self, row: usize, length: usize) -> &mut [u8];
}

/// Rows of one length, which have this cell at the same offset.
pub(super) struct Strided<'o> {
    pub(super) bytes: &'o mut [u8],
    pub(super) stride: usize,
    pub(super) offset: usize,
}

/// Rows of any length, [`SLACK`] bytes apart.
pub(super) struct Placed<'o> {
    pub(super) bytes: &'o mut [u8],
    /// Where the next cell of each row begins.
    pub(super) places: &'o mut [usize],
}

impl Slots for Strided<'_> {
    #[inline]
    fn slot(&mut self, row: usize, length: usize) -> &mut [u8] {
        &mut self.bytes[row * self.stride + self.offset..][..length]
    }
}

impl Slots for Placed<'_> {
    #[inline]
    fn slot(&mut self, row: usize, length: usize) -> &mut [u8] {
        let at = self.places[row];
        self.places[row] = at + length;
        &mut self.bytes[at..at + length]
    }
}

impl Placed<'_> {
    /// Puts `length` bytes of `from` from `start` on.
    #[inline]
    fn put_text(&mut self, row: usize, from: &[u8], start: usize, length: usize) {
        let at = self.places[row];
        self.places[row] = at + length;
        match from.get(start..start + SLACK) {
            Some(piece) if length <= SLACK => self.bytes[at..at + SLACK].copy_from_slice(piece),
            _ => self.bytes[at..at + length].copy_from_slice(&from[start..start + length]),
        }
    }
}

/// Calls `$body` with the numbers of `$integers`, each widened by `$wide` to the eight bytes of its form.
macro_rules! by_width {
    ($integers:expr, $values:ident, $wide:ident => $body:expr) => {{
        use Integers as I;
        macro_rules! of {
            ($numbers:expr, $by:expr) => {{
                let ($values, $wide) = ($numbers, $by);
                $body
            }};
        }
        match $integers {
            I::I8(numbers) => of!(numbers, |number: &i8| i64::from(*number).to_le_bytes()),
            I::I16(numbers) => of!(numbers, |number: &i16| i64::from(*number).to_le_bytes()),
            I::I32(numbers) => of!(numbers, |number: &i32| i64::from(*number).to_le_bytes()),
            I::I64(numbers) => of!(numbers, |number: &i64| number.to_le_bytes()),
            I::U8(numbers) => of!(numbers, |number: &u8| u64::from(*number).to_le_bytes()),
            I::U16(numbers) => of!(numbers, |number: &u16| u64::from(*number).to_le_bytes()),
            I::U32(numbers) => of!(numbers, |number: &u32| u64::from(*number).to_le_bytes()),
            I::U64(numbers) => of!(numbers, |number: &u64| number.to_le_bytes()),
        }
    }};
}

impl<'b> Flat<'b> {
    /// `None` for nested columns, and for nulls where nothing stands for them. `dictionary` holds the forms of the values,
    /// if the cells are codes; `missing` is none where the column must not have nulls.
    pub(super) fn of(
        column: &'b Column,
        dictionary: Option<&'b Dictionary>,
        marked: bool,
        missing: Option<&'b [u8]>,
    ) -> Option<Self> {
        let values = match (column.cells(), dictionary) {
            (Cells::Boolean(values), _) => Values::Boolean(values),
            (Cells::Integer(values), _) => Values::Integer(values),
            (Cells::Fixed(values), _) if matches!(values.width(), 2 | 4 | 8 | 16 | 32) => {
                Values::Fixed(values)
            }
            (Cells::Bytes(values), _) => Values::Bytes(values),
            (Cells::Dictionary(keys, _), Some(dictionary)) => Values::Coded(keys, dictionary),
            _ => return None,
        };
        let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
        let missing = if nulls.is_some() { missing? } else { &[] };
        Some(Self { values, nulls, marked, missing })
    }

    /// Bytes of each cell, if they are as many in every row.
    pub(super) fn width(&self) -> Option<usize> {
        self.nulls.is_none().then(|| self.value_width()).flatten()
    }

    fn value_width(&self) -> Option<usize> {
        let width = match self.values {
            Values::Boolean(_) => 1,
            Values::Integer(_) => size_of::<u64>(),
            Values::Fixed(values) => values.width(),
            Values::Bytes(_) | Values::Coded(_, _) => return None,
        };
        Some(width + usize::from(self.marked))
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Adds the bytes of each cell of `rows` to the length of its row.
    pub(super) fn add_lengths(&self, rows: Range<usize>, lengths: &mut [usize]) {
        match self.values {
            Values::Bytes(values) => {
                let before = LENGTH + usize::from(self.marked);
                self.add(rows, lengths, |row| before + values.range(row).len());
            }
            Values::Coded(keys, dictionary) => by_width!(keys, keys, wide => {
                self.add(rows, lengths, |row| dictionary.form(place(wide(&keys[row]))).len());
            }),
            _ => {
                let width = self.value_width().unwrap_or(0);
                self.add(rows, lengths, |_| width);
            }
        }
    }

    fn add(&self, rows: Range<usize>, lengths: &mut [usize], length: impl Fn(usize) -> usize) {
        for (row, sum) in rows.zip(lengths) {
            *sum += if self.is_null(row) { self.missing.len() } else { length(row) };
        }
    }

    /// Puts the numbers of `rows` into the rows of a block.
    pub(super) fn put_numbers(&self, rows: Range<usize>, out: &mut impl Slots) {
        match self.values {
            Values::Boolean(values) => {
                self.put_each(rows.clone(), rows.map(|row| [u8::from(values.value(row))]), out);
            }
            Values::Integer(values) => by_width!(values, numbers, wide => {
                self.put_each(rows.clone(), numbers[rows].iter().map(wide), out);
            }),
            Values::Fixed(values) => match values.width() {
                2 => self.put_fixed::<2>(values, rows, out),
                4 => self.put_fixed::<4>(values, rows, out),
                8 => self.put_fixed::<8>(values, rows, out),
                16 => self.put_fixed::<16>(values, rows, out),
                _ => self.put_fixed::<32>(values, rows, out),
            },
            Values::Bytes(_) | Values::Coded(_, _) => {}
        }
    }

    fn put_fixed<const N: usize>(&self, values: &Fixed, rows: Range<usize>, out: &mut impl Slots) {
        let cells = values.bytes(rows.clone()).as_chunks::<N>().0;
        self.put_each(rows, cells.iter().copied(), out);
    }

    fn put_each<const N: usize>(
        &self,
        rows: Range<usize>,
        cells: impl Iterator<Item = [u8; N]>,
        out: &mut impl Slots,
    ) {
        match self.nulls {
            None if self.marked => cells.enumerate().for_each(|(row, cell)| put_marked(row, cell, out)),
            None => cells.enumerate().for_each(|(row, cell)| out.slot(row, N).copy_from_slice(&cell)),
            Some(nulls) => {
                for ((row, at), cell) in rows.enumerate().zip(cells) {
                    if nulls.is_null(at) {
                        out.slot(row, self.missing.len()).copy_from_slice(self.missing);
                    } else {
                        self.put_one(row, cell, out);
                    }
                }
            }
        }
    }

    #[inline]
    fn put_one<const N: usize>(&self, row: usize, cell: [u8; N], out: &mut impl Slots) {
        if self.marked {
            put_marked(row, cell, out);
        } else {
            out.slot(row, N).copy_from_slice(&cell);
        }
    }

    /// Puts the cells of `rows`, of whatever type, into the rows of a block.
    pub(super) fn put(&self, rows: Range<usize>, out: &mut Placed<'_>) {
        match self.values {
            Values::Bytes(values) => self.put_texts(values, rows, out),
            Values::Coded(keys, dictionary) => self.put_codes(keys, dictionary, rows, out),
            _ => self.put_numbers(rows, out),
        }
    }

    fn put_texts(&self, values: &ByteStrings, rows: Range<usize>, out: &mut Placed<'_>) {
        for (row, at) in rows.enumerate() {
            if self.is_null(at) {
                out.slot(row, self.missing.len()).copy_from_slice(self.missing);
                continue;
            }
            let text = values.range(at);
            self.put_one(row, (text.len() as u32).to_le_bytes(), out);
            out.put_text(row, values.bytes(), text.start, text.len());
        }
    }

    fn put_codes(&self, keys: &Integers, forms: &Dictionary, rows: Range<usize>, out: &mut Placed<'_>) {
        by_width!(keys, keys, wide => {
            for (row, at) in rows.enumerate() {
                if self.is_null(at) {
                    out.slot(row, self.missing.len()).copy_from_slice(self.missing);
                } else {
                    let form = forms.form(place(wide(&keys[at])));
                    out.put_text(row, forms.bytes(), form.start, form.len());
                }
            }
        });
    }
}

/// The place of the value that a key names. Arrow refuses keys without a value, so it always fits.
#[inline]
fn place(key: [u8; 8]) -> usize {
    u64::from_le_bytes(key) as usize
}

#[inline]
fn put_marked<const N: usize>(row: usize, cell: [u8; N], out: &mut impl Slots) {
    let slot = out.slot(row, 1 + N);
    slot[0] = 1;
    slot[1..].copy_from_slice(&cell);
}
