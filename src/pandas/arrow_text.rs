//! Text columns that pandas keeps in Arrow buffers: `_restore_array((type, length, nulls, offset, buffers, ..))`, alone or
//! in a `chunked_array`.
//!
//! pyarrow checks none of this when it loads a pickle, so every offset is checked here before it is followed.

use super::error::ErrorKind;
use crate::{
    numpy::{Octets, array::shared_bytes_of},
    pickle::{Global, Graph, Node, NodeId},
};
/// A column of text, in one chunk or several.
#[derive(Debug)]
pub struct ArrowText<'g> {
    /// Row of each chunk's first value, and the chunk.
    chunks: Vec<(usize, Chunk<'g>)>,
    rows: usize,
}

#[derive(Debug)]
struct Chunk<'g> {
    validity: Option<Octets<'g>>,
    offsets: Octets<'g>,
    data: Octets<'g>,
    /// Bytes of one offset: 4 for `string`, 8 for `large_string`.
    width: usize,
    first: usize,
    rows: usize,
}

impl<'g> ArrowText<'g> {
    /// The text of an `ArrowStringArray`.
    pub(super) fn parse(graph: &'g Graph<'g>, id: NodeId) -> Result<Self, ErrorKind> {
        let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
        let array = graph.dict_value(state, "_pa_array").or_else(|| graph.dict_value(state, "_data"));
        let array = array.ok_or(ErrorKind::Missing("_pa_array"))?;
        let mut text = Self { chunks: Vec::new(), rows: 0 };
        match call(graph, array) {
            Some((Global::ArrowArray, args)) => text.push(Chunk::parse(graph, args)?),
            Some((Global::ArrowChunks, &[chunks, _])) => {
                let chunks = graph.list(chunks).ok_or(ErrorKind::UnknownForm)?;
                for item in chunks.items_from(0) {
                    let crate::pickle::Item::Node(id) = item else { return Err(ErrorKind::UnknownForm) };
                    let Some((Global::ArrowArray, args)) = call(graph, id) else {
                        return Err(ErrorKind::UnknownForm);
                    };
                    text.push(Chunk::parse(graph, args)?);
                }
            }
            _ => return Err(ErrorKind::UnknownForm),
        }
        Ok(text)
    }

    fn push(&mut self, chunk: Chunk<'g>) {
        let first = self.rows;
        self.rows += chunk.rows;
        self.chunks.push((first, chunk));
    }

    /// The number of values.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The bytes of a value; `None` where it is missing. They are not checked to be UTF-8.
    pub fn value(&self, row: usize) -> Option<&[u8]> {
        let at = self.chunks.partition_point(|(first, _)| *first <= row).checked_sub(1)?;
        let (first, chunk) = &self.chunks[at];
        chunk.value(row - first)
    }
}

impl<'g> Chunk<'g> {
    fn parse(graph: &'g Graph<'g>, args: &[NodeId]) -> Result<Self, ErrorKind> {
        let &[whole] = args else { return Err(ErrorKind::UnknownForm) };
        let &[data_type, length, _nulls, first, buffers, _children, _dictionary] =
            graph.tuple(whole).unwrap_or_default()
        else {
            return Err(ErrorKind::UnknownForm);
        };
        let width = match call(graph, data_type) {
            Some((Global::ArrowType, &[alias])) => match graph.text(alias) {
                Some("string" | "utf8") => 4,
                Some("large_string" | "large_utf8") => 8,
                _ => return Err(ErrorKind::UnknownForm),
            },
            _ => return Err(ErrorKind::UnknownForm),
        };
        let buffers = graph.list(buffers).ok_or(ErrorKind::UnknownForm)?;
        let mut buffers = buffers.items_from(0).map(|item| match item {
            crate::pickle::Item::Node(NodeId::NONE) => Ok(None),
            crate::pickle::Item::Node(id) => buffer(graph, id).map(Some),
            crate::pickle::Item::Float(_) => Err(ErrorKind::UnknownForm),
        });
        let mut next = || buffers.next().unwrap_or(Ok(None));
        let (validity, offsets, data) = (next()?, next()?.unwrap_or_default(), next()?.unwrap_or_default());
        let chunk =
            Self { validity, offsets, data, width, first: count(graph, first)?, rows: count(graph, length)? };
        chunk.is_sound().then_some(chunk).ok_or(ErrorKind::BadArrowBuffers)
    }

    /// Whether every offset lies in the data and none goes backwards, and the bitmap is long enough.
    fn is_sound(&self) -> bool {
        if self.rows == 0 {
            return true;
        }
        let Some(end) = self.first.checked_add(self.rows) else { return false };
        let bitmap = self.validity.as_ref().is_none_or(|bits| bits.len() >= end.div_ceil(8));
        let enough = end.checked_add(1).and_then(|count| count.checked_mul(self.width));
        if !bitmap || enough.is_none_or(|bytes| self.offsets.len() < bytes) {
            return false;
        }
        let offsets = (self.first..=end).map(|at| self.offset(at));
        let in_order = offsets.clone().zip(offsets.skip(1)).all(|(start, end)| start <= end);
        in_order && self.offset(end) <= self.data.len() as u64
    }

    /// The offset at `at`; one below zero becomes one far beyond the data.
    fn offset(&self, at: usize) -> u64 {
        let bytes = &self.offsets[at * self.width..][..self.width];
        let mut wide = [0; 8];
        wide[..self.width].copy_from_slice(bytes);
        let raw = u64::from_le_bytes(wide);
        if self.width == 4 && raw > i32::MAX as u64 { u64::MAX } else { raw }
    }

    fn value(&self, row: usize) -> Option<&[u8]> {
        let at = self.first + row;
        if self.validity.as_ref().is_some_and(|bits| bits[at / 8] >> (at % 8) & 1 == 0) {
            return None;
        }
        Some(&self.data[self.offset(at) as usize..self.offset(at + 1) as usize])
    }
}

fn call<'g>(graph: &'g Graph<'g>, id: NodeId) -> Option<(Global, &'g [NodeId])> {
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return None };
    let Node::Global(global) = graph.node(callable) else { return None };
    Some((global, graph.tuple(args)?))
}

fn buffer<'g>(graph: &'g Graph<'g>, id: NodeId) -> Result<Octets<'g>, ErrorKind> {
    match call(graph, id) {
        Some((Global::ArrowBuffer, &[bytes])) => shared_bytes_of(graph, bytes).ok_or(ErrorKind::UnknownForm),
        _ => Err(ErrorKind::UnknownForm),
    }
}

fn count(graph: &Graph<'_>, id: NodeId) -> Result<usize, ErrorKind> {
    match graph.node(id) {
        Node::Int(count) => usize::try_from(count).map_err(|_| ErrorKind::BadArrowBuffers),
        _ => Err(ErrorKind::UnknownForm),
    }
}
