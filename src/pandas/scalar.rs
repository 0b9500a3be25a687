//! Single values that pandas and NumPy wrap in objects: missing ones, numbers, times.

use std::borrow::Cow;

use super::zone::Zone;
use crate::{
    numpy::{Dtype, Kind, Step, Unit, array::bytes_of, items::Number},
    pickle::{Global, Graph, Node, NodeId},
};

/// What a node is as a single value.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'g> {
    /// `None`, `pd.NA`, `pd.NaT`, or a time that stands for none.
    Missing,
    /// A number or boolean.
    Number(Number),
    /// The bytes of a text.
    Text(&'g [u8]),
    /// A time.
    Time {
        /// Steps since 1970 in UTC.
        value: i64,
        /// What they count.
        step: Step,
        /// The zone it is shown in.
        zone: Option<Zone>,
    },
    /// Something else.
    Other,
}

/// Reads a node as a single value.
pub fn scalar<'g>(graph: &'g Graph<'_>, id: NodeId) -> Scalar<'g> {
    match graph.node(id) {
        Node::None | Node::Global(Global::Na) => Scalar::Missing,
        Node::Bool(value) => Scalar::Number(Number::Bool(value)),
        Node::Int(value) => Scalar::Number(Number::Int(value)),
        Node::Float(value) => Scalar::Number(Number::Float(value)),
        Node::Reduce { callable, args, .. } => {
            let args = graph.tuple(args).unwrap_or_default();
            match graph.node(callable) {
                Node::Global(Global::NaT) => Scalar::Missing,
                Node::Global(Global::Scalar) => numpy_scalar(graph, args).unwrap_or(Scalar::Other),
                Node::Global(Global::Timestamp) => timestamp(graph, args).unwrap_or(Scalar::Other),
                _ => Scalar::Other,
            }
        }
        _ => graph
            .text_bytes(id)
            .or_else(|| graph.text(id).map(str::as_bytes))
            .map_or(Scalar::Other, Scalar::Text),
    }
}

/// `scalar(dtype, bytes)`.
fn numpy_scalar<'g>(graph: &'g Graph<'_>, args: &[NodeId]) -> Option<Scalar<'g>> {
    let &[dtype, payload] = args else { return None };
    let dtype = Dtype::parse(graph, dtype).ok()?;
    if dtype.kind == Kind::Object {
        // Only a value that is no scalar itself, or a file could nest them without end.
        return match graph.node(payload) {
            Node::Reduce { .. } => None,
            _ => Some(scalar(graph, payload)),
        };
    }
    let bytes: Cow<'_, [u8]> = bytes_of(graph, payload)?;
    if bytes.len() != dtype.itemsize {
        return None;
    }
    if let Kind::Datetime(step) = dtype.kind {
        let bytes = <[u8; 8]>::try_from(bytes.as_ref()).ok()?;
        let value = if dtype.big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) };
        return Some(match value {
            i64::MIN => Scalar::Missing,
            value => Scalar::Time { value, step, zone: None },
        });
    }
    crate::numpy::items::number(dtype, &bytes).map(Scalar::Number)
}

/// `_unpickle_timestamp(value, freq, tz[, reso])`.
fn timestamp<'g>(graph: &'g Graph<'_>, args: &[NodeId]) -> Option<Scalar<'g>> {
    let (&[value, _, zone] | &[value, _, zone, _]) = args else { return None };
    let Node::Int(value) = graph.node(value) else { return None };
    let unit = match args.get(3).map(|reso| graph.node(*reso)) {
        None | Some(Node::Int(10)) => Unit::Nano,
        Some(Node::Int(9)) => Unit::Micro,
        Some(Node::Int(8)) => Unit::Milli,
        Some(Node::Int(7)) => Unit::Second,
        _ => return None,
    };
    let zone = match zone {
        NodeId::NONE => None,
        zone => Some(Zone::parse(graph, zone)?),
    };
    Some(Scalar::Time { value, step: Step { unit, count: 1 }, zone })
}
