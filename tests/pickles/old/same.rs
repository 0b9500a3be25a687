//! Whether a cell of an Arrow array is what the truth beside a pickle says. The truth's words: `scripts/corpus/truth.py`.

use arrow_array::{
    Array, ArrayRef,
    cast::AsArray as _,
    types::{
        Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, TimeUnit};
use serde_json::Value;

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Other,
    /// The two say the value in different words: see `scripts/corpus`, where pandas compares them.
    NotJudged,
}

fn verdict(same: bool) -> Verdict {
    if same { Verdict::Same } else { Verdict::Other }
}

/// The cell at `row`; `dtype` is what the truth says of the column.
pub(super) fn cell(array: &ArrayRef, row: usize, truth: &Value, dtype: &Value) -> Verdict {
    if array.is_null(row) {
        return verdict(is_missing(truth, dtype));
    }
    let tagged = |tag: &str| truth.get(tag);
    if tagged("object").is_some() {
        return Verdict::NotJudged;
    }
    match array.data_type() {
        DataType::Boolean => {
            let value = array.as_boolean().value(row);
            // Python 2 wrote the truth of some NumPy booleans as numbers.
            verdict(plain(truth) == &Value::Bool(value) || plain(truth) == &Value::from(u8::from(value)))
        }
        DataType::Utf8 => verdict(text(truth) == Some(array.as_string::<i32>().value(row))),
        DataType::LargeUtf8 => verdict(text(truth) == Some(array.as_string::<i64>().value(row))),
        DataType::Binary => match tagged("bytes").or(tagged("bytearray")).and_then(Value::as_str) {
            Some(hex) => verdict(hex == hexadecimal(array.as_binary::<i32>().value(row))),
            None => Verdict::NotJudged,
        },
        DataType::Dictionary(_, _) => category(array, row, truth, dtype),
        DataType::List(_) => items(&array.as_list::<i32>().value(row), truth),
        DataType::FixedSizeList(_, _) => items(&array.as_fixed_size_list().value(row), truth),
        DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Duration(TimeUnit::Nanosecond)
            if truth.is_i64() =>
        {
            let values = array.to_data();
            verdict(truth.as_i64() == Some(values.buffers()[0].typed_data::<i64>()[values.offset() + row]))
        }
        _ => match (integer(array, row), float(array, row)) {
            (Some(value), _) => whole(value, truth),
            (_, Some(value)) => real(value, truth),
            _ => Verdict::NotJudged,
        },
    }
}

fn is_missing(truth: &Value, dtype: &Value) -> bool {
    let is_category = dtype.get("categories").is_some();
    truth.is_null()
        || (is_category && truth.as_i64() == Some(-1))
        || ["nat", "na"].iter().any(|tag| truth.get(tag).is_some())
        || truth.get("np").is_some_and(|scalar| is_missing(&scalar["value"], dtype))
        || [truth.get("f"), truth.get("decimal")]
            .into_iter()
            .flatten()
            .any(|said| said.as_str().is_some_and(|said| said.eq_ignore_ascii_case("nan")))
}

/// The value in a scalar of NumPy or an array without a dimension, the ordinal of a period, or the value itself.
fn plain(truth: &Value) -> &Value {
    if let Some(period) = truth.get("period") {
        return &period[0];
    }
    match truth.get("ndarray").filter(|array| array["shape"].as_array().is_some_and(Vec::is_empty)) {
        Some(array) => &array["values"][0],
        None => truth.get("np").map_or(truth, |scalar| &scalar["value"]),
    }
}

fn text(truth: &Value) -> Option<&str> {
    let truth = plain(truth);
    let tagged = ["uuid", "int", "decimal"].iter().find_map(|tag| truth.get(tag));
    truth.as_str().or_else(|| tagged.and_then(Value::as_str))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A category stands in the truth as its code, and in Arrow under the same one.
fn category(array: &ArrayRef, row: usize, truth: &Value, dtype: &Value) -> Verdict {
    let dictionary = array.as_dictionary::<Int32Type>();
    let code = dictionary.keys().value(row);
    let Some(categories) = dtype["categories"]["values"].as_array() else { return Verdict::NotJudged };
    if truth.as_i64() != Some(code.into()) || dictionary.values().len() != categories.len() {
        return Verdict::Other;
    }
    cell(dictionary.values(), code as usize, &categories[code as usize], &dtype["categories"]["dtype"])
}

fn items(values: &ArrayRef, truth: &Value) -> Verdict {
    let list = ["list", "tuple"].iter().find_map(|tag| truth.get(tag));
    let list = list.or_else(|| truth.get("ndarray").map(|array| &array["values"]));
    let Some(list) = list.and_then(Value::as_array) else { return Verdict::NotJudged };
    if matches!(values.data_type(), DataType::List(_) | DataType::FixedSizeList(_, _)) {
        return Verdict::NotJudged;
    }
    if list.len() != values.len() {
        return Verdict::Other;
    }
    let verdicts = list.iter().enumerate().map(|(row, item)| cell(values, row, item, &Value::Null));
    verdicts.fold(Verdict::Same, |all, one| if all == Verdict::Same { one } else { all })
}

fn integer(array: &ArrayRef, row: usize) -> Option<i128> {
    Some(match array.data_type() {
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        _ => return None,
    })
}

fn float(array: &ArrayRef, row: usize) -> Option<f64> {
    Some(match array.data_type() {
        DataType::Float16 => array.as_primitive::<Float16Type>().value(row).to_f64(),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row),
        _ => return None,
    })
}

fn whole(value: i128, truth: &Value) -> Verdict {
    let truth = plain(truth);
    verdict(truth.as_i64().map(i128::from).or_else(|| truth.as_u64().map(i128::from)) == Some(value))
}

fn real(value: f64, truth: &Value) -> Verdict {
    let truth = plain(truth);
    let said = match truth.get("f").and_then(Value::as_str) {
        Some("nan") => return verdict(value.is_nan()),
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        _ => truth.as_f64(),
    };
    verdict(said.map(f64::to_bits) == Some(value.to_bits()))
}
