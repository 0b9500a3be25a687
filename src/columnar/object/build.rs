//! Arrow arrays from objects: a builder for each kind, which takes values and nothing about columns.
//!
//! A builder always takes a value, so that those beside it stay in step: what it cannot hold leaves a null, and is said.

mod nested;

use arrow_array::{
    ArrayRef, ArrowPrimitiveType,
    builder::{BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, PrimitiveBuilder, StringBuilder},
    types::{
        Date32Type, Decimal128Type, Decimal256Type, DurationMicrosecondType, DurationMillisecondType,
        DurationNanosecondType, DurationSecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, Time64MicrosecondType, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, TimeUnit};
use std::{borrow::Cow, sync::Arc};

use super::{
    decimal::{DIGITS_MAX, Decimal},
    json,
    moment::rescaled,
    value::Value,
};
use crate::{
    columnar::{
        error::Reason,
        infer::{Integer, Kind, Size},
        interval, period,
    },
    limits::{Limits, TEXT_BYTES_MAX},
    numpy::items::Number,
    pickle::{Graph, Node},
};

/// Takes values, one for each row.
pub(super) trait Build<'g> {
    /// Appends what a node is, if it is plainly what most values of this kind are; else nothing is done.
    fn append_plain(&mut self, _graph: &Graph<'g>, _node: Node) -> bool {
        false
    }

    /// Appends a value; one that does not fit leaves a null.
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason>;

    /// The array of all values since the last one.
    fn finish(&mut self) -> ArrayRef;
}

/// Digits of the widest decimal of 128 bits.
const DECIMAL128_DIGITS: u32 = 38;
/// Digits of the largest integers of 64 bits.
const INT64_DIGITS: u32 = 20;

/// The builder of the cells of a column.
pub(super) fn cells<'g>(kind: &Kind<'g>, graph: &'g Graph<'g>, limits: &Limits) -> Box<dyn Build<'g> + 'g> {
    if let Kind::List(list) = kind
        && let Some(length) = list.fixed()
    {
        return Box::new(nested::Lists::new(&list.item, Some(length), graph, limits));
    }
    of(kind, graph, limits)
}

/// The field of a column; rows of numbers of one length are such as a whole, and lists inside of others are not.
pub(in crate::columnar) fn field(name: &str, kind: &Kind<'_>, top: bool) -> Field {
    let data_type = match kind {
        Kind::List(list) if top && list.fixed().is_some() => {
            let item = Arc::new(field("item", &list.item, false));
            DataType::FixedSizeList(item, list.fixed().unwrap_or(0) as i32)
        }
        kind => data_type(kind),
    };
    let field = Field::new(name, data_type, true);
    match kind {
        // The name that readers know the sixteen bytes of a UUID by.
        Kind::Uuid => period::with_extension(field, "arrow.uuid", String::new()),
        Kind::Period(frequency) => period::extension(field, frequency),
        Kind::Interval(closed, _) => interval::extension(field, closed),
        _ => field,
    }
}

fn data_type(kind: &Kind<'_>) -> DataType {
    match kind {
        Kind::Missing
        | Kind::Text
        | Kind::OldText { ascii: true }
        | Kind::Label(_)
        | Kind::Mixed(_)
        | Kind::WallTime(_)
        | Kind::Decimal(None) => DataType::Utf8,
        Kind::OldText { ascii: false } | Kind::Bytes => DataType::Binary,
        Kind::Nan => DataType::Float64,
        Kind::Bool => DataType::Boolean,
        Kind::Period(_) => DataType::Int64,
        Kind::Integer(integer) => of_integer(*integer),
        Kind::Float(plain) => plain.data_type(),
        Kind::Date => DataType::Date32,
        Kind::Time => DataType::Time64(TimeUnit::Microsecond),
        Kind::Moment(steps, zone) => {
            DataType::Timestamp(steps.unit(), zone.as_ref().map(|zone| zone.to_string().into()))
        }
        Kind::Duration(steps) => DataType::Duration(steps.unit()),
        Kind::Decimal(Some((whole, scale))) => decimal(*whole, *scale),
        Kind::Uuid => DataType::FixedSizeBinary(16),
        _ => nested::data_type(kind),
    }
}

fn of_integer(integer: Integer) -> DataType {
    match (integer.plain, integer.size) {
        (Some(plain), _) => plain.data_type(),
        (None, Size::Signed) => DataType::Int64,
        (None, Size::Unsigned) if !integer.negative => DataType::UInt64,
        (None, Size::Unsigned) => decimal(INT64_DIGITS, 0),
        (None, Size::Digits(digits)) if digits <= DIGITS_MAX => decimal(digits.max(INT64_DIGITS), 0),
        (None, Size::Digits(_)) => DataType::Utf8,
    }
}

