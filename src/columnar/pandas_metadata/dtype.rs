//! What pandas calls the type of a column: by this text `read_parquet` finds the dtype again.
//!
//! pyarrow hands `numpy_type` to `pandas.api.types.pandas_dtype`, and a text that pandas does not parse ends the whole
//! reading. So a column whose dtype has no text that can be parsed is `object`, and comes back as what pyarrow makes of it.

use arrow_schema::{DataType, Field};
use serde_json::{Value, json};

use crate::{
    numpy::{Array, Dtype, Kind, Step, Unit},
    pandas::{ArrowColumn, ArrowType, Offsets, Values},
};

/// The texts `pandas_type` and `numpy_type`, and `metadata`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Types {
    pub(super) logical: String,
    pub(super) numpy: String,
    pub(super) metadata: Value,
}

/// The types of a column that became `field`.
pub(super) fn types(values: &Values<'_>, field: &Field) -> Types {
    let metadata = match field.data_type() {
        DataType::Timestamp(_, Some(zone)) => json!({ "timezone": &**zone }),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            json!({ "precision": precision, "scale": scale })
        }
        DataType::Dictionary(_, _) => match values {
            Values::Categories { count, ordered, .. } => {
                json!({ "num_categories": count, "ordered": ordered })
            }
            _ => json!({ "num_categories": null, "ordered": field.dict_is_ordered().unwrap_or(false) }),
        },
        _ => Value::Null,
    };
    Types { logical: logical(field.data_type()), numpy: numpy(values, field), metadata }
}

/// pyarrow's word for an Arrow type (`get_logical_type`).
fn logical(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "bool".to_owned(),
        DataType::Float16 => "float16".to_owned(),
        DataType::Null => "empty".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "unicode".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => "bytes".to_owned(),
        DataType::Dictionary(_, _) => "categorical".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Timestamp(_, None) => "datetime".to_owned(),
        DataType::Timestamp(_, Some(_)) => "datetimetz".to_owned(),
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => "decimal".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => format!("list[{}]", logical(item.data_type())),
        number if number.is_numeric() => number.to_string().to_lowercase(),
        _ => "object".to_owned(),
    }
}

/// The text of pandas' own dtype.
fn numpy(values: &Values<'_>, field: &Field) -> String {
    match values {
        Values::Numbers { array, .. } | Values::Times { array, .. } | Values::Durations { array, .. } => {
            of_array(array)
        }
        Values::Masked { data, .. } => of_masked(data.dtype),
        Values::Arrow(column) if can_be_parsed(column) => of_arrow(&column.data_type),
        Values::Periods { frequency, .. } => format!("period[{frequency}]"),
        Values::Intervals { left, closed, .. } if !field.metadata().is_empty() => {
            format!("interval[{}, {closed}]", numpy(left, field))
        }
        Values::Categories { codes, .. } if matches!(field.data_type(), DataType::Dictionary(_, _)) => {
            of_array(codes)
        }
        Values::Sparse { values, .. } | Values::Coded { values, .. } => numpy(values, field),
        Values::Range { .. } => "int64".to_owned(),
        Values::Objects { .. }
        | Values::Cells(_)
        | Values::Vectors(_)
        | Values::ArrowText(_)
        | Values::Arrow(_)
        | Values::Intervals { .. }
        | Values::Categories { .. } => of_objects(field.data_type()),
    }
}

/// Cells of a column of objects: numbers come back as numbers, which is what the column then is.
fn of_objects(data_type: &DataType) -> String {
    match data_type {
        DataType::Dictionary(_, _) => "int32".to_owned(),
        _ => "object".to_owned(),
    }
}

fn of_array(array: &Array<'_>) -> String {
    let bits = 8 * array.dtype.itemsize;
    match array.dtype.kind {
        Kind::Bool => "bool".to_owned(),
        Kind::Int => format!("int{bits}"),
        Kind::Uint => format!("uint{bits}"),
        Kind::Float if bits <= 64 => format!("float{bits}"),
        Kind::Datetime(step) => format!("datetime64[{}]", unit(step)),
        Kind::Timedelta(step) => format!("timedelta64[{}]", unit(step)),
        _ => "object".to_owned(),
    }
}

/// The unit as pandas has it: nothing longer than seconds, nothing shorter than nanoseconds.
pub(super) fn unit(step: Step) -> &'static str {
    match step.unit {
        Unit::Milli => "ms",
        Unit::Micro => "us",
        unit if unit < Unit::Milli => "s",
        _ => "ns",
    }
}

fn of_masked(dtype: Dtype) -> String {
    let bits = 8 * dtype.itemsize;
    match dtype.kind {
        Kind::Bool => "boolean".to_owned(),
        Kind::Int => format!("Int{bits}"),
        Kind::Uint => format!("UInt{bits}"),
        _ => format!("Float{bits}"),
    }
}

/// Whether pandas takes the text of this type apart: it knows no parameters but those of times, and up to 2.0 no zones.
fn can_be_parsed(column: &ArrowColumn<'_>) -> bool {
    use ArrowType as T;
    match &column.data_type {
        T::FixedBinary(_)
        | T::Decimal(..)
        | T::Dictionary(..)
        | T::Runs(..)
        | T::List(..)
        | T::FixedList(..)
        | T::Struct(_)
        | T::Map(_) => false,
        T::Timestamp(_, Some(_)) => column.is_recent,
        _ => true,
    }
}

fn of_arrow(data_type: &ArrowType) -> String {
    match data_type {
        // What was widened stays wide: older versions of pyarrow do not narrow it again.
        ArrowType::Float(2) => "float[pyarrow]".to_owned(),
        // `string[pyarrow]` is a dtype of another class.
        ArrowType::Text(Offsets::Narrow) => "utf8[pyarrow]".to_owned(),
        other => format!("{other}[pyarrow]"),
    }
}
