//! The shapes that values have in messages.

use super::{FieldPlan, Fields};
use crate::wire::{
    moment::Moment,
    scalar::Scalar,
    varint::{Wire, key},
};

/// The shape of a field's value.
#[derive(Debug, Clone)]
pub(in crate::wire) enum Shape {
    /// A string, or bytes.
    Bytes,
    /// One scalar.
    Scalar(Scalar),
    /// Strings, or bytes, each with its key.
    ManyBytes,
    /// Scalars in one run.
    Packed {
        /// What they are.
        scalar: Scalar,
        /// The run is the bytes of the column.
        copied: bool,
    },
    /// Scalars, each with its key.
    Many(Scalar),
    /// A message.
    Inner(Inner),
    /// Messages, each with its key.
    ManyInner(Inner),
    /// A map from a map: its entries are messages of key and value.
    Entries(Box<Fields>),
    /// A map from a struct: the names of its fields are the keys.
    Named(Vec<Entry>),
}

/// A message inside a row.
#[derive(Debug, Clone)]
pub(in crate::wire) enum Inner {
    /// A struct, by field.
    Fields(Fields),
    /// A scalar in a message of its own.
    Wrapper(Box<FieldPlan>),
    /// A time.
    Moment(Moment),
}

/// An entry of a map whose key is the name of a struct's field.
#[derive(Debug, Clone)]
pub(in crate::wire) struct Entry {
    /// The key as it stands on the wire.
    pub(in crate::wire) key: Vec<u8>,
    /// The value.
    pub(in crate::wire) value: FieldPlan,
}

impl Shape {
    /// How one value of the shape is delimited.
    pub(super) fn wire(&self) -> Wire {
        match self {
            Self::Scalar(scalar) | Self::Many(scalar) => scalar.wire(),
            _ => Wire::Bytes,
        }
    }

    pub(super) fn key(&self, number: u32) -> u32 {
        key(number, self.wire())
    }
}
