//! The Arrow type that a column of pyarrow's types becomes, and how many bytes a range of its rows takes.

use std::{ops::Range, sync::Arc};

use arrow_schema::{DataType, Field, Fields, TimeUnit};

use crate::pandas::{ArrowArray, ArrowField, ArrowType, ArrowUnit, Offsets};

/// The type that values of `data_type` become; `None` if Parquet has no place for it.
pub(super) fn data_type(data_type: &ArrowType) -> Option<DataType> {
    Some(match data_type {
        ArrowType::Null => DataType::Null,
        ArrowType::Bool => DataType::Boolean,
        ArrowType::Int(1) => DataType::Int8,
        ArrowType::Int(2) => DataType::Int16,
        ArrowType::Int(4) => DataType::Int32,
        ArrowType::Int(_) => DataType::Int64,
        ArrowType::Uint(1) => DataType::UInt8,
        ArrowType::Uint(2) => DataType::UInt16,
        ArrowType::Uint(4) => DataType::UInt32,
        ArrowType::Uint(_) => DataType::UInt64,
        ArrowType::Float(2 | 4) => DataType::Float32,
        ArrowType::Float(_) => DataType::Float64,
        ArrowType::Text(_) => DataType::Utf8,
        ArrowType::Binary(_) => DataType::Binary,
        ArrowType::FixedBinary(0) | ArrowType::FixedList(_, 0) => return None,
        ArrowType::FixedBinary(width) => DataType::FixedSizeBinary(i32::try_from(*width).ok()?),
        ArrowType::Date32 | ArrowType::Date64 => DataType::Date32,
        ArrowType::Time32(_) => DataType::Time32(TimeUnit::Millisecond),
        ArrowType::Time64(step) => DataType::Time64(unit(*step)),
        ArrowType::Timestamp(step, zone) => {
            DataType::Timestamp(at_least_millis(*step), zone.as_deref().map(Arc::from))
        }
        ArrowType::Duration(step) => DataType::Duration(unit(*step)),
        ArrowType::Decimal(16, precision, scale) => DataType::Decimal128(*precision, *scale),
        ArrowType::Decimal(_, precision, scale) => DataType::Decimal256(*precision, *scale),
        ArrowType::List(item, _) => DataType::List(Arc::new(field(item)?)),
        ArrowType::FixedList(item, length) => {
            DataType::FixedSizeList(Arc::new(field(item)?), i32::try_from(*length).ok()?)
        }
        ArrowType::Struct(fields) if fields.is_empty() => return None,
        ArrowType::Struct(members) => DataType::Struct(fields(members)?),
        ArrowType::Map(entry) => {
            let entries = DataType::Struct(fields(&entry[..])?);
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
        }
        ArrowType::Dictionary(_, values, _) | ArrowType::Runs(_, values) => self::data_type(values)?,
    })
}

/// The field of a list's items or of a struct's member.
pub(super) fn field(field: &ArrowField) -> Option<Field> {
    Some(Field::new(&field.name, data_type(&field.data_type)?, field.nullable))
}

/// The fields of a struct.
pub(super) fn fields(members: &[ArrowField]) -> Option<Fields> {
    members.iter().map(field).collect()
}

pub(super) fn unit(unit: ArrowUnit) -> TimeUnit {
    match unit {
        ArrowUnit::Second => TimeUnit::Second,
        ArrowUnit::Milli => TimeUnit::Millisecond,
        ArrowUnit::Micro => TimeUnit::Microsecond,
        ArrowUnit::Nano => TimeUnit::Nanosecond,
    }
}

/// Parquet has no timestamps in seconds.
pub(super) fn at_least_millis(step: ArrowUnit) -> TimeUnit {
    if step == ArrowUnit::Second { TimeUnit::Millisecond } else { unit(step) }
}

/// Bytes that `rows` take as an array, or nearly so.
pub(super) fn bytes(array: &ArrowArray<'_>, data_type: &ArrowType, rows: Range<usize>) -> usize {
    let each = |width: usize| rows.len().saturating_mul(width);
    match data_type {
        ArrowType::Null => 0,
        ArrowType::Bool => each(1),
        ArrowType::Text(Offsets::View) | ArrowType::Binary(Offsets::View) => rows
            .filter(|row| array.is_valid(*row))
            .map(|row| array.view(row).map_or(0, <[u8]>::len))
            .fold(0, usize::saturating_add),
        ArrowType::Text(kind) | ArrowType::Binary(kind) => {
            each(4).saturating_add(span(array, *kind, &rows).len())
        }
        ArrowType::List(item, kind) => {
            let items = bytes(&array.children[0], &item.data_type, span(array, *kind, &rows));
            each(4).saturating_add(items)
        }
        ArrowType::Map(entry) => {
            let entries = ArrowType::Struct(entry.to_vec());
            each(4).saturating_add(bytes(&array.children[0], &entries, span(array, Offsets::Narrow, &rows)))
        }
        ArrowType::FixedList(item, length) => {
            let at = |row: usize| (array.offset + row).saturating_mul(*length);
            bytes(&array.children[0], &item.data_type, at(rows.start)..at(rows.end))
        }
        ArrowType::Struct(fields) => {
            let at = |row: usize| array.offset + row;
            let members = array.children.iter().zip(fields);
            let members =
                members.map(|(child, field)| bytes(child, &field.data_type, at(rows.start)..at(rows.end)));
            members.fold(each(1), usize::saturating_add)
        }
        ArrowType::Dictionary(_, values, _) => {
            let inner = array.dictionary.as_deref();
            each(inner.map_or(0, |inner| widest(inner, values)))
        }
        ArrowType::Runs(_, values) => each(array.children.get(1).map_or(0, |inner| widest(inner, values))),
        fixed => each(fixed.width().unwrap_or(0)),
    }
}

/// At least the bytes of the widest value: all together, where they differ.
fn widest(values: &ArrowArray<'_>, data_type: &ArrowType) -> usize {
    match data_type.width() {
        Some(width) => width,
        None => (0..values.length).map(|row| bytes(values, data_type, row..row + 1)).max().unwrap_or(0),
    }
}

/// What `rows` take of the data or the child.
pub(super) fn span(array: &ArrowArray<'_>, kind: Offsets, rows: &Range<usize>) -> Range<usize> {
    if rows.is_empty() {
        return 0..0;
    }
    array.offset_at(kind, rows.start) as usize..array.offset_at(kind, rows.end) as usize
}
