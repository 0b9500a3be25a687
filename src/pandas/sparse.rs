//! Sparse arrays: a few values, the positions they stand at, and the value of all other rows.
//!
//! | written by | form |
//! |---|---|
//! | from 0.24 on | `SparseArray` with state `{_sparse_index, _sparse_values, _dtype}` |
//! | 0.13 to 0.23 | an array of the class `SparseArray` with state `(state of the array, (fill, index))` |
//! | up to 0.12 | a series that is such an array, with `(row labels, fill, index, name)` |
//! | up to 0.12 | a frame with state `({column: (index, values)}, columns, row labels, fill, kind)` |
//!
//! An index of positions is `IntIndex(length, positions)` or `BlockIndex(length, starts, lengths)`.

use std::{collections::HashMap, sync::Arc};

use super::{
    error::{At as _, ErrorKind, Result},
    extension::{self, Block, Reading, named},
    frame::{Axes, Frame},
    label::Label,
    values::{Values, class_of},
};
use crate::{
    limits::{Bound, Exceeded, Limits},
    numpy::{Array, items::Number},
    pickle::{Global, Graph, Node, NodeId},
};

/// A sparse array of today.
pub(super) fn array<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state")).at("values")?;
    let part = |key| named(graph, state, &[key]).at("values");
    let (index, values) = (part("_sparse_index")?, part("_sparse_values")?);
    let dtype = graph.state(part("_dtype")?).ok_or(ErrorKind::Missing("_fill_value")).at("values")?;
    let fill = named(graph, dtype, &["_fill_value"]).at("values")?;
    let values = extension::parse(graph, values, reading.deeper().at("values")?)
        .map_err(|error| error.inside("values.sparse"))?;
    spread(graph, values, index, fill, reading).at("values")
}

/// Whether `_reconstruct` makes a sparse array: before 0.24 they were NumPy arrays with more to them.
pub(super) fn is_array_of_old(graph: &Graph<'_>, id: NodeId) -> bool {
    let Node::Reduce { args, .. } = graph.node(id) else { return false };
    let class = graph.tuple(args).and_then(<[NodeId]>::first).map(|class| graph.node(*class));
    class == Some(Node::Global(Global::SparseArray))
}

pub(super) fn array_of_old<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>> {
    let state = graph.state(id).and_then(|state| graph.tuple(state));
    let Some(&[array, own]) = state else { return Err(ErrorKind::UnknownForm).at("values") };
    let &[fill, index] = graph.tuple(own).unwrap_or_default() else {
        return Err(ErrorKind::UnknownForm).at("values");
    };
    of_state(graph, array, index, fill, reading).at("values")
}

/// The sparse array that the state of an array and an index of positions make.
pub(super) fn of_state<'g>(
    graph: &'g Graph<'g>,
    array: NodeId,
    index: NodeId,
    fill: NodeId,
    reading: Reading<'_>,
) -> Result<Block<'g>, ErrorKind> {
    let values = extension::of_array(Array::of_state(graph, array, reading.limits)?, reading)?;
    spread(graph, values, index, fill, reading)
}

/// Values at the positions of an index.
fn spread<'g>(
    graph: &'g Graph<'g>,
    values: Block<'g>,
    index: NodeId,
    fill: NodeId,
    reading: Reading<'_>,
) -> Result<Block<'g>, ErrorKind> {
    let (positions, rows) = positions(graph, index, reading.limits)?;
    let (values, found) = values.single()?;
    if found != positions.len() {
        return Err(ErrorKind::WrongRows { what: "sparse values", wanted: positions.len(), found });
    }
    Ok(Block::one(Values::Sparse { positions, values: Box::new(values), fill, rows }, rows))
}

