//! Mixed values as JSON text, one document for each cell.
//!
//! Null, booleans, integers up to 64 bits, finite floats, text, lists and dicts with keys of text are themselves. Everything
//! else is an object of one key that says what it is: `{"float": "nan"}`, `{"int": "…"}`, `{"bytes": "hex"}`,
//! `{"date": days}`, `{"time": microseconds}`, `{"timestamp": [value, unit, zone]}`, `{"duration": [value, unit]}`,
//! `{"decimal": "…"}`, `{"complex": [re, im]}`, `{"uuid": "…"}`.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::{
    build::unit_name,
    value::{Value, items},
};
use crate::{limits::Limits, pickle::Graph};

/// Nesting of one document.
const DEPTH_MAX: usize = 32;
/// Values of one document: a file can name one list any number of times.
const VALUES_MAX: usize = 1 << 20;

/// A value as JSON; `None` if it is nothing that JSON holds, or too much.
pub(in crate::columnar) fn text<'g>(
    graph: &'g Graph<'g>,
    value: &Value<'g>,
    limits: &Limits,
) -> Option<String> {
    let mut writer = Writer { graph, limits, left: VALUES_MAX };
    writer.json(value, DEPTH_MAX).map(|json| json.to_string())
}

struct Writer<'g, 'l> {
    graph: &'g Graph<'g>,
    limits: &'l Limits,
    left: usize,
}

impl<'g> Writer<'g, '_> {
    fn json(&mut self, value: &Value<'g>, depth: usize) -> Option<Json> {
        self.left = self.left.checked_sub(1)?;
        Some(match value {
            Value::Missing => Json::Null,
            Value::Bool(value) => json!(value),
            Value::Int(value) => {
                i64::try_from(*value).map_or_else(|_| json!({"int": value.to_string()}), |value| json!(value))
            }
            Value::Float(value) if value.is_finite() => json!(value),
            Value::Float(value) => json!({"float": value.to_string().to_lowercase()}),
            Value::Text(text) => json!(std::str::from_utf8(text).ok()?),
            Value::Bytes(bytes) => json!({"bytes": hex(bytes)}),
            Value::Date(days) => json!({"date": days}),
            Value::TimeOfDay(micros) => json!({"time": micros}),
            Value::Time { value, step, zone } => {
                let zone = zone.as_ref().map(ToString::to_string);
                json!({"timestamp": [value, unit_name(step.unit), zone]})
            }
            Value::Duration { value, step } => json!({"duration": [value, unit_name(step.unit)]}),
            Value::Decimal { digits, scale } => json!({"decimal": format!("{digits}e{}", -scale)}),
            Value::Complex(re, im) => json!({"complex": [re.to_string(), im.to_string()]}),
            Value::Uuid(bytes) => json!({"uuid": hex(bytes)}),
            Value::List(_) | Value::Array(_) => {
                let depth = depth.checked_sub(1)?;
                let items = items(self.graph, value, self.limits)?;
                Json::Array(items.iter().map(|item| self.json(item, depth)).collect::<Option<_>>()?)
            }
            Value::Dict(id) => {
                let depth = depth.checked_sub(1)?;
                let mut map = Map::new();
                for (key, value) in self.graph.dict(*id)? {
                    let value = self.json(&Value::of_node(self.graph, value), depth)?;
                    map.insert(self.graph.text(key)?.to_owned(), value);
                }
                Json::Object(map)
            }
            Value::Other(_) => return None,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
