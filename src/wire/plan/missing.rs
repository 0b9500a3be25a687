//! What a null becomes.

use arrow_schema::Field;
use prost_reflect::FieldDescriptor;

use super::Shape;
use crate::{
    columnar::schema::null_policy,
    schema::{
        DefaultValue, NullPolicy,
        message_map::{Literal, NullRule},
    },
    wire::scalar::Scalar,
};

/// What a null becomes.
#[derive(Debug, Clone)]
pub(in crate::wire) enum Missing {
    /// An error.
    Refused,
    /// Nothing on the wire: the field's empty value, or absence.
    Absent,
    /// This text.
    Bytes(Vec<u8>),
    /// This scalar.
    Word(u64),
}

impl Missing {
    /// What a null of `field` becomes; none if its policy names a value that the shape has not.
    pub(super) fn of(
        rule: Option<&NullRule>,
        field: &Field,
        shape: &Shape,
        target: &FieldDescriptor,
    ) -> Option<Self> {
        let missing = match rule {
            Some(NullRule::Refuse) => Self::Refused,
            Some(NullRule::Empty) => Self::Absent,
            Some(NullRule::Default(constant)) => return Self::literal(&constant.value, shape),
            None => match null_policy(field)? {
                NullPolicy::Refuse if target.supports_presence() && field.is_nullable() => Self::Absent,
                NullPolicy::Refuse => Self::Refused,
                NullPolicy::Empty => Self::Absent,
                NullPolicy::Default(DefaultValue::Text(text)) => {
                    return Self::literal(&Literal::Text(text), shape);
                }
                NullPolicy::Default(DefaultValue::Int(int)) => {
                    return Self::literal(&Literal::Int(int), shape);
                }
            },
        };
        // A field that must be there cannot be left out.
        Some(if matches!(missing, Self::Absent) && target.is_required() { Self::Refused } else { missing })
    }

    fn literal(value: &Literal, shape: &Shape) -> Option<Self> {
        Some(match (value, shape) {
            (Literal::Text(text), Shape::Bytes) => Self::Bytes(text.clone().into_bytes()),
            (Literal::Text(name), Shape::Scalar(Scalar::Enum(known))) => {
                Self::Word(i64::from(known.number(name)?) as u64)
            }
            (Literal::Int(int), Shape::Scalar(scalar)) => Self::Word(scalar.integer((*int).into()).ok()?),
            (Literal::Bool(value), Shape::Scalar(Scalar::Bool)) => Self::Word(u64::from(*value)),
            (Literal::Float(value), Shape::Scalar(Scalar::Double)) => Self::Word(value.to_bits()),
            (Literal::Float(value), Shape::Scalar(Scalar::Float)) => {
                Self::Word(u64::from((*value as f32).to_bits()))
            }
            _ => return None,
        })
    }
}
