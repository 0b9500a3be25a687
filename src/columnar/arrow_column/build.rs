//! Rows of a pickled Arrow array as an Arrow array of this program's own: every buffer copied, every claim that the copy
//! depends on checked again by the library.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray, Int64Array,
    ListArray, MapArray, NullArray, StringArray, StructArray, make_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field};

use super::shape;
use crate::{
    columnar::{error::Reason, items::Number as _},
    pandas::{ArrowArray, ArrowField, ArrowType, ArrowUnit, Offsets},
};

/// The result of building an array.
pub(super) type Result<T> = std::result::Result<T, Reason>;

const DAY_MILLIS: i64 = 86_400_000;

/// The `rows` of `array`, which is of `data_type`.
pub(super) fn array(array: &ArrowArray<'_>, data_type: &ArrowType, rows: Range<usize>) -> Result<ArrayRef> {
    let count = rows.len();
    let nulls = validity(array, rows.clone());
    let wanted = shape::data_type(data_type).ok_or(UNFIT)?;
    let made: std::result::Result<ArrayRef, _> = match data_type {
        ArrowType::Null => Ok(Arc::new(NullArray::new(count)) as ArrayRef),
        ArrowType::Bool => {
            let bits = BooleanBuffer::collect_bool(count, |row| array.bit(rows.start + row));
            Ok(Arc::new(BooleanArray::new(bits, nulls)) as ArrayRef)
        }
        ArrowType::Text(kind) => {
            let (offsets, bytes) = byte_strings(array, *kind, &rows)?;
            let text = StringArray::try_new(offsets, bytes, nulls);
            return text.map(|text| Arc::new(text) as ArrayRef).map_err(|_| Reason::NotUtf8);
        }
        ArrowType::Binary(kind) => {
            let (offsets, bytes) = byte_strings(array, *kind, &rows)?;
            BinaryArray::try_new(offsets, bytes, nulls).map(|array| Arc::new(array) as ArrayRef)
        }
        ArrowType::FixedBinary(width) => {
            let bytes = Buffer::from(array.fixed(*width, rows));
            FixedSizeBinaryArray::try_new(*width as i32, bytes, nulls)
                .map(|array| Arc::new(array) as ArrayRef)
        }
        ArrowType::List(item, kind) => {
            let (offsets, items) = list(array, *kind, item, &rows)?;
            ListArray::try_new(field(item)?, offsets, items, nulls).map(|array| Arc::new(array) as ArrayRef)
        }
        ArrowType::FixedList(item, length) => {
            let at = |row: usize| (array.offset + row) * length;
            let items = self::array(&array.children[0], &item.data_type, at(rows.start)..at(rows.end))?;
            FixedSizeListArray::try_new(field(item)?, *length as i32, items, nulls)
                .map(|array| Arc::new(array) as ArrayRef)
        }
        ArrowType::Struct(fields) => return members(array, fields, &rows, nulls),
        ArrowType::Map(entry) => return map(array, &entry[..], &rows, nulls, &wanted),
        ArrowType::Dictionary(index, values, _) => {
            let inner = array.dictionary.as_deref().ok_or(UNFIT)?;
            let index = |row: usize| array.index(index, row).filter(|_| array.is_valid(row));
            return picked(inner, values, rows.map(index));
        }
        ArrowType::Runs(ends, values) => {
            return picked(&array.children[1], values, runs(array, ends, rows).map(Some));
        }
        ArrowType::Float(2) => {
            let halves = array.fixed(2, rows).chunks_exact(2);
            let floats: Vec<f32> = halves.map(|half| f32::of_bytes(half, false)).collect();
            primitive(wanted, count, Buffer::from_vec(floats), nulls)
        }
        ArrowType::Date64
        | ArrowType::Time32(ArrowUnit::Second)
        | ArrowType::Timestamp(ArrowUnit::Second, _) => {
            return rescaled(array, data_type, &rows, nulls, &wanted);
        }
        fixed => {
            let bytes = Buffer::from(array.fixed(fixed.width().ok_or(UNFIT)?, rows));
            primitive(wanted.clone(), count, bytes, nulls)
        }
    };
    made.map_err(|_| UNFIT)
}

