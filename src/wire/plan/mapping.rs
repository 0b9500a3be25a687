//! A plan as people read it: which column goes where.

use arrow_schema::DataType;

use super::{FieldPlan, Fields, Inner, Missing, Shape};

/// One column and the field it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The column: names joined by dots where it stands in a struct.
    pub column: String,
    /// Its type.
    pub data_type: DataType,
    /// Label, type and number of the field.
    pub field: String,
    /// What a null becomes.
    pub null: String,
}

/// Every field of a plan, those of messages behind the field that holds them.
pub(super) fn of(fields: &[FieldPlan]) -> Vec<Mapped> {
    fields.iter().flat_map(|field| std::iter::once(field.mapped()).chain(inside(&field.shape))).collect()
}

fn inside(shape: &Shape) -> Vec<Mapped> {
    match shape {
        Shape::Inner(Inner::Fields(Fields { fields, .. }))
        | Shape::ManyInner(Inner::Fields(Fields { fields, .. })) => of(fields),
        Shape::Entries(entries) => of(&entries.fields),
        Shape::Named(entries) => {
            entries.iter().flat_map(|entry| of(std::slice::from_ref(&entry.value))).collect()
        }
        _ => Vec::new(),
    }
}

impl FieldPlan {
    fn mapped(&self) -> Mapped {
        let null = if self.nullable { self.null_becomes() } else { "none".to_owned() };
        let (column, field) = (self.name.clone(), self.field.trim_matches('"').to_owned());
        Mapped { column, data_type: self.data_type.clone(), field, null }
    }

    fn null_becomes(&self) -> String {
        match (&self.missing, &self.shape) {
            (Missing::Refused, _) => "refused".to_owned(),
            (Missing::Absent, Shape::Bytes | Shape::Scalar(_)) if !self.presence => {
                "the empty value".to_owned()
            }
            (Missing::Absent, _) if !self.presence => "empty".to_owned(),
            (Missing::Absent, _) => "absent".to_owned(),
            (Missing::Bytes(text), _) => format!("{:?}", String::from_utf8_lossy(text)),
            (Missing::Word(word), Shape::Scalar(scalar)) => scalar.spoken(*word),
            (Missing::Word(word), _) => word.to_string(),
        }
    }
}
