//! A frame: its columns put together from the blocks of its manager.
//!
//! `BlockManager((block, ..), [columns, index])`, each block `_unpickle_block(values, placement, ndim)`. Blocks stand in
//! any order; `placement` is a slice, whose stop may lie beyond the last column, or an array of positions.

use super::{
    error::{At as _, Error, ErrorKind, Result},
    index::Index,
    values::{Values, class_of},
};
use crate::{
    limits::Limits,
    numpy::{Array, items::Number},
    pickle::{Global, Graph, Node, NodeId},
};

/// One column of a frame.
#[derive(Debug, Clone)]
pub struct Column<'g> {
    /// Its label, as text.
    pub name: String,
    /// Its values.
    pub values: Values<'g>,
}

/// A frame that still borrows from the pickle.
#[derive(Debug, Clone)]
pub struct Frame<'g> {
    /// The graph it stands in.
    pub graph: &'g Graph<'g>,
    /// The columns, in their order.
    pub columns: Vec<Column<'g>>,
    /// The labels of the rows.
    pub index: Index<'g>,
    /// The number of rows.
    pub rows: usize,
}

/// Whether a node is a frame.
pub(super) fn is_frame(graph: &Graph<'_>, id: NodeId) -> bool {
    class_of(graph, id) == Some(Global::DataFrame)
}

impl<'g> Frame<'g> {
    /// The frame that node `id` describes.
    pub fn parse(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        let state = graph.state(id).ok_or(ErrorKind::Missing("state")).at("frame")?;
        let manager = graph.dict_value(state, "_mgr").or_else(|| graph.dict_value(state, "_data"));
        let manager = manager.ok_or(ErrorKind::Missing("_mgr")).at("frame")?;
        let (blocks, columns, index) = manager_parts(graph, manager).at("frame._mgr")?;
        let inside = |error: Error| error.inside("frame");
        let names = Index::parse(graph, columns, limits).map_err(inside)?;
        if names.len > limits.columns_max {
            return Err(ErrorKind::TooManyColumns(names.len)).at("frame.columns");
        }
        let names = names.labels(graph).at("frame.columns")?;
        let index = Index::parse(graph, index, limits).map_err(inside)?;
        let rows = index.len;
        let values = covered(graph, blocks, names.len(), rows, limits).map_err(inside)?;
        // Rows that no byte of the file stands for are only a number, and it may be any.
        if values.is_empty() && rows > graph.input().len() {
            return Err(ErrorKind::WrongRows { what: "a frame without columns", wanted: 0, found: rows })
                .at("frame");
        }
        let columns = names.into_iter().zip(values).map(|(name, values)| Column { name, values });
        Ok(Self { graph, columns: columns.collect(), index, rows })
    }
}

impl<'g> Frame<'g> {
    /// A frame of columns that plain Python holds, all of `rows` values.
    pub(super) fn plain(graph: &'g Graph<'g>, columns: Vec<(String, Values<'g>)>, rows: usize) -> Self {
        let columns = columns.into_iter().map(|(name, values)| Column { name, values }).collect();
        let index = Index { name: None, values: Values::Range { start: 0, step: 1 }, len: rows };
        Self { graph, columns, index, rows }
    }
}

/// Blocks, columns and index of a manager.
fn manager_parts<'g>(graph: &'g Graph<'g>, id: NodeId) -> Result<(&'g [NodeId], NodeId, NodeId), ErrorKind> {
    if class_of(graph, id) != Some(Global::BlockManager) {
        return Err(ErrorKind::WrongType {
            wanted: "a BlockManager",
            found: graph.node(id).kind().to_owned(),
        });
    }
    let Node::Reduce { args, .. } = graph.node(id) else { return Err(ErrorKind::UnknownForm) };
    let &[blocks, axes] = graph.tuple(args).unwrap_or_default() else { return Err(ErrorKind::UnknownForm) };
    let blocks = graph.tuple(blocks).ok_or(ErrorKind::UnknownForm)?;
    let axes: Vec<_> = graph.list(axes).ok_or(ErrorKind::UnknownForm)?.items_from(0).collect();
    match axes.as_slice() {
        &[crate::pickle::Item::Node(columns), crate::pickle::Item::Node(index)] => {
            Ok((blocks, columns, index))
        }
        _ => Err(ErrorKind::UnknownForm),
    }
}

