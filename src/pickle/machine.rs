//! The pickle machine: a stack, marks and a memo that build a [`Graph`]. It matches instructions and nothing else.
//!
//! There is no callable anywhere: REDUCE, NEWOBJ and BUILD make nodes that say what the file asked for, and the layers
//! above give the few known ones a meaning. Every instruction makes at most a fixed number of nodes, which a budget pays
//! for before they are stored.

use std::sync::Arc;

use super::{
    decode::{Decoder, Instruction},
    error::{Error, ErrorKind, Result},
    global::{Global, Row},
    graph::{Foreign, Graph, Grounds, Met, Node, NodeId, Segment},
    memo::Memo,
    opcode::Opcode,
    text,
};
use crate::{
    growing::Growing,
    limits::{Bound, Budget, Exceeded, Limits},
};

mod collection;
mod raw;
mod sequence;

/// The highest protocol there is.
const PROTOCOL_MAX: u8 = 5;

/// Slots that a writer may leave out: `pickletools.optimize` and others number theirs as they like.
const SPARSE_SLOTS: u64 = 1 << 16;

const GRAPH_BYTES: Bound = Bound { what: "bytes of the pickle's values", flag: Some("graph-bytes") };

/// Names outside the closed list that are kept; a legitimate file names few classes.
const FOREIGN_MAX: usize = 1_000;

/// What becomes of a global outside the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownGlobals {
    /// The first one ends the reading.
    #[default]
    Refuse,
    /// It is kept as a name that means nothing, so that other members of a container can be read. Whoever asks for this
    /// looks at [`Graph::foreign`] before using any value.
    Keep,
}

/// State of the machine between two instructions.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) graph: Graph<'a>,
    pub(super) memo: Memo,
    pub(super) stack: Vec<NodeId>,
    marks: Vec<usize>,
    budget: Budget,
    limits: Limits,
    opcodes: u64,
    /// Where the current instruction starts.
    at: u64,
    unknown: UnknownGlobals,
    /// Place of each row of the table of globals in the list of those that were met.
    met: Vec<Option<u32>>,
    /// The youngest node that was put on the stack once more after it was made.
    pub(super) named_again: NodeId,
    /// The list of floats that grew last and the offset behind its last float.
    open_floats: Option<(NodeId, u64)>,
    /// The pickles around the one that is being read, the outermost first.
    around: Vec<raw::Around>,
}

/// What follows an instruction.
pub(super) enum Next {
    Instruction,
    /// What the wrapper of an array announces: bytes, or a pickle of their own.
    Raw(raw::Announced),
    End,
}

/// Runs `input` to its STOP.
pub(super) fn run<'a>(
    input: &'a [u8],
    limits: &Limits,
    unknown: UnknownGlobals,
    ground: Option<Arc<dyn Grounds>>,
) -> Result<Graph<'a>> {
    let mut decoder = Decoder::new(input, limits);
    let mut machine = Machine::new(input, limits, unknown, ground);
    match machine.run(&mut decoder) {
        Ok(()) => Ok(machine.into_graph(decoder.end())),
        // What came before the fault is the better reason to refuse the file.
        Err(error) => Err(machine.graph.foreign.first().map_or(error, Foreign::error)),
    }
}

/// Files that are given for pickles, by their first bytes.
const FORMATS: [(&[u8], &str); 4] = [
    (b"PAR1", "a Parquet file (`brine inspect` reads it)"),
    (b"ARROW1", "an Arrow file (`brine inspect` reads it)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3\0", "an SQLite database"),
];

