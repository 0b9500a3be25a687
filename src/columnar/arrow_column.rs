//! Columns that the file holds in Arrow buffers: made into arrays, with every buffer, offset, key and text checked.
//!
//! Types that common readers do not know become those that they do: views become text and bytes, halves floats.

use std::{ops::Range, sync::Arc};

use arrow_array::{Array as _, ArrayRef, make_array};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, IntervalUnit, TimeUnit};
use arrow_select::concat::concat;

use super::{
    convert::{Convert, Faults},
    error::{Error, Result},
};
use crate::pandas::{ArrowColumn, ArrowField, ArrowPart, ArrowType};

/// A column that is an array already.
pub(super) struct Whole {
    field: Field,
    array: ArrayRef,
}

impl Whole {
    /// The array of a column; dictionaries keep the keys that the file has.
    pub(super) fn new(name: &str, column: &ArrowColumn<'_>) -> Result<Self> {
        let unknown = || Error::NoType {
            column: name.to_owned(),
            row: 0,
            found: "values of an Arrow type that common readers do not know".to_owned(),
        };
        let data_type = data_type(&column.data_type).ok_or_else(unknown)?;
        let chunk = |part: &ArrowPart<'_>| array(&data_type, part);
        let chunks = column.chunks.iter().map(chunk).collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let chunks: Vec<&dyn arrow_array::Array> = chunks.iter().map(AsRef::as_ref).collect();
        let array = match chunks.as_slice() {
            [] => arrow_array::new_empty_array(&data_type),
            chunks => concat(chunks)?,
        };
        Ok(Self { field: Field::new(name, array.data_type().clone(), true), array })
    }
}

impl Convert for Whole {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        self.array.slice(rows.start, rows.len())
    }
}

fn array(data_type: &DataType, part: &ArrowPart<'_>) -> Result<ArrayRef, ArrowError> {
    let array = make_array(data(data_type, part)?);
    Ok(array)
}

/// The array's data, checked from its buffers to its texts.
fn data(data_type: &DataType, part: &ArrowPart<'_>) -> Result<ArrayData, ArrowError> {
    let children = child_types(data_type);
    if children.len() != part.children.len() + usize::from(part.dictionary.is_some()) {
        return Err(ArrowError::InvalidArgumentError(format!("{data_type} with other children")));
    }
    let parts = part.children.iter().chain(part.dictionary.as_deref());
    let children = children.iter().zip(parts).map(|(data_type, part)| data(data_type, part));
    let buffer = |bytes: &std::borrow::Cow<'_, [u8]>| Buffer::from_slice_ref(bytes.as_ref());
    let mut buffers = part.buffers.iter();
    // A type without values has no validity either.
    let validity =
        buffers.next().and_then(Option::as_ref).filter(|_| *data_type != DataType::Null).map(buffer);
    let empty = std::borrow::Cow::Borrowed(&[][..]);
    let buffers = buffers.map(|bytes| buffer(bytes.as_ref().unwrap_or(&empty)));
    let data = ArrayData::try_new(
        data_type.clone(),
        part.length,
        validity,
        part.offset,
        buffers.collect(),
        children.collect::<Result<_, _>>()?,
    )?;
    data.validate_full()?;
    Ok(data)
}

fn child_types(data_type: &DataType) -> Vec<DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => {
            vec![item.data_type().clone()]
        }
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type().clone()).collect(),
        DataType::Dictionary(_, values) => vec![values.as_ref().clone()],
        _ => Vec::new(),
    }
}

fn data_type(of: &ArrowType) -> Option<DataType> {
    let field = |field: &ArrowField| {
        Some(Arc::new(Field::new(&field.name, data_type(&field.data_type)?, field.nullable)))
    };
    Some(match of {
        ArrowType::Alias(name) => alias(name)?,
        ArrowType::Timestamp(of, zone) => DataType::Timestamp(unit(of)?, zone.as_deref().map(Into::into)),
        ArrowType::Decimal(bits, precision, scale) => {
            let (precision, scale) = (u8::try_from(*precision).ok()?, i8::try_from(*scale).ok()?);
            match bits {
                128 => DataType::Decimal128(precision, scale),
                _ => DataType::Decimal256(precision, scale),
            }
        }
        ArrowType::FixedBinary(length) => DataType::FixedSizeBinary(i32::try_from(*length).ok()?),
        ArrowType::List(item, false) => DataType::List(field(item)?),
        ArrowType::List(item, true) => DataType::LargeList(field(item)?),
        ArrowType::FixedList(item, length) => {
            DataType::FixedSizeList(field(item)?, i32::try_from(*length).ok()?)
        }
        ArrowType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect::<Option<_>>()?),
        ArrowType::Map(key, value) => {
            let entries = DataType::Struct(vec![field(key)?, field(value)?].into());
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
        }
        ArrowType::Dictionary(codes, values, _) => {
            DataType::Dictionary(Box::new(data_type(codes)?), Box::new(data_type(values)?))
        }
    })
}

fn unit(name: &str) -> Option<TimeUnit> {
    Some(match name {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        _ => return None,
    })
}

fn alias(name: &str) -> Option<DataType> {
    use DataType as T;
    if let Some((kind, of)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        return Some(match kind {
            "date32" => T::Date32,
            "date64" => T::Date64,
            "time32" => T::Time32(unit(of)?),
            "time64" => T::Time64(unit(of)?),
            "duration" => T::Duration(unit(of)?),
            "timestamp" => T::Timestamp(unit(of)?, None),
            _ => return None,
        });
    }
    Some(match name {
        "null" => T::Null,
        "bool" => T::Boolean,
        "int8" => T::Int8,
        "int16" => T::Int16,
        "int32" => T::Int32,
        "int64" => T::Int64,
        "uint8" => T::UInt8,
        "uint16" => T::UInt16,
        "uint32" => T::UInt32,
        "uint64" => T::UInt64,
        "halffloat" => T::Float16,
        "float" => T::Float32,
        "double" => T::Float64,
        "string" => T::Utf8,
        "large_string" => T::LargeUtf8,
        "binary" => T::Binary,
        "large_binary" => T::LargeBinary,
        "month_day_nano_interval" => T::Interval(IntervalUnit::MonthDayNano),
        _ => return None,
    })
}