/// The values of every column: each is covered by exactly one block, and each block has the frame's rows.
fn covered<'g>(
    graph: &'g Graph<'g>,
    blocks: &[NodeId],
    columns: usize,
    rows: usize,
    limits: &Limits,
) -> Result<Vec<Values<'g>>> {
    let mut found: Vec<Option<Values<'g>>> = vec![None; columns];
    for (number, block) in blocks.iter().enumerate() {
        let path = format!("blocks[{number}]");
        let (placement, values, block_rows) =
            parse_block(graph, *block, columns, limits).map_err(|error| error.inside(&path))?;
        if block_rows != rows {
            return Err(ErrorKind::WrongRows { what: "a block", wanted: rows, found: block_rows }).at(&path);
        }
        if placement.len() != values.len() {
            return Err(ErrorKind::UnknownForm).at(&format!("{path}.placement"));
        }
        for (position, values) in placement.into_iter().zip(values) {
            match found.get_mut(position) {
                Some(column @ None) => *column = Some(values),
                _ => return Err(ErrorKind::NotCoveredOnce(position)).at(&path),
            }
        }
    }
    let values = found.into_iter().enumerate();
    values.map(|(position, values)| values.ok_or(ErrorKind::NotCoveredOnce(position)).at("blocks")).collect()
}

fn parse_block<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    columns: usize,
    limits: &Limits,
) -> Result<(Vec<usize>, Vec<Values<'g>>, usize)> {
    let args = match graph.node(id) {
        Node::Reduce { args, .. } if class_of(graph, id) == Some(Global::UnpickleBlock) => graph.tuple(args),
        _ => None,
    };
    let Some(&[values, placement, _dimensions]) = args else {
        return Err(ErrorKind::UnknownForm).at("block");
    };
    let (values, rows) = Values::parse(graph, values, limits)?;
    let placement = parse_placement(graph, placement, columns, limits).at("placement")?;
    Ok((placement, values, rows))
}

fn parse_placement(
    graph: &Graph<'_>,
    id: NodeId,
    columns: usize,
    limits: &Limits,
) -> Result<Vec<usize>, ErrorKind> {
    if class_of(graph, id) == Some(Global::Slice)
        && let Node::Reduce { args, .. } = graph.node(id)
    {
        return slice_positions(graph, args, columns);
    }
    let array = Array::parse(graph, id, limits)?;
    let position = |row| match array.number(0, row) {
        Some(Number::Int(position)) => usize::try_from(position).map_err(|_| ErrorKind::UnknownForm),
        _ => Err(ErrorKind::UnknownForm),
    };
    (0..array.len()).map(position).collect()
}

/// Positions of `slice(start, stop, step)`; a stop beyond the last column is legal, as in Python.
fn slice_positions(graph: &Graph<'_>, args: NodeId, columns: usize) -> Result<Vec<usize>, ErrorKind> {
    let &[start, stop, step] = graph.tuple(args).unwrap_or_default() else {
        return Err(ErrorKind::UnknownForm);
    };
    let number = |id| match graph.node(id) {
        Node::Int(value) => usize::try_from(value).map_err(|_| ErrorKind::UnknownForm),
        Node::None => Ok(1),
        _ => Err(ErrorKind::UnknownForm),
    };
    let (start, stop, step) = (number(start)?, number(stop)?.min(columns), number(step)?);
    if step == 0 {
        return Err(ErrorKind::UnknownForm);
    }
    Ok((start..stop).step_by(step).collect())
}
