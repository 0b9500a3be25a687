//! The canonical text of a schema: what the fingerprint hashes before the rows.

use std::fmt::Write as _;

use arrow_schema::{DataType, Field, Schema, TimeUnit};

use crate::{columnar::schema::null_policy, schema::NullPolicy};

/// Rows read the same through either type must have the same text, so the text names what a value is and not how it is
/// stored. One line for each column:
///
/// ```text
/// brine-schema-v1
/// 2:id utf8
/// 9:exp_years int32
/// 6:vector list[384]<float32>
/// ```
///
/// - A name is its length in bytes, a colon and its UTF-8: no name can be mistaken for another column.
/// - `?` after a type says that its cells carry a presence byte. A column whose nulls are taken as a value has none.
/// - `utf8` is `Utf8` and `LargeUtf8`, `binary` is `Binary` and `LargeBinary`, `list<…>` is `List` and `LargeList`, and
///   a dictionary has the text of its values.
/// - `map<…>` holds the struct of its entries, in the order of the file.
/// - Metadata has no part in it, so neither has its order.
pub(super) fn canonical(schema: &Schema) -> String {
    let mut text = String::from("brine-schema-v1\n");
    for field in schema.fields() {
        put_field(field, &mut text);
        text.push('\n');
    }
    text
}

/// The line of one column, without its name: columns with the same one can hold equal rows.
pub fn canonical_column(field: &Field) -> String {
    let mut text = String::new();
    put_nested(field, &mut text);
    text
}

/// The canonical text of one type.
pub(super) fn canonical_type(data_type: &DataType) -> String {
    let mut text = String::new();
    put_type(data_type, &mut text);
    text
}

/// True if cells of `field` carry a presence byte.
pub(super) fn is_marked(field: &Field) -> bool {
    field.is_nullable() && null_policy(field).is_none_or(|policy| policy == NullPolicy::Refuse)
}

fn put_field(field: &Field, text: &mut String) {
    put_name(field.name(), text);
    text.push(' ');
    put_nested(field, text);
}

fn put_name(name: &str, text: &mut String) {
    put(text, format_args!("{}:{name}", name.len()));
}

fn put_nested(field: &Field, text: &mut String) {
    put_type(field.data_type(), text);
    if is_marked(field) {
        text.push('?');
    }
}

fn put_item(item: &Field, text: &mut String) {
    text.push('<');
    put_nested(item, text);
    text.push('>');
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String cannot fail");
}

fn put_type(data_type: &DataType, text: &mut String) {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => text.push_str("utf8"),
        DataType::Binary | DataType::LargeBinary => text.push_str("binary"),
        DataType::FixedSizeBinary(width) => put(text, format_args!("binary[{width}]")),
        DataType::Dictionary(_, values) => put_type(values, text),
        DataType::List(item) | DataType::LargeList(item) => {
            text.push_str("list");
            put_item(item, text);
        }
        DataType::Map(entries, _) => {
            text.push_str("map");
            put_item(entries, text);
        }
        DataType::FixedSizeList(item, length) => {
            put(text, format_args!("list[{length}]"));
            put_item(item, text);
        }
        DataType::Struct(fields) => {
            text.push_str("struct<");
            for field in fields {
                put_field(field, text);
                text.push(',');
            }
            text.push('>');
        }
        DataType::Timestamp(unit, zone) => put_timestamp(*unit, zone.as_deref(), text),
        DataType::Time32(unit) | DataType::Time64(unit) => {
            put(text, format_args!("time[{}]", unit_name(*unit)));
        }
        DataType::Duration(unit) => put(text, format_args!("duration[{}]", unit_name(*unit))),
        DataType::Decimal128(precision, scale) => put(text, format_args!("decimal128[{precision},{scale}]")),
        DataType::Decimal256(precision, scale) => put(text, format_args!("decimal256[{precision},{scale}]")),
        DataType::Boolean => text.push_str("bool"),
        // Null, the integers, the floats and the dates: one word each, pinned by a test.
        plain => put(text, format_args!("{}", format!("{plain:?}").to_lowercase())),
    }
}

fn put_timestamp(unit: TimeUnit, zone: Option<&str>, text: &mut String) {
    put(text, format_args!("timestamp[{}", unit_name(unit)));
    if let Some(zone) = zone {
        text.push(',');
        put_name(zone, text);
    }
    text.push(']');
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}
