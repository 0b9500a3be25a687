//! One column as one value of each row's object.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field};

use super::text::{
    FLOAT_BYTES_MAX, INTEGER_BYTES_MAX, put_float, put_integer, put_quoted, quoted, quoted_len,
};
use crate::{
    columnar::{
        cells::{Cells, Column},
        schema::null_policy,
    },
    schema::{DefaultValue, NullPolicy},
    wire::{Error, plan},
};

/// A value that is missing.
pub(super) const NULL: &str = "null";

/// How one column becomes one value.
#[derive(Debug, Clone)]
pub(super) struct JsonField {
    /// What stands before the value: the comma, keys without a column, the key.
    pub(super) before: String,
    pub(super) name: String,
    column: usize,
    data_type: DataType,
    shape: Shape,
    /// What a missing value is; nothing where it is refused.
    missing: Option<String>,
}

/// What errors call a field.
const TARGET: &str = "of a JSON object";

/// The shape of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Integer,
    Texts,
    Floats,
}

impl JsonField {
    pub(super) fn new(before: String, column: usize, field: &Field) -> Result<Self, Error> {
        let (name, data_type) = (field.name().clone(), field.data_type().clone());
        let Some(shape) = Shape::of(&data_type) else {
            let (field, reason) =
                (TARGET.to_owned(), "rows in JSON have texts, integers, and lists of texts or floats");
            return Err(Error::Type { column: name, field, data_type, reason });
        };
        let missing = match (null_policy(field), shape) {
            (Some(NullPolicy::Refuse), _) => None,
            (Some(NullPolicy::Default(DefaultValue::Text(text))), Shape::Text) => Some(quoted(&text)),
            // The number that stands for a missing one elsewhere is not needed: JSON can say that it is missing.
            (Some(NullPolicy::Default(DefaultValue::Int(_))), Shape::Integer)
            | (Some(NullPolicy::Empty), _) => Some(NULL.to_owned()),
            _ => return Err(Error::Policy { column: name, field: TARGET.to_owned() }),
        };
        Ok(Self { before, name, column, data_type, shape, missing })
    }

    /// Whether a missing value is sent as another than null.
    pub(super) fn fills(&self) -> bool {
        self.missing.as_deref().is_some_and(|missing| missing != NULL)
    }

    pub(super) fn bind(&self, batch: &RecordBatch) -> Result<Column, Error> {
        plan::bind(batch, self.column, &self.name, &self.data_type)
    }

    /// Bytes that the value of `row` takes at most.
    pub(super) fn len_max(&self, column: &Column, row: usize) -> usize {
        let Some((cells, at)) = column.resolve(row) else {
            return self.missing.as_ref().map_or(0, String::len);
        };
        match (self.shape, cells) {
            (Shape::Text, Cells::Bytes(texts)) => quoted_len(texts.value(at)),
            (Shape::Integer, _) => INTEGER_BYTES_MAX,
            (Shape::Texts, Cells::List(spans, items)) => {
                let lens = spans.range(at).map(|item| 1 + items.resolve(item).map_or(0, text_len));
                2 + lens.sum::<usize>()
            }
            (Shape::Floats, Cells::List(spans, _)) => 2 + spans.range(at).len() * (1 + FLOAT_BYTES_MAX),
            // `Shape::of` lets no other pair through.
            _ => 0,
        }
    }

    /// Appends the value of `row`.
    pub(super) fn put(&self, column: &Column, row: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some((cells, at)) = column.resolve(row) else {
            let missing = self.missing.as_ref().ok_or_else(|| self.null(row))?;
            out.extend_from_slice(missing.as_bytes());
            return Ok(());
        };
        match (self.shape, cells) {
            (Shape::Text, Cells::Bytes(texts)) => self.put_text(texts.value(at), row, out)?,
            (Shape::Integer, Cells::Integer(integers)) => put_integer(integers.value(at), out),
            (Shape::Texts, Cells::List(spans, items)) => self.put_texts(items, spans.range(at), row, out)?,
            (Shape::Floats, Cells::List(spans, items)) => {
                self.put_floats(items, spans.range(at), row, out)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn put_text(&self, text: &[u8], row: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let text = std::str::from_utf8(text).map_err(|source| Error::Utf8 {
            field: self.name.clone(),
            row: row as u64,
            source,
        })?;
        put_quoted(text, out);
        Ok(())
    }

    fn put_texts(
        &self,
        items: &Column,
        range: Range<usize>,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        out.push(b'[');
        for (index, item) in range.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let Some((Cells::Bytes(texts), at)) = items.resolve(item) else { return Err(self.null(row)) };
            self.put_text(texts.value(at), row, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn put_floats(
        &self,
        items: &Column,
        range: Range<usize>,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Cells::Fixed(values) = items.cells() else { return Err(self.null(row)) };
        if !items.all_valid(range.clone()) {
            return Err(self.null(row));
        }
        out.push(b'[');
        for (index, bytes) in values.bytes(range).as_chunks().0.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let value = f32::from_le_bytes(*bytes);
            if !value.is_finite() {
                return Err(Error::NotFinite { column: self.name.clone(), row: row as u64, value });
            }
            put_float(value, out);
        }
        out.push(b']');
        Ok(())
    }

    #[cold]
    fn null(&self, row: usize) -> Error {
        Error::Null { column: self.name.clone(), row: row as u64, field: TARGET.to_owned() }
    }
}

impl Shape {
    /// The shape in which JSON carries `data_type` unchanged; none if we know none.
    fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Dictionary(_, values) => Self::of(values).filter(|shape| *shape == Self::Text),
            DataType::Utf8 | DataType::LargeUtf8 => Some(Self::Text),
            integer if integer.is_integer() => Some(Self::Integer),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                match item.data_type() {
                    DataType::Float32 => Some(Self::Floats),
                    item => Self::of(item).filter(|shape| *shape == Self::Text).map(|_| Self::Texts),
                }
            }
            _ => None,
        }
    }
}

fn text_len((cells, at): (&Cells, usize)) -> usize {
    let Cells::Bytes(texts) = cells else { return 0 };
    quoted_len(texts.value(at))
}
