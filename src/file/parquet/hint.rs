//! The Arrow schema that a Parquet file tells its readers, and the true one behind it.
//!
//! Two types are told as simpler ones, because readers that are in use today fail on them or lose them:
//!
//! | type | told as | because |
//! |---|---|---|
//! | vectors, some of them missing | list | pyarrow 22 and older refuse to read the column |
//! | categories other than text | their values | the format's dictionaries of text alone are categories to pyarrow; of durations it reads numbers |
//!
//! Metadata of the field says what it was, so what this program reads is what it wrote.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema};

/// Field metadata: the number of elements of each vector.
const DIMENSION: &str = "brine.dimension";
/// Field metadata of categories that are told as their values.
const CATEGORIES: &str = "brine.categories";

/// What readers are told of a file some of whose columns have missing rows.
pub(super) fn told(schema: &Schema, has_missing: &[bool]) -> Schema {
    let has_missing = |index: usize| has_missing.get(index).copied().unwrap_or(false);
    each_field(schema, |index, field| match field.data_type() {
        DataType::FixedSizeList(item, dimension) if has_missing(index) => {
            Some(noted(field, DataType::List(Arc::clone(item)), DIMENSION, dimension.to_string()))
        }
        DataType::Dictionary(keys, values) if !is_text(values) && **keys == DataType::Int32 => {
            let ordered = field.dict_is_ordered().unwrap_or(false);
            Some(noted(field, DataType::clone(values), CATEGORIES, ordered.to_string()))
        }
        _ => None,
    })
}

/// What was told, as it is.
pub(super) fn meant(told: &Schema) -> Schema {
    each_field(told, |_, field| {
        let note = |key| field.metadata().get(key);
        match (field.data_type(), note(DIMENSION), note(CATEGORIES)) {
            (DataType::List(item), Some(dimension), _) => {
                let dimension = dimension.parse().ok().filter(|&dimension: &i32| dimension >= 0)?;
                Some(without_note(field, DataType::FixedSizeList(Arc::clone(item), dimension), DIMENSION))
            }
            (values, _, Some(ordered)) => {
                let (keys, values) = (Box::new(DataType::Int32), Box::new(values.clone()));
                let meant = without_note(field, DataType::Dictionary(keys, values), CATEGORIES);
                Some(meant.with_dict_is_ordered(ordered == "true"))
            }
            _ => None,
        }
    })
}

fn is_text(values: &DataType) -> bool {
    matches!(values, DataType::Utf8 | DataType::LargeUtf8)
}

fn each_field(schema: &Schema, change: impl Fn(usize, &Field) -> Option<Field>) -> Schema {
    let changed =
        |(index, field): (usize, &FieldRef)| change(index, field).map_or_else(|| Arc::clone(field), Arc::new);
    let fields: Vec<FieldRef> = schema.fields().iter().enumerate().map(changed).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn noted(field: &Field, told: DataType, key: &str, note: String) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(key.to_owned(), note);
    Field::new(field.name(), told, field.is_nullable()).with_metadata(metadata)
}

fn without_note(field: &Field, meant: DataType, key: &str) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.remove(key);
    Field::new(field.name(), meant, field.is_nullable()).with_metadata(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_simpler_is_meant_as_it_was() {
        let number = || Arc::new(Field::new("item", DataType::Float32, false));
        let category = |values| DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
        let fields = vec![
            Field::new("whole", DataType::FixedSizeList(number(), 3), true),
            Field::new("missing", DataType::FixedSizeList(number(), 3), true),
            Field::new("text", category(DataType::Utf8), true),
            Field::new("number", category(DataType::Int64), true).with_dict_is_ordered(true),
            Field::new("list", DataType::List(number()), true),
        ];
        let schema = Schema::new(fields);
        let told = told(&schema, &[false, true, true, false, false]);
        let types: Vec<_> = told.fields().iter().map(|field| field.data_type().clone()).collect();
        assert_eq!(types[1..4], [DataType::List(number()), category(DataType::Utf8), DataType::Int64]);
        assert_eq!(types[0], *schema.field(0).data_type());
        assert_eq!(meant(&told), schema);
        assert_eq!(meant(&told).field(3).dict_is_ordered(), Some(true));
    }
}
