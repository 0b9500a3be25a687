//! The values of a pickle as an arena that borrows from the input: sharing is an id, never a copy, and no drop recurses.
//!
//! A node is 16 bytes. Text and bytes are spans of the input; a run of floats is its byte range, so that a 500 MB pickle
//! of embeddings is a graph of a few MB and its floats are decoded where they lie, on the way out.

mod items;
mod unescaped;
mod walk;

pub use items::Items;
pub(super) use unescaped::Unescaped;

use std::{ops::Range, sync::Arc};

use super::{
    global::{Global, Row},
    opcode::Opcode,
    text::shown,
};
use crate::growing::{Ground, Growing};

/// A value in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// Stands where there is no node.
    pub(super) const ABSENT: Self = Self(u32::MAX);
    /// `None`, which is one node in every graph.
    pub const NONE: Self = Self(0);
    /// `False`, which is one node in every graph.
    pub const FALSE: Self = Self(1);
    /// `True`, which is one node in every graph.
    pub const TRUE: Self = Self(2);
}

/// One value. Sequences name their items by ranges of the graph's tables: see [`Graph::list`], [`Graph::tuple`],
/// [`Graph::dict`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(
    missing_docs,
    reason = "offsets and lengths are spans of the input, the rest is private to the graph"
)]
pub enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Two's complement, little endian.
    BigInt {
        len: u32,
        offset: u64,
    },
    /// Decimal digits with an optional sign.
    DecimalInt {
        len: u32,
        offset: u64,
    },
    /// UTF-8 that may hold surrogates.
    Text {
        len: u32,
        offset: u64,
    },
    /// Text that the input holds with escapes; the decoded form belongs to the graph.
    DecodedText(u32),
    Bytes {
        len: u32,
        offset: u64,
    },
    ByteArray {
        len: u32,
        offset: u64,
    },
    /// Text, bytes or bytearray of 4 GiB and more.
    Long(u32),
    /// A Python 2 `str`.
    String {
        len: u32,
        offset: u64,
    },
    /// A Python 2 `str` that the input holds with escapes.
    DecodedString(u32),
    List {
        head: u32,
        tail: u32,
        len: u32,
    },
    /// A list of floats alone: `count` `BINFLOAT`s from `offset` on; frame headers and batch ends may stand between them.
    FloatList {
        count: u32,
        offset: u64,
    },
    /// Not a value but `count` values: consecutive `BINFLOAT`s among the items of a list.
    FloatRun {
        count: u32,
        offset: u64,
    },
    Tuple {
        start: u32,
        len: u32,
    },
    Dict {
        head: u32,
        tail: u32,
        len: u32,
    },
    Set {
        head: u32,
        tail: u32,
        len: u32,
    },
    FrozenSet {
        start: u32,
        len: u32,
    },
    Global(Global),
    /// A global outside the closed list, which means nothing: see [`Graph::foreign`].
    Foreign(u32),
    /// A callable and a tuple of arguments, and what BUILD gave to the result.
    Reduce {
        callable: NodeId,
        args: NodeId,
        state: NodeId,
    },
    /// A class and a tuple of arguments for its `__new__`, and what BUILD gave to the result.
    Object {
        class: NodeId,
        args: NodeId,
        state: NodeId,
    },
    /// An array of one dimension whose pieces are folded into one node: see [`Graph::packed`].
    Packed {
        template: u16,
        count: u32,
        offset: u64,
    },
}

impl Node {
    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::BigInt { .. } | Self::DecimalInt { .. } => "an int",
            Self::Float(_) | Self::FloatRun { .. } => "a float",
            Self::Text { .. } | Self::DecodedText(_) => "a str",
            Self::Bytes { .. } | Self::ByteArray { .. } => "bytes",
            Self::Long(_) => "a str or bytes of 4 GiB or more",
            Self::String { .. } | Self::DecodedString(_) => "a Python 2 str",
            Self::List { .. } | Self::FloatList { .. } => "a list",
            Self::Tuple { .. } => "a tuple",
            Self::Dict { .. } => "a dict",
            Self::Set { .. } | Self::FrozenSet { .. } => "a set",
            Self::Global(_) => "a class or function",
            Self::Foreign(_) => "a class or function that is not known",
            Self::Reduce { .. } | Self::Object { .. } => "an object",
            Self::Packed { .. } => "an array",
        }
    }
}

/// A stretch of the items of one list, dict or set: they grow batch by batch.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    pub(super) start: u32,
    /// Entries in the table of children.
    pub(super) len: u32,
    /// Values: more than entries if runs of floats are among them.
    pub(super) values: u32,
    pub(super) next: u32,
}