fn decimal(whole: u32, scale: u32) -> DataType {
    let digits = (whole + scale).max(1);
    if digits <= DECIMAL128_DIGITS {
        DataType::Decimal128(digits as u8, scale as i8)
    } else {
        DataType::Decimal256(digits as u8, scale as i8)
    }
}

/// The builder of values inside others.
fn of<'g>(kind: &Kind<'g>, graph: &'g Graph<'g>, limits: &Limits) -> Box<dyn Build<'g> + 'g> {
    let data_type = data_type(kind);
    match &data_type {
        DataType::Utf8 if matches!(kind, Kind::Mixed(_)) => {
            Box::new(json::Documents::new(graph, limits.clone()))
        }
        DataType::Utf8 => Box::new(Texts(StringBuilder::new())),
        DataType::Binary => Box::new(Binaries(BinaryBuilder::new())),
        DataType::Boolean => Box::new(Bools(BooleanBuilder::new())),
        DataType::FixedSizeBinary(width) => Box::new(Uuids(FixedSizeBinaryBuilder::new(*width))),
        _ => primitive(&data_type).unwrap_or_else(|| nested::builder(kind, graph, limits)),
    }
}

fn primitive<'g>(data_type: &DataType) -> Option<Box<dyn Build<'g> + 'g>> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    macro_rules! leaf {
        ($element:ty, $read:expr) => {
            Leaf::<$element, _>::boxed(data_type, $read)
        };
    }
    Some(match *data_type {
        DataType::Int8 => leaf!(Int8Type, integer),
        DataType::Int16 => leaf!(Int16Type, integer),
        DataType::Int32 => leaf!(Int32Type, integer),
        DataType::Int64 => leaf!(Int64Type, integer),
        DataType::UInt8 => leaf!(UInt8Type, integer),
        DataType::UInt16 => leaf!(UInt16Type, integer),
        DataType::UInt32 => leaf!(UInt32Type, integer),
        DataType::UInt64 => leaf!(UInt64Type, integer),
        DataType::Float32 => leaf!(Float32Type, |value| float(value).map(|it| it as f32)),
        DataType::Float64 => leaf!(Float64Type, float),
        DataType::Date32 => leaf!(Date32Type, |value| match value {
            Value::Date(days) => Some(*days),
            _ => None,
        }),
        DataType::Time64(_) => leaf!(Time64MicrosecondType, |value| match value {
            Value::Time(micros) => Some(*micros),
            _ => None,
        }),
        DataType::Timestamp(Second, _) => leaf!(TimestampSecondType, |value| moment(value, Second)),
        DataType::Timestamp(Millisecond, _) => {
            leaf!(TimestampMillisecondType, |value| moment(value, Millisecond))
        }
        DataType::Timestamp(Microsecond, _) => {
            leaf!(TimestampMicrosecondType, |value| moment(value, Microsecond))
        }
        DataType::Timestamp(Nanosecond, _) => {
            leaf!(TimestampNanosecondType, |value| moment(value, Nanosecond))
        }
        DataType::Duration(Second) => leaf!(DurationSecondType, |value| duration(value, Second)),
        DataType::Duration(Millisecond) => {
            leaf!(DurationMillisecondType, |value| duration(value, Millisecond))
        }
        DataType::Duration(Microsecond) => {
            leaf!(DurationMicrosecondType, |value| duration(value, Microsecond))
        }
        DataType::Duration(Nanosecond) => leaf!(DurationNanosecondType, |value| duration(value, Nanosecond)),
        DataType::Decimal128(_, scale) => {
            leaf!(Decimal128Type, move |value| { exact(value)?.to_i128(u32::from(scale.unsigned_abs())) })
        }
        DataType::Decimal256(_, scale) => leaf!(Decimal256Type, move |value| -> Option<i256> {
            exact(value)?.to_i256(u32::from(scale.unsigned_abs()))
        }),
        _ => return None,
    })
}

fn whole(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(value) | Value::Period(value, _) | Value::Scalar(_, Number::Int(value)) => {
            Some(i128::from(*value))
        }
        Value::Scalar(_, Number::Uint(value)) => Some(i128::from(*value)),
        Value::BigInt(number) => number.to_i128(0),
        _ => None,
    }
}

fn integer<T: TryFrom<i128>>(value: &Value<'_>) -> Option<T> {
    whole(value)?.try_into().ok()
}

fn float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Float(value) | Value::Scalar(_, Number::Float(value)) => Some(*value),
        Value::Nan => Some(f64::NAN),
        other => whole(other).filter(|value| *value as f64 as i128 == *value).map(|value| value as f64),
    }
}

