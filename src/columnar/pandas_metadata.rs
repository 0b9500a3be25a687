//! The `pandas` metadata of a Parquet file: by it `pandas.read_parquet` finds index, labels and types again.
//!
//! The form is the one that pyarrow writes (`pyarrow/pandas_compat.py`, `construct_metadata`).

use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::{Value, json};

use super::table::Table;
use crate::pandas::{Column, Frame, Index, Label, Values};

/// The metadata of `table`, which was made of `frame`, as JSON.
pub fn pandas_metadata(frame: &Frame<'_>, table: &Table<'_>) -> String {
    let schema = table.schema();
    let field_of = |name: &str| {
        let source = |field: &&std::sync::Arc<Field>| {
            field.metadata().get(super::schema::SOURCE).is_some_and(|source| source == name)
        };
        schema.field_with_name(name).ok().or_else(|| schema.fields().iter().find(source).map(AsRef::as_ref))
    };
    let levels = frame.index.iter().map(|level| match (field_of(&level.column), &level.values) {
        (Some(field), _) => json!(field.name()),
        (None, Values::Range { start, step }) => range(level, *start, *step),
        (None, _) => json!({"kind": "range", "name": null, "start": 0, "stop": frame.rows, "step": 1}),
    });
    let columns = frame.columns.iter().filter_map(|column| Some(of_column(column, field_of(&column.name)?)));
    let index = frame.index.iter().filter_map(|level| Some(of_level(level, field_of(&level.column)?)));
    let metadata = json!({
        "index_columns": levels.collect::<Vec<_>>(),
        "column_indexes": column_levels(frame),
        "columns": columns.chain(index).collect::<Vec<Value>>(),
        "attributes": {},
        "creator": {"library": "brine", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "2.1.4",
    });
    metadata.to_string()
}

fn range(level: &Index<'_>, start: i64, step: i64) -> Value {
    let stop = i128::from(start) + i128::from(step) * level.len as i128;
    let name = name_of(&level.name);
    json!({"kind": "range", "name": name, "start": start, "stop": i64::try_from(stop).unwrap_or(i64::MAX), "step": step})
}

/// A name as JSON: pandas reads it as it stands.
fn name_of(label: &Label) -> Value {
    match label {
        Label::None => Value::Null,
        label => json!(label.to_string()),
    }
}

/// A name of a column whose labels are of several levels, or of no text, is the text of the field.
fn of_column(column: &Column<'_>, field: &Field) -> Value {
    described(&name_of(&column.label), field, &column.values, column.dtype.as_deref())
}

fn of_level(level: &Index<'_>, field: &Field) -> Value {
    described(&name_of(&level.name), field, &level.values, level.dtype.as_deref())
}

fn described(name: &Value, field: &Field, values: &Values<'_>, dtype: Option<&str>) -> Value {
    let (pandas_type, mut numpy_type) = types(field.data_type());
    let mut metadata = Value::Null;
    match (values, field.data_type()) {
        (Values::Categories { codes, count, ordered, .. }, _) => {
            numpy_type = format!("int{}", 8 * codes.dtype.itemsize);
            metadata = json!({"num_categories": count, "ordered": ordered});
        }
        (Values::Times { .. }, DataType::Timestamp(_, Some(zone))) => metadata = json!({"timezone": &**zone}),
        (Values::Masked { .. }, data_type) => numpy_type = nullable(data_type),
        (Values::Periods { frequency, .. }, _) => numpy_type = format!("period[{frequency}]"),
        (Values::Intervals { closed, .. }, DataType::Struct(sides)) => {
            let side = sides.first().map_or_else(|| "int64".to_owned(), |side| types(side.data_type()).1);
            numpy_type = format!("interval[{side}, {closed}]");
        }
        (Values::Objects { .. } | Values::Cells(_), _) => "object".clone_into(&mut numpy_type),
        _ => {}
    }
    if let Some(dtype) = dtype {
        dtype.clone_into(&mut numpy_type);
    }
    json!({
        "name": name,
        "field_name": field.name(),
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": metadata,
    })
}

/// pandas' name for numbers with a mask.
fn nullable(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        other => other.to_string(),
    }
}

/// What pandas and NumPy call an Arrow type.
fn types(data_type: &DataType) -> (String, String) {
    let two = |pandas: &str, numpy: &str| (pandas.to_owned(), numpy.to_owned());
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => two("unicode", "object"),
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => two("bytes", "object"),
        DataType::Dictionary(..) => two("categorical", "int32"),
        DataType::Boolean => two("bool", "bool"),
        DataType::Date32 => two("date", "object"),
        DataType::Time64(_) | DataType::Time32(_) => two("time", "object"),
        DataType::Decimal128(..) | DataType::Decimal256(..) => two("decimal", "object"),
        DataType::Timestamp(unit, None) => {
            ("datetime".to_owned(), format!("datetime64[{}]", unit_name(*unit)))
        }
        DataType::Timestamp(unit, Some(_)) => {
            ("datetimetz".to_owned(), format!("datetime64[{}]", unit_name(*unit)))
        }
        DataType::Duration(unit) => ("timedelta".to_owned(), format!("timedelta64[{}]", unit_name(*unit))),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            (format!("list[{}]", types(item.data_type()).0), "object".to_owned())
        }
        DataType::Struct(_) | DataType::Map(..) | DataType::Null => two("object", "object"),
        other => {
            let name = other.to_string().to_lowercase();
            (name.clone(), name)
        }
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// What the labels of the columns are, level by level.
fn column_levels(frame: &Frame<'_>) -> Vec<Value> {
    let labels: Vec<&Label> = frame.columns.iter().map(|column| &column.label).collect();
    let levels = frame.column_levels.iter().enumerate();
    let level = |(place, name): (usize, &Label)| {
        let part = |label: &&Label| match label {
            Label::Tuple(parts) if frame.column_levels.len() > 1 => parts.get(place).cloned(),
            label => Some((*label).clone()),
        };
        let (pandas_type, numpy_type) = label_types(&labels.iter().filter_map(part).collect::<Vec<_>>());
        let encoding = (pandas_type == "unicode").then(|| json!({"encoding": "UTF-8"}));
        json!({
            "name": name_of(name),
            "field_name": name_of(name),
            "pandas_type": pandas_type,
            "numpy_type": numpy_type,
            "metadata": encoding,
        })
    };
    levels.map(level).collect()
}

fn label_types(labels: &[Label]) -> (&'static str, &'static str) {
    let all = |fits: fn(&Label) -> bool| !labels.is_empty() && labels.iter().all(fits);
    if all(|label| matches!(label, Label::Int(_))) {
        ("int64", "int64")
    } else if all(|label| matches!(label, Label::Float(_))) {
        ("floating", "float64")
    } else if all(|label| matches!(label, Label::Bool(_))) {
        ("bool", "bool")
    } else if all(|label| matches!(label, Label::Time { zone: None, .. })) {
        ("datetime", "datetime64[ns]")
    } else if labels.is_empty() {
        ("empty", "object")
    } else if all(|label| matches!(label, Label::Text(_))) {
        ("unicode", "object")
    } else {
        ("mixed", "object")
    }
}
