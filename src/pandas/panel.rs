//! Panels of pandas before 0.25: stacks of frames with one manager of three axes, items, rows and columns.
//!
//! Each item is a table. The blocks hold arrays of shape (items of the block, rows, columns).

use super::{
    blocks::{Blocks, Standing},
    error::{At as _, ErrorKind, Result},
    extension::{self, Reading},
    frame::{self, Axes, Frame, manager_of},
    label::{self, Label},
    record,
    values::class_of,
};
use crate::{
    limits::{Budget, CELL_BYTES, Limits},
    numpy::{Array, Data, Octets},
    pickle::{Global, Graph, NodeId},
};

/// Whether a node is a panel.
pub(super) fn is_panel(graph: &Graph<'_>, id: NodeId) -> bool {
    class_of(graph, id) == Some(Global::Panel)
}

/// The items of a panel: the name of each, and where it stands, or that it has no name.
pub(super) fn items(
    graph: &Graph<'_>,
    id: NodeId,
    limits: &Limits,
) -> Result<Vec<(String, Option<Standing>)>> {
    let reading = Reading::new(limits);
    let inside = |error: super::Error| error.inside("panel");
    let Parts { manager, items, rows, columns } = Parts::of(graph, id).map_err(inside)?;
    let (labels, _) = frame::labels(graph, items, reading).map_err(|error| inside(error.inside("items")))?;
    let axes = Axes::parse(graph, columns, rows, reading).map_err(inside)?;
    // Without cells, nothing in the file would pay for the rows of one table after the other.
    if axes.labels.is_empty() && labels.len() > 1 {
        return Err(ErrorKind::Missing("columns")).at("panel");
    }
    let len = |values| {
        let array = sheets(graph, values, &axes, limits)?;
        // The tables are read one after the other, long after this.
        if let Data::Bytes(Octets::Shared(bytes, _)) = &array.data {
            graph.unescaped().hold(bytes);
        }
        Ok(array.shape[0])
    };
    let standing = manager.items(graph, &labels, reading, len).map_err(inside)?;
    let named = labels.iter().zip(standing).map(|(label, standing)| is_name(label).then_some(standing));
    Ok(label::names(&labels).into_iter().zip(named).collect())
}

fn is_name(label: &Label) -> bool {
    match label {
        Label::None | Label::Other(_) => false,
        Label::Text(text) => !text.is_empty(),
        Label::Float(value) => !value.is_nan(),
        _ => true,
    }
}

/// A manager of three axes.
struct Parts {
    manager: Blocks,
    items: NodeId,
    rows: NodeId,
    columns: NodeId,
}

impl Parts {
    fn of(graph: &Graph<'_>, id: NodeId) -> Result<Self> {
        let manager = manager_of(graph, id)?;
        let &[items, rows, columns] = manager.axes.as_slice() else {
            return Err(ErrorKind::UnknownForm).at("_mgr.axes");
        };
        Ok(Self { manager, items, rows, columns })
    }
}

/// The array of a block: shape (items, rows, columns).
fn sheets<'g>(
    graph: &'g Graph<'g>,
    values: NodeId,
    axes: &Axes<'_>,
    limits: &Limits,
) -> Result<Array<'g>, ErrorKind> {
    let array = Array::shared(graph, values, limits)?;
    let &[_, rows, columns] = array.shape.as_slice() else { return Err(ErrorKind::UnknownForm) };
    if rows != axes.rows {
        return Err(ErrorKind::WrongRows { what: "a block", wanted: axes.rows, found: rows });
    }
    if columns != axes.labels.len() {
        return Err(ErrorKind::WrongColumns { wanted: axes.labels.len(), found: columns });
    }
    Ok(array)
}

impl<'g> Frame<'g> {
    /// One item of the panel that node `id` describes.
    pub fn of_panel(graph: &'g Graph<'g>, id: NodeId, standing: Standing, limits: &Limits) -> Result<Self> {
        let reading = Reading::new(limits);
        let inside = |error: super::Error| error.inside("panel");
        let Parts { rows, columns, .. } = Parts::of(graph, id).map_err(inside)?;
        let axes = Axes::parse(graph, columns, rows, reading).map_err(inside)?;
        let array = sheets(graph, standing.block, &axes, limits).at("panel.blocks")?;
        let values = if let Data::Objects(cells) = &array.data {
            let first = standing.item * axes.rows * axes.labels.len();
            record::columns(graph, cells.items_from(first), axes.rows, axes.labels.len(), limits)
        } else {
            sheet(graph, &array, standing.item, limits)
                .and_then(|sheet| extension::of_array(sheet, reading))
                .map(|block| block.columns)
        };
        let values = values.at("panel.blocks")?.into_iter().map(|values| (values, None)).collect();
        axes.frame(graph, values).map_err(inside)
    }
}

/// One item of an array of shape (items, rows, columns), as an array of shape (columns, rows).
fn sheet<'g>(
    graph: &Graph<'_>,
    array: &Array<'g>,
    item: usize,
    limits: &Limits,
) -> Result<Array<'g>, ErrorKind> {
    let (&[items, rows, columns], Data::Bytes(bytes)) = (array.shape.as_slice(), &array.data) else {
        return Err(ErrorKind::UnknownForm);
    };
    let size = array.dtype.itemsize;
    let len = rows * columns * size;
    let data = match bytes {
        // The cells of one item stand apart.
        bytes if array.fortran && items > 1 => {
            Budget::new(&CELL_BYTES, limits.cell_bytes_max(graph.input().len())).spend(len as u64)?;
            bytes.chunks_exact(size.max(1)).skip(item).step_by(items).flatten().copied().collect()
        }
        bytes => bytes.part(item * len..(item + 1) * len),
    };
    let (shape, fortran) = (vec![columns, rows], !array.fortran);
    Ok(Array { dtype: array.dtype, shape, fortran, data: Data::Bytes(data) })
}
