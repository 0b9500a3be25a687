//! Columns that pandas keeps in Arrow buffers: copied range by range into arrays of the types that common readers keep.
//!
//! - `large_*` and views become the plain type with 32-bit offsets: a range of rows is small.
//! - Seconds become milliseconds and `date64` becomes `date32`: Parquet has no type for either. 16-bit floats become
//!   32-bit ones: older readers refuse a whole Parquet file with such a column.
//! - Runs, and dictionaries inside other types, are written out.
//! - A dictionary of the column keeps its values in their order; those of several chunks follow each other.

mod build;
mod shape;

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, DictionaryArray, Int32Array, new_null_array, types::Int32Type};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults},
    error::{Error, Reason, Result},
};
use crate::{
    limits::TEXT_BYTES_MAX,
    pandas::{ArrowColumn, ArrowType},
};

/// A column of Arrow values.
struct Values<'g> {
    field: Field,
    column: &'g ArrowColumn<'g>,
}

/// A column of indices into one dictionary.
struct Dictionary<'g> {
    field: Field,
    column: &'g ArrowColumn<'g>,
    indices: &'g ArrowType,
    values: ArrayRef,
    /// Where each chunk's own values begin among all.
    first: Vec<i32>,
}

/// The converter of `column`; `None` if its type has no place in Parquet.
pub(super) fn converter<'g>(
    name: &str,
    column: &'g ArrowColumn<'g>,
) -> Result<Option<Box<dyn Convert + 'g>>> {
    if let ArrowType::Dictionary(indices, values, ordered) = &column.data_type
        && let Some(data_type) = shape::data_type(values)
        && super::coded::is_dictionary_value(&Field::new(name, data_type.clone(), true))
    {
        return Dictionary::new(name, column, indices, values, *ordered)
            .map(|made| Some(Box::new(made) as Box<_>));
    }
    let values = |data_type| Values { field: Field::new(name, data_type, true), column };
    Ok(shape::data_type(&column.data_type).map(|data_type| Box::new(values(data_type)) as Box<_>))
}

/// The parts of `rows` that stand in each chunk: the chunk's number and its own rows.
fn pieces(column: &ArrowColumn<'_>, rows: &Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let rows = rows.clone();
    let from = column.chunks.partition_point(|(first, _)| *first <= rows.start).saturating_sub(1);
    column.chunks[from..].iter().enumerate().map_while(move |(number, (first, chunk))| {
        let start = rows.start.saturating_sub(*first).min(chunk.length);
        let end = rows.end.checked_sub(*first).filter(|end| *end > 0)?.min(chunk.length);
        Some((from + number, start..end))
    })
}

impl Values<'_> {
    /// The array of `rows`, or why there is none.
    fn build(&self, rows: &Range<usize>) -> build::Result<ArrayRef> {
        if self.text_bytes(rows.clone()) > TEXT_BYTES_MAX {
            return Err(Reason::TooLong);
        }
        let parts = pieces(self.column, rows)
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(chunk, rows)| build::array(&self.column.chunks[chunk].1, &self.column.data_type, rows));
        let parts = parts.collect::<build::Result<Vec<_>>>()?;
        match parts.as_slice() {
            [] => Ok(new_null_array(self.field.data_type(), 0)),
            [part] => Ok(Arc::clone(part)),
            parts => {
                let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
                arrow_select::concat::concat(&parts).map_err(|_| Reason::TooLong)
            }
        }
    }

    /// As [`Self::build`], with nulls in the rows that have no value, each with its reason.
    fn build_some(&self, rows: &Range<usize>, faults: &mut Faults<'_>) -> Vec<ArrayRef> {
        match self.build(rows) {
            Ok(array) => vec![array],
            Err(reason) if rows.len() <= 1 => {
                faults.push(rows.start, reason);
                vec![new_null_array(self.field.data_type(), rows.len())]
            }
            Err(_) => {
                let middle = rows.start + rows.len() / 2;
                let mut parts = self.build_some(&(rows.start..middle), faults);
                parts.extend(self.build_some(&(middle..rows.end), faults));
                parts
            }
        }
    }
}

impl Convert for Values<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let parts = self.build_some(&rows, faults);
        let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
        match parts.as_slice() {
            [_] => parts[0].slice(0, rows.len()),
            parts => arrow_select::concat::concat(parts).expect("all are of the column's type"),
        }
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        let bytes = pieces(self.column, &rows)
            .map(|(chunk, rows)| shape::bytes(&self.column.chunks[chunk].1, &self.column.data_type, rows));
        bytes.fold(0, usize::saturating_add)
    }
}

impl<'g> Dictionary<'g> {
    fn new(
        name: &str,
        column: &'g ArrowColumn<'g>,
        indices: &'g ArrowType,
        values: &'g ArrowType,
        ordered: bool,
    ) -> Result<Self> {
        let (mut parts, mut first, mut count) = (Vec::new(), Vec::new(), 0_usize);
        let bad = |row, reason| Error::BadCategory {
            bad: Box::new(super::error::BadRow { row, column: name.to_owned(), reason }),
        };
        for (_, chunk) in &column.chunks {
            first.push(i32::try_from(count).map_err(|_| bad(count, Reason::TooLong))?);
            let Some(own) = &chunk.dictionary else { continue };
            if shape::bytes(own, values, 0..own.length) > TEXT_BYTES_MAX {
                return Err(bad(0, Reason::TooLong));
            }
            parts.push(build::array(own, values, 0..own.length).map_err(|reason| bad(0, reason))?);
            count += own.length;
        }
        if i32::try_from(count).is_err() {
            return Err(bad(count, Reason::TooLong));
        }
        let data_type = shape::data_type(values).unwrap_or(DataType::Null);
        let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
        let values = match parts.as_slice() {
            [] => new_null_array(&data_type, 0),
            parts => arrow_select::concat::concat(parts)?,
        };
        let data_type = DataType::Dictionary(Box::new(DataType::Int32), Box::new(data_type));
        let field = Field::new(name, data_type, true).with_dict_is_ordered(ordered);
        Ok(Self { field, column, indices, values, first })
    }
}

impl Convert for Dictionary<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let indices = pieces(self.column, &rows).flat_map(|(number, rows)| {
            let chunk = &self.column.chunks[number].1;
            rows.map(move |row| {
                let index = chunk.is_valid(row).then(|| chunk.index(self.indices, row))??;
                Some(self.first[number] + index as i32)
            })
        });
        let indices: Int32Array = indices.collect();
        Arc::new(DictionaryArray::<Int32Type>::new(indices, Arc::clone(&self.values)))
    }
}
