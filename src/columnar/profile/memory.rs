//! Memory of a column, in Arrow and in pandas.
//!
//! For pandas it is what `Series.memory_usage(index=False, deep=True)` gives on 64-bit `CPython` 3.11 for the column as
//! objects: numbers and times take their width (a mask one byte more), text a pointer and its `str` (49 bytes and one for
//! each ASCII character; 73, 74 and 76 bytes and one, two or four for each of others), a list a pointer, 56 bytes and 8
//! for each item, a categorical its codes and its categories. `deep` does not look into lists, so neither does this.

use std::collections::HashSet;

use arrow_array::{Array, cast::AsArray as _};
use arrow_schema::DataType;

use crate::columnar::cells::{Cells, Column};

const POINTER: u64 = 8;
const LIST: u64 = 56;
const BYTES: u64 = 33;
const NONE: u64 = 16;

#[derive(Debug, Default)]
pub(super) struct Memory {
    arrow: u64,
    /// Dictionaries are shared by the batches of a file, so each is counted once.
    dictionaries: HashSet<usize>,
    rows: u64,
    cells: u64,
    nulls: u64,
    categories: Option<(u64, u64)>,
    width: Option<u64>,
}

impl Memory {
    pub(super) fn add(&mut self, array: &dyn Array) {
        self.rows += array.len() as u64;
        self.nulls += array.logical_null_count() as u64;
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            self.arrow +=
                array.len() as u64 * dictionary.keys().data_type().primitive_width().unwrap_or(4) as u64;
            self.dictionary(dictionary.values());
            return;
        }
        self.arrow += array.to_data().get_slice_memory_size().unwrap_or(0) as u64;
        self.width = array.data_type().primitive_width().map(|width| width as u64);
        if *array.data_type() == DataType::Boolean {
            self.width = Some(1);
        }
        if self.width.is_none() {
            self.cells += objects(array);
        }
    }

    fn dictionary(&mut self, values: &dyn Array) {
        let data = values.to_data();
        let place = data.buffers().last().map_or(0, |buffer| buffer.as_ptr() as usize);
        if !self.dictionaries.insert(place) {
            return;
        }
        let arrow = data.get_slice_memory_size().unwrap_or(0) as u64;
        let (count, pandas) = (values.len() as u64, objects(values));
        // A batch that was read anew has its dictionary at another place; the largest is the whole one.
        match &mut self.categories {
            Some((most, _)) if *most >= count => {}
            categories => {
                *categories = Some((count, pandas));
                self.arrow += arrow;
            }
        }
    }

    pub(super) fn arrow(&self) -> u64 {
        self.arrow
    }

    pub(super) fn pandas(&self) -> u64 {
        if let Some((categories, bytes)) = self.categories {
            let code = match categories {
                0..=127 => 1,
                128..=32_767 => 2,
                _ => 4,
            };
            return self.rows * code + bytes;
        }
        let mask = u64::from(self.nulls > 0);
        self.width.map_or(self.cells, |width| self.rows * (width + mask))
    }
}

/// Bytes of the cells as Python objects, pointers included.
fn objects(array: &dyn Array) -> u64 {
    let Ok(column) = Column::of(array) else { return 0 };
    let is_text = array.data_type().is_string();
    (0..array.len())
        .map(|row| POINTER + column.resolve(row).map_or(NONE, |(cells, at)| object(cells, at, is_text)))
        .sum()
}

fn object(cells: &Cells, row: usize, is_text: bool) -> u64 {
    match cells {
        Cells::Bytes(values) if is_text => text(values.value(row)),
        Cells::Bytes(values) => BYTES + values.value(row).len() as u64,
        Cells::List(spans, _) => LIST + 8 * spans.range(row).len() as u64,
        // A dict of a few entries.
        Cells::Struct(_) => 184,
        _ => 24,
    }
}

/// `sys.getsizeof` of a text.
fn text(bytes: &[u8]) -> u64 {
    if bytes.is_ascii() {
        return 49 + bytes.len() as u64;
    }
    let text = String::from_utf8_lossy(bytes);
    let (count, most) =
        text.chars().fold((0_u64, '\0'), |(count, most), letter| (count + 1, most.max(letter)));
    match u32::from(most) {
        0..=0xff => 73 + count,
        0x100..=0xffff => 74 + 2 * count,
        _ => 76 + 4 * count,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_take_what_cpython_says() {
        // sys.getsizeof in CPython 3.11.
        for (text, bytes) in [("", 49), ("abc", 52), ("é", 74), ("дві", 80), ("𝄞", 80)] {
            assert_eq!(super::text(text.as_bytes()), bytes, "{text}");
        }
    }
}
