//! The most frequent categories of a categorical column. A file holds one dictionary for each column, so what is kept is
//! as large as that.

use std::collections::HashMap;

use arrow_array::{Array, cast::AsArray as _};
use serde::Serialize;

use super::value::Value;
use crate::columnar::cells::Column;

/// How many are told of many.
const SHOWN: usize = 5;
/// How many are told if there are no more: a distribution says more when it is whole.
const WHOLE: usize = 10;

/// A category and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frequent {
    /// The category, as text.
    pub value: String,
    /// Rows that have it.
    pub rows: u64,
}

#[derive(Debug, Default)]
pub(super) struct Top(HashMap<String, u64>);

impl Top {
    pub(super) fn add(&mut self, array: &dyn Array) {
        let Some(dictionary) = array.as_any_dictionary_opt().filter(|_| !array.is_empty()) else { return };
        let values = dictionary.values();
        // Arrow asserts that there is a value for the keys, and a column without any value has none.
        if values.is_empty() {
            return;
        }
        let Ok(column) = Column::of(values) else { return };
        let mut rows = vec![0_u64; values.len()];
        for (row, key) in dictionary.normalized_keys().into_iter().enumerate() {
            if let Some(count) = rows.get_mut(key).filter(|_| array.is_valid(row)) {
                *count += 1;
            }
        }
        for (key, rows) in rows.into_iter().enumerate().filter(|(_, rows)| *rows > 0) {
            let value = column.resolve(key).and_then(|(cells, at)| Value::of(cells, at, values.data_type()));
            if let Some(value) = value {
                *self.0.entry(value.text(values.data_type())).or_default() += rows;
            }
        }
    }

    pub(super) fn finish(self) -> Vec<Frequent> {
        let mut all: Vec<Frequent> =
            self.0.into_iter().map(|(value, rows)| Frequent { value, rows }).collect();
        all.sort_by(|one, two| two.rows.cmp(&one.rows).then_with(|| one.value.cmp(&two.value)));
        if all.len() > WHOLE {
            all.truncate(SHOWN);
        }
        all
    }
}
