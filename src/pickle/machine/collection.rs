//! Objects that are collections: an `OrderedDict`, a `deque`, a `set` of the protocols before 4.
//!
//! Their items stand in a dict or list of their own, where the state of other objects stands.

use super::{ErrorKind, Global, Machine, Node, NodeId, Segment};
use crate::pickle::Item;

/// Where the items go that an instruction gives to an object.
pub(super) enum Target {
    /// To this dict or list.
    Node(NodeId),
    /// To an object that means nothing, so nowhere.
    Nowhere,
    /// The object is no collection.
    None,
}

const EMPTY_LIST: Node = Node::List { head: Segment::END, tail: Segment::END, len: 0 };
const EMPTY_DICT: Node = Node::Dict { head: Segment::END, tail: Segment::END, len: 0 };

impl Machine<'_> {
    pub(super) fn dict_behind(&mut self, id: NodeId) -> Result<Target, ErrorKind> {
        self.items_behind(id, Global::is_dict_like, EMPTY_DICT)
    }

    pub(super) fn list_behind(&mut self, id: NodeId) -> Result<Target, ErrorKind> {
        self.items_behind(id, Global::is_list_like, EMPTY_LIST)
    }

    fn items_behind(
        &mut self,
        id: NodeId,
        fits: impl Fn(Global) -> bool,
        empty: Node,
    ) -> Result<Target, ErrorKind> {
        let (Node::Reduce { callable, .. } | Node::Object { class: callable, .. }) = self.graph.node(id)
        else {
            return Ok(Target::None);
        };
        match (self.graph.node(callable), self.graph.node(id)) {
            (Node::Foreign(_), _) => Ok(Target::Nowhere),
            (Node::Global(global), Node::Reduce { args, state, .. }) if fits(global) => {
                let items = match state {
                    NodeId::ABSENT => self.store(empty)?,
                    // A deque is made of an empty tuple, and then given its items.
                    items if matches!(self.graph.node(items), Node::Tuple { len: 0, .. }) => {
                        self.store(empty)?
                    }
                    items => items,
                };
                self.set(id, Node::Reduce { callable, args, state: items });
                // A collection inside itself would be followed for ever.
                Ok(if matches!(self.graph.node(items), Node::Reduce { .. }) {
                    Target::None
                } else {
                    Target::Node(items)
                })
            }
            _ => Ok(Target::None),
        }
    }

    /// The items that a call of a collection's class gives to it; [`NodeId::ABSENT`] if it gives none.
    pub(super) fn items_of_call(&mut self, global: Global, args: NodeId) -> Result<NodeId, ErrorKind> {
        let args = self.graph.tuple(args).unwrap_or_default();
        let is_collection = |id: &&NodeId| {
            use Node as N;
            let node = self.graph.node(**id);
            matches!(
                node,
                N::List { .. } | N::FloatList { .. } | N::Tuple { .. } | N::Set { .. } | N::Dict { .. }
            )
        };
        let Some(items) = args.iter().find(is_collection).copied() else { return Ok(NodeId::ABSENT) };
        match self.graph.node(items) {
            Node::Dict { .. } if global.is_dict_like() => Ok(items),
            Node::List { .. } | Node::Tuple { .. } if global.is_dict_like() => self.dict_of_pairs(items),
            Node::Dict { .. } => Ok(NodeId::ABSENT),
            _ if global.is_list_like() => Ok(items),
            _ => Ok(NodeId::ABSENT),
        }
    }

    /// Python 2 gives an `OrderedDict` a list of lists of two.
    fn dict_of_pairs(&mut self, pairs: NodeId) -> Result<NodeId, ErrorKind> {
        let pairs: Vec<Item> =
            self.graph.sequence(pairs).map_or_else(Vec::new, |view| view.items_from(0).collect());
        self.budget.spend((pairs.len() * 2 * size_of::<NodeId>()) as u64)?;
        let mut flat = Vec::new();
        for pair in pairs {
            let Item::Node(pair) = pair else { return Err(ErrorKind::OddItems) };
            let pair: Vec<Item> =
                self.graph.sequence(pair).map_or_else(Vec::new, |view| view.items_from(0).take(3).collect());
            let &[key, value] = pair.as_slice() else { return Err(ErrorKind::OddItems) };
            flat.push(self.node_of(key)?);
            flat.push(self.node_of(value)?);
        }
        let dict = self.store(EMPTY_DICT)?;
        let items = self.graph.children.extend(&flat)?;
        self.extend_dict(dict, items)?;
        Ok(dict)
    }

    fn node_of(&mut self, item: Item) -> Result<NodeId, ErrorKind> {
        match item {
            Item::Node(id) => Ok(id),
            Item::Float(value) => self.store(Node::Float(value)),
        }
    }
}
