//! Lists, tuples, dicts and sets: how the machine builds and extends them.
//!
//! A list of nothing but floats stays a byte range however many batches and frames it comes in; the first other item makes
//! it a list of runs and nodes.

use super::{ErrorKind, Machine, Node, NodeId, Segment, collection::Target, exceeded, index};
use crate::{
    limits::Bound,
    pickle::{decode, opcode::Opcode},
};

impl Machine<'_> {
    fn tuple(&mut self, items: std::ops::Range<usize>) -> Result<(), ErrorKind> {
        self.push(Node::Tuple { start: index(items.start)?, len: index(items.len())? })
    }

    pub(super) fn tuple_to_mark(&mut self) -> Result<(), ErrorKind> {
        let items = self.values_to_mark()?;
        self.tuple(items)
    }

    pub(super) fn tuple_of(&mut self, count: usize) -> Result<(), ErrorKind> {
        let mut items = [NodeId::NONE; 3];
        for item in items[..count].iter_mut().rev() {
            *item = self.pop()?;
        }
        self.budget.spend((count * size_of::<NodeId>()) as u64)?;
        let items = self.graph.children.extend(&items[..count])?;
        self.tuple(items)
    }

    pub(super) fn frozen_set(&mut self) -> Result<(), ErrorKind> {
        let items = self.values_to_mark()?;
        self.push(Node::FrozenSet { start: index(items.start)?, len: index(items.len())? })
    }

    pub(super) fn append(&mut self) -> Result<(), ErrorKind> {
        let item = self.pop()?;
        self.budget.spend(size_of::<NodeId>() as u64)?;
        let item = self.graph.children.extend(&[item])?;
        let list = self.top()?;
        self.extend_list(list, item)
    }

    pub(super) fn appends(&mut self) -> Result<(), ErrorKind> {
        let items = self.items_to_mark()?;
        let list = self.top()?;
        if self.extend_floats(list, &items) {
            self.graph.children.truncate(items.start);
            return Ok(());
        }
        self.extend_list(list, items)
    }

    pub(super) fn list(&mut self) -> Result<(), ErrorKind> {
        let items = self.items_to_mark()?;
        self.push(Node::List { head: Segment::END, tail: Segment::END, len: 0 })?;
        let list = self.top()?;
        self.extend_list(list, items)
    }

    /// Keeps a list of nothing but floats as a byte range. False if it cannot be.
    fn extend_floats(&mut self, list: NodeId, items: &std::ops::Range<usize>) -> bool {
        let empty = matches!(self.graph.node(list), Node::List { len: 0, .. });
        let open = self.open_floats.filter(|(open, _)| *open == list);
        if items.is_empty() || !(empty || open.is_some()) {
            return false;
        }
        let mut end = open.map(|(_, end)| end);
        let mut first = None;
        let mut total = 0_u32;
        for item in self.graph.children.slice(items.clone()) {
            let Node::FloatRun { count, offset } = self.graph.node(*item) else { return false };
            if end.is_some_and(|end| !only_a_gap(self.graph.input, end, offset)) {
                return false;
            }
            first = first.or(Some(offset));
            end = Some(offset + u64::from(count) * decode::BINFLOAT_BYTES as u64);
            let Some(sum) = total.checked_add(count) else { return false };
            total = sum;
        }
        let (Some(first), Some(end)) = (first, end) else { return false };
        let grown = match self.graph.node(list) {
            Node::FloatList { count, offset } => count.checked_add(total).map(|count| (count, offset)),
            _ => Some((total, first)),
        };
        let Some((count, offset)) = grown else { return false };
        self.set(list, Node::FloatList { count, offset });
        self.forget_runs(items);
        self.open_floats = Some((list, end));
        true
    }

    /// The nodes of runs that a list of floats has taken over were made last, and nothing else can name them.
    fn forget_runs(&mut self, items: &std::ops::Range<usize>) {
        let nodes = &mut self.graph.nodes;
        for item in self.graph.children.slice(items.clone()).iter().rev() {
            if item.0 as usize + 1 != nodes.len() {
                return;
            }
            nodes.truncate(item.0 as usize);
        }
    }

    fn extend_list(&mut self, list: NodeId, items: std::ops::Range<usize>) -> Result<(), ErrorKind> {
        match self.graph.node(list) {
            Node::List { head, tail, len } => {
                let (head, tail, len) = self.extend(head, tail, len, items)?;
                self.set(list, Node::List { head, tail, len });
                Ok(())
            }
            Node::FloatList { count, offset } => {
                let run = self.store(Node::FloatRun { count, offset })?;
                self.set(list, Node::List { head: Segment::END, tail: Segment::END, len: 0 });
                let run = self.graph.children.extend(&[run])?;
                self.extend_list(list, run)?;
                self.extend_list(list, items)
            }
            other => match self.list_behind(list)? {
                Target::Node(items_of) => self.extend_list(items_of, items),
                Target::Nowhere => Ok(()),
                Target::None => Err(ErrorKind::WrongType { wanted: "a list", found: other.kind() }),
            },
        }
    }

    /// Links the children `items` to a chain of segments.
    fn extend(
        &mut self,
        head: u32,
        tail: u32,
        len: u32,
        items: std::ops::Range<usize>,
    ) -> Result<(u32, u32, u32), ErrorKind> {
        if items.is_empty() {
            return Ok((head, tail, len));
        }
        let values = self.graph.children.slice(items.clone()).iter().map(|id| match self.graph.node(*id) {
            Node::FloatRun { count, .. } => u64::from(count),
            _ => 1,
        });
        let values = index(values.sum::<u64>() as usize)?;
        let total = len
            .checked_add(values)
            .ok_or_else(|| exceeded(&Bound { what: "items of one list", flag: None }, u32::MAX as usize))?;
        if let Some(last) = self.graph.segments.entry_mut(tail as usize)
            && last.start as usize + last.len as usize == items.start
            && self.graph.children.are_together(&(last.start as usize..items.end))
        {
            last.len += items.len() as u32;
            last.values += values;
            return Ok((head, tail, total));
        }
        self.budget.spend(size_of::<Segment>() as u64)?;
        let new = index(self.graph.segments.len())?;
        let segment =
            Segment { start: items.start as u32, len: items.len() as u32, values, next: Segment::END };
        self.graph.segments.push(segment)?;
        if let Some(last) = self.graph.segments.entry_mut(tail as usize) {
            last.next = new;
        }
        Ok((if head == Segment::END { new } else { head }, new, total))
    }

    pub(super) fn set_items(&mut self) -> Result<(), ErrorKind> {
        let items = self.values_to_mark()?;
        self.extend_top(items)
    }

    pub(super) fn set_item(&mut self) -> Result<(), ErrorKind> {
        let (value, key) = (self.pop()?, self.pop()?);
        self.budget.spend(2 * size_of::<NodeId>() as u64)?;
        let items = self.graph.children.extend(&[key, value])?;
        self.extend_top(items)
    }

    pub(super) fn dict(&mut self) -> Result<(), ErrorKind> {
        let items = self.values_to_mark()?;
        self.push(Node::Dict { head: Segment::END, tail: Segment::END, len: 0 })?;
        self.extend_top(items)
    }

    fn extend_top(&mut self, items: std::ops::Range<usize>) -> Result<(), ErrorKind> {
        let id = self.top()?;
        self.extend_dict(id, items)
    }

    pub(super) fn extend_dict(&mut self, id: NodeId, items: std::ops::Range<usize>) -> Result<(), ErrorKind> {
        if !items.len().is_multiple_of(2) {
            return Err(ErrorKind::OddItems);
        }
        match self.graph.node(id) {
            Node::Dict { head, tail, len } => {
                let (head, tail, len) = self.extend(head, tail, len, items)?;
                self.set(id, Node::Dict { head, tail, len });
                Ok(())
            }
            other => match self.dict_behind(id)? {
                Target::Node(items_of) => self.extend_dict(items_of, items),
                Target::Nowhere => Ok(()),
                Target::None => Err(ErrorKind::WrongType { wanted: "a dict", found: other.kind() }),
            },
        }
    }

    pub(super) fn add_items(&mut self) -> Result<(), ErrorKind> {
        let items = self.values_to_mark()?;
        let id = self.top()?;
        match self.graph.node(id) {
            Node::Set { head, tail, len } => {
                let (head, tail, len) = self.extend(head, tail, len, items)?;
                self.set(id, Node::Set { head, tail, len });
                Ok(())
            }
            other => Err(ErrorKind::WrongType { wanted: "a set", found: other.kind() }),
        }
    }
}

/// Whether nothing but frame headers and batch ends stands between two runs of floats.
fn only_a_gap(input: &[u8], mut from: u64, to: u64) -> bool {
    while from < to {
        from += match Opcode::from_byte(input[from as usize]) {
            Some(Opcode::FRAME) => decode::FRAME_BYTES as u64,
            Some(Opcode::APPENDS | Opcode::MARK) => 1,
            _ => return false,
        };
    }
    from == to
}
