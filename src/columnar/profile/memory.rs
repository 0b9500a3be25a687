//! Memory of a column, in Arrow and in pandas.
//!
//! For pandas it is what `Series.memory_usage(index=False, deep=True)` gives on 64-bit `CPython` 3.11, of the column as
//! objects and of the column once its repeated text is categorical:
//!
//! ```text
//! numbers, times   their width; a mask one byte more
//! text             a pointer and its `str`: see `python.rs`
//! lists            a pointer, 56 bytes, and 8 for each item: `deep` does not look into lists, so neither does this
//! categorical      its codes, its categories as objects, and their hash table, which `astype("category")` fills
//! ```
//!
//! What `CPython` keeps beside a text once its UTF-8 was asked for is not counted: it depends on what was done with the text.

use std::collections::HashSet;

use super::python::{self, POINTER};

use arrow_array::{Array, cast::AsArray as _};
use arrow_schema::DataType;

use crate::columnar::cells::{Cells, Column};

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
            return self.of_objects(array, dictionary.values().data_type());
        }
        self.arrow += array.to_data().get_slice_memory_size().unwrap_or(0) as u64;
        self.of_objects(array, array.data_type());
    }

    fn of_objects(&mut self, array: &dyn Array, value_type: &DataType) {
        self.width = value_type.primitive_width().map(|width| width as u64);
        if *value_type == DataType::Boolean {
            self.width = Some(1);
        }
        if self.width.is_none() {
            self.cells += objects(array, value_type.is_string());
        }
    }

    fn dictionary(&mut self, values: &dyn Array) {
        let data = values.to_data();
        let place = data.buffers().last().map_or(0, |buffer| buffer.as_ptr() as usize);
        if !self.dictionaries.insert(place) {
            return;
        }
        let arrow = data.get_slice_memory_size().unwrap_or(0) as u64;
        let (count, pandas) = (values.len() as u64, objects(values, values.data_type().is_string()));
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
            return self.rows * code + bytes + python::hash_table(categories);
        }
        self.pandas_as_objects()
    }

    /// Without categoricals: every row has its own text.
    pub(super) fn pandas_as_objects(&self) -> u64 {
        let mask = u64::from(self.nulls > 0);
        self.width.map_or(self.cells, |width| self.rows * (width + mask))
    }
}

/// Bytes of the cells as Python objects, pointers included.
fn objects(array: &dyn Array, is_text: bool) -> u64 {
    let Ok(column) = Column::of(array) else { return 0 };
    (0..array.len())
        .map(|row| {
            POINTER + column.resolve(row).map_or(python::NONE, |(cells, at)| object(cells, at, is_text))
        })
        .sum()
}

fn object(cells: &Cells, row: usize, is_text: bool) -> u64 {
    match cells {
        Cells::Bytes(values) if is_text => python::text(values.value(row)),
        Cells::Bytes(values) => python::BYTES + values.value(row).len() as u64,
        Cells::List(spans, _) => python::list(spans.range(row).len()),
        // A dict of a few entries.
        Cells::Struct(_) => 184,
        _ => python::FLOAT,
    }
}
