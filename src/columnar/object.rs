//! Columns of Python objects: what the cells are decides the Arrow type, and every row is built from the objects again.
//!
//! ```text
//! items ─► Value (a Python object as data) ─► infer::Kind (what all have in common) ─► build::Build ─► array
//!                                                └─ no common type: refused, or JSON text
//! ```

mod build;
mod decimal;
mod json;
mod label;
mod moment;
mod sequence;
mod value;

use std::ops::Range;

use arrow_array::{
    ArrayRef,
    types::{Float32Type, Float64Type},
};
use arrow_schema::Field;

use super::{
    convert::{Convert, Faults},
    embedding::Embedding,
    error::Result,
    infer::{self, Inferred, Kind, Mixed},
    source::Source,
    table::Vectors,
};
use crate::{
    limits::Limits,
    pickle::{Graph, Item, NodeId},
};

pub(super) use build::field;
pub(super) use decimal::{DIGITS_MAX, Decimal};
pub(super) use label::Label;
pub(super) use moment::rescaled;
pub(super) use sequence::{Part, Sequence};
pub(super) use value::Value;

/// The 36 characters of a UUID that is an object; none of what is no UUID.
pub(super) fn uuid_text(graph: &Graph<'_>, id: NodeId) -> Option<String> {
    match Value::of_node(graph, id, &Limits::default()) {
        Value::Uuid(bytes) => Some(json::uuid(&bytes)),
        _ => None,
    }
}

/// A column of objects of one kind.
struct Objects<'g> {
    source: Source<'g>,
    field: Field,
    inferred: Inferred<'g>,
    limits: Limits,
}

/// The converter of a column of objects.
pub(super) fn converter<'g>(
    source: Source<'g>,
    rows: usize,
    (vectors, mixed): (Vectors, Mixed),
    limits: &Limits,
) -> Result<Box<dyn Convert + 'g>> {
    let inferred = infer::infer(source, rows, mixed, limits)?;
    if let Some((dimension, narrow)) = vector(&inferred.kind, vectors, limits) {
        return Ok(embedding(source, dimension, narrow, limits));
    }
    let field = field(source.name, &inferred.kind, true);
    Ok(Box::new(Objects { source, field, inferred, limits: limits.clone() }))
}

/// The dimension of a column of vectors, and whether 32 bits hold their elements.
fn vector(kind: &Kind<'_>, vectors: Vectors, limits: &Limits) -> Option<(usize, bool)> {
    let Kind::List(list) = kind else { return None };
    let dimension = list.fixed().filter(|dimension| *dimension <= limits.vector_dimension_max)?;
    let narrow = match (&list.item, vectors) {
        (_, Vectors::F32) => true,
        (Kind::Float(plain), Vectors::AsIs) => plain.bytes <= 4,
        // Integers stay integers unless floats are asked for.
        (_, Vectors::F64) => false,
        (_, Vectors::AsIs) => return None,
    };
    Some((dimension, narrow))
}

/// The converter of a column of vectors of floats.
pub(super) fn embedding<'g>(
    source: Source<'g>,
    dimension: usize,
    narrow: bool,
    limits: &Limits,
) -> Box<dyn Convert + 'g> {
    use super::embedding::data_type;
    let field = |data_type| Field::new(source.name, data_type, true);
    if narrow {
        let field = field(data_type::<Float32Type>(dimension));
        Box::new(Embedding::<Float32Type>::new(source, field, dimension, true, limits))
    } else {
        let field = field(data_type::<Float64Type>(dimension));
        Box::new(Embedding::<Float64Type>::new(source, field, dimension, true, limits))
    }
}

impl<'g> Objects<'g> {
    fn value(&self, item: Item) -> Value<'g> {
        let value = Value::of_item(self.source.graph, item, &self.limits);
        if value.is_missing_cell() { Value::Missing } else { value }
    }
}

impl Convert for Objects<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut out = build::cells(&self.inferred.kind, self.source.graph, &self.limits);
        let items = self.source.items(rows.clone()).into_iter().flatten();
        let graph = self.source.graph;
        for (row, item) in rows.zip(items) {
            if let Item::Node(id) = item
                && out.append_plain(graph, graph.node(id))
            {
                continue;
            }
            if let Err(reason) = out.append(&self.value(item)) {
                faults.push(row, reason);
            }
        }
        out.finish()
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        self.inferred.bytes(rows)
    }
}
