//! Where the values of a sparse array stand: `IntIndex(length, positions)` or `BlockIndex(length, starts, lengths)`.

use std::sync::Arc;

use super::error::ErrorKind;
use crate::{
    limits::{Bound, Exceeded, Limits},
    numpy::{Array, items::Number},
    pickle::{Global, Graph, Node, NodeId},
};

/// The positions, rising and in range, and the length of the array.
pub(super) fn positions(
    graph: &Graph<'_>,
    id: NodeId,
    limits: &Limits,
) -> Result<(Arc<[u32]>, usize), ErrorKind> {
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
    let array = Array::parse(graph, id, limits)?;
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