/// A value that its own type does not allow.
const UNFIT: Reason = Reason::Inconsistent;

fn primitive(
    data_type: DataType,
    count: usize,
    bytes: Buffer,
    nulls: Option<NullBuffer>,
) -> std::result::Result<ArrayRef, arrow_schema::ArrowError> {
    let data = ArrayData::builder(data_type).len(count).add_buffer(bytes).nulls(nulls).build()?;
    data.validate_full()?;
    Ok(make_array(data))
}

fn validity(array: &ArrowArray<'_>, rows: Range<usize>) -> Option<NullBuffer> {
    if array.has_no_validity() {
        return None;
    }
    let bits = BooleanBuffer::collect_bool(rows.len(), |row| array.is_valid(rows.start + row));
    Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
}

fn field(field: &ArrowField) -> Result<Arc<Field>> {
    shape::field(field).map(Arc::new).ok_or(UNFIT)
}

/// The offsets of `rows` from 0 on.
fn rebased(array: &ArrowArray<'_>, kind: Offsets, rows: &Range<usize>) -> Result<OffsetBuffer<i32>> {
    let first = shape::span(array, kind, rows).start as u64;
    let offset = |row| i32::try_from(array.offset_at(kind, row) - first).map_err(|_| Reason::TooLong);
    if rows.is_empty() {
        return Ok(OffsetBuffer::new_empty());
    }
    let offsets = (rows.start..=rows.end).map(offset).collect::<Result<Vec<_>>>()?;
    Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

fn byte_strings(
    array: &ArrowArray<'_>,
    kind: Offsets,
    rows: &Range<usize>,
) -> Result<(OffsetBuffer<i32>, Buffer)> {
    if kind != Offsets::View {
        let bytes = Buffer::from(&array.data()[shape::span(array, kind, rows)]);
        return Ok((rebased(array, kind, rows)?, bytes));
    }
    let mut bytes = Vec::new();
    let mut offsets = vec![0];
    for row in rows.clone() {
        if array.is_valid(row) {
            bytes.extend_from_slice(array.view(row).ok_or(UNFIT)?);
        }
        offsets.push(i32::try_from(bytes.len()).map_err(|_| Reason::TooLong)?);
    }
    Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from(bytes)))
}

fn list(
    array: &ArrowArray<'_>,
    kind: Offsets,
    item: &ArrowField,
    rows: &Range<usize>,
) -> Result<(OffsetBuffer<i32>, ArrayRef)> {
    let items = self::array(&array.children[0], &item.data_type, shape::span(array, kind, rows))?;
    Ok((rebased(array, kind, rows)?, items))
}

fn members(
    array: &ArrowArray<'_>,
    fields: &[ArrowField],
    rows: &Range<usize>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let own = array.offset + rows.start..array.offset + rows.end;
    let members = array.children.iter().zip(fields);
    let members = members.map(|(child, field)| self::array(child, &field.data_type, own.clone()));
    let members = members.collect::<Result<Vec<_>>>()?;
    let made = StructArray::try_new(shape::fields(fields).ok_or(UNFIT)?, members, nulls);
    made.map(|array| Arc::new(array) as ArrayRef).map_err(|_| UNFIT)
}

fn map(
    array: &ArrowArray<'_>,
    entry: &[ArrowField],
    rows: &Range<usize>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let DataType::Map(entries_field, ordered) = data_type else { return Err(UNFIT) };
    let span = shape::span(array, Offsets::Narrow, rows);
    let entries = members(&array.children[0], entry, &span, None)?;
    let entries = entries.as_any().downcast_ref::<StructArray>().ok_or(UNFIT)?.clone();
    let offsets = rebased(array, Offsets::Narrow, rows)?;
    let made = MapArray::try_new(Arc::clone(entries_field), offsets, entries, nulls, *ordered);
    made.map(|array| Arc::new(array) as ArrayRef).map_err(|_| UNFIT)
}

