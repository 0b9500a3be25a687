//! One row, for people to look at.

use arrow_array::{
    Array as _, ArrayRef, RecordBatch,
    cast::AsArray as _,
    types::{Int32Type, Int64Type},
};
use arrow_schema::DataType;
use serde_json::Value;

/// A row's fields in their order; of a vector, only the dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Names and values.
    pub fields: Vec<(String, Value)>,
}

impl Row {
    /// Row `row` of `batch`, whose columns are those of a domain.
    pub(super) fn of(batch: &RecordBatch, row: usize) -> Self {
        let schema = batch.schema_ref();
        let fields = schema.fields().iter().zip(batch.columns());
        let fields = fields.map(|(field, column)| match field.data_type() {
            DataType::FixedSizeList(_, dimension) => ("dimension".to_owned(), Value::from(*dimension)),
            _ => (field.name().clone(), value(column, row)),
        });
        Self { fields: fields.collect() }
    }
}

fn value(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Dictionary(..) => {
            let column = column.as_dictionary::<Int32Type>();
            column.key(row).map_or(Value::Null, |key| value(column.values(), key))
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            (0..items.len()).map(|item| value(&items, item)).collect()
        }
        // A domain has no other kinds of columns.
        other => other.to_string().into(),
    }
}
