//! NumPy arrays with a mask: `_mareconstruct(MaskedArray, ndarray, (0,), 'b')`, for records `_mrreconstruct`, with state
//! `(1, shape, dtype, is_fortran, data, mask, fill_value)`.
//!
//! What is masked is missing. An array of two dimensions has a column for each of its items and one of records a column for
//! each field, as in a frame made of it.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::{
    error::ErrorKind,
    extension::{self, Block, Reading},
    frame::Frame,
    record,
    values::{Values, class_of},
};
use crate::{
    limits::{Budget, CELL_BYTES, Limits},
    numpy::{Array, Data, Dtype, Kind, Record, array::bytes_of, record::Column},
    pickle::{Global, Graph, Item, NodeId},
};

const MASK: Dtype = Dtype { kind: Kind::Bool, itemsize: 1, big_endian: false };

/// The bytes of the mask.
fn mask_of<'g>(graph: &'g Graph<'g>, id: NodeId) -> Result<Cow<'g, [u8]>, ErrorKind> {
    let state = graph.state(id).and_then(|state| graph.tuple(state)).unwrap_or_default();
    let &[_, _, _, _, _, mask, _] = state else { return Err(ErrorKind::UnknownForm) };
    bytes_of(graph, mask).ok_or(ErrorKind::UnknownForm)
}

/// The data, and a mask of the same shape and order that is true where they are missing.
fn arrays<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    limits: &Limits,
) -> Result<(Array<'g>, Array<'g>), ErrorKind> {
    let bytes = mask_of(graph, id)?;
    let state = graph.state(id).and_then(|state| graph.tuple(state)).unwrap_or_default();
    let data = Array::of_parts(graph, &state[..5], limits)?;
    if bytes.len() != data.len() {
        return Err(ErrorKind::WrongRows { what: "the mask", wanted: data.len(), found: bytes.len() });
    }
    let mask =
        Array { dtype: MASK, data: Data::Bytes(bytes), shape: data.shape.clone(), fortran: data.fortran };
    Ok((data, mask))
}

/// The values of an array of one dimension.
pub(super) fn block<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    reading: Reading<'_>,
) -> Result<Block<'g>, ErrorKind> {
    let (data, mask) = arrays(graph, id, reading.limits)?;
    let &[rows] = data.shape.as_slice() else { return Err(ErrorKind::UnknownForm) };
    let values = match data.data {
        Data::Objects(cells) => of_cells(cells.items_from(0), &mask, &mut budget(graph, reading.limits))?,
        Data::Bytes(_) => of_items(data, mask, reading, &mut budget(graph, reading.limits))?,
    };
    Ok(Block::one(values, rows))
}

/// The table of an array of records or of two dimensions; `None` if it is none of those.
pub(super) fn frame<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    limits: &Limits,
) -> Result<Option<Frame<'g>>, ErrorKind> {
    if class_of(graph, id) != Some(Global::MaskedReconstruct) {
        return Ok(None);
    }
    let mut budget = budget(graph, limits);
    if let Some(record) = Record::parse(graph, id, limits, &mut budget)? {
        return records(graph, id, record, limits, &mut budget).map(Some);
    }
    let (data, mask) = arrays(graph, id, limits)?;
    let &[rows, items] = data.shape.as_slice() else { return Ok(None) };
    if items > limits.columns_max {
        return Err(ErrorKind::TooManyColumns(items));
    }
    let columns = match &data.data {
        Data::Objects(cells) => {
            let cells = cells.items_from(0).enumerate();
            let cells = cells.map(|(place, cell)| unless(is_masked(&mask, place), cell));
            record::columns(graph, cells, rows, items, limits)?
        }
        Data::Bytes(_) => {
            let mut values = |item| {
                let (data, mask) = (column(&data, item, &mut budget)?, column(&mask, item, &mut budget)?);
                of_items(data, mask, Reading::new(limits), &mut budget)
            };
            (0..items).map(&mut values).collect::<Result<_, ErrorKind>>()?
        }
    };
    Ok(Some(Frame::numbered(graph, columns, rows)))
}

fn budget(graph: &Graph<'_>, limits: &Limits) -> Budget {
    Budget::new(&CELL_BYTES, limits.cell_bytes_max(graph.input().len()))
}

/// One column of an array of shape (rows, items), copied out.
fn column<'g>(array: &Array<'_>, item: usize, budget: &mut Budget) -> Result<Array<'g>, ErrorKind> {
    let (&[rows, items], Data::Bytes(bytes)) = (array.shape.as_slice(), &array.data) else {
        return Err(ErrorKind::UnknownForm);
    };
    let size = array.dtype.itemsize;
    budget.spend((rows * size) as u64)?;
    let (first, step) = if array.fortran { (item * rows, 1) } else { (item, items) };
    let cells = bytes.chunks_exact(size.max(1)).skip(first).step_by(step).take(rows);
    let data = Data::Bytes(cells.flatten().copied().collect());
    Ok(Array { dtype: array.dtype, shape: vec![rows], fortran: false, data })
}

