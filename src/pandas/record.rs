//! Arrays whose items are rows: records of named fields, and objects of two dimensions.

use std::{borrow::Cow, sync::Arc};

use super::{error::ErrorKind, extension, extension::Reading, frame::Frame, values::Values};
use crate::{
    limits::{Budget, CELL_BYTES, Limits},
    numpy::{Array, Data, dtype},
    pickle::{Graph, Item, Node, NodeId},
};

/// A column for each field of an array of records.
pub(super) fn frame<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    array: &Array<'g>,
    limits: &Limits,
) -> Result<Frame<'g>, ErrorKind> {
    let dtype = dtype_of(graph, id).ok_or(ErrorKind::UnknownForm)?;
    let (Data::Bytes(bytes), [rows]) = (&array.data, array.shape.as_slice()) else {
        return Err(ErrorKind::UnknownForm);
    };
    let size = array.dtype.itemsize.max(1);
    let mut columns = Vec::new();
    // Fields may overlap, so that together they can be more than the records.
    let mut budget = Budget::new(&CELL_BYTES, limits.cell_bytes_max(graph.input().len()));
    for field in dtype::fields(graph, dtype, limits.columns_max)? {
        budget.spend((field.dtype.itemsize as u64).saturating_mul(*rows as u64))?;
        let cells =
            bytes.chunks_exact(size).flat_map(|record| &record[field.offset..][..field.dtype.itemsize]);
        let data = Data::Bytes(Cow::Owned(cells.copied().collect()));
        let column = Array { dtype: field.dtype, shape: vec![*rows], fortran: false, data };
        let (values, _) = extension::of_array(column, Reading::new(limits))?.single()?;
        columns.push((field.name, values));
    }
    Ok(Frame::plain(graph, columns, *rows))
}

/// The dtype of an array: an argument of protocol 5, a part of the state before.
fn dtype_of(graph: &Graph<'_>, id: NodeId) -> Option<NodeId> {
    let Node::Reduce { args, .. } = graph.node(id) else { return None };
    match graph.state(id).and_then(|state| graph.tuple(state)) {
        Some([.., dtype, _, _]) => Some(*dtype),
        _ => graph.tuple(args)?.get(1).copied(),
    }
}

/// Objects of shape (rows, items), row after row.
pub(super) fn object_rows<'g>(
    graph: &'g Graph<'g>,
    array: Array<'g>,
    rows: usize,
    items: usize,
    limits: &Limits,
) -> Result<Frame<'g>, ErrorKind> {
    let Data::Objects(cells) = array.data else { return Err(ErrorKind::UnknownForm) };
    if items > limits.columns_max {
        return Err(ErrorKind::TooManyColumns(items));
    }
    let mut budget = Budget::new(&CELL_BYTES, limits.cell_bytes_max(graph.input().len()));
    budget.spend((rows * items * size_of::<Item>()) as u64)?;
    let mut columns = vec![Vec::with_capacity(rows); items];
    for (place, cell) in cells.items_from(0).enumerate() {
        columns[place % items].push(cell);
    }
    let columns = columns.into_iter().enumerate();
    let columns =
        columns.map(|(place, cells)| (place.to_string(), Values::Cells(Arc::from(cells)))).collect();
    Ok(Frame::plain(graph, columns, rows))
}
