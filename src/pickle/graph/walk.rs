//! What a node is made of, for walks over the graph.

use super::{Graph, Node, NodeId, Template};

impl NodeId {
    /// Its place among the nodes of its graph; beyond them for what stands for nothing.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Graph<'_> {
    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Adds the nodes that `id` names to `out`, in their order; among them may be some that stand for nothing.
    pub fn references(&self, id: NodeId, out: &mut Vec<NodeId>) {
        match self.node(id) {
            Node::List { head, .. } | Node::Dict { head, .. } | Node::Set { head, .. } => {
                out.extend(self.segments(head).flat_map(|segment| self.entries(segment)));
            }
            Node::Tuple { start, len } | Node::FrozenSet { start, len } => {
                out.extend_from_slice(self.together(start, len));
            }
            Node::Reduce { callable, args, state } | Node::Object { class: callable, args, state } => {
                out.extend([callable, args, state]);
            }
            Node::Packed { template, .. } => match self.packed(template) {
                Template::Call { callable, dtype, order, .. } => out.extend([callable, dtype, order]),
                Template::Built { callable, class, mode, dtype, .. } => {
                    out.extend([callable, class, mode, dtype]);
                }
            },
            _ => {}
        }
    }
}