impl Segment {
    pub(super) const END: u32 = u32::MAX;
}

/// What a [`Node::Packed`] has in common with the other arrays of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// `callable(payload, dtype, (count,), order)`: `_frombuffer` of protocol 5.
    Call {
        /// The global.
        callable: NodeId,
        /// Second argument.
        dtype: NodeId,
        /// Fourth argument.
        order: NodeId,
        /// Bytes of the payload.
        bytes: u32,
        /// Whether the payload is a bytearray.
        mutable: bool,
    },
    /// `callable(class, (0,), mode)` with state `(1, (count,), dtype, False, payload)`: `_reconstruct` of protocols 3
    /// and 4.
    Built {
        /// The global.
        callable: NodeId,
        /// First argument.
        class: NodeId,
        /// Third argument.
        mode: NodeId,
        /// Third item of the state.
        dtype: NodeId,
        /// Bytes of the payload.
        bytes: u32,
    },
}

/// An item of a list: a node, or a float that has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Item {
    /// A value with a node of its own.
    Node(NodeId),
    /// A float inside a run.
    Float(f64),
}

/// A global outside the closed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The module, as written, shortened.
    pub module: String,
    /// The name in it, as written, shortened.
    pub name: String,
    /// Where it is named first.
    pub offset: u64,
    /// By which opcode.
    pub opcode: Opcode,
}

impl Foreign {
    pub(super) fn new(module: &[u8], name: &[u8], offset: u64, opcode: Opcode) -> Self {
        Self { module: shown(module), name: shown(name), offset, opcode }
    }

    /// The error that it is.
    pub fn error(&self) -> super::Error {
        let (module, name) = (self.module.clone(), self.name.clone());
        super::Error::new(self.offset, Some(self.opcode), super::ErrorKind::UnknownGlobal { module, name })
    }
}

/// How often a row of the table of globals is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// Which.
    pub row: Row,
    /// How often.
    pub count: u64,
    /// Where first.
    pub offset: u64,
}

/// Where the tables of a graph, and those that are made of it, go on when they have outgrown the heap.
pub trait Grounds: Ground<Node> + Ground<NodeId> + Ground<Segment> + Ground<u32> + Ground<[u32; 5]> {}

impl<G: Ground<Node> + Ground<NodeId> + Ground<Segment> + Ground<u32> + Ground<[u32; 5]>> Grounds for G {}

/// The values of one pickle.
#[derive(Debug)]
pub struct Graph<'a> {
    pub(super) input: &'a [u8],
    pub(super) nodes: Growing<Node>,
    pub(super) children: Growing<NodeId>,
    pub(super) segments: Growing<Segment>,
    pub(super) decoded: Vec<Box<[u8]>>,
    pub(super) long: Vec<(u64, u64)>,
    pub(super) templates: Vec<Template>,
    pub(super) foreign: Vec<Foreign>,
    pub(super) met: Vec<Met>,
    pub(super) raw: Vec<Range<u64>>,
    pub(super) root: NodeId,
    pub(super) protocol: u8,
    pub(super) end: u64,
    pub(super) ground: Option<Arc<dyn Grounds>>,
    pub(super) unescaped: Unescaped,
}

impl<'a> Graph<'a> {
    /// The value of the pickle.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The protocol it announces; 0 where it announces none.
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Bytes that were decoded out of text.
    pub fn unescaped(&self) -> &Unescaped {
        &self.unescaped
    }

    /// The globals outside the closed list, if the reader was told to keep them.
    pub fn foreign(&self) -> &[Foreign] {
        &self.foreign
    }

    /// The globals of the closed list that the pickle names, in the order in which it names them first.
    pub fn met(&self) -> &[Met] {
        &self.met
    }

    /// The stretches of the input that hold no instructions: what joblib writes of an array between two of them.
    pub fn raw(&self) -> &[Range<u64>] {
        &self.raw
    }

    /// Bytes behind STOP, which belong to no value.
    pub fn trailing_bytes(&self) -> u64 {
        self.input.len() as u64 - self.end
    }

    /// Where tables go on that have outgrown the heap, if there is such a place.
    pub fn ground(&self) -> Option<&Arc<dyn Grounds>> {
        self.ground.as_ref()
    }

