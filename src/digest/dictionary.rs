//! The values of a dictionary in canonical form: made once for a batch, and not for each cell that names one.

use std::ops::Range;

use arrow_array::{Array as _, ArrayRef, cast::AsArray as _};

use super::{flat::SLACK, form::Form};
use crate::columnar::cells::{Cells, Column};

/// Bytes of all forms at most: more would not stay in the core's cache.
const BYTES_MAX: usize = 1 << 20;

/// The form of each value, one after the other.
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    /// Where each form begins, and where the last one ends.
    starts: Vec<u32>,
}

impl Dictionary {
    /// The forms of the values that the cells of `array` name. `None` where making them costs more than it saves, and for
    /// what is no dictionary.
    pub(super) fn of(array: &ArrayRef, column: &Column, form: &Form, rows: usize) -> Option<Self> {
        let count = array.as_any_dictionary_opt()?.values().len();
        let Cells::Dictionary(_, values) = column.cells() else { return None };
        (count <= rows).then(|| Self::of_values(values, count, form))?
    }

    fn of_values(values: &Column, count: usize, form: &Form) -> Option<Self> {
        let mut made = Self { bytes: Vec::new(), starts: Vec::with_capacity(count + 1) };
        made.starts.push(0);
        for value in 0..count {
            // Before it is copied: a value may be longer than all rows.
            if let Some((Cells::Bytes(texts), at)) = values.resolve(value)
                && made.bytes.len() + texts.range(at).len() > BYTES_MAX
            {
                return None;
            }
            form.put(values, value, &mut made.bytes).ok()?;
            made.starts.push(made.bytes.len() as u32);
        }
        made.bytes.resize(made.bytes.len() + SLACK, 0);
        (made.bytes.len() <= BYTES_MAX).then_some(made)
    }

    /// Where the form of value `value` stands.
    #[inline]
    pub(super) fn form(&self, value: usize) -> Range<usize> {
        let ends = &self.starts[value..value + 2];
        ends[0] as usize..ends[1] as usize
    }

    /// All forms, and [`SLACK`] bytes behind them.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
