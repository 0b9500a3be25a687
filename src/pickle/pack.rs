//! Arrays of one dimension that come row after row, each folded into one node.
//!
//! A row of `_frombuffer(payload, dtype, (n,), 'C')` is four nodes and five references, a row of `_reconstruct` and its
//! state ten; for millions of rows that is what the memory goes to. All but the payload's place and length is the same in
//! every row, so it stands once, in a [`Template`]. The fold happens only if the row's nodes are exactly the last ones of
//! the graph and only the memo names them: each came to the stack once, when it was made.

use super::{
    error::ErrorKind,
    graph::{Node, NodeId, Template},
    machine::Machine,
    memo::{Memo, Part},
};

impl Machine<'_> {
    /// Folds a call that was just put together.
    pub(super) fn pack_call(&mut self, callable: NodeId, args: NodeId) -> Option<NodeId> {
        let base = args.0.checked_sub(3)?;
        if !self.is_last(args) {
            return None;
        }
        let &[payload, dtype, shape, order] = self.graph.tuple(args)? else { return None };
        let &[count] = self.graph.tuple(shape)? else { return None };
        if (payload.0, count.0, shape.0) != (base, base + 1, base + 2) {
            return None;
        }
        if dtype.0 >= base || order.0 >= base || callable.0 >= base {
            return None;
        }
        let (bytes, offset, mutable) = match self.graph.node(payload) {
            Node::ByteArray { len, offset } => (len, offset, true),
            Node::Bytes { len, offset } => (len, offset, false),
            _ => return None,
        };
        let count = self.small_count(count)?;
        let template = self.template(Template::Call { callable, dtype, order, bytes, mutable })?;
        self.fold(payload, Node::Packed { template, count, offset }, |id| match id.0 - base {
            0 => Some((payload, Some(Part::Payload))),
            2 => Some((payload, Some(Part::Shape))),
            3 => Some((payload, Some(Part::Tuple))),
            _ => None,
        })
    }

    /// Folds an array with the state that was just put together: `object` was made by
    /// `callable(class, (0,), mode)` and everything since belongs to it.
    pub(super) fn pack_state(&mut self, object: NodeId, state: NodeId) -> Option<NodeId> {
        if !self.is_last(state) {
            return None;
        }
        let base = object.0.checked_sub(3)?;
        let Node::Reduce { callable, args, state: NodeId::ABSENT } = self.graph.node(object) else {
            return None;
        };
        let &[class, zero, mode] = self.graph.tuple(args)? else { return None };
        let &[version, shape, dtype, order, payload] = self.graph.tuple(state)? else { return None };
        let &[zero_item] = self.graph.tuple(zero)? else { return None };
        let &[count] = self.graph.tuple(shape)? else { return None };
        let order_of_nodes = [zero_item, zero, args, object, version, count, shape, payload, state];
        let in_order = order_of_nodes.iter().zip(base..).all(|(id, at)| id.0 == at);
        let is_plain = self.graph.node(zero_item) == Node::Int(0)
            && self.graph.node(version) == Node::Int(1)
            && order == NodeId::FALSE;
        let older = [callable, class, mode, dtype].iter().all(|id| id.0 < base);
        let Node::Bytes { len: bytes, offset } = self.graph.node(payload) else { return None };
        if !(in_order && is_plain && older) {
            return None;
        }
        let count = self.small_count(count)?;
        let template = self.template(Template::Built { callable, class, mode, dtype, bytes })?;
        let packed = NodeId(base);
        self.fold(packed, Node::Packed { template, count, offset }, |id| match id.0 - base {
            3 => Some((packed, None)),
            1 | 2 => Some((Memo::GONE, None)),
            6 => Some((packed, Some(Part::Shape))),
            7 => Some((packed, Some(Part::Payload))),
            8 => Some((packed, Some(Part::Tuple))),
            _ => None,
        })
    }

    fn is_last(&self, id: NodeId) -> bool {
        id.0 as usize + 1 == self.graph.nodes.len()
    }

    fn small_count(&self, count: NodeId) -> Option<u32> {
        match self.graph.node(count) {
            Node::Int(count) => u32::try_from(count).ok(),
            _ => None,
        }
    }

    /// The index of an equal template, looked for among the last few: a frame has a handful of vector columns.
    fn template(&mut self, template: Template) -> Option<u16> {
        const LOOKED_AT: usize = 16;
        let templates = &mut self.graph.templates;
        let start = templates.len().saturating_sub(LOOKED_AT);
        if let Some(index) = templates[start..].iter().rposition(|known| *known == template) {
            return u16::try_from(start + index).ok();
        }
        let index = u16::try_from(templates.len()).ok()?;
        templates.push(template);
        Some(index)
    }

    /// Puts `packed` in the place of the nodes from `at` on.
    fn fold(
        &mut self,
        at: NodeId,
        packed: Node,
        rename: impl Fn(NodeId) -> Option<(NodeId, Option<Part>)>,
    ) -> Option<NodeId> {
        // The stack or a list may hold what was put on the stack again, and neither is renamed.
        if self.named_again >= at || !self.memo.rename_last(at, rename) {
            return None;
        }
        let last = at.0 as usize..self.graph.nodes.len();
        let tuples = last.filter_map(|position| match self.graph.nodes.get(position) {
            Some(Node::Tuple { start, len }) if *len > 0 => Some(*start as usize),
            _ => None,
        });
        let children = tuples.min().unwrap_or(self.graph.children.len());
        self.graph.children.truncate(children);
        self.graph.nodes.truncate(at.0 as usize + 1);
        self.set(at, packed);
        Some(at)
    }

    /// Brings back a piece of a packed array that somebody fetches from the memo.
    pub(super) fn unpack(&mut self, id: NodeId, part: Part) -> Result<NodeId, ErrorKind> {
        let Node::Packed { template, count, offset } = self.graph.node(id) else {
            return Err(ErrorKind::WrongType { wanted: "an array", found: self.graph.node(id).kind() });
        };
        let template = self.graph.packed(template);
        match part {
            Part::Payload => self.store(payload(template, offset)),
            Part::Shape => self.unpack_shape(count),
            Part::Tuple => {
                let (payload, shape) = (self.store(payload(template, offset))?, self.unpack_shape(count)?);
                match template {
                    Template::Call { dtype, order, .. } => self.unpack_tuple(&[payload, dtype, shape, order]),
                    Template::Built { dtype, .. } => {
                        let version = self.store(Node::Int(1))?;
                        self.unpack_tuple(&[version, shape, dtype, NodeId::FALSE, payload])
                    }
                }
            }
        }
    }

    fn unpack_shape(&mut self, count: u32) -> Result<NodeId, ErrorKind> {
        let count = self.store(Node::Int(i64::from(count)))?;
        self.unpack_tuple(&[count])
    }

    fn unpack_tuple(&mut self, items: &[NodeId]) -> Result<NodeId, ErrorKind> {
        let start = self.graph.children.extend(items)?.start as u32;
        self.store(Node::Tuple { start, len: items.len() as u32 })
    }
}

fn payload(template: Template, offset: u64) -> Node {
    match template {
        Template::Call { bytes: len, mutable: true, .. } => Node::ByteArray { len, offset },
        Template::Call { bytes: len, .. } | Template::Built { bytes: len, .. } => Node::Bytes { len, offset },
    }
}
