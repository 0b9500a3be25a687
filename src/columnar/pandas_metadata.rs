//! The `pandas` metadata of a Parquet file: by it `pandas.read_parquet` finds index, labels and types again.
//!
//! The form is the one that pyarrow writes (`pyarrow/pandas_compat.py`, `construct_metadata`).

mod dtype;

use std::collections::HashMap;

use arrow_schema::{DataType, Field, Schema};
use serde_json::{Value, json};

use super::{attrs::Attrs, table::Table};
use crate::{
    numpy::{Step, Unit},
    pandas::{Column, Frame, Index, Label, Values},
};

/// The metadata of `table`, which was made of `frame`, as JSON.
pub fn pandas_metadata(frame: &Frame<'_>, table: &Table<'_>, attrs: &Attrs) -> String {
    let schema = table.schema();
    let (named, from) = (by_name(schema), by_source(schema));
    let field_of = |name: &str| named.get(name).or_else(|| from.get(name)).copied();
    let levels = frame.index.iter().map(|level| match (field_of(&level.column), &level.values) {
        (Some(field), _) => json!(field.name()),
        (None, Values::Range { start, step }) => range(level, *start, *step),
        (None, _) => json!({"kind": "range", "name": null, "start": 0, "stop": frame.rows, "step": 1}),
    });
    // A domain gives its columns names of its own.
    let of_domain = schema.metadata().contains_key(super::schema::DOMAIN);
    let keeps_labels = !of_domain && labels_are_distinct(frame);
    let columns = frame.columns.iter().filter_map(|column| {
        let field = field_of(&column.name)?;
        Some(if of_domain { of_field(field, column) } else { of_column(column, field, keeps_labels) })
    });
    let index = frame.index.iter().filter_map(|level| Some(of_level(level, field_of(&level.column)?)));
    let attributes = attrs.json.as_deref().and_then(|json| serde_json::from_str::<Value>(json).ok());
    let metadata = json!({
        "index_columns": levels.collect::<Vec<_>>(),
        "column_indexes": column_levels(frame, keeps_labels),
        "columns": columns.chain(index).collect::<Vec<Value>>(),
        "attributes": attributes.unwrap_or_else(|| json!({})),
        "creator": {"library": "brine", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "2.1.4",
    });
    metadata.to_string()
}

fn by_name(schema: &Schema) -> HashMap<&str, &Field> {
    schema.fields().iter().map(|field| (field.name().as_str(), field.as_ref())).collect()
}

/// By the column of the frame that a domain's column is made of.
fn by_source(schema: &Schema) -> HashMap<&str, &Field> {
    let fields = schema.fields().iter().rev();
    fields
        .filter_map(|field| Some((field.metadata().get(super::schema::SOURCE)?.as_str(), field.as_ref())))
        .collect()
}

fn range(level: &Index<'_>, start: i64, step: i64) -> Value {
    let stop = i128::from(start) + i128::from(step) * level.len as i128;
    let name = name_of(&level.name);
    json!({"kind": "range", "name": name, "start": start, "stop": i64::try_from(stop).unwrap_or(i64::MAX), "step": step})
}

/// A name as JSON: pandas takes it as it stands, so numbers stay numbers. Text is what is left for all else; a column's
/// type tells pandas what it was.
fn name_of(label: &Label) -> Value {
    match label {
        Label::None => Value::Null,
        Label::Bool(value) => json!(value),
        Label::Int(value) => {
            i64::try_from(*value).map_or_else(|_| json!(value.to_string()), |value| json!(value))
        }
        Label::Float(value) if value.is_finite() => json!(value),
        Label::Time { value, step, .. } => {
            nanos(*value, *step).map_or_else(|| json!(label.to_string()), |nanos| json!(nanos))
        }
        label => json!(label.to_string()),
    }
}

/// Nanoseconds of a number of steps, which pandas takes for a time.
fn nanos(value: i64, step: Step) -> Option<i64> {
    let factor = match step.unit {
        Unit::Nano => 1,
        Unit::Micro => 1_000,
        Unit::Milli => 1_000_000,
        Unit::Second => 1_000_000_000,
        _ => return None,
    };
    value.checked_mul(factor)?.checked_mul(i64::from(step.count))
}

/// pandas refuses to read a frame two of whose columns have one name, so then all are called as their fields are.
/// A column that a domain names and types: of what it was, only the kind of text is left.
fn of_field(field: &Field, column: &Column<'_>) -> Value {
    let name = json!(field.name());
    let described = |dtype| described(&name, field, &column.values, dtype);
    match field.data_type() {
        DataType::Utf8 => described(column.dtype.as_deref()),
        number if number.is_numeric() => described(Some(&number.to_string().to_lowercase())),
        _ => described(Some("object")),
    }
}

fn of_column(column: &Column<'_>, field: &Field, keeps_label: bool) -> Value {
    let name = if keeps_label { name_of(&column.label) } else { json!(field.name()) };
    described(&name, field, &column.values, column.dtype.as_deref())
}

fn labels_are_distinct(frame: &Frame<'_>) -> bool {
    let mut names = std::collections::HashSet::new();
    frame.columns.iter().all(|column| names.insert(name_of(&column.label).to_string()))
}

fn of_level(level: &Index<'_>, field: &Field) -> Value {
    described(&name_of(&level.name), field, &level.values, level.dtype.as_deref())
}

fn described(name: &Value, field: &Field, values: &Values<'_>, dtype: Option<&str>) -> Value {
    let types = dtype::types(values, field);
    json!({
        "name": name,
        "field_name": field.name(),
        "pandas_type": types.logical,
        "numpy_type": dtype.unwrap_or(&types.numpy),
        "metadata": types.metadata,
    })
}

/// What the labels of the columns are, level by level.
fn column_levels(frame: &Frame<'_>, keeps_labels: bool) -> Vec<Value> {
    if frame.column_levels.len() == 1 && !keeps_labels {
        let name = name_of(&frame.column_levels[0]);
        return vec![json!({
            "name": name,
            "field_name": name,
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        })];
    }
    let labels: Vec<&Label> = frame.columns.iter().map(|column| &column.label).collect();
    let levels = frame.column_levels.iter().enumerate();
    let level = |(place, name): (usize, &Label)| {
        let part = |label: &&Label| match label {
            Label::Tuple(parts) if frame.column_levels.len() > 1 => parts.get(place).cloned(),
            label => Some((*label).clone()),
        };
        let (pandas_type, numpy_type, metadata) =
            label_types(&labels.iter().filter_map(part).collect::<Vec<_>>());
        json!({
            "name": name_of(name),
            "field_name": name_of(name),
            "pandas_type": pandas_type,
            "numpy_type": numpy_type,
            "metadata": metadata,
        })
    };
    levels.map(level).collect()
}

/// pyarrow makes an index of these types out of the names; types that it cannot make (periods, categories, intervals) are
/// text, because a name of theirs ends the whole reading.
fn label_types(labels: &[Label]) -> (String, String, Value) {
    let of =
        |pandas_type: &str, numpy_type: &str| (pandas_type.to_owned(), numpy_type.to_owned(), Value::Null);
    // In a level, missing labels stand beside the others.
    let present: Vec<&Label> = labels.iter().filter(|label| **label != Label::None).collect();
    let all = |fits: fn(&Label) -> bool| !present.is_empty() && present.iter().all(|label| fits(label));
    if all(|label| matches!(label, Label::Int(_))) && present.len() == labels.len() {
        return of("int64", "int64");
    }
    if all(|label| matches!(label, Label::Int(_) | Label::Float(_))) {
        let whole = |label: &&&Label| matches!(label, Label::Int(_));
        return if present.iter().any(|label| whole(&label)) {
            of("mixed", "object")
        } else {
            of("float64", "float64")
        };
    }
    if all(|label| matches!(label, Label::Bool(_))) {
        return of("bool", "bool");
    }
    if let Some(Label::Time { step, zone, .. }) = present.first()
        && present.iter().all(|label| matches!(label, Label::Time { .. }))
    {
        let numpy_type = format!("datetime64[{}]", dtype::unit(*step));
        let whole = |label: &&Label| matches!(label, Label::Time { value, step, .. } if nanos(*value, *step).is_some());
        return match zone {
            _ if !present.iter().all(whole) => of("mixed", "object"),
            // The names are nanoseconds whatever the unit is.
            None if numpy_type != "datetime64[ns]" => ("datetime64[ns]".to_owned(), numpy_type, Value::Null),
            None => (numpy_type.clone(), numpy_type, Value::Null),
            Some(zone) => ("datetimetz".to_owned(), numpy_type, json!({ "timezone": zone.to_string() })),
        };
    }
    match present.first() {
        None if labels.is_empty() => of("empty", "object"),
        _ if all(|label| matches!(label, Label::Text(_))) => {
            ("unicode".to_owned(), "object".to_owned(), json!({ "encoding": "UTF-8" }))
        }
        _ => of("mixed", "object"),
    }
}