    /// The bytes that the graph borrows from.
    pub fn input(&self) -> &'a [u8] {
        self.input
    }

    /// Bytes that the graph takes besides its input.
    pub fn heap_bytes(&self) -> usize {
        self.nodes.len() * size_of::<Node>()
            + self.children.len() * size_of::<NodeId>()
            + self.segments.len() * size_of::<Segment>()
            + self.decoded.iter().map(|text| text.len()).sum::<usize>()
    }

    /// The node of `id`.
    ///
    /// # Panics
    ///
    /// If `id` is another graph's.
    #[inline]
    pub fn node(&self, id: NodeId) -> Node {
        *self.nodes.get(id.0 as usize).expect("ids are given out with their nodes")
    }

    /// A span of the input.
    #[inline]
    pub fn span(&self, offset: u64, len: u32) -> &'a [u8] {
        &self.input[offset as usize..][..len as usize]
    }

    /// The bytes of a text; they may hold surrogates and then are no UTF-8.
    pub fn text_bytes(&self, id: NodeId) -> Option<&[u8]> {
        match self.node(id) {
            Node::Text { len, offset } => Some(self.span(offset, len)),
            Node::DecodedText(index) => Some(&self.decoded[index as usize]),
            _ => None,
        }
    }

    /// A text that is UTF-8; a Python 2 `str` counts if it is ASCII.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        let bytes = match self.node(id) {
            Node::String { len, offset } => self.span(offset, len),
            Node::DecodedString(index) => &self.decoded[index as usize],
            _ => return std::str::from_utf8(self.text_bytes(id)?).ok(),
        };
        std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())
    }

    /// The bytes of a `bytes`, `bytearray` or Python 2 `str`.
    pub fn bytes(&self, id: NodeId) -> Option<&[u8]> {
        match self.node(id) {
            Node::Bytes { len, offset } | Node::ByteArray { len, offset } | Node::String { len, offset } => {
                Some(self.span(offset, len))
            }
            Node::DecodedString(index) => Some(&self.decoded[index as usize]),
            Node::Long(index) => {
                let (offset, len) = self.long[index as usize];
                Some(&self.input[offset as usize..][..len as usize])
            }
            _ => None,
        }
    }

    /// The items of a tuple.
    pub fn tuple(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.node(id) {
            Node::Tuple { start, len } => Some(self.together(start, len)),
            _ => None,
        }
    }

    /// The keys and values of a dict, or of an object that is one, in file order.
    pub fn dict(&self, id: NodeId) -> Option<impl Iterator<Item = (NodeId, NodeId)> + '_> {
        let head = match self.node(id) {
            Node::Dict { head, .. } => head,
            _ => match self.nodes.get(self.items_of(id, Global::is_dict_like)?.0 as usize) {
                Some(Node::Dict { head, .. }) => *head,
                _ => Segment::END,
            },
        };
        let entries = self.segments(head).flat_map(|segment| self.entries(segment).chunks_exact(2));
        Some(entries.map(|pair| (pair[0], pair[1])))
    }

    /// The last value of a text key of a dict: where a key stands twice, the later one wins, as in Python.
    pub fn dict_value(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.dict(id)?.filter(|(name, _)| self.text(*name) == Some(key)).last().map(|(_, value)| value)
    }

    /// The items of a list.
    pub fn list(&self, id: NodeId) -> Option<ListView<'_>> {
        match self.node(id) {
            Node::List { head, len, .. } => Some(ListView::new(self, head, len)),
            Node::FloatList { count, offset } => Some(ListView::floats(self, count, offset)),
            _ => None,
        }
    }

    /// The items of a list, tuple or set, or of an object that is one, such as a deque.
    pub fn sequence(&self, id: NodeId) -> Option<ListView<'_>> {
        match self.node(id) {
            Node::Tuple { start, len } | Node::FrozenSet { start, len } => {
                Some(ListView::flat(self, start, len))
            }
            Node::Set { head, len, .. } => Some(ListView::new(self, head, len)),
            Node::Reduce { .. } => match self.items_of(id, Global::is_list_like)? {
                NodeId::ABSENT => Some(ListView::flat(self, 0, 0)),
                items if matches!(self.node(items), Node::Reduce { .. }) => None,
                items => self.sequence(items),
            },
            _ => self.list(id),
        }
    }

    /// Where the items of an object stand that is a collection of the wanted kind; [`NodeId::ABSENT`] if it has none.
    fn items_of(&self, id: NodeId, wanted: impl Fn(Global) -> bool) -> Option<NodeId> {
        let Node::Reduce { callable, state, .. } = self.node(id) else { return None };
        match self.nodes.get(callable.0 as usize) {
            Some(Node::Global(global)) if wanted(*global) => Some(state),
            _ => None,
        }
    }

    /// What BUILD gave to an object.
    pub fn state(&self, id: NodeId) -> Option<NodeId> {
        match self.node(id) {
            Node::Reduce { state, .. } | Node::Object { state, .. } => Self::present(state),
            _ => None,
        }
    }

    /// `id`, unless it stands for a state that was never given.
    pub fn present(id: NodeId) -> Option<NodeId> {
        (id != NodeId::ABSENT).then_some(id)
    }

    /// What a packed array shares with its column.
    pub fn packed(&self, template: u16) -> Template {
        self.templates[usize::from(template)]
    }

    pub(super) fn segments(&self, head: u32) -> impl Iterator<Item = Segment> + '_ {
        let segment = |index: u32| self.segments.get(index as usize).copied();
        std::iter::successors(segment(head), move |last| segment(last.next))
    }

    fn together(&self, start: u32, len: u32) -> &[NodeId] {
        self.children.slice(start as usize..start as usize + len as usize)
    }

    pub(super) fn entries(&self, segment: Segment) -> &[NodeId] {
        self.together(segment.start, segment.len)
    }
}

