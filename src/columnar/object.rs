//! Columns of Python objects of any one kind: what a cell is ([`value`]), what a column of them is ([`kind`]), and the array
//! they make ([`build`]). Text, plain numbers and vectors, which most columns are, have faster ways of their own.

pub(super) mod build;
pub(super) mod json;
pub(super) mod kind;
pub(super) mod value;

use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_schema::Field;

use self::{kind::Kind, value::Value};
use super::{
    convert::{Convert, Faults},
    error::Reason,
    source::Source,
};
use crate::limits::Limits;

/// A column of objects of one kind.
pub(super) struct Objects<'g> {
    source: Source<'g>,
    field: Field,
    kind: Kind,
    limits: Limits,
}

impl<'g> Objects<'g> {
    pub(super) fn new(source: Source<'g>, kind: Kind, limits: &Limits) -> Self {
        let field = Field::new(source.name, kind.data_type(), true);
        Self { source, field, kind, limits: limits.clone() }
    }
}

impl Convert for Objects<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let graph = self.source.graph;
        let items = self.source.items(rows.clone()).into_iter().flatten();
        let values: Vec<Value<'_>> = items.map(|item| Value::of_item(graph, item)).collect();
        let mut builder = build::Builder { graph, limits: &self.limits, wrong: Vec::new() };
        let array = builder.array(&self.kind, values.into_iter().enumerate().collect());
        let mut wrong = builder.wrong;
        wrong.sort_unstable();
        wrong.dedup();
        for row in wrong {
            faults.push(rows.start + row, Reason::DoesNotFit);
        }
        array
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        self.source.cells(rows).map(super::source::Cell::text_bytes).sum()
    }
}