/// A cell, or a missing one.
fn unless(is_masked: bool, cell: Item) -> Item {
    if is_masked { Item::Node(NodeId::NONE) } else { cell }
}

/// What the mask of an array of shape (rows, items) says of the cell at a place, counted row after row.
fn is_masked(mask: &Array<'_>, place: usize) -> bool {
    let (&[rows, items], Data::Bytes(bytes)) = (mask.shape.as_slice(), &mask.data) else { return false };
    let at = if mask.fortran { place % items * rows + place / items } else { place };
    bytes.get(at).is_some_and(|masked| *masked != 0)
}

/// Objects, those that are masked missing.
fn of_cells<'g>(
    cells: impl Iterator<Item = Item>,
    mask: &Array<'_>,
    budget: &mut Budget,
) -> Result<Values<'g>, ErrorKind> {
    let Data::Bytes(mask) = &mask.data else { return Err(ErrorKind::UnknownForm) };
    budget.spend((mask.len() * size_of::<Item>()) as u64)?;
    Ok(Values::Cells(cells.zip(mask.iter()).map(|(cell, masked)| unless(*masked != 0, cell)).collect()))
}

/// Items of fixed size, those that are masked missing.
fn of_items<'g>(
    data: Array<'g>,
    mask: Array<'g>,
    reading: Reading<'_>,
    budget: &mut Budget,
) -> Result<Values<'g>, ErrorKind> {
    if let Kind::Bool | Kind::Int | Kind::Uint | Kind::Float = data.dtype.kind {
        return Ok(extension::of_mask(data, mask)?.single()?.0);
    }
    // What is no number has no mask of its own, but can be looked up: each row by its own number.
    let Data::Bytes(mask) = &mask.data else { return Err(ErrorKind::UnknownForm) };
    let (values, count) = extension::of_array(data, reading)?.single()?;
    budget.spend((mask.len() * size_of::<i64>()) as u64)?;
    let code = |(row, masked): (i64, &u8)| if *masked == 0 { row } else { -1 }.to_le_bytes();
    let codes = (0..).zip(mask.iter()).flat_map(code).collect();
    let dtype = Dtype { kind: Kind::Int, itemsize: size_of::<i64>(), big_endian: false };
    let codes = Array { dtype, shape: vec![count], fortran: false, data: Data::Bytes(codes) };
    Ok(Values::Coded { codes: Arc::new(codes), values: Box::new(values), count })
}

/// A column for each field; the mask has a byte for each item of each.
fn records<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    record: Record<'g>,
    limits: &Limits,
    budget: &mut Budget,
) -> Result<Frame<'g>, ErrorKind> {
    let (mask, rows) = (mask_of(graph, id)?, record.rows);
    let mut widths = record.columns.iter().map(|field| field.items);
    let width = widths.try_fold(0_usize, usize::checked_add).ok_or(ErrorKind::UnknownForm)?;
    if rows.checked_mul(width) != Some(mask.len()) {
        let wanted = rows.saturating_mul(width);
        return Err(ErrorKind::WrongRows { what: "the mask", wanted, found: mask.len() });
    }
    let mask = Array { dtype: MASK, data: Data::Bytes(mask), shape: vec![rows, width], fortran: false };
    let mut first = 0;
    let mut columns = Vec::with_capacity(record.columns.len());
    for field in record.columns {
        let items = first..first + field.items;
        first = items.end;
        columns.push((field.name, of_field(field.values, &mask, items, limits, budget)?));
    }
    Ok(Frame::plain(graph, columns, rows))
}

/// The values of a field, whose items are these of each row of the mask.
fn of_field<'g>(
    values: Column<'g>,
    mask: &Array<'g>,
    items: Range<usize>,
    limits: &Limits,
    budget: &mut Budget,
) -> Result<Values<'g>, ErrorKind> {
    match values {
        Column::Array(array) if array.shape.len() == 2 && !any_masked(mask, &items) => {
            Ok(Values::Vectors(Arc::new(array)))
        }
        Column::Array(array) if array.shape.len() == 1 && items.len() == 1 => {
            of_items(array, column(mask, items.start, budget)?, Reading::new(limits), budget)
        }
        Column::Cells(cells) if items.len() == 1 => {
            of_cells(cells.into_iter(), &column(mask, items.start, budget)?, budget)
        }
        _ => Err(ErrorKind::MaskedVector),
    }
}

/// Whether any row lacks any of these items. They are not picked out: without rows there can be any number of them.
fn any_masked(mask: &Array<'_>, items: &Range<usize>) -> bool {
    let (&[_, width], Data::Bytes(bytes)) = (mask.shape.as_slice(), &mask.data) else { return false };
    let mut rows = bytes.chunks_exact(width.max(1));
    rows.any(|row| row[items.clone()].iter().any(|masked| *masked != 0))
}
