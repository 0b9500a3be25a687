//! Cells of Arrow arrays in the words of the fixtures' JSON files, and what a domain makes of a cell.

use arrow_array::{
    Array, ArrayRef,
    cast::AsArray as _,
    types::{Float32Type, Float64Type, Int32Type, Int64Type},
};
use arrow_schema::DataType;
use brine::schema::Coerce;
use serde_json::{Value, json};

/// The cell at `row` as a JSON file would say it.
pub(super) fn cell(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!({ "f64": hex64(array.as_primitive::<Float64Type>().value(row)) }),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            cell(dictionary.values(), dictionary.keys().value(row) as usize)
        }
        DataType::List(_) => items(&array.as_list::<i32>().value(row)),
        DataType::FixedSizeList(item, _) => {
            let values = array.as_fixed_size_list().value(row);
            match item.data_type() {
                DataType::Float32 => json!(
                    values
                        .as_primitive::<Float32Type>()
                        .values()
                        .iter()
                        .map(|v| hex32(*v))
                        .collect::<String>()
                ),
                _ => json!(
                    values
                        .as_primitive::<Float64Type>()
                        .values()
                        .iter()
                        .map(|v| hex64(*v))
                        .collect::<String>()
                ),
            }
        }
        other => panic!("no fixture has a column of {other}"),
    }
}

fn items(values: &ArrayRef) -> Value {
    (0..values.len()).map(|row| cell(values, row)).collect()
}

fn hex32(value: f32) -> String {
    format!("{:08x}", value.to_bits())
}

fn hex64(value: f64) -> String {
    format!("{:016x}", value.to_bits())
}

/// What the cell `value` of `column` becomes in a column of `data_type`.
pub(super) fn expected(value: &Value, column: &Value, data_type: &DataType, coerce: Coerce) -> Value {
    match (data_type, value) {
        (DataType::FixedSizeList(item, _), Value::String(text)) => {
            let narrow = *item.data_type() == DataType::Float32;
            let elements = elements(text, column["element"].as_str());
            json!(
                elements
                    .iter()
                    .map(|v| if narrow { hex32(*v as f32) } else { hex64(*v) })
                    .collect::<String>()
            )
        }
        (DataType::Int32, Value::String(text)) => years(text),
        (DataType::Int32, Value::Object(float)) => whole(float["f64"].as_str().unwrap(), coerce),
        _ => value.clone(),
    }
}

/// The numbers of a vector: digits of their bits, or JSON text.
fn elements(text: &str, element: Option<&str>) -> Vec<f64> {
    let digits = |width: usize| text.as_bytes().chunks(width).map(|hex| std::str::from_utf8(hex).unwrap());
    match element {
        Some("f32") => {
            digits(8).map(|hex| f64::from(f32::from_bits(u32::from_str_radix(hex, 16).unwrap()))).collect()
        }
        Some(_) => digits(16).map(bits).collect(),
        None => {
            text.trim_matches(['[', ']']).split(',').map(|number| number.trim().parse().unwrap()).collect()
        }
    }
}

fn bits(hex: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(hex, 16).unwrap())
}

fn years(text: &str) -> Value {
    match text {
        "no_exp" => json!(0),
        "" => Value::Null,
        years => json!(years.trim_end_matches('y').parse::<i64>().unwrap()),
    }
}

fn whole(hex: &str, coerce: Coerce) -> Value {
    let value = bits(hex);
    let value = if coerce == Coerce::Rounded { value.round_ties_even() } else { value };
    assert_eq!(value.fract(), 0.0, "years are whole");
    json!(value as i64)
}
