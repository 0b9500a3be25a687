//! The kind of one cell: its values are walked once, however often they are shared, and what they expand to is counted.
//!
//! A file names one list any number of times, so a few hundred bytes can stand for more values than there are atoms.
//! What a shared value is and what it expands to is known after the first walk; nothing is walked twice.

use std::collections::HashMap;

use super::{
    Plain,
    kind::{Clash, Fields, Kind, List},
};
use crate::{
    columnar::{
        infer::Mixed,
        object::{Part, Sequence, Value},
    },
    limits::{COLUMN_NESTING_MAX, Limits, STRUCT_FIELDS_MAX},
    numpy::{self, array::packed_items},
    pickle::{Graph, Item, Node, NodeId},
};

/// Bytes of a value that has no length of its own, and of the length of one that has.
const VALUE_BYTES: u64 = 8;
/// Shared values that are remembered; when there are more, all are forgotten and the memory is free again.
const REMEMBERED_MAX: usize = 1 << 20;
/// Items from which on a cell is worth remembering.
const SHARED_ITEMS_MIN: usize = 16;

/// Why a cell has no kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A value that has no place in a column.
    NoType(String),
    /// Nested too deep.
    Deep,
    /// A value that holds itself.
    Cycle,
    /// More bytes than a cell may have.
    Expands,
}

/// What is known of a value.
#[derive(Debug, Clone)]
pub(super) struct Known<'g> {
    pub(super) kind: Kind<'g>,
    /// What it expands to.
    pub(super) bytes: u64,
    /// Dicts in it: each takes room for every field.
    pub(super) dicts: u64,
    depth: usize,
}

/// Walks the cells of one column.
pub(super) struct Walk<'g, 'l> {
    graph: &'g Graph<'g>,
    limits: &'l Limits,
    mixed: Mixed,
    bytes_max: u64,
    /// What is being walked has no entry yet but a mark.
    remembered: HashMap<NodeId, Option<Known<'g>>>,
}

impl<'g, 'l> Walk<'g, 'l> {
    pub(super) fn new(graph: &'g Graph<'g>, mixed: Mixed, limits: &'l Limits) -> Self {
        let bytes_max = limits.object_bytes_max(graph.input().len());
        Self { graph, limits, mixed, bytes_max, remembered: HashMap::new() }
    }

