//! Series: one column and an index, of all versions.
//!
//! An object with state `{_mgr or _data, _name or name}`; before 0.13 a NumPy array with state
//! `(state of the array, (index, name))`, a sparse one `(state of the array, (index, fill, positions, name))`.

use super::{
    blocks::{Blocks, is_manager},
    error::{At as _, ErrorKind, Result},
    extension::{self, Reading, named},
    frame::{Column, Frame},
    index::{Index, name_columns},
    label::{self, Label},
    sparse,
    values::class_of,
};
use crate::{
    limits::Limits,
    numpy::Array,
    pickle::{Global, Graph, Node, NodeId},
};

/// Whether a node is a series.
pub(super) fn is_series(graph: &Graph<'_>, id: NodeId) -> bool {
    if matches!(class_of(graph, id), Some(Global::Series | Global::SparseSeries)) {
        return true;
    }
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return false };
    let class = graph.tuple(args).and_then(<[NodeId]>::first).map(|class| graph.node(*class));
    graph.node(callable) == Node::Global(Global::Reconstruct)
        && matches!(class, Some(Node::Global(Global::Series | Global::SparseSeries)))
}

impl<'g> Frame<'g> {
    /// The series that node `id` describes, as a frame of one column: its name, or `0`.
    pub fn of_series(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        let reading = Reading::new(limits);
        let (name, block, index) = parts(graph, id, reading).map_err(|error| error.inside("series"))?;
        let (name, mut index) = (name.map_or(Label::None, |name| Label::of_node(graph, name)), index);
        let rows = index.first().map_or(0, |level| level.len);
        let dtype = block.dtype.clone();
        let (values, found) = block.single().at("series")?;
        if found != rows {
            return Err(ErrorKind::WrongRows { what: "the series", wanted: rows, found }).at("series");
        }
        let label = if name == Label::None { Label::Int(0) } else { name };
        let names = label::names(std::slice::from_ref(&label));
        name_columns(&mut index, &names);
        let column = Column { name: label.to_string(), label, values, dtype };
        let attrs = graph.state(id).and_then(|state| graph.dict_value(state, "attrs"));
        Ok(Self { graph, columns: vec![column], column_levels: vec![Label::None], index, rows, attrs })
    }
}

/// Name, values and index.
type Parts<'g> = (Option<NodeId>, extension::Block<'g>, Vec<Index<'g>>);

fn parts<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Parts<'g>> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state")).at("state")?;
    if let Some(&[array, own]) = graph.tuple(state) {
        let (name, block, index) = match *graph.tuple(own).unwrap_or_default() {
            [index, name] => {
                let array = Array::of_state(graph, array, reading.limits).at("values")?;
                (Some(name), extension::of_array(array, reading).at("values")?, index)
            }
            [index, fill, positions, ref name @ ..] if name.len() <= 1 => {
                let block = sparse::of_state(graph, array, positions, fill, reading).at("values")?;
                (name.first().copied(), block, index)
            }
            _ => return Err(ErrorKind::UnknownForm).at("state"),
        };
        return Ok((name, block, Index::levels(graph, index, reading)?));
    }
    let (manager, name) = if is_manager(graph, state) {
        (state, None)
    } else {
        let name = named(graph, state, &["_name", "name"]).ok();
        (named(graph, state, &["_mgr", "_data"]).at("state")?, name)
    };
    let manager = Blocks::parse(graph, manager).at("_mgr")?;
    let &[index] = manager.axes.as_slice() else { return Err(ErrorKind::UnknownForm).at("_mgr.axes") };
    let block = manager.only_block(graph, reading).map_err(|error| error.inside("_mgr"))?;
    Ok((name, block, Index::levels(graph, index, reading)?))
}
