//! The Arrow schema of a table and the metadata by which later layers know it: domain, key, null policies.
//!
//! Everything right of this module learns what it needs from the schema alone, so the keys below are part of the file
//! format.

use std::{collections::HashMap, sync::Arc};

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::schema::{Column, DefaultValue, Domain, Kind, NullPolicy};

/// Schema metadata: the domain's name.
pub const DOMAIN: &str = "brine.domain";
/// Schema metadata: the name of the key column.
pub const KEY: &str = "brine.key";
/// Field metadata: what a null means on the wire, `empty` or `default:VALUE`; absent means that nulls are refused.
pub const NULL: &str = "brine.null";
/// Field metadata: the name of the column in the source file.
pub const SOURCE: &str = "brine.source";

/// The Arrow schema of `domain` with vectors of `dimension`.
pub fn of_domain(domain: &Domain, dimension: usize) -> SchemaRef {
    let fields: Vec<Field> = domain.columns.iter().map(|column| field(column, dimension)).collect();
    let key = domain.columns[domain.key].field.clone();
    let metadata = HashMap::from([(DOMAIN.to_owned(), domain.name.clone()), (KEY.to_owned(), key)]);
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

fn field(column: &Column, dimension: usize) -> Field {
    let nullable = column.null != NullPolicy::Refuse;
    let metadata = match &column.null {
        NullPolicy::Refuse => HashMap::new(),
        NullPolicy::Empty => HashMap::from([(NULL.to_owned(), "empty".to_owned())]),
        NullPolicy::Default(DefaultValue::Text(text)) => {
            HashMap::from([(NULL.to_owned(), format!("default:{text}"))])
        }
        NullPolicy::Default(DefaultValue::Int(int)) => {
            HashMap::from([(NULL.to_owned(), format!("default:{int}"))])
        }
    };
    Field::new(&column.field, data_type(column.kind, dimension), nullable).with_metadata(metadata)
}

/// The Arrow type of a column kind.
pub fn data_type(kind: Kind, dimension: usize) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Category => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        Kind::Int32 => DataType::Int32,
        Kind::Int64 => DataType::Int64,
        Kind::TextList => DataType::List(item(DataType::Utf8)),
        Kind::Vector => vector(DataType::Float32, dimension),
    }
}

/// `FixedSizeList<element, dimension>` with items that cannot be null.
pub fn vector(element: DataType, dimension: usize) -> DataType {
    let dimension = i32::try_from(dimension).unwrap_or(i32::MAX);
    DataType::FixedSizeList(item(element), dimension)
}

fn item(element: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", element, false))
}

/// Index of the key column, if the schema names one.
pub fn key_index(schema: &Schema) -> Option<usize> {
    schema.index_of(schema.metadata().get(KEY)?).ok()
}

/// Index of the first column of fixed-size float vectors.
pub fn vector_index(schema: &Schema) -> Option<usize> {
    schema.fields().iter().position(|field| dimension(field.data_type()).is_some())
}

/// The dimension of a fixed-size float vector type.
pub fn dimension(data_type: &DataType) -> Option<usize> {
    let DataType::FixedSizeList(item, dimension) = data_type else { return None };
    item.data_type().is_floating().then_some(usize::try_from(*dimension).ok()?)
}

/// What a null in `field` means on the wire; `None` if the metadata does not fit the field's type.
pub fn null_policy(field: &Field) -> Option<NullPolicy> {
    let Some(text) = field.metadata().get(NULL) else { return Some(NullPolicy::Refuse) };
    if text == "empty" {
        return Some(NullPolicy::Empty);
    }
    let value = text.strip_prefix("default:")?;
    if field.data_type().is_integer() {
        return Some(NullPolicy::Default(DefaultValue::Int(value.parse().ok()?)));
    }
    Some(NullPolicy::Default(DefaultValue::Text(value.to_owned())))
}
