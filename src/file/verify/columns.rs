//! The columns of two tables: which differ, and which can be compared all the same.

use std::{collections::HashMap, sync::Arc};

use arrow_schema::{Field, Schema, SchemaRef};
use serde::Serialize;

use super::scan::View;
use crate::{columnar::schema as convention, digest::canonical_column};

/// How the columns of two tables differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ColumnDifference {
    /// The second table lacks the column.
    #[error("column {column:?} is missing in the second table")]
    OnlySource {
        /// Its name.
        column: String,
    },
    /// The first table lacks the column.
    #[error("column {column:?} is missing in the first table")]
    OnlyTarget {
        /// Its name.
        column: String,
    },
    /// The types hold different values; the rows of such a column are not compared.
    #[error("column {column:?} is {from} in the first table and {to} in the second")]
    Type {
        /// Its name.
        column: String,
        /// Its type in the first table.
        from: String,
        /// Its type in the second.
        to: String,
    },
    /// Values may be missing in one of the two only, or a missing one stands for something else.
    #[error("column {column:?} is {from} in the first table and {to} in the second")]
    Nulls {
        /// Its name.
        column: String,
        /// What holds in the first table.
        from: String,
        /// What holds in the second.
        to: String,
    },
    /// The same columns stand in another order.
    #[error("the columns stand in another order")]
    Order,
}

/// Finds how the columns of `target` differ from those of `source`.
pub(super) fn differences(source: &Schema, target: &Schema) -> Vec<ColumnDifference> {
    let (here, there) = (places(source), places(target));
    let other = |field: &Field| there.get(field.name().as_str()).map(|place| target.field(*place));
    let mut found: Vec<_> =
        source.fields().iter().filter_map(|field| of_column(field, other(field))).collect();
    let missing = target.fields().iter().filter(|field| !here.contains_key(field.name().as_str()));
    found.extend(missing.map(|field| ColumnDifference::OnlyTarget { column: field.name().clone() }));
    if order(source, &there) != order(target, &here) {
        found.push(ColumnDifference::Order);
    }
    found
}

fn of_column(field: &Field, other: Option<&Field>) -> Option<ColumnDifference> {
    let column = field.name().clone();
    let Some(other) = other else { return Some(ColumnDifference::OnlySource { column }) };
    if type_text(field) != type_text(other) {
        let [from, to] = [field, other].map(|field| field.data_type().to_string());
        return Some(ColumnDifference::Type { column, from, to });
    }
    let [from, to] = [field, other].map(nulls);
    (from != to).then_some(ColumnDifference::Nulls { column, from, to })
}

/// The type by its values: text is text, with a dictionary or without.
fn type_text(field: &Field) -> String {
    canonical_column(&field.clone().with_nullable(false))
}

fn nulls(field: &Field) -> String {
    match (field.is_nullable(), field.metadata().get(convention::NULL)) {
        (false, _) => "never null".to_owned(),
        (true, None) => "nullable".to_owned(),
        (true, Some(policy)) => format!("nullable ({policy})"),
    }
}

/// Where each column stands.
fn places(schema: &Schema) -> HashMap<&str, usize> {
    schema.fields().iter().enumerate().map(|(place, field)| (field.name().as_str(), place)).collect()
}

/// Names that the `other` has as well, in the order of `schema`.
fn order<'a>(schema: &'a Schema, other: &HashMap<&str, usize>) -> Vec<&'a str> {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    names.filter(|name| other.contains_key(name)).collect()
}

/// The columns of both tables whose values can be compared, in the order of the first; in `target`, their places there.
pub(super) fn shared(source: &Schema, target: &Schema) -> [View; 2] {
    let places = places(target);
    let pairs = source.fields().iter().enumerate().filter_map(|(index, field)| {
        let other = *places.get(field.name().as_str())?;
        let there = target.field(other);
        let joint = Field::clone(field).with_nullable(field.is_nullable() || there.is_nullable());
        (type_text(field) == type_text(there)).then_some((index, other, joint))
    });
    let pairs: Vec<_> = pairs.collect();
    let schema: SchemaRef =
        Arc::new(Schema::new(pairs.iter().map(|(_, _, joint)| joint.clone()).collect::<Vec<_>>()));
    let key = |table: &Schema| {
        let name = table.field(convention::key_index(table)?).name();
        schema.index_of(name).ok()
    };
    let key = key(source).filter(|found| key(target) == Some(*found));
    let view = |columns| View { schema: Arc::clone(&schema), columns: Some(columns), key };
    [
        view(pairs.iter().map(|(index, _, _)| *index).collect()),
        view(pairs.iter().map(|(_, other, _)| *other).collect()),
    ]
}