/// The values at `indices` of another array.
fn picked(
    values: &ArrowArray<'_>,
    data_type: &ArrowType,
    indices: impl Iterator<Item = Option<usize>>,
) -> Result<ArrayRef> {
    let indices: Vec<Option<usize>> = indices.collect();
    // Only the values between the first and the last that are named are copied.
    let named = indices.iter().flatten();
    let (Some(first), Some(last)) = (named.clone().min().copied(), named.max().copied()) else {
        return Ok(arrow_array::new_null_array(&shape::data_type(data_type).ok_or(UNFIT)?, indices.len()));
    };
    let values = array(values, data_type, first..last + 1)?;
    let near = |index: usize| i64::try_from(index - first).ok();
    let indices: Int64Array = indices.into_iter().map(|index| near(index?)).collect();
    arrow_select::take::take(&values, &indices, None).map_err(|_| UNFIT)
}

/// For each of `rows` the number of the run it belongs to.
fn runs<'a>(
    array: &'a ArrowArray<'_>,
    ends: &'a ArrowType,
    rows: Range<usize>,
) -> impl Iterator<Item = usize> + 'a {
    let run_ends = &array.children[0];
    let end_of = move |run: usize| run_ends.index(ends, run).unwrap_or(usize::MAX);
    let first = array.offset + rows.start;
    let (mut low, mut high) = (0, run_ends.length);
    while low < high {
        let middle = low + (high - low) / 2;
        if end_of(middle) <= first { low = middle + 1 } else { high = middle }
    }
    let mut run = low;
    rows.map(move |row| {
        while end_of(run) <= array.offset + row {
            run += 1;
        }
        run
    })
}

/// Values in a unit that Parquet lacks, in the nearest one that it has.
fn rescaled(
    array: &ArrowArray<'_>,
    data_type: &ArrowType,
    rows: &Range<usize>,
    nulls: Option<NullBuffer>,
    wanted: &DataType,
) -> Result<ArrayRef> {
    let is_there = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    let wide = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).unwrap_or_default();
    let narrow = |bytes: &[u8]| bytes.try_into().map(i32::from_le_bytes).unwrap_or_default();
    let values = array.fixed(data_type.width().ok_or(UNFIT)?, rows.clone());
    let buffer = match data_type {
        ArrowType::Date64 => {
            let day = |(row, bytes)| match (is_there(row), wide(bytes)) {
                (true, millis) if millis % DAY_MILLIS == 0 => i32::try_from(millis / DAY_MILLIS).ok(),
                (there, _) => (!there).then_some(0),
            };
            let days: Option<Vec<i32>> = values.chunks_exact(8).enumerate().map(day).collect();
            Buffer::from_vec(days.ok_or(Reason::Inexact)?)
        }
        ArrowType::Time32(_) => {
            let millis =
                |(row, bytes)| if is_there(row) { narrow(bytes).checked_mul(1_000) } else { Some(0) };
            let millis: Option<Vec<i32>> = values.chunks_exact(4).enumerate().map(millis).collect();
            Buffer::from_vec(millis.ok_or(Reason::Inexact)?)
        }
        _ => {
            let millis = |(row, bytes)| if is_there(row) { wide(bytes).checked_mul(1_000) } else { Some(0) };
            let millis: Option<Vec<i64>> = values.chunks_exact(8).enumerate().map(millis).collect();
            Buffer::from_vec(millis.ok_or(Reason::Inexact)?)
        }
    };
    primitive(wanted.clone(), rows.len(), buffer, nulls).map_err(|_| UNFIT)
}
