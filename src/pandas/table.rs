//! The tables of a pickle: the frame itself, or the frames in a dict, each with its path.

use super::frame::is_frame;
use crate::pickle::{Graph, NodeId};

/// A table and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Keys from the root, joined with dots; empty for the root itself.
    pub path: String,
    /// The frame, or why there is none.
    pub node: Result<NodeId, String>,
}

/// Every member of a pickle that is a table, and those that are none with the reason.
pub fn tables(graph: &Graph<'_>) -> Vec<Member> {
    let root = graph.root();
    let Some(entries) = graph.dict(root) else { return vec![member(graph, String::new(), root)] };
    let name = |key| graph.text(key).map_or_else(|| graph.node(key).kind().to_owned(), str::to_owned);
    entries.map(|(key, value)| member(graph, name(key), value)).collect()
}

fn member(graph: &Graph<'_>, path: String, id: NodeId) -> Member {
    let node = if is_frame(graph, id) {
        Ok(id)
    } else {
        Err(format!("it is {}, and only frames become tables", graph.node(id).kind()))
    };
    Member { path, node }
}