/// A file that starts as no writer starts a pickle is none, and that is the better message: nearly every byte is some
/// opcode, and so is the P of `PAR1` and the i of `id,name`.
fn first_byte(input: &[u8], error: Error) -> Error {
    let no_start = match (error.offset(), error.opcode()) {
        (0, Some(Opcode::INST)) | (1, Some(Opcode::PERSID)) => true,
        (0, Some(Opcode::PERSID)) => matches!(error.kind(), ErrorKind::CutShort(_)),
        (0, _) => matches!(error.kind(), ErrorKind::UnknownOpcode(_)),
        _ => false,
    };
    let format = FORMATS.iter().find(|(magic, _)| error.offset() <= 1 && input.starts_with(magic));
    if let Some((_, name)) = format {
        return Error::new(0, None, ErrorKind::OtherFormat(name));
    }
    match input.first() {
        None => Error::new(0, None, ErrorKind::Empty),
        Some(byte) if no_start => Error::new(0, None, ErrorKind::NotAPickle(*byte)),
        Some(_) => error,
    }
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        input: &'a [u8],
        limits: &Limits,
        unknown: UnknownGlobals,
        ground: Option<Arc<dyn Grounds>>,
    ) -> Self {
        let bytes = limits.table_heap_bytes;
        let fixed = vec![Node::None, Node::Bool(false), Node::Bool(true)];
        let graph = Graph {
            input,
            nodes: Growing::beginning(fixed, ground.clone().map(|ground| ground as _), bytes),
            children: Growing::on(ground.clone().map(|ground| ground as _), bytes / 4),
            segments: Growing::on(ground.clone().map(|ground| ground as _), bytes / 4),
            decoded: Vec::new(),
            long: Vec::new(),
            templates: Vec::new(),
            foreign: Vec::new(),
            met: Vec::new(),
            raw: Vec::new(),
            root: NodeId::NONE,
            protocol: 0,
            end: 0,
            ground: ground.clone(),
            unescaped: super::graph::Unescaped::default(),
        };
        Self {
            graph,
            memo: Memo::on(ground.map(|ground| ground as _), bytes / 4),
            stack: Vec::new(),
            marks: Vec::new(),
            budget: Budget::new(&GRAPH_BYTES, limits.graph_bytes_max(input.len())),
            limits: limits.clone(),
            opcodes: 0,
            at: 0,
            unknown,
            met: Vec::new(),
            named_again: NodeId::NONE,
            open_floats: None,
            around: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, decoder: &mut Decoder<'a>) -> Result<()> {
        let input = self.graph.input;
        loop {
            let instruction = decoder.next_instruction().map_err(|error| first_byte(input, error))?;
            self.at = decoder.at();
            let done = match self.step(instruction) {
                Ok(Next::Instruction) => continue,
                Ok(Next::Raw(announced)) => self.raw(&announced, decoder).map(|()| false),
                Ok(Next::End) => self.end(decoder),
                Err(kind) => Err(kind),
            };
            if done.map_err(|kind| first_byte(input, decoder.error(kind)))? {
                return Ok(());
            }
        }
    }

    pub(super) fn into_graph(mut self, end: u64) -> Graph<'a> {
        self.graph.end = end;
        self.graph
    }

    /// One instruction.
    #[inline]
    #[allow(
        clippy::too_many_lines,
        reason = "one arm for each instruction, none of them longer than it needs"
    )]
    pub(super) fn step(&mut self, instruction: Instruction<'a>) -> Result<Next, ErrorKind> {
        use Instruction as I;
        self.opcodes += 1;
        match instruction {
            I::Floats { count, offset } => self.push(Node::FloatRun { count, offset })?,
            I::Proto(protocol) if protocol > PROTOCOL_MAX => {
                return Err(ErrorKind::UnknownProtocol(protocol));
            }
            // A pickle inside another has a protocol of its own.
            I::Proto(_) if !self.around.is_empty() => {}
            I::Proto(protocol) => self.graph.protocol = self.graph.protocol.max(protocol),
            I::Frame => {}
            I::Stop => return self.stop().map(|()| Next::End),
            I::Mark => self.mark()?,
            I::Pop => self.pop_top()?,
            I::PopMark => self.items_to_mark().map(|_| ())?,
            I::Dup => {
                let top = self.top()?;
                self.push_again(top)?;
            }
            I::None => self.push_id(NodeId::NONE)?,
            I::Bool(value) => self.push_id(if value { NodeId::TRUE } else { NodeId::FALSE })?,
            I::Int(value) => self.push(Node::Int(value))?,
            I::Float(value) => self.push(Node::Float(value))?,
            I::BigInt(bytes) => self.push_span(bytes, |len, offset| Node::BigInt { len, offset })?,
            I::DecimalInt(text) => self.push_span(text, |len, offset| Node::DecimalInt { len, offset })?,
            I::Text(bytes) => self.push_span(bytes, |len, offset| Node::Text { len, offset })?,
            I::Bytes(bytes) => self.push_span(bytes, |len, offset| Node::Bytes { len, offset })?,
            I::ByteArray(bytes) => self.push_span(bytes, |len, offset| Node::ByteArray { len, offset })?,
            I::String(bytes) => self.push_span(bytes, |len, offset| Node::String { len, offset })?,
            I::EscapedText(line) => self.push_decoded(text::raw_unicode_escape(line)?, Node::DecodedText)?,
            I::QuotedString(line) => self.push_decoded(text::quoted(line)?, Node::DecodedString)?,
            I::EmptyList => self.push(Node::List { head: Segment::END, tail: Segment::END, len: 0 })?,
            I::EmptyDict => self.push(Node::Dict { head: Segment::END, tail: Segment::END, len: 0 })?,
            I::EmptySet => self.push(Node::Set { head: Segment::END, tail: Segment::END, len: 0 })?,
            I::EmptyTuple => self.push(Node::Tuple { start: 0, len: 0 })?,
            I::Append => self.append()?,
            I::Appends => self.appends()?,
            I::SetItem => self.set_item()?,
            I::SetItems => self.set_items()?,
            I::AddItems => self.add_items()?,
            I::List => self.list()?,
            I::Dict => self.dict()?,
            I::Tuple => self.tuple_to_mark()?,
            I::TupleOf(count) => self.tuple_of(usize::from(count))?,
            I::FrozenSet => self.frozen_set()?,
            I::Get(slot) => self.get(slot)?,
            I::Put(slot) => self.put(slot)?,
            I::Memoize => self.put(self.memo.filled())?,
            I::Global { module, name } => self.global(module, name, Opcode::GLOBAL)?,
            I::StackGlobal => self.stack_global()?,
            I::Reduce => self.reduce()?,
            I::Build => return self.build(),
            I::NewObj => self.new_object()?,
            I::NewObjEx => self.new_object_ex()?,
            I::Inst { module, name } => {
                return Err(Foreign::new(module, name, self.at, Opcode::INST).error().into_kind());
            }
            I::Obj => {
                return Err(ErrorKind::WrongType { wanted: "a class of the closed list", found: "OBJ" });
            }
            I::Outside(what) => return Err(ErrorKind::Outside(what)),
        }
        Ok(Next::Instruction)
    }

    pub(super) fn stop(&mut self) -> Result<(), ErrorKind> {
        let root = self.pop()?;
        if !(self.stack.is_empty() && self.marks.is_empty()) {
            return Err(ErrorKind::NotConsumed { values: self.stack.len(), marks: self.marks.len() });
        }
        self.graph.root = root;
        Ok(())
    }

    // === the stack ===

    pub(super) fn store(&mut self, node: Node) -> Result<NodeId, ErrorKind> {
        self.budget.spend(size_of::<Node>() as u64)?;
        let id = NodeId(index(self.graph.nodes.len())?);
        self.graph.nodes.push(node)?;
        Ok(id)
    }

    pub(super) fn push_id(&mut self, id: NodeId) -> Result<(), ErrorKind> {
        if self.stack.len() >= self.limits.stack_depth_max {
            return Err(exceeded(
                &Bound { what: "values on the stack", flag: Some("stack-values") },
                self.limits.stack_depth_max,
            ));
        }
        self.stack.push(id);
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, node: Node) -> Result<(), ErrorKind> {
        let id = self.store(node)?;
        self.push_id(id)
    }

    fn push_span(&mut self, bytes: &'a [u8], node: impl Fn(u32, u64) -> Node) -> Result<(), ErrorKind> {
        let node = self.span(bytes, node)?;
        self.push(node)
    }

    fn span(&mut self, bytes: &'a [u8], node: impl Fn(u32, u64) -> Node) -> Result<Node, ErrorKind> {
        let offset = bytes.as_ptr() as u64 - self.graph.input.as_ptr() as u64;
        if let Ok(len) = u32::try_from(bytes.len()) {
            return Ok(node(len, offset));
        }
        let long = index(self.graph.long.len())?;
        self.graph.long.push((offset, bytes.len() as u64));
        Ok(Node::Long(long))
    }

    pub(super) fn push_decoded(
        &mut self,
        text: Box<[u8]>,
        node: impl Fn(u32) -> Node,
    ) -> Result<(), ErrorKind> {
        self.budget.spend(text.len() as u64)?;
        let decoded = index(self.graph.decoded.len())?;
        self.graph.decoded.push(text);
        self.push(node(decoded))
    }

    /// The top as a value of its own: the last float of a run becomes one.
    fn top(&mut self) -> Result<NodeId, ErrorKind> {
        let id = self.pop()?;
        self.push_id(id)?;
        Ok(id)
    }

    /// Takes one value off the stack, but never one below the last mark.
    fn pop(&mut self) -> Result<NodeId, ErrorKind> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let id = *self.stack.get(floor..).and_then(<[NodeId]>::last).ok_or(ErrorKind::StackUnderflow)?;
        let Node::FloatRun { count, offset } = self.graph.node(id) else {
            self.stack.pop();
            return Ok(id);
        };
        let shorter = Node::FloatRun { count: count - 1, offset };
        let before = if count > 1 { Some(self.store(shorter)?) } else { None };
        self.stack.pop();
        self.stack.extend(before);
        let last = super::graph::FloatBytes::new(self.graph.input, offset, count).last();
        self.store(Node::Float(f64::from_be_bytes(last.unwrap_or_default())))
    }

    /// POP takes the mark if it is on top, as Python's does.
    fn pop_top(&mut self) -> Result<(), ErrorKind> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn mark(&mut self) -> Result<(), ErrorKind> {
        if self.marks.len() >= self.limits.mark_depth_max {
            return Err(exceeded(
                &Bound { what: "open marks", flag: Some("open-marks") },
                self.limits.mark_depth_max,
            ));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// Everything above the last mark, which is closed. Runs of floats are still runs.
    fn items_to_mark(&mut self) -> Result<std::ops::Range<usize>, ErrorKind> {
        let mark = self.marks.pop().ok_or(ErrorKind::NoMark)?;
        index(self.graph.children.len())?;
        let items = &self.stack[mark..];
        self.budget.spend(size_of_val(items) as u64)?;
        let items = self.graph.children.extend(items)?;
        self.stack.truncate(mark);
        Ok(items)
    }

    /// The same with every float a value of its own: for tuples, dicts and sets, which are not columns.
    fn values_to_mark(&mut self) -> Result<std::ops::Range<usize>, ErrorKind> {
        let items = self.items_to_mark()?;
        let is_run = |id: &NodeId| matches!(self.graph.node(*id), Node::FloatRun { .. });
        let folded = self.graph.children.slice(items.clone());
        if !folded.iter().any(is_run) {
            return Ok(items);
        }
        let folded = folded.to_vec();
        self.graph.children.truncate(items.start);
        let mut values = Vec::new();
        for id in folded {
            self.unfold(id, &mut values)?;
        }
        Ok(self.graph.children.extend(&values)?)
    }

    fn unfold(&mut self, id: NodeId, values: &mut Vec<NodeId>) -> Result<(), ErrorKind> {
        let Node::FloatRun { count, offset } = self.graph.node(id) else {
            values.push(id);
            return Ok(());
        };
        for bytes in super::graph::FloatBytes::new(self.graph.input, offset, count) {
            self.budget.spend(size_of::<NodeId>() as u64)?;
            values.push(self.store(Node::Float(f64::from_be_bytes(bytes)))?);
        }
        Ok(())
    }

    pub(super) fn set(&mut self, id: NodeId, node: Node) {
        *self.graph.nodes.entry_mut(id.0 as usize).expect("ids are given out with their nodes") = node;
    }

    // === the memo ===

    fn put(&mut self, slot: u64) -> Result<(), ErrorKind> {
        let id = self.top()?;
        if slot > self.opcodes + SPARSE_SLOTS {
            return Err(ErrorKind::MemoTooSparse(slot));
        }
        let grown = self.memo.put(slot as usize, id)?;
        Ok(self.budget.spend(grown as u64)?)
    }

    fn get(&mut self, slot: u64) -> Result<(), ErrorKind> {
        let entry = usize::try_from(slot).ok().and_then(|slot| self.memo.entry(slot));
        let id = match entry.ok_or(ErrorKind::UnsetMemo(slot))? {
            (id, None) => id,
            (id, Some(part)) => {
                let id = self.unpack(id, part)?;
                self.memo.put(slot as usize, id)?;
                id
            }
        };
        self.push_again(id)
    }

    /// Puts a value on the stack that something else names too.
    fn push_again(&mut self, id: NodeId) -> Result<(), ErrorKind> {
        self.named_again = self.named_again.max(id);
        self.push_id(id)
    }

    // === globals and objects ===

    fn global(&mut self, module: &[u8], name: &[u8], opcode: Opcode) -> Result<(), ErrorKind> {
        let node = match Row::find(module, name) {
            Some(row) => {
                self.meet(row)?;
                Node::Global(row.global())
            }
            None => self.foreign(module, name, opcode)?,
        };
        self.push(node)
    }

    fn stack_global(&mut self) -> Result<(), ErrorKind> {
        let (name, module) = (self.pop()?, self.pop()?);
        let text = |id| {
            let found = self.graph.node(id).kind();
            let text = self.graph.text_bytes(id).map(<[u8]>::to_vec);
            text.ok_or(ErrorKind::WrongType { wanted: "a str", found })
        };
        let (module, name) = (text(module)?, text(name)?);
        self.global(&module, &name, Opcode::STACK_GLOBAL)
    }

    fn meet(&mut self, row: Row) -> Result<(), ErrorKind> {
        self.met.resize(self.met.len().max(row.index() + 1), None);
        if let Some(place) = self.met[row.index()] {
            self.graph.met[place as usize].count += 1;
        } else {
            self.met[row.index()] = Some(index(self.graph.met.len())?);
            self.graph.met.push(Met { row, count: 1, offset: self.at });
        }
        Ok(())
    }

    /// A name that means nothing, if such names are kept.
    fn foreign(&mut self, module: &[u8], name: &[u8], opcode: Opcode) -> Result<Node, ErrorKind> {
        let foreign = Foreign::new(module, name, self.at, opcode);
        if self.unknown == UnknownGlobals::Refuse {
            return Err(foreign.error().into_kind());
        }
        let same = |other: &Foreign| other.module == foreign.module && other.name == foreign.name;
        let known = self.graph.foreign.iter().position(same);
        let place = known.unwrap_or(self.graph.foreign.len());
        if known.is_none() {
            if place >= FOREIGN_MAX {
                return Err(exceeded(&Bound { what: "globals that are not known", flag: None }, FOREIGN_MAX));
            }
            self.graph.foreign.push(foreign);
        }
        Ok(Node::Foreign(index(place)?))
    }

    fn expect(&self, id: NodeId, wanted: &'static str, fits: impl Fn(Node) -> bool) -> Result<(), ErrorKind> {
        let node = self.graph.node(id);
        if fits(node) { Ok(()) } else { Err(ErrorKind::WrongType { wanted, found: node.kind() }) }
    }

    fn reduce(&mut self) -> Result<(), ErrorKind> {
        let (args, callable) = (self.pop()?, self.pop()?);
        self.expect(args, "a tuple of arguments", |node| matches!(node, Node::Tuple { .. }))?;
        let global = match self.graph.node(callable) {
            Node::Global(global) => global,
            Node::Foreign(_) => return self.push(Node::Reduce { callable, args, state: NodeId::ABSENT }),
            Node::Reduce { .. } if self.is_made_callable(callable) => {
                return self.push(Node::Reduce { callable, args, state: NodeId::ABSENT });
            }
            other => {
                let wanted = "a function of the closed list";
                return Err(ErrorKind::WrongType { wanted, found: other.kind() });
            }
        };
        if let Some(packed) = self.pack_call(callable, args) {
            return self.push_id(packed);
        }
        if !self.makes_a_known_callable(global, args) {
            let (module, name) = global.name().rsplit_once('.').unwrap_or_default();
            let node = self.foreign(module.as_bytes(), name.as_bytes(), Opcode::REDUCE)?;
            return self.push(node);
        }
        let state = self.items_of_call(global, args)?;
        self.push(Node::Reduce { callable, args, state })
    }

    /// Two functions make callables, and only in one shape each: `getattr(ZoneInfo, '_unpickle')` and
    /// `partial(new_block)`. In any other they are as foreign as a name outside the list.
    fn makes_a_known_callable(&self, global: Global, args: NodeId) -> bool {
        let args = self.graph.tuple(args).unwrap_or_default();
        let is = |id: &NodeId, global| self.graph.node(*id) == Node::Global(global);
        match (global, args) {
            (Global::GetAttr, [class, name]) => {
                is(class, Global::ZoneInfo) && self.graph.text(*name) == Some("_unpickle")
            }
            (Global::Partial, [function]) => is(function, Global::NewBlock),
            (Global::GetAttr | Global::Partial, _) => false,
            _ => true,
        }
    }

    /// Whether an object is one of the two callables that are made. BUILD can swap the function of a partial, so its
    /// state is looked at as well.
    fn is_made_callable(&self, id: NodeId) -> bool {
        let Node::Reduce { callable, state, .. } = self.graph.node(id) else { return false };
        match self.graph.node(callable) {
            Node::Global(Global::GetAttr) => state == NodeId::ABSENT,
            Node::Global(Global::Partial) => {
                let state = Graph::present(state).and_then(|state| self.graph.tuple(state));
                let Some(&[function, args, _, NodeId::NONE]) = state else { return false };
                self.graph.node(function) == Node::Global(Global::NewBlock)
                    && self.graph.tuple(args).is_some_and(<[NodeId]>::is_empty)
            }
            _ => false,
        }
    }

    fn new_object(&mut self) -> Result<(), ErrorKind> {
        let (args, class) = (self.pop()?, self.pop()?);
        self.expect(args, "a tuple of arguments", |node| matches!(node, Node::Tuple { .. }))?;
        let wanted = "a class of the closed list";
        self.expect(class, wanted, |node| matches!(node, Node::Global(_) | Node::Foreign(_)))?;
        self.push(Node::Object { class, args, state: NodeId::ABSENT })
    }

    fn new_object_ex(&mut self) -> Result<(), ErrorKind> {
        let keywords = self.pop()?;
        self.expect(keywords, "an empty dict", |node| matches!(node, Node::Dict { len: 0, .. }))?;
        self.new_object()
    }

    fn build(&mut self) -> Result<Next, ErrorKind> {
        let state = self.pop()?;
        let object = self.top()?;
        if let Some(packed) = self.pack_state(object, state) {
            self.stack.pop();
            return self.push_id(packed).map(|()| Next::Instruction);
        }
        let built = match self.graph.node(object) {
            Node::Reduce { callable, args, state: NodeId::ABSENT } => Node::Reduce { callable, args, state },
            Node::Object { class, args, state: NodeId::ABSENT } => Node::Object { class, args, state },
            Node::Reduce { .. } | Node::Object { .. } => return Err(ErrorKind::StateTwice),
            other => return Err(ErrorKind::WrongType { wanted: "an object", found: other.kind() }),
        };
        self.set(object, built);
        let announced = if self.is_wrapper(object) { Some(self.announced(object, state)?) } else { None };
        Ok(announced.map_or(Next::Instruction, Next::Raw))
    }
}

/// Ids keep two bits for the parts of packed arrays.
fn index(value: usize) -> Result<u32, ErrorKind> {
    const MAX: usize = (1 << 30) - 1;
    if value >= MAX {
        return Err(exceeded(&Bound { what: "values of one pickle", flag: None }, MAX));
    }
    Ok(value as u32)
}

#[cold]
fn exceeded(of: &'static Bound, limit: usize) -> ErrorKind {
    ErrorKind::Limit(Exceeded { of, limit: limit as u64, wanted: limit as u64 + 1 })
}
