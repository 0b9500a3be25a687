//! One value of a column: its order among the others, and its text for people.

use std::cmp::Ordering;

use arrow_array::ArrowPrimitiveType;
use arrow_array::types::Float16Type;
use arrow_schema::{DataType, TimeUnit};

use crate::columnar::cells::{Cells, Fixed};

/// Bytes of a text or binary value that are compared and shown.
const KEPT_BYTES: usize = 64;

/// The text of a value that is one number, time or decimal; none for floats that are no number and for nested values.
pub fn text_of(cells: &Cells, row: usize, data_type: &DataType) -> Option<String> {
    Value::of(cells, row, data_type).map(|value| value.text(data_type))
}

/// A value that has an order.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Int(i128),
    Float(f64),
    Bytes(Vec<u8>),
}

impl Value {
    pub(super) fn of(cells: &Cells, row: usize, data_type: &DataType) -> Option<Self> {
        Some(match cells {
            Cells::Boolean(values) => Self::Int(i128::from(values.value(row))),
            Cells::Integer(values) => Self::Int(values.value(row)),
            Cells::Fixed(values) => fixed(values, row, data_type)?,
            Cells::Bytes(values) => {
                let bytes = values.value(row);
                Self::Bytes(bytes[..bytes.len().min(KEPT_BYTES)].to_vec())
            }
            _ => return None,
        })
    }

    /// Values of one column are of one kind.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one), Self::Int(two)) => one.cmp(two),
            (Self::Float(one), Self::Float(two)) => one.total_cmp(two),
            (Self::Bytes(one), Self::Bytes(two)) => one.cmp(two),
            _ => Ordering::Equal,
        }
    }

    pub(super) fn text(&self, data_type: &DataType) -> String {
        match self {
            Self::Int(value) => int_text(*value, data_type),
            Self::Float(value) => format!("{value}"),
            Self::Bytes(bytes) if data_type.is_string() => {
                String::from_utf8_lossy(bytes).trim_end_matches('\u{fffd}').to_owned()
            }
            Self::Bytes(bytes) => bytes.escape_ascii().to_string(),
        }
    }
}

fn fixed(values: &Fixed, row: usize, data_type: &DataType) -> Option<Value> {
    let bytes = values.bytes(row..row + 1);
    let float = match data_type {
        DataType::Float16 => {
            <Float16Type as ArrowPrimitiveType>::Native::from_le_bytes(bytes.try_into().ok()?).to_f64()
        }
        DataType::Float32 => f64::from(f32::from_le_bytes(bytes.try_into().ok()?)),
        DataType::Float64 => f64::from_le_bytes(bytes.try_into().ok()?),
        _ => return decimal(bytes),
    };
    (!float.is_nan()).then_some(Value::Float(float))
}

/// Decimals of up to 128 bits, widened; wider ones have no order here.
fn decimal(bytes: &[u8]) -> Option<Value> {
    let negative = bytes.last()? & 0x80 != 0;
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(Value::Int(i128::from_le_bytes(wide)))
}

fn int_text(value: i128, data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => (value != 0).to_string(),
        DataType::Date32 => date(value),
        DataType::Date64 => date(value.div_euclid(86_400_000)),
        DataType::Timestamp(unit, zone) => {
            let text = moment(value, *unit);
            zone.as_ref().map_or(text.clone(), |_| format!("{text}Z"))
        }
        DataType::Time32(unit) | DataType::Time64(unit) => clock(value, *unit),
        DataType::Duration(unit) => format!("{value} {}", suffix(*unit)),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            scaled(value, *scale)
        }
        _ => value.to_string(),
    }
}

fn scaled(value: i128, scale: i8) -> String {
    let Ok(places) = usize::try_from(scale) else { return format!("{value}e{}", -i32::from(scale)) };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let (sign, dot) = (if value < 0 { "-" } else { "" }, if places > 0 { "." } else { "" });
    format!("{sign}{whole}{dot}{part}")
}

fn suffix(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// How many of a unit a second has, and the digits of that after the point.
fn a_second(unit: TimeUnit) -> (i128, usize) {
    match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    }
}

fn moment(value: i128, unit: TimeUnit) -> String {
    let day = 86_400 * a_second(unit).0;
    format!("{} {}", date(value.div_euclid(day)), clock(value.rem_euclid(day), unit))
}

fn clock(value: i128, unit: TimeUnit) -> String {
    let (second, places) = a_second(unit);
    let (seconds, rest) = (value.div_euclid(second), value.rem_euclid(second));
    let whole = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest == 0 { whole } else { format!("{whole}.{rest:0places$}") }
}

/// The day `days` after 1970-01-01, by the proleptic Gregorian calendar (Hinnant, `civil_from_days`).
fn date(days: i128) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) =
        (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, Some("Europe/Kyiv".into()));
        for (value, data_type, text) in [
            (-1, DataType::Date32, "1969-12-31"),
            (11_016, DataType::Date32, "2000-02-29"),
            (1_700_000_000_000_000_001, nanos, "2023-11-14 22:13:20.000000001Z"),
            (-1, DataType::Timestamp(TimeUnit::Second, None), "1969-12-31 23:59:59"),
            (-5, DataType::Decimal128(5, 2), "-0.05"),
            (12_345, DataType::Decimal128(5, 2), "123.45"),
            (1, DataType::Boolean, "true"),
            (90, DataType::Duration(TimeUnit::Millisecond), "90 ms"),
        ] {
            assert_eq!(Value::Int(value).text(&data_type), text);
        }
    }
}
