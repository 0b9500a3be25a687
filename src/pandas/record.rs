//! Arrays whose items are rows: records of named fields, and objects of two dimensions.

use std::sync::Arc;

use super::{error::ErrorKind, extension, extension::Reading, frame::Frame, values::Values};
use crate::{
    limits::{Budget, CELL_BYTES, Limits},
    numpy::{Array, Data, Record, record::Column},
    pickle::{Graph, Item, NodeId},
};

/// A column for each field of an array of records; `None` if it is none of records.
pub(super) fn frame<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    limits: &Limits,
) -> Result<Option<Frame<'g>>, ErrorKind> {
    // Fields may overlap, so that together they can be more than the records.
    let mut budget = Budget::new(&CELL_BYTES, limits.cell_bytes_max(graph.input().len()));
    let Some(record) = Record::parse(graph, id, limits, &mut budget)? else { return Ok(None) };
    let rows = record.rows;
    let values = |column| match column {
        Column::Cells(cells) => Ok(Values::Cells(cells.into())),
        // A field with a dimension of its own is a vector.
        Column::Array(array) if array.shape.len() == 2 => Ok(Values::Vectors(Arc::new(array))),
        Column::Array(array) => {
            extension::of_array(array, Reading::new(limits))?.single().map(|(values, _)| values)
        }
    };
    let columns = record.columns.into_iter().map(|field| Ok((field.name, values(field.values)?)));
    Ok(Some(Frame::plain(graph, columns.collect::<Result<_, ErrorKind>>()?, rows)))
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
    Ok(Frame::numbered(graph, columns(graph, cells.items_from(0), rows, items, limits)?, rows))
}

/// The columns of `rows` rows of `items` cells, row after row.
pub(super) fn columns<'g>(
    graph: &Graph<'_>,
    cells: impl Iterator<Item = Item>,
    rows: usize,
    items: usize,
    limits: &Limits,
) -> Result<Vec<Values<'g>>, ErrorKind> {
    let mut budget = Budget::new(&CELL_BYTES, limits.cell_bytes_max(graph.input().len()));
    budget.spend((rows * items * size_of::<Item>()) as u64)?;
    // Without items the rows are a number that nothing in the file stands for.
    let mut columns: Vec<Vec<Item>> = (0..items).map(|_| Vec::with_capacity(rows)).collect();
    for (place, cell) in cells.take(rows * items).enumerate() {
        columns[place % items].push(cell);
    }
    Ok(columns.into_iter().map(|cells| Values::Cells(Arc::from(cells))).collect())
}
