//! What the columns of a table hold: missing and distinct values, extremes, norms, the most frequent categories, memory.
//!
//! One pass over batches, the columns in parallel; what is kept is bounded, whatever the number of rows.

mod distinct;
mod extremes;
mod loaded;
mod memory;
mod norms;
mod python;
mod top;
mod value;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use rayon::prelude::*;
use serde::Serialize;

use super::cells::{Cells, Column};
use distinct::Distincts;
use extremes::Extremes;
use memory::Memory;
use norms::Norms;
use top::Top;

pub use distinct::Distinct;
pub use loaded::loaded_bytes;
pub use norms::Vectors;
pub use top::Frequent;
pub use value::text_of;

/// What one column holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Missing values.
    pub nulls: u64,
    /// Different values; none for vectors and other nested types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct: Option<Distinct>,
    /// The smallest value, as text; of lists, their number of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    /// The largest value, as text; of lists, their number of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<String>,
    /// Dimension and norms of vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<Vectors>,
    /// The most frequent categories; all of them if they are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<Frequent>,
    /// Bytes in Arrow.
    pub arrow_bytes: u64,
    /// Bytes that pandas takes for the same column as objects and lists, its repeated text being categorical.
    pub pandas_bytes: u64,
    /// Bytes that pandas takes for it with a text of its own in every row.
    pub pandas_object_bytes: u64,
}

impl ColumnProfile {
    /// Whether every category that occurs is among the most frequent ones.
    pub fn is_told_whole(&self) -> bool {
        self.distinct.is_some_and(|distinct| distinct.exact && distinct.count == self.top.len() as u64)
    }

    /// The same for a column that takes `bytes` in pandas as it is in its file.
    pub fn loaded_as(&mut self, bytes: u64) {
        if self.pandas_bytes == self.pandas_object_bytes {
            self.pandas_bytes = bytes;
        }
        self.pandas_object_bytes = bytes;
    }
}

/// Gathers the profile of a table batch by batch.
#[derive(Debug)]
pub struct Profiler(Vec<OfColumn>);

#[derive(Debug)]
struct OfColumn {
    field: Field,
    nulls: u64,
    distinct: Distincts,
    extremes: Extremes,
    norms: Norms,
    top: Top,
    memory: Memory,
}

impl Profiler {
    /// Nothing seen yet of a table with this schema.
    pub fn new(schema: &Schema) -> Self {
        Self(schema.fields().iter().map(|field| OfColumn::new(field)).collect())
    }

    /// Adds the rows of `batch`.
    pub fn add(&mut self, batch: &RecordBatch) {
        self.0.par_iter_mut().zip(batch.columns()).for_each(|(column, array)| column.add(array));
    }

    /// What was seen.
    pub fn finish(self) -> Vec<ColumnProfile> {
        self.0.into_iter().map(OfColumn::finish).collect()
    }
}

impl OfColumn {
    fn new(field: &Field) -> Self {
        Self {
            field: field.clone(),
            nulls: 0,
            distinct: Distincts::default(),
            extremes: Extremes::default(),
            norms: Norms::default(),
            top: Top::default(),
            memory: Memory::default(),
        }
    }

    fn add(&mut self, array: &dyn Array) {
        self.nulls += array.logical_null_count() as u64;
        self.norms.add(array);
        self.top.add(array);
        self.memory.add(array);
        if let Ok(column) = Column::of(array).as_ref() {
            self.cells(column, array.len());
        }
    }

    fn cells(&mut self, column: &Column, rows: usize) {
        for row in 0..rows {
            let Some((cells, at)) = column.resolve(row) else { continue };
            match cells {
                Cells::List(spans, _) => self.extremes.items(spans.range(at).len()),
                Cells::Struct(_) | Cells::Null | Cells::Dictionary(..) => {}
                cells => {
                    self.distinct.add(cells, at);
                    self.extremes.add(cells, at, value_type(self.field.data_type()));
                }
            }
        }
    }

    fn finish(self) -> ColumnProfile {
        let data_type = value_type(self.field.data_type());
        let is_vector = matches!(data_type, DataType::FixedSizeList(..));
        let counted = !data_type.is_nested();
        let (minimum, maximum) = self.extremes.finish(data_type).filter(|_| !is_vector).unzip();
        ColumnProfile {
            name: self.field.name().clone(),
            data_type: self.field.data_type().to_string(),
            nulls: self.nulls,
            distinct: counted.then(|| self.distinct.finish()),
            minimum,
            maximum,
            vectors: self.norms.finish(),
            top: self.top.finish(),
            arrow_bytes: self.memory.arrow(),
            pandas_bytes: self.memory.pandas(),
            pandas_object_bytes: self.memory.pandas_as_objects(),
        }
    }
}

/// The type of the values behind a dictionary.
fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        plain => plain,
    }
}

#[cfg(test)]
mod tests;