    /// The kind of a cell.
    pub(super) fn cell(&mut self, item: Item) -> Result<Known<'g>, Fault> {
        let value = match item {
            Item::Node(id) => match self.vector(id) {
                Some(known) => return Ok(known),
                None => Value::of_item(self.graph, item, self.limits),
            },
            Item::Float(_) => Value::of_item(self.graph, item, self.limits),
        };
        if value.is_missing_cell() {
            return Ok(leaf(Kind::Missing, 0));
        }
        match (&value, item) {
            (Value::Sequence(sequence), Item::Node(id)) if sequence.len() >= SHARED_ITEMS_MIN => {
                self.shared(id, &value, 0)
            }
            _ => self.value(&value, 0),
        }
    }

    fn item(&mut self, item: Item, depth: usize) -> Result<Known<'g>, Fault> {
        if let Item::Node(id) = item
            && let Some(known) = self.vector(id)
        {
            return Ok(known);
        }
        let value = Value::of_item(self.graph, item, self.limits);
        match (&value, item) {
            (Value::Sequence(_) | Value::Dict(_) | Value::Interval(..), Item::Node(id)) => {
                self.shared(id, &value, depth)
            }
            _ => self.value(&value, depth),
        }
    }

    fn shared(&mut self, id: NodeId, value: &Value<'g>, depth: usize) -> Result<Known<'g>, Fault> {
        match self.remembered.get(&id) {
            Some(None) => return Err(Fault::Cycle),
            Some(Some(known)) if depth + known.depth > COLUMN_NESTING_MAX => return Err(Fault::Deep),
            Some(Some(known)) => return Ok(known.clone()),
            None => {}
        }
        if self.remembered.len() > REMEMBERED_MAX {
            self.remembered.retain(|_, known| known.is_none());
        }
        self.remembered.insert(id, None);
        let known = self.value(value, depth)?;
        self.remembered.insert(id, Some(known.clone()));
        Ok(known)
    }

    /// Vectors of floats, whose kind stands in their node.
    fn vector(&self, id: NodeId) -> Option<Known<'g>> {
        let (plain, count) = match self.graph.node(id) {
            Node::FloatList { count, .. } => (Plain::FLOAT, count),
            Node::Packed { template, count, .. } => {
                let (dtype, _) = packed_items(self.graph, template).ok()?;
                (dtype.kind == numpy::Kind::Float).then(|| (Plain::of(dtype), count))?
            }
            _ => return None,
        };
        let list = List { item: Kind::Float(plain), length: Some(count as usize), missing: false };
        let bytes = VALUE_BYTES * u64::from(count);
        Some(Known { kind: Kind::List(Box::new(list)), bytes, dicts: 0, depth: 1 })
    }

    fn value(&mut self, value: &Value<'g>, depth: usize) -> Result<Known<'g>, Fault> {
        if let Some(kind) = Kind::of_scalar(value) {
            let kind = if matches!(kind, Kind::WallTime(_)) { self.odd(kind.in_words())? } else { kind };
            return Ok(leaf(kind, length(value)));
        }
        if depth >= COLUMN_NESTING_MAX {
            return Err(Fault::Deep);
        }
        match value {
            Value::Sequence(sequence) => self.sequence(sequence, depth),
            Value::Dict(id) => self.dict(*id, depth),
            Value::Interval(left, right, closed) => {
                let mut sum = Sum::new(self.bytes_max);
                let left = sum.add(self.item(Item::Node(*left), depth + 1)?)?;
                let right = sum.add(self.item(Item::Node(*right), depth + 1)?)?;
                let side = both(left, right, ".left");
                Ok(sum.known(side.map_or_else(mixed, |side| Kind::Interval(closed, Box::new(side)))))
            }
            Value::Other(words) => Err(Fault::NoType(words.clone())),
            other => unreachable!("{other:?} holds no values"),
        }
    }

    /// A value that Arrow has no type for: refused, or JSON.
    fn odd(&self, words: String) -> Result<Kind<'g>, Fault> {
        match self.mixed {
            Mixed::Refuse => Err(Fault::NoType(words)),
            Mixed::Json => Ok(mixed(Clash { path: String::new(), first: words.clone(), found: words })),
        }
    }

    fn sequence(&mut self, sequence: &Sequence<'g>, depth: usize) -> Result<Known<'g>, Fault> {
        let length = sequence.len();
        if length as u64 > self.bytes_max / VALUE_BYTES {
            return Err(Fault::Expands);
        }
        let mut sum = Sum::new(self.bytes_max);
        let mut list = List { item: Kind::Missing, length: Some(length), missing: false };
        let mut clash = None;
        for part in sequence.parts() {
            let known = match part {
                Part::Item(item) => self.item(item, depth + 1)?,
                Part::Value(value) => self.value(&value, depth + 1)?,
            };
            let kind = sum.add(known)?;
            list.missing |= kind == Kind::Missing;
            if clash.is_none() {
                clash = list.item.absorb(kind).err();
            }
        }
        Ok(sum.known(clash.map_or_else(|| Kind::List(Box::new(list)), |clash| mixed(clash.inside("[]")))))
    }

    fn dict(&mut self, id: NodeId, depth: usize) -> Result<Known<'g>, Fault> {
        let graph = self.graph;
        let mut sum = Sum::new(self.bytes_max);
        sum.dicts = 1;
        let mut fields = Fields::default();
        let (mut keys, mut values, mut clash) = (Kind::Missing, Kind::Missing, None);
        let mut is_struct = true;
        for (key, value) in graph.dict(id).into_iter().flatten() {
            let key_value = Value::of_node(graph, key, self.limits);
            let mut key_kind = sum.add(self.value(&key_value, depth + 1)?)?;
            if Kind::of_scalar(&key_value).is_none_or(|kind| matches!(kind, Kind::Missing | Kind::Nan)) {
                key_kind = self.odd("a dict with a key that is missing or no scalar".to_owned())?;
            }
            let kind = sum.add(self.item(Item::Node(value), depth + 1)?)?;
            match graph.text(key).filter(|_| is_struct) {
                Some(name) => fields.set(name, kind.clone()),
                None => is_struct = false,
            }
            is_struct &= fields.list.len() <= STRUCT_FIELDS_MAX;
            if clash.is_none() {
                clash = keys.absorb(key_kind).map_err(|clash| clash.inside(".keys()")).err();
            }
            if clash.is_none() {
                clash = values.absorb(kind).map_err(|clash| clash.inside(".values()")).err();
            }
        }
        let kind = match clash {
            _ if is_struct => Kind::Struct(Box::new(fields)),
            None => Kind::Map(Box::new((keys, values))),
            Some(clash) => mixed(clash),
        };
        Ok(sum.known(kind))
    }
}

fn mixed<'g>(clash: Clash) -> Kind<'g> {
    Kind::Mixed(Box::new(clash))
}

fn both<'g>(mut a: Kind<'g>, b: Kind<'g>, step: &str) -> Result<Kind<'g>, Clash> {
    a.absorb(b).map_err(|clash| clash.inside(step))?;
    Ok(a)
}

fn leaf(kind: Kind<'_>, length: u64) -> Known<'_> {
    Known { kind, bytes: VALUE_BYTES + length, dicts: 0, depth: 0 }
}

/// Bytes of a value besides those that every value takes.
fn length(value: &Value<'_>) -> u64 {
    let length = match value {
        Value::Text(text) | Value::Bytes(text) => text.len(),
        Value::OldText(text) => text.len(),
        Value::Label(_, text) => text.len(),
        Value::Decimal(_, text) => text.len() + size_of::<u128>(),
        Value::BigInt(number) => number.whole_digits() as usize,
        Value::Uuid(bytes) => bytes.len(),
        _ => 0,
    };
    length as u64
}

/// What the items of a value come to.
struct Sum {
    bytes: u64,
    dicts: u64,
    depth: usize,
    bytes_max: u64,
}

impl Sum {
    fn new(bytes_max: u64) -> Self {
        Self { bytes: VALUE_BYTES, dicts: 0, depth: 0, bytes_max }
    }

    fn add<'g>(&mut self, known: Known<'g>) -> Result<Kind<'g>, Fault> {
        self.bytes = self.bytes.saturating_add(known.bytes);
        self.dicts = self.dicts.saturating_add(known.dicts);
        self.depth = self.depth.max(known.depth);
        if self.bytes > self.bytes_max { Err(Fault::Expands) } else { Ok(known.kind) }
    }

    fn known(self, kind: Kind<'_>) -> Known<'_> {
        Known { kind, bytes: self.bytes, dicts: self.dicts, depth: self.depth + 1 }
    }
}
