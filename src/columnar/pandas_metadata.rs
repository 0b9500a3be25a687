//! The `pandas` metadata of a Parquet file: by it `pandas.read_parquet` finds the index again.
//!
//! The form is the one that pyarrow writes (`pyarrow/pandas_compat.py`, `construct_metadata`).

use arrow_schema::{DataType, Field};
use serde_json::{Value, json};

use super::table::{INDEX_NAME, Table};
use crate::pandas::{Frame, Values};

/// The metadata of `table`, as JSON.
pub fn pandas_metadata(frame: &Frame<'_>, table: &Table<'_>) -> String {
    let index_name = frame.index.name.as_deref().unwrap_or(INDEX_NAME);
    let as_column = table.schema().index_of(index_name).is_ok() && !frame.index.is_default();
    let index = match frame.index.values {
        _ if as_column => json!(index_name),
        Values::Range { start, step } => {
            let stop = start + step * frame.rows as i64;
            json!({"kind": "range", "name": frame.index.name, "start": start, "stop": stop, "step": step})
        }
        _ => json!({"kind": "range", "name": null, "start": 0, "stop": frame.rows, "step": 1}),
    };
    let columns: Vec<Value> = table.schema().fields().iter().map(|field| column(field)).collect();
    let metadata = json!({
        "index_columns": [index],
        "column_indexes": [],
        "columns": columns,
        "attributes": {},
        "creator": {"library": "brine", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "2.1.4",
    });
    metadata.to_string()
}

fn column(field: &Field) -> Value {
    let name = (field.name() != INDEX_NAME).then_some(field.name());
    let (pandas_type, numpy_type) = types(field.data_type());
    let metadata = match field.data_type() {
        DataType::Dictionary(..) => json!({"num_categories": null, "ordered": field.dict_is_ordered()}),
        _ => Value::Null,
    };
    json!({
        "name": name,
        "field_name": field.name(),
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": metadata,
    })
}

fn types(data_type: &DataType) -> (String, String) {
    let both = |name: &str| (name.to_owned(), name.to_owned());
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => ("unicode".to_owned(), "object".to_owned()),
        DataType::Dictionary(..) => ("categorical".to_owned(), "int32".to_owned()),
        DataType::Boolean => both("bool"),
        DataType::List(item) | DataType::FixedSizeList(item, _) => {
            (format!("list[{}]", types(item.data_type()).0), "object".to_owned())
        }
        other => both(&other.to_string().to_lowercase()),
    }
}