/// The items of one list by position: its batches are found by binary search.
#[derive(Debug, Clone)]
pub struct ListView<'g> {
    graph: &'g Graph<'g>,
    /// Position of each segment's first value, and the segment.
    segments: Vec<(u32, Segment)>,
    floats: Option<u64>,
    len: usize,
}

impl<'g> ListView<'g> {
    fn new(graph: &'g Graph<'g>, head: u32, len: u32) -> Self {
        let mut first = 0;
        let segments = graph.segments(head).map(|segment| {
            first += segment.values;
            (first - segment.values, segment)
        });
        Self { graph, segments: segments.collect(), floats: None, len: len as usize }
    }

    fn flat(graph: &'g Graph<'g>, start: u32, len: u32) -> Self {
        let segment = Segment { start, len, values: len, next: Segment::END };
        Self { graph, segments: vec![(0, segment)], floats: None, len: len as usize }
    }

    fn floats(graph: &'g Graph<'g>, count: u32, offset: u64) -> Self {
        Self { graph, segments: Vec::new(), floats: Some(offset), len: count as usize }
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The items from position `start` on.
    pub fn items_from(&self, start: usize) -> Items<'g, '_> {
        let at = self.segments.partition_point(|(first, _)| *first as usize <= start).saturating_sub(1);
        let (mut items, before) = if let Some(offset) = self.floats {
            let floats = FloatBytes::new(self.graph.input, offset, self.len as u32);
            (Items::of_floats(self.graph, floats), 0)
        } else {
            let rest = self.segments.get(at..).unwrap_or_default();
            let before = rest.first().map_or(0, |(first, _)| *first as usize);
            (Items::of_segments(self.graph, rest), before)
        };
        items.skip_items(start - before);
        items
    }
}

/// Walks `count` `BINFLOAT`s, stepping over the frame headers and batch ends between them.
///
/// The machine has read every byte of the range before, so the walk cannot leave it.
#[derive(Debug, Clone)]
pub struct FloatBytes<'a> {
    input: &'a [u8],
    position: usize,
    left: u32,
}

impl<'a> FloatBytes<'a> {
    /// `count` floats from the opcode at `offset` on.
    pub fn new(input: &'a [u8], offset: u64, count: u32) -> Self {
        Self { input, position: offset as usize, left: count }
    }

    /// The next stretch without a gap, at most `max` floats: nine bytes each, the value in the last eight.
    #[inline]
    pub fn next_run(&mut self, max: usize) -> Option<&'a [u8]> {
        if self.left == 0 || max == 0 {
            return None;
        }
        self.step_over_gap();
        let wanted = (self.left as usize).min(max);
        let rest = &self.input[self.position..][..wanted * super::decode::BINFLOAT_BYTES];
        let count = super::decode::binfloats_at_start(rest);
        let run = &rest[..count * super::decode::BINFLOAT_BYTES];
        self.position += run.len();
        self.left -= count as u32;
        (count > 0).then_some(run)
    }

    /// Between two floats of one list there can be the end of a batch and the start of the next, and a frame header.
    fn step_over_gap(&mut self) {
        use super::opcode::Opcode;
        loop {
            match self.input.get(self.position).copied().and_then(Opcode::from_byte) {
                Some(Opcode::FRAME) => self.position += super::decode::FRAME_BYTES,
                Some(Opcode::APPENDS | Opcode::MARK) => self.position += 1,
                _ => return,
            }
        }
    }
}

impl Iterator for FloatBytes<'_> {
    type Item = [u8; 8];

    fn next(&mut self) -> Option<[u8; 8]> {
        self.next_run(1)?.last_chunk().copied()
    }
}
