//! The `pandas` metadata of a Parquet file: by it `pandas.read_parquet` finds the index again.
//!
//! The form is the one that pyarrow writes (`pyarrow/pandas_compat.py`, `construct_metadata`).

mod dtype;

use arrow_schema::Field;
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
    let entry = |field: &Field| {
        let column = frame.columns.iter().find(|column| column.name == *field.name());
        let (label, values) = column.map_or((json!(frame.index.name), &frame.index.values), |column| {
            (json!(column.name), &column.values)
        });
        column_entry(&label, values, field)
    };
    let columns: Vec<Value> = table.schema().fields().iter().map(|field| entry(field)).collect();
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

/// What is said of one column: its label, the name of its field, and its types.
fn column_entry(label: &Value, values: &Values<'_>, field: &Field) -> Value {
    let types = dtype::types(values, field);
    json!({
        "name": label,
        "field_name": field.name(),
        "pandas_type": types.logical,
        "numpy_type": types.numpy,
        "metadata": types.metadata,
    })
}
