//! Columns being filled, row by row, with what a message holds.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array,
    builder::{Int32Builder, Int64Builder, ListBuilder, StringBuilder, StringDictionaryBuilder},
    types::Int32Type,
};
use arrow_buffer::{MutableBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};

use super::{
    Error,
    scalar::Scalar,
    scan::{Found, Value},
    varint::Wire,
};

/// One column of a decoder: the field it comes from and what it holds.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) holds: Holds,
    /// The field tells an absent value from an empty one.
    pub(super) presence: bool,
    /// An absent or empty value is stored as null.
    pub(super) empty_is_null: bool,
    /// The Arrow field.
    pub(super) field: Arc<Field>,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub(super) enum Holds {
    Text,
    Category,
    Int32(Scalar),
    Int64(Scalar),
    TextList,
    /// Vectors of this dimension.
    Vector(usize),
}

/// A column being filled.
pub(super) struct Filler<'m> {
    target: &'m Target,
    /// The value of the current row, of which the last on the wire counts.
    value: Last<'m>,
    column: Column,
}

#[derive(Debug, Clone, Copy)]
enum Last<'m> {
    Nothing,
    Text(&'m str),
    Int(i128),
}

enum Column {
    Text(StringBuilder),
    Category(StringDictionaryBuilder<Int32Type>),
    Int32(Int32Builder),
    Int64(Int64Builder),
    /// The lists, and the items that the current row has so far.
    TextList(ListBuilder<StringBuilder>, usize),
    /// The bytes of all vectors, and the elements that the current row has so far.
    Vector(MutableBuffer, usize),
}

impl Target {
    /// Elements of a vector that `found`, a field of `row`, adds.
    pub(super) fn elements(&self, found: &Found<'_>, row: u64) -> Result<usize, Error> {
        match found.value {
            Value::Bytes(run) if run.len().is_multiple_of(size_of::<f32>()) => {
                Ok(run.len() / size_of::<f32>())
            }
            Value::Bytes(_) => {
                Err(Error::Malformed { offset: found.offset, what: "a run that ends inside a float" })
            }
            Value::Fixed32(_) => Ok(1),
            other => Err(self.wire_type(other, row)),
        }
    }

    /// An error unless a vector of `row` has all its elements.
    pub(super) fn check_dimension(&self, expected: usize, found: usize, row: u64) -> Result<(), Error> {
        if expected == found {
            return Ok(());
        }
        Err(Error::Dimension { field: self.name.clone(), row, expected, found })
    }

    fn text<'m>(&self, found: &Found<'m>, row: u64) -> Result<&'m str, Error> {
        let Value::Bytes(bytes) = found.value else { return Err(self.wire_type(found.value, row)) };
        std::str::from_utf8(bytes).map_err(|source| Error::Utf8 { field: self.name.clone(), row, source })
    }

    fn integer(&self, scalar: &Scalar, found: &Found<'_>, row: u64) -> Result<i128, Error> {
        match (found.value, scalar.wire()) {
            (Value::Varint(word), Wire::Varint) | (Value::Fixed64(word), Wire::Fixed64) => {
                Ok(scalar.value(word))
            }
            (Value::Fixed32(word), Wire::Fixed32) => Ok(scalar.value(word.into())),
            (other, _) => Err(self.wire_type(other, row)),
        }
    }

    /// The text to store for a row's last value.
    fn text_or_null<'m>(&self, last: Last<'m>) -> Option<&'m str> {
        match last {
            Last::Text(text) if !(text.is_empty() && self.empty_is_null) => Some(text),
            Last::Nothing if !self.absent_is_null() => Some(""),
            _ => None,
        }
    }

    /// The integer to store for a row's last value.
    fn int_or_null<T: TryFrom<i128>>(
        &self,
        last: Last<'_>,
        row: u64,
        kind: &'static str,
    ) -> Result<Option<T>, Error> {
        let value = match last {
            Last::Int(value) if !(value == 0 && self.empty_is_null) => value,
            Last::Nothing if !self.absent_is_null() => 0,
            _ => return Ok(None),
        };
        T::try_from(value).map(Some).map_err(|_| self.overflow(value, row, kind))
    }

    fn absent_is_null(&self) -> bool {
        self.empty_is_null || self.presence && self.field.is_nullable()
    }

    #[cold]
    fn wire_type(&self, value: Value<'_>, row: u64) -> Error {
        Error::WireType { field: self.name.clone(), row, wire_type: value.wire() as u8 }
    }

    #[cold]
    fn overflow(&self, value: i128, row: u64, kind: &'static str) -> Error {
        Error::Overflow { column: self.name.clone(), row, value, kind, field: self.name.clone() }
    }
}

