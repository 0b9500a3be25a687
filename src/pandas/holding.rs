//! Which containers of plain Python hold something of pandas, however deep: those are no tables but places where tables are.
//!
//! Every container is gone into once in the whole life of a [`Holding`], whoever asks: a file whose lists stand in each
//! other costs what it is long. A container that stands inside itself counts as one that holds something: what has no end
//! is no cell.

use super::{frame::is_frame, index::is_index, panel::is_panel, series::is_series};
use crate::pickle::{Graph, Item, Node, NodeId};

/// What is known of the containers of a graph.
pub(super) struct Holding<'g> {
    graph: &'g Graph<'g>,
    /// Whether there is anything to find.
    any: bool,
    /// Of each node, once one was gone into.
    known: Vec<Known>,
}

/// What is known of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    /// It is being gone into.
    Open,
    Holds,
    HoldsNone,
}

/// A node to look at, or one to leave when all inside it were looked at.
enum Step {
    Enter(NodeId),
    Leave(NodeId),
}

impl<'g> Holding<'g> {
    pub(super) fn new(graph: &'g Graph<'g>) -> Self {
        let any = graph.met().iter().any(|met| met.row.module().starts_with("pandas"));
        Self { graph, any, known: Vec::new() }
    }

    /// Whether a list, tuple or dict holds a frame, a series, an index or a panel; what is none of these holds nothing.
    pub(super) fn of(&mut self, id: NodeId) -> bool {
        if !self.any || !is_container(self.graph, id) {
            return false;
        }
        if self.known.is_empty() {
            self.known = vec![Known::Nothing; self.graph.node_count()];
        }
        if self.known[id.index()] == Known::Nothing {
            self.go_into(id);
        }
        self.known[id.index()] == Known::Holds
    }

    fn go_into(&mut self, root: NodeId) {
        let mut steps = vec![Step::Enter(root)];
        // Whether each container that is open holds something, as far as it was looked at.
        let mut path: Vec<bool> = Vec::new();
        while let Some(step) = steps.pop() {
            let holds = match step {
                Step::Enter(id) => {
                    let Some(holds) = self.seen(id) else {
                        self.known[id.index()] = Known::Open;
                        path.push(false);
                        steps.push(Step::Leave(id));
                        self.push_children(id, &mut steps);
                        continue;
                    };
                    holds
                }
                Step::Leave(id) => {
                    let holds = path.pop().unwrap_or(false);
                    self.known[id.index()] = if holds { Known::Holds } else { Known::HoldsNone };
                    holds
                }
            };
            if let Some(outer) = path.last_mut() {
                *outer |= holds;
            }
        }
    }

    /// Whether a node holds something, or is something; `None` if it must be gone into.
    fn seen(&self, id: NodeId) -> Option<bool> {
        match self.known[id.index()] {
            Known::Holds | Known::Open => Some(true),
            Known::HoldsNone => Some(false),
            Known::Nothing if is_container(self.graph, id) => None,
            Known::Nothing => Some(is_of_pandas(self.graph, id)),
        }
    }

    fn push_children(&self, id: NodeId, steps: &mut Vec<Step>) {
        let graph = self.graph;
        let mut push = |child: NodeId| {
            if is_container(graph, child)
                || matches!(graph.node(child), Node::Reduce { .. } | Node::Object { .. })
            {
                steps.push(Step::Enter(child));
            }
        };
        if let Some(entries) = graph.dict(id) {
            return entries.for_each(|(_, value)| push(value));
        }
        let items = graph.sequence(id);
        for item in items.iter().flat_map(|items| items.items_from(0)) {
            if let Item::Node(child) = item {
                push(child);
            }
        }
    }
}

fn is_container(graph: &Graph<'_>, id: NodeId) -> bool {
    matches!(graph.node(id), Node::List { .. } | Node::Tuple { .. }) || graph.dict(id).is_some()
}

fn is_of_pandas(graph: &Graph<'_>, id: NodeId) -> bool {
    is_frame(graph, id) || is_series(graph, id) || is_index(graph, id) || is_panel(graph, id)
}
