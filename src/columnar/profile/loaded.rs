//! Memory of a frame in pandas as it is right after it was unpickled: that of the objects in the file, not of what becomes
//! of them here.
//!
//! `deep` sees 112 bytes of an array that borrows its items from the pickle, and all of one that owns them; counted is the
//! second, because the items are in memory either way.

use super::python;
use crate::{
    columnar::{
        schema::SOURCE,
        source::Source,
        table::{Table, sources_by_name},
    },
    limits::Limits,
    numpy::{Array, array::packed_items},
    pandas::Frame,
    pickle::{Graph, Item, Node, NodeId},
};

/// Bytes of each column of `table` as the objects that `frame` holds; none where they are other objects than text,
/// numbers, lists and arrays, or no objects.
pub fn loaded_bytes(frame: &Frame<'_>, table: &Table<'_>, limits: &Limits) -> Vec<Option<u64>> {
    let fields = table.schema().fields().iter();
    let names = fields.map(|field| field.metadata().get(SOURCE).unwrap_or(field.name()));
    let sources = sources_by_name(frame);
    names.map(|name| of_column(*sources.get(name.as_str())?, frame.rows, limits)).collect()
}

fn of_column(source: Source<'_>, rows: usize, limits: &Limits) -> Option<u64> {
    let objects = source.items(0..rows)?;
    objects.map(|item| Some(python::POINTER + of_item(source.graph, item, limits)?)).sum()
}

fn of_item(graph: &Graph<'_>, item: Item, limits: &Limits) -> Option<u64> {
    match item {
        Item::Float(_) => Some(python::FLOAT),
        Item::Node(id) => of_node(graph, id, limits),
    }
}

fn of_node(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Option<u64> {
    match graph.node(id) {
        Node::None => Some(python::NONE),
        Node::Bool(_) => Some(python::BOOL),
        Node::Int(value) => Some(python::int(value)),
        Node::Float(_) => Some(python::FLOAT),
        Node::List { .. } | Node::FloatList { .. } => Some(python::list(graph.list(id)?.len())),
        Node::Packed { template, .. } => {
            Some(python::ARRAY + u64::from(packed_items(graph, template).ok()?.1))
        }
        Node::Reduce { .. } => {
            let array = Array::parse(graph, id, limits).ok()?;
            Some(python::ARRAY + (array.len() * array.dtype.itemsize) as u64)
        }
        _ => graph.text_bytes(id).map(python::text),
    }
}
