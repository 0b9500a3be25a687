//! The canonical form of a row: the bytes that are hashed.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field};

use super::{
    Error,
    dictionary::Dictionary,
    flat::Flat,
    schema::{canonical_type, is_marked},
};
use crate::{
    columnar::{
        cells::{Cells, Column},
        schema::null_policy,
    },
    schema::{DefaultValue, NullPolicy},
};

/// The form of one column, or of the child of a nested one.
#[derive(Debug, Clone)]
pub(super) struct Form {
    name: String,
    data_type: DataType,
    missing: Missing,
    children: Vec<Form>,
}

/// What stands for a null.
#[derive(Debug, Clone)]
enum Missing {
    /// Nothing: the column has no nulls.
    Never,
    /// A presence byte, which every cell of the column carries.
    Marked,
    /// The bytes of the value that its null policy names.
    Taken(Box<[u8]>),
}

impl Form {
    /// The form of `field`, which stands at `path` in the schema.
    pub(super) fn of(field: &Field, path: &str) -> Result<Self, Error> {
        let name = if path.is_empty() { field.name().clone() } else { format!("{path}.{}", field.name()) };
        let children = children(field.data_type(), &name)?;
        let missing = Missing::of(field, &name)?;
        Ok(Self { name, data_type: field.data_type().clone(), missing, children })
    }

    /// The column of `batch` this is the form of.
    pub(super) fn bind(&self, batch: &RecordBatch, index: usize) -> Result<Column, Error> {
        let found = batch.columns().get(index).map_or(&DataType::Null, |array| array.data_type());
        if *found != self.data_type && canonical_type(found) != canonical_type(&self.data_type) {
            return Err(Error::Batch {
                column: self.name.clone(),
                expected: self.data_type.clone(),
                found: found.clone(),
            });
        }
        Column::of(batch.column(index))
            .map_err(|data_type| Error::Type { column: self.name.clone(), data_type })
    }

    /// Appends the canonical form of the cell at `row`.
    pub(super) fn put(&self, column: &Column, row: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        match (column.resolve(row), &self.missing) {
            (None, Missing::Never) => return Err(Error::Null { column: self.name.clone(), row }),
            (None, Missing::Marked) => out.push(0),
            (None, Missing::Taken(value)) => out.extend_from_slice(value),
            (Some((cells, row)), missing) => {
                if matches!(missing, Missing::Marked) {
                    out.push(1);
                }
                return self.put_value(cells, row, out);
            }
        }
        Ok(())
    }

    /// A column of this form, if its cells are not nested.
    pub(super) fn flat<'b>(
        &'b self,
        column: &'b Column,
        dictionary: Option<&'b Dictionary>,
    ) -> Option<Flat<'b>> {
        let missing = match &self.missing {
            Missing::Never => None,
            Missing::Marked => Some(&[0][..]),
            Missing::Taken(value) => Some(&**value),
        };
        // A dictionary's forms have their marks.
        Flat::of(column, dictionary, matches!(self.missing, Missing::Marked), missing)
    }

    fn put_value(&self, cells: &Cells, row: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        match cells {
            Cells::Null | Cells::Dictionary(_, _) => {}
            Cells::Boolean(values) => out.push(u8::from(values.value(row))),
            Cells::Integer(values) => out.extend_from_slice(&values.bits(row).to_le_bytes()),
            Cells::Fixed(values) => out.extend_from_slice(values.bytes(row..row + 1)),
            Cells::Bytes(values) => put_bytes(values.value(row), out),
            Cells::List(spans, items) => return self.put_list(spans.range(row), items, out),
            Cells::Struct(columns) => {
                return self
                    .children
                    .iter()
                    .zip(columns)
                    .try_for_each(|(form, column)| form.put(column, row, out));
            }
        }
        Ok(())
    }

    fn put_list(&self, range: Range<usize>, items: &Column, out: &mut Vec<u8>) -> Result<(), Error> {
        put_length(range.len(), out);
        let item = &self.children[0];
        match (items.cells(), &item.missing) {
            // A vector: its bits in one copy.
            (Cells::Fixed(values), Missing::Never) if items.all_valid(range.clone()) => {
                out.extend_from_slice(values.bytes(range));
                Ok(())
            }
            _ => range.into_iter().try_for_each(|row| item.put(items, row, out)),
        }
    }
}

fn children(data_type: &DataType, path: &str) -> Result<Vec<Form>, Error> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => Ok(vec![Form::of(item, path)?]),
        DataType::Struct(fields) => fields.iter().map(|field| Form::of(field, path)).collect(),
        DataType::Dictionary(_, values) => children(values, path),
        plain if is_plain(plain) => Ok(Vec::new()),
        other => Err(Error::Type { column: path.to_owned(), data_type: other.clone() }),
    }
}

fn is_plain(data_type: &DataType) -> bool {
    use DataType as T;
    data_type.is_integer()
        || data_type.is_floating()
        || matches!(data_type, T::Null | T::Boolean | T::Utf8 | T::LargeUtf8 | T::Binary | T::LargeBinary)
        || matches!(data_type, T::FixedSizeBinary(_) | T::Decimal128(_, _) | T::Decimal256(_, _))
        || matches!(
            data_type,
            T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) | T::Timestamp(_, _) | T::Duration(_)
        )
}

impl Missing {
    fn of(field: &Field, name: &str) -> Result<Self, Error> {
        if is_marked(field) || *field.data_type() == DataType::Null {
            return Ok(Self::Marked);
        }
        if !field.is_nullable() {
            return Ok(Self::Never);
        }
        let unfit = || Error::Policy { column: name.to_owned(), data_type: field.data_type().clone() };
        let value = match null_policy(field).ok_or_else(unfit)? {
            NullPolicy::Refuse => return Ok(Self::Marked),
            NullPolicy::Empty => empty(field.data_type()),
            NullPolicy::Default(DefaultValue::Int(int)) => Some(int.to_le_bytes().to_vec()),
            NullPolicy::Default(DefaultValue::Text(text)) => text_value(field.data_type(), &text),
        };
        value.map(|bytes| Self::Taken(bytes.into())).ok_or_else(unfit)
    }
}

fn empty(data_type: &DataType) -> Option<Vec<u8>> {
    use DataType as T;
    match data_type {
        T::Utf8
        | T::LargeUtf8
        | T::Binary
        | T::LargeBinary
        | T::List(_)
        | T::LargeList(_)
        | T::FixedSizeList(_, _) => Some(0_u32.to_le_bytes().to_vec()),
        T::Boolean => Some(vec![0]),
        T::Dictionary(_, values) => empty(values),
        integer if integer.is_integer() => Some(vec![0; 8]),
        float if float.is_floating() => float.primitive_width().map(|width| vec![0; width]),
        _ => None,
    }
}

fn text_value(data_type: &DataType, text: &str) -> Option<Vec<u8>> {
    match data_type {
        DataType::Dictionary(_, values) => text_value(values, text),
        DataType::Utf8 | DataType::LargeUtf8 => {
            let mut value = Vec::with_capacity(4 + text.len());
            put_bytes(text.as_bytes(), &mut value);
            Some(value)
        }
        _ => None,
    }
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

// Longer values than 4 GiB cannot be in one cell of anything we write; the length would wrap and the bytes still count.
fn put_length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(length as u32).to_le_bytes());
}