impl<'m> Filler<'m> {
    /// A column for `rows` rows; the caller has seen that the message holds bytes for that many vectors.
    pub(super) fn new(target: &'m Target, rows: usize) -> Self {
        let column = match &target.holds {
            Holds::Text => Column::Text(StringBuilder::with_capacity(rows, 0)),
            Holds::Category => Column::Category(StringDictionaryBuilder::new()),
            Holds::Int32(_) => Column::Int32(Int32Builder::with_capacity(rows)),
            Holds::Int64(_) => Column::Int64(Int64Builder::with_capacity(rows)),
            Holds::TextList => {
                let item = Arc::new(Field::new("item", DataType::Utf8, false));
                Column::TextList(ListBuilder::with_capacity(StringBuilder::new(), rows).with_field(item), 0)
            }
            Holds::Vector(dimension) => {
                Column::Vector(MutableBuffer::with_capacity(rows * dimension * size_of::<f32>()), 0)
            }
        };
        Self { target, value: Last::Nothing, column }
    }

    /// Takes `found`, a field of `row` that belongs to this column.
    pub(super) fn take(&mut self, found: &Found<'m>, row: u64) -> Result<(), Error> {
        match (&mut self.column, &self.target.holds) {
            (Column::Text(_) | Column::Category(_), _) => {
                self.value = Last::Text(self.target.text(found, row)?);
            }
            (_, Holds::Int32(scalar) | Holds::Int64(scalar)) => {
                self.value = Last::Int(self.target.integer(scalar, found, row)?);
            }
            (Column::TextList(lists, items), _) => {
                lists.values().append_value(self.target.text(found, row)?);
                *items += 1;
            }
            (Column::Vector(bytes, elements), Holds::Vector(dimension)) => {
                *elements += self.target.elements(found, row)?;
                // More than the dimension is counted, for the error at the row's end, and not stored.
                if *elements <= *dimension {
                    put_run(found, bytes);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends `row`.
    pub(super) fn end_row(&mut self, row: u64) -> Result<(), Error> {
        let value = std::mem::replace(&mut self.value, Last::Nothing);
        let target = self.target;
        match (&mut self.column, &target.holds) {
            (Column::Text(texts), _) => texts.append_option(target.text_or_null(value)),
            (Column::Category(texts), _) => texts.append_option(target.text_or_null(value)),
            (Column::Int32(ints), _) => ints.append_option(target.int_or_null(value, row, "int32")?),
            (Column::Int64(ints), _) => ints.append_option(target.int_or_null(value, row, "int64")?),
            (Column::TextList(lists, items), _) => {
                lists.append(!(std::mem::take(items) == 0 && target.empty_is_null));
            }
            (Column::Vector(_, elements), Holds::Vector(dimension)) => {
                target.check_dimension(*dimension, std::mem::take(elements), row)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The column.
    pub(super) fn finish(self) -> Result<ArrayRef, Error> {
        Ok(match self.column {
            Column::Text(mut texts) => Arc::new(texts.finish()),
            Column::Category(mut texts) => Arc::new(texts.finish()),
            Column::Int32(mut ints) => Arc::new(ints.finish()),
            Column::Int64(mut ints) => Arc::new(ints.finish()),
            Column::TextList(mut lists, _) => Arc::new(lists.finish()),
            Column::Vector(bytes, _) => vectors(&self.target.field, bytes)?,
        })
    }
}

fn put_run(found: &Found<'_>, bytes: &mut MutableBuffer) {
    match found.value {
        Value::Bytes(run) => bytes.extend_from_slice(run),
        Value::Fixed32(one) => bytes.extend_from_slice(&one.to_le_bytes()),
        _ => {}
    }
}

fn vectors(field: &Field, bytes: MutableBuffer) -> Result<ArrayRef, Error> {
    let DataType::FixedSizeList(item, dimension) = field.data_type() else {
        return Err(ArrowError::SchemaError(format!("{} is no vector", field.name())).into());
    };
    let elements = bytes.len() / size_of::<f32>();
    let values = Float32Array::new(ScalarBuffer::new(bytes.into(), 0, elements), None);
    Ok(Arc::new(FixedSizeListArray::try_new(Arc::clone(item), *dimension, Arc::new(values), None)?))
}
