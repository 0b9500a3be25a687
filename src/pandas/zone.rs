//! Time zones, by name or by distance from UTC, whichever library wrote them.

use crate::pickle::{Global, Graph, Node, NodeId};

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// UTC.
    Utc,
    /// A name of the IANA data base.
    Named(String),
    /// Seconds east of UTC.
    Fixed(i32),
}

impl Zone {
    /// The zone that an object stands for; `None` if it is none that can be named.
    pub fn parse(graph: &Graph<'_>, id: NodeId) -> Option<Self> {
        match graph.node(id) {
            Node::Reduce { callable, .. } if graph.node(callable) == Node::Global(Global::PytzUtc) => {
                Some(Self::Utc)
            }
            _ => None,
        }
    }
}