/// The sparse frame of pandas up to 0.12 that node `id` describes; `None` if it is none of those.
pub(super) fn frame<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Option<Frame<'g>>> {
    let state = graph.state(id).and_then(|state| graph.tuple(state));
    let (Some(Global::SparseDataFrame), Some(&[series, columns, index, fill, _])) =
        (class_of(graph, id), state)
    else {
        return Ok(None);
    };
    let axes = Axes::parse(graph, columns, index, reading)?;
    let series = graph.dict(series).ok_or(ErrorKind::UnknownForm).at("series")?;
    // Labels that are equal are written alike, whatever object they are.
    let series: HashMap<String, NodeId> =
        series.map(|(key, value)| (Label::of_node(graph, key).to_string(), value)).collect();
    let column = |label: &Label| {
        let name = label.to_string();
        let path = format!("series[{name:?}]");
        let one = series.get(&name).ok_or(ErrorKind::Missing("series")).at(&path)?;
        let &[index, values] = graph.tuple(*one).unwrap_or_default() else {
            return Err(ErrorKind::UnknownForm).at(&path);
        };
        let values = extension::parse(graph, values, reading).map_err(|error| error.inside(&path))?;
        let (values, found) =
            spread(graph, values, index, fill, reading).and_then(Block::single).at(&path)?;
        if found != axes.rows {
            return Err(ErrorKind::WrongRows { what: "a sparse column", wanted: axes.rows, found }).at(&path);
        }
        Ok((values, None))
    };
    let values = axes.labels.iter().map(column).collect::<Result<_>>()?;
    axes.frame(graph, values).map(Some)
}

/// The positions, rising and in range, and the length of the array.
fn positions(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Result<(Arc<[u32]>, usize), ErrorKind> {
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return Err(ErrorKind::UnknownForm) };
    let args = graph.tuple(args).unwrap_or_default();
    let length = match args.first().map(|length| graph.node(*length)) {
        Some(Node::Int(length)) => u32::try_from(length).map_err(|_| ErrorKind::UnknownForm)?,
        _ => return Err(ErrorKind::UnknownForm),
    };
    // Rows that no byte of the file stands for are only a number, and it may be any.
    let rows_max = limits.rows_max(graph.input().len());
    if u64::from(length) > rows_max {
        return Err(Exceeded {
            of: &Bound { what: "rows of a sparse array", flag: Some("cell-bytes") },
            limit: rows_max,
            wanted: length.into(),
        }
        .into());
    }
    let found = match (graph.node(callable), args) {
        (Node::Global(Global::SparseIntIndex), &[_, positions]) => integers(graph, positions, limits)?,
        (Node::Global(Global::SparseBlockIndex), &[_, starts, lengths]) => {
            runs(&integers(graph, starts, limits)?, &integers(graph, lengths, limits)?, length)?
        }
        _ => return Err(ErrorKind::UnknownForm),
    };
    let rising = found.windows(2).all(|two| two[0] < two[1]);
    if !rising || found.last().is_some_and(|last| *last >= length) {
        return Err(ErrorKind::UnsortedPositions);
    }
    Ok((found.into(), length as usize))
}

fn integers(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Result<Vec<u32>, ErrorKind> {
    let array = Array::shared(graph, id, limits)?;
    let [rows] = *array.shape.as_slice() else { return Err(ErrorKind::UnknownForm) };
    let integer = |row| match array.number(0, row) {
        Some(Number::Int(value)) => u32::try_from(value).map_err(|_| ErrorKind::UnsortedPositions),
        _ => Err(ErrorKind::UnknownForm),
    };
    (0..rows).map(integer).collect()
}

/// Every position of runs, of which together there are not more than `length`.
fn runs(starts: &[u32], lengths: &[u32], length: u32) -> Result<Vec<u32>, ErrorKind> {
    let total: u64 = lengths.iter().copied().map(u64::from).sum();
    if starts.len() != lengths.len() || total > u64::from(length) {
        return Err(ErrorKind::UnsortedPositions);
    }
    let run = |(start, length): (&u32, &u32)| *start..start.saturating_add(*length);
    Ok(starts.iter().zip(lengths).flat_map(run).collect())
}
