//! Arrays: dtype, shape, order, and the data where they lie in the input.
//!
//! Two forms: `_frombuffer(buffer, dtype, shape, order)` of protocol 5, and `_reconstruct(class, (0,), b'b')` with state
//! `(1, shape, dtype, is_fortran, data)`. Bytes follow the order; a list of objects is always in logical C order, even
//! where the array is Fortran.

use std::borrow::Cow;

use super::{
    dtype::{Dtype, Kind},
    error::{Error, Result},
    octets::Octets,
};
use crate::{
    limits::{Bound, Exceeded, Limits},
    pickle::{Global, Graph, ListView, Node, NodeId, Template},
};

/// The bound on items that take no bytes of the file.
const ITEMS_OF_NOTHING: Bound = Bound { what: "items of no bytes", flag: Some("cell-bytes") };

/// An array whose length agrees with its shape.
#[derive(Debug, Clone)]
pub struct Array<'g> {
    /// What the items are.
    pub dtype: Dtype,
    /// Items along each dimension.
    pub shape: Vec<usize>,
    /// Whether the bytes are in column-major order.
    pub fortran: bool,
    /// The items.
    pub data: Data<'g>,
}

/// The items of an array.
#[derive(Debug, Clone)]
pub enum Data<'g> {
    /// Items of fixed size, in the array's order. Lent by the input unless the file holds them as escaped text.
    Bytes(Octets<'g>),
    /// References to objects, in C order.
    Objects(ListView<'g>),
}

impl<'g> Array<'g> {
    /// The array that node `id` describes, which is one cell of many: what it decodes is its own.
    pub fn parse(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        Self::taken(graph, id, limits, |graph, id| bytes_of(graph, id).map(Octets::from))
    }

    /// The array that node `id` describes, which is a block or a column: what it decodes is shared with others that name
    /// the same text.
    pub fn shared(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        Self::taken(graph, id, limits, shared_bytes_of)
    }

    fn taken(graph: &'g Graph<'g>, id: NodeId, limits: &Limits, take: Take<'g>) -> Result<Self> {
        match graph.node(id) {
            Node::Packed { template, count, offset } => Self::packed(graph, template, count, offset),
            Node::Reduce { callable, args, state } => match graph.node(callable) {
                Node::Global(Global::FromBuffer) => Self::from_buffer(graph, args, limits, take),
                Node::Global(Global::Reconstruct) => Self::reconstruct(graph, args, state, limits, take),
                _ => Err(Error::WrongType { wanted: "an array", found: "another object" }),
            },
            other => Err(Error::WrongType { wanted: "an array", found: other.kind() }),
        }
    }

    /// What the file says of the array that node `id` describes, without a look at its items: they may not fit it.
    pub fn announced(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Result<(Dtype, Vec<usize>)> {
        const UNKNOWN: Error = Error::UnknownForm("array");
        let Node::Reduce { callable, args, state } = graph.node(id) else { return Err(UNKNOWN) };
        let args = graph.tuple(args).unwrap_or_default();
        let (dtype, shape) = match (graph.node(callable), args, state_parts(graph, state)) {
            (Node::Global(Global::FromBuffer), &[_, dtype, shape, _] | &[_, dtype, shape, _, _], _) => {
                (dtype, shape)
            }
            (
                Node::Global(Global::Reconstruct),
                &[class, ..],
                &[_, shape, dtype, _, _] | &[shape, dtype, _, _],
            ) if is_array_class(graph, class) => (dtype, shape),
            _ => return Err(UNKNOWN),
        };
        Ok((Dtype::parse(graph, dtype)?, shape_of(graph, shape, limits)?))
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn packed(graph: &'g Graph<'g>, template: u16, count: u32, offset: u64) -> Result<Self> {
        let (dtype, bytes) = packed_items(graph, template)?;
        Self::checked(dtype, vec![count as usize], false, Data::Bytes(graph.span(offset, bytes).into()))
    }

    fn from_buffer(graph: &'g Graph<'g>, args: NodeId, limits: &Limits, take: Take<'g>) -> Result<Self> {
        let (&[buffer, dtype, shape, order] | &[buffer, dtype, shape, order, _]) =
            graph.tuple(args).unwrap_or_default()
        else {
            return Err(Error::UnknownForm("array of protocol 5"));
        };
        let axes = graph.tuple(args).and_then(|args| args.get(4));
        let (fortran, axes) = match (graph.text(order), axes) {
            (Some("C"), None) => (false, None),
            (Some("F"), None) => (true, None),
            (Some("K"), Some(axes)) => (false, Some(shape_of(graph, *axes, limits)?)),
            _ => return Err(Error::UnknownForm("order of an array")),
        };
        let data = take(graph, buffer).ok_or(Error::UnknownForm("buffer of an array"))?;
        let (dtype, shape) = (Dtype::parse(graph, dtype)?, shape_of(graph, shape, limits)?);
        let array = Self::checked(dtype, shape, fortran, Data::Bytes(data))?.paid(graph, limits)?;
        match axes {
            None => Ok(array),
            Some(axes) => array.transposed(&axes),
        }
    }

    /// The array with its axes in another order: axis `i` is axis `axes[i]` of this one, which is in C order.
    fn transposed(self, axes: &[usize]) -> Result<Self> {
        let mut sorted = axes.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.shape.len()) {
            return Err(Error::ImpossibleShape);
        }
        let shape: Vec<usize> = axes.iter().map(|axis| self.shape[*axis]).collect();
        if axes.is_sorted() {
            return Ok(self);
        }
        if axes.iter().rev().is_sorted() {
            return Ok(Self { shape, fortran: true, ..self });
        }
        let Data::Bytes(bytes) = &self.data else { return Err(Error::UnknownForm("order of an array")) };
        let steps: Vec<usize> = axes.iter().map(|axis| self.shape[axis + 1..].iter().product()).collect();
        let data = Data::Bytes(gathered(bytes, &shape, &steps, self.dtype.itemsize).into());
        Ok(Self { shape, data, ..self })
    }

    fn reconstruct(
        graph: &'g Graph<'g>,
        args: NodeId,
        state: NodeId,
        limits: &Limits,
        take: Take<'g>,
    ) -> Result<Self> {
        let class = graph.tuple(args).and_then(<[NodeId]>::first);
        if !class.is_some_and(|class| is_array_class(graph, *class)) {
            return Err(Error::UnknownForm("array class"));
        }
        Self::of_parts_taken(graph, state_parts(graph, state), limits, take)
    }

    /// The array that a state of BUILD describes: `(1, shape, dtype, is_fortran, data)`, before NumPy 1.0 without the 1.
    pub fn of_state(graph: &'g Graph<'g>, state: NodeId, limits: &Limits) -> Result<Self> {
        Self::of_parts(graph, state_parts(graph, state), limits)
    }

    /// The same, by the items of that tuple.
    pub fn of_parts(graph: &'g Graph<'g>, parts: &[NodeId], limits: &Limits) -> Result<Self> {
        Self::of_parts_taken(graph, parts, limits, shared_bytes_of)
    }

    fn of_parts_taken(
        graph: &'g Graph<'g>,
        parts: &[NodeId],
        limits: &Limits,
        take: Take<'g>,
    ) -> Result<Self> {
        let (&[_, shape, dtype, order, data] | &[shape, dtype, order, data]) = parts else {
            return Err(Error::UnknownForm("state of an array"));
        };
        let dtype = Dtype::parse(graph, dtype)?;
        let fortran = match graph.node(order) {
            Node::Bool(fortran) => fortran,
            Node::Int(fortran) => fortran != 0,
            other => return Err(Error::WrongType { wanted: "a bool", found: other.kind() }),
        };
        let data = if dtype.kind == Kind::Object {
            Data::Objects(graph.sequence(data).ok_or(Error::UnknownForm("list of objects"))?)
        } else {
            Data::Bytes(take(graph, data).ok_or(Error::UnknownForm("data of an array"))?)
        };
        Self::checked(dtype, shape_of(graph, shape, limits)?, fortran, data)?.paid(graph, limits)
    }

    /// Items of no bytes, such as those of `S0`, are only a number in the file, and it may be any.
    fn paid(self, graph: &Graph<'_>, limits: &Limits) -> Result<Self> {
        let (wanted, limit) = (self.len() as u64, limits.rows_max(graph.input().len()));
        if self.dtype.itemsize == 0 && wanted > limit {
            return Err(Exceeded { of: &ITEMS_OF_NOTHING, limit, wanted }.into());
        }
        Ok(self)
    }

    pub(super) fn checked(dtype: Dtype, shape: Vec<usize>, fortran: bool, data: Data<'g>) -> Result<Self> {
        let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let count = count.ok_or(Error::ImpossibleShape)?;
        match &data {
            Data::Objects(items) if items.len() == count => {}
            Data::Objects(items) => return Err(Error::WrongCount { shape, found: items.len() }),
            Data::Bytes(_) if dtype.kind == Kind::Object => return Err(Error::UnknownForm("object array")),
            Data::Bytes(bytes) if count.checked_mul(dtype.itemsize) == Some(bytes.len()) => {}
            Data::Bytes(bytes) => {
                let (itemsize, found) = (dtype.itemsize, bytes.len());
                return Err(Error::WrongLength { shape, itemsize, found });
            }
        }
        Ok(Self { dtype, shape, fortran, data })
    }
}

/// How the bytes of an array are had.
type Take<'g> = fn(&'g Graph<'g>, NodeId) -> Option<Octets<'g>>;

fn is_array_class(graph: &Graph<'_>, class: NodeId) -> bool {
    matches!(graph.node(class), Node::Global(Global::NdArray | Global::FrozenNdArray))
}

fn state_parts<'s>(graph: &'s Graph<'_>, state: NodeId) -> &'s [NodeId] {
    Graph::present(state).and_then(|state| graph.tuple(state)).unwrap_or_default()
}

/// The items of an array in C order of `shape`, the item at the origin being the first of `bytes` and its neighbour along
/// axis `i` being `steps[i]` items on.
fn gathered(bytes: &[u8], shape: &[usize], steps: &[usize], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = vec![0; shape.len()];
    for _ in 0..bytes.len() / size.max(1) {
        let item: usize = at.iter().zip(steps).map(|(at, step)| at * step).sum();
        out.extend_from_slice(&bytes[item * size..(item + 1) * size]);
        for (at, size) in at.iter_mut().zip(shape).rev() {
            *at += 1;
            if *at < *size {
                break;
            }
            *at = 0;
        }
    }
    out
}

/// The dtype of a packed array and the bytes of its payload.
pub fn packed_items(graph: &Graph<'_>, template: u16) -> Result<(Dtype, u32)> {
    let is = |id, global| graph.node(id) == Node::Global(global);
    match graph.packed(template) {
        Template::Call { callable, dtype, order, bytes, .. } if is(callable, Global::FromBuffer) => {
            match graph.text(order) {
                Some("C" | "F") => Ok((Dtype::parse(graph, dtype)?, bytes)),
                _ => Err(Error::UnknownForm("order of an array")),
            }
        }
        Template::Built { callable, class, dtype, bytes, .. }
            if is(callable, Global::Reconstruct)
                && (is(class, Global::NdArray) || is(class, Global::FrozenNdArray)) =>
        {
            Ok((Dtype::parse(graph, dtype)?, bytes))
        }
        _ => Err(Error::WrongType { wanted: "an array", found: "another object" }),
    }
}

/// The bytes of a node that is bytes in any form a protocol gives them.
pub fn bytes_of<'g>(graph: &'g Graph<'g>, id: NodeId) -> Option<Cow<'g, [u8]>> {
    let Node::Reduce { callable, args, .. } = graph.node(id) else {
        return graph.bytes(id).map(Cow::Borrowed);
    };
    match (graph.node(callable), graph.tuple(args)?) {
        (Node::Global(Global::CodecsEncode | Global::ByteArray), [text, codec]) => {
            matches!(graph.text(*codec), Some("latin1" | "latin-1")).then_some(())?;
            latin1(std::str::from_utf8(graph.text_bytes(*text)?).ok()?).map(Cow::Owned)
        }
        (Node::Global(Global::Bytes | Global::ByteArray), []) => Some(Cow::Borrowed(&[])),
        (Node::Global(Global::ByteArray), [bytes]) => match graph.node(*bytes) {
            Node::Reduce { callable, .. } if graph.node(callable) == Node::Global(Global::ByteArray) => None,
            _ => bytes_of(graph, *bytes),
        },
        _ => None,
    }
}

/// The same, decoded once for all that name the same text.
pub fn shared_bytes_of<'g>(graph: &'g Graph<'g>, id: NodeId) -> Option<Octets<'g>> {
    let Some(text) = escaped_text(graph, id) else { return bytes_of(graph, id).map(Octets::from) };
    let decode = || latin1(std::str::from_utf8(graph.text_bytes(text)?).ok()?);
    graph.unescaped().bytes(text, decode).map(Octets::shared)
}

/// The text that bytes are written as, where they are.
pub fn escaped_text(graph: &Graph<'_>, id: NodeId) -> Option<NodeId> {
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return None };
    match (graph.node(callable), graph.tuple(args)?) {
        (Node::Global(Global::CodecsEncode | Global::ByteArray), [text, codec]) => {
            matches!(graph.text(*codec), Some("latin1" | "latin-1")).then_some(*text)
        }
        _ => None,
    }
}

/// Protocols before 3 hold bytes as text of code points below 256.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect()
}

pub(super) fn shape_of(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Result<Vec<usize>> {
    let sizes = graph.tuple(id).ok_or(Error::UnknownForm("shape of an array"))?;
    if sizes.len() > limits.array_dimensions_max {
        return Err(Error::ImpossibleShape);
    }
    let size = |id: &NodeId| match graph.node(*id) {
        Node::Int(size) => usize::try_from(size).map_err(|_| Error::ImpossibleShape),
        _ => Err(Error::ImpossibleShape),
    };
    sizes.iter().map(size).collect()
}