fn moment(value: &Value<'_>, unit: TimeUnit) -> Option<i64> {
    match value {
        Value::Moment(moment) => rescaled(moment.value, moment.unit, unit),
        _ => None,
    }
}

fn duration(value: &Value<'_>, unit: TimeUnit) -> Option<i64> {
    match value {
        Value::Duration(value, from) => rescaled(*value, *from, unit),
        _ => None,
    }
}

fn exact<'v>(value: &'v Value<'_>) -> Option<Cow<'v, Decimal>> {
    match value {
        Value::Decimal(number, _) => number.as_ref().map(Cow::Borrowed),
        Value::BigInt(number) => Some(Cow::Borrowed(number)),
        other => Decimal::parse(&whole(other)?.to_string()).map(Cow::Owned),
    }
}

fn wrong(value: &Value<'_>) -> Reason {
    Reason::Unfit(value.in_words())
}

/// Values of one width.
struct Leaf<T: ArrowPrimitiveType, F> {
    out: PrimitiveBuilder<T>,
    read: F,
}

impl<T: ArrowPrimitiveType, F: Fn(&Value<'_>) -> Option<T::Native> + 'static> Leaf<T, F> {
    fn boxed<'g>(data_type: &DataType, read: F) -> Box<dyn Build<'g> + 'g> {
        Box::new(Self { out: PrimitiveBuilder::new().with_data_type(data_type.clone()), read })
    }
}

impl<'g, T: ArrowPrimitiveType, F: Fn(&Value<'_>) -> Option<T::Native>> Build<'g> for Leaf<T, F> {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        let read = (self.read)(value);
        self.out.append_option(read);
        match value {
            Value::Missing | Value::Nan => Ok(()),
            _ if read.is_some() => Ok(()),
            other => Err(wrong(other)),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.out.finish())
    }
}

/// Appends what was read of a value by `append`: a null where it is missing, or is none of the kind.
fn append_read<T>(read: Result<Option<T>, Reason>, append: impl FnOnce(Option<T>)) -> Result<(), Reason> {
    let (read, done) = match read {
        Ok(read) => (read, Ok(())),
        Err(reason) => (None, Err(reason)),
    };
    append(read);
    done
}

struct Bools(BooleanBuilder);

impl<'g> Build<'g> for Bools {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        let read = match value {
            Value::Bool(value) => Ok(Some(*value)),
            Value::Missing | Value::Nan => Ok(None),
            other => Err(wrong(other)),
        };
        append_read(read, |read| self.0.append_option(read))
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Uuids(FixedSizeBinaryBuilder);

impl<'g> Build<'g> for Uuids {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        if let Value::Uuid(bytes) = value {
            self.0.append_value(bytes).expect("a UUID has sixteen bytes");
            return Ok(());
        }
        self.0.append_null();
        if matches!(value, Value::Missing | Value::Nan) { Ok(()) } else { Err(wrong(value)) }
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Binaries(BinaryBuilder);

impl<'g> Build<'g> for Binaries {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        let read = match value {
            Value::Bytes(bytes) if bytes.len() > TEXT_BYTES_MAX => Err(Reason::TooLong),
            Value::Bytes(bytes) => Ok(Some(bytes.as_ref())),
            Value::OldText(bytes) => Ok(Some(*bytes)),
            Value::Missing | Value::Nan => Ok(None),
            other => Err(wrong(other)),
        };
        append_read(read, |read| self.0.append_option(read))
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Texts(StringBuilder);

impl<'g> Build<'g> for Texts {
    fn append_plain(&mut self, graph: &Graph<'g>, node: Node) -> bool {
        let Node::Text { len, offset } = node else { return false };
        if len as usize > TEXT_BYTES_MAX {
            return false;
        }
        let text = std::str::from_utf8(graph.span(offset, len));
        text.map(|text| self.0.append_value(text)).is_ok()
    }

    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        append_read(text(value), |read| self.0.append_option(read))
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// The text of a value of a kind that is kept as text.
fn text<'v>(value: &'v Value<'_>) -> Result<Option<Cow<'v, str>>, Reason> {
    let bytes: &[u8] = match value {
        Value::Missing | Value::Nan => return Ok(None),
        Value::Text(bytes) => bytes,
        Value::OldText(bytes) => bytes,
        Value::Decimal(_, text) => text.as_bytes(),
        Value::Label(_, text) => text.as_bytes(),
        Value::BigInt(number) => return Ok(Some(number.int_text().into())),
        other => return whole(other).map(|it| Some(it.to_string().into())).ok_or_else(|| wrong(other)),
    };
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(Reason::TooLong);
    }
    std::str::from_utf8(bytes).map(|text| Some(text.into())).map_err(|_| Reason::NotUtf8)
}
