//! Managers: the blocks of a frame or series and its axes, in the forms of all versions.
//!
//! * from 1.3 on `BlockManager((block, ..), [columns, index])`, a block being `_unpickle_block(values, placement, ndim)`, in
//!   1.3 itself `partial(new_block)(values, placement)`;
//! * before, and for series to this day, an object with state `(axes, values, items, {'0.14.1': {axes, blocks}})`;
//! * before 0.14.1 that state without the dict: where a block belongs is found by looking its items up in the columns.

use std::{cell::OnceCell, collections::HashMap};

use super::{
    error::{At as _, ErrorKind, Result},
    extension::{self, Block, Reading, named},
    index::Index,
    label::Label,
    values::{Values, class_of},
};
use crate::{
    numpy::{Array, items::Number},
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// A manager's parts, as nodes.
pub(super) struct Blocks {
    pub(super) axes: Vec<NodeId>,
    blocks: Vec<BlockParts>,
}

struct BlockParts {
    values: NodeId,
    place: Place,
}

/// Where a block's columns stand.
enum Place {
    /// At positions: a slice or an array.
    Positions(NodeId),
    /// Where these labels stand among the columns.
    Items(NodeId),
}

/// A column's values, and what pandas calls its type.
pub(super) type Placed<'g> = (Values<'g>, Option<String>);

impl Blocks {
    pub(super) fn parse(graph: &Graph<'_>, id: NodeId) -> Result<Self, ErrorKind> {
        if !is_manager(graph, id) {
            let found = graph.node(id).kind().to_owned();
            return Err(ErrorKind::WrongType { wanted: "a BlockManager", found });
        }
        match graph.state(id) {
            Some(state) => Self::of_state(graph, state),
            None => Self::of_call(graph, id),
        }
    }

    fn of_call(graph: &Graph<'_>, id: NodeId) -> Result<Self, ErrorKind> {
        let Node::Reduce { args, .. } = graph.node(id) else { return Err(ErrorKind::UnknownForm) };
        let &[blocks, axes] = graph.tuple(args).unwrap_or_default() else {
            return Err(ErrorKind::UnknownForm);
        };
        let block = |id: NodeId| {
            let Node::Reduce { callable, args, .. } = graph.node(id) else {
                return Err(ErrorKind::UnknownForm);
            };
            let is_partial = matches!(graph.node(callable), Node::Reduce { .. });
            let is_block = is_partial || graph.node(callable) == Node::Global(Global::UnpickleBlock);
            match graph.tuple(args) {
                Some(&[values, place] | &[values, place, _]) if is_block => {
                    Ok(BlockParts { values, place: Place::Positions(place) })
                }
                _ => Err(ErrorKind::UnknownForm),
            }
        };
        let blocks = nodes(graph, blocks)?.into_iter().map(block).collect::<Result<_, _>>()?;
        Ok(Self { axes: nodes(graph, axes)?, blocks })
    }

    fn of_state(graph: &Graph<'_>, state: NodeId) -> Result<Self, ErrorKind> {
        match *graph.tuple(state).unwrap_or_default() {
            [_, _, _, extra] => {
                let extra = named(graph, extra, &["0.14.1"])?;
                let block = |id: NodeId| {
                    let place = Place::Positions(named(graph, id, &["mgr_locs"])?);
                    Ok(BlockParts { values: named(graph, id, &["values"])?, place })
                };
                let blocks = nodes(graph, named(graph, extra, &["blocks"])?)?;
                let blocks = blocks.into_iter().map(block).collect::<Result<_, ErrorKind>>()?;
                Ok(Self { axes: nodes(graph, named(graph, extra, &["axes"])?)?, blocks })
            }
            [axes, values, items] => {
                let (values, items) = (nodes(graph, values)?, nodes(graph, items)?);
                if values.len() != items.len() {
                    return Err(ErrorKind::UnknownForm);
                }
                let block = |(values, items)| BlockParts { values, place: Place::Items(items) };
                let blocks = values.into_iter().zip(items).map(block).collect();
                Ok(Self { axes: nodes(graph, axes)?, blocks })
            }
            _ => Err(ErrorKind::UnknownForm),
        }
    }

    /// The values of every column: each is covered by exactly one block, and each block has `rows` rows.
    pub(super) fn columns<'g>(
        &self,
        graph: &'g Graph<'g>,
        labels: &[Label],
        rows: usize,
        reading: Reading<'_>,
    ) -> Result<Vec<Placed<'g>>> {
        let mut found: Vec<Option<Placed<'g>>> = vec![None; labels.len()];
        let labels = Labels::new(labels);
        for (number, parts) in self.blocks.iter().enumerate() {
            let path = format!("blocks[{number}]");
            let inside = |error: super::Error| error.inside(&path);
            let block = extension::parse(graph, parts.values, reading).map_err(inside)?;
            if block.rows != rows {
                return Err(ErrorKind::WrongRows { what: "a block", wanted: rows, found: block.rows })
                    .at(&path);
            }
            let place = parts.place.positions(graph, &labels, reading).at(&format!("{path}.placement"))?;
            if place.len() != block.columns.len() {
                return Err(ErrorKind::UnknownForm).at(&format!("{path}.placement"));
            }
            for (position, values) in place.into_iter().zip(block.columns) {
                match found.get_mut(position) {
                    Some(column @ None) => *column = Some((values, block.dtype.clone())),
                    _ => return Err(ErrorKind::NotCoveredOnce(position)).at(&path),
                }
            }
        }
        let columns = found.into_iter().enumerate();
        columns
            .map(|(position, column)| column.ok_or(ErrorKind::NotCoveredOnce(position)).at("blocks"))
            .collect()
    }

    /// The block that each item stands in, and where in it. Each is covered by exactly one block, and `len` says how many
    /// items a block has.
    pub(super) fn items(
        &self,
        graph: &Graph<'_>,
        labels: &[Label],
        reading: Reading<'_>,
        len: impl Fn(NodeId) -> Result<usize, ErrorKind>,
    ) -> Result<Vec<Standing>> {
        let mut found: Vec<Option<Standing>> = vec![None; labels.len()];
        let labels = Labels::new(labels);
        for (number, parts) in self.blocks.iter().enumerate() {
            let path = format!("blocks[{number}]");
            let len = len(parts.values).at(&format!("{path}.values"))?;
            let place = parts.place.positions(graph, &labels, reading).at(&format!("{path}.placement"))?;
            if place.len() != len {
                return Err(ErrorKind::UnknownForm).at(&format!("{path}.placement"));
            }
            for (item, position) in place.into_iter().enumerate() {
                match found.get_mut(position) {
                    Some(standing @ None) => *standing = Some(Standing { block: parts.values, item }),
                    _ => return Err(ErrorKind::NotCoveredOnce(position)).at(&path),
                }
            }
        }
        let items = found.into_iter().enumerate();
        items.map(|(position, item)| item.ok_or(ErrorKind::NotCoveredOnce(position)).at("blocks")).collect()
    }

    /// The one block of a series.
    pub(super) fn only_block<'g>(&self, graph: &'g Graph<'g>, reading: Reading<'_>) -> Result<Block<'g>> {
        match self.blocks.as_slice() {
            [block] => extension::parse(graph, block.values, reading).map_err(|error| error.inside("block")),
            _ => Err(ErrorKind::UnknownForm).at("blocks"),
        }
    }
}

/// Where an item of a manager stands: in the values of which block, and which of their items it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The values of the block.
    pub(super) block: NodeId,
    /// Which of its items.
    pub(super) item: usize,
}

/// The labels of an axis, found by their text: once for all blocks.
struct Labels<'l> {
    labels: &'l [Label],
    places: OnceCell<HashMap<String, usize>>,
}

impl<'l> Labels<'l> {
    fn new(labels: &'l [Label]) -> Self {
        Self { labels, places: OnceCell::new() }
    }

    fn place(&self, label: &Label) -> Option<usize> {
        let places =
            || self.labels.iter().enumerate().map(|(place, label)| (label.to_string(), place)).collect();
        self.places.get_or_init(places).get(&label.to_string()).copied()
    }
}

/// Whether a node is a manager.
pub(super) fn is_manager(graph: &Graph<'_>, id: NodeId) -> bool {
    matches!(class_of(graph, id), Some(Global::BlockManager | Global::SingleBlockManager))
}

/// The items of a list or tuple of objects.
fn nodes(graph: &Graph<'_>, id: NodeId) -> Result<Vec<NodeId>, ErrorKind> {
    let items = graph.sequence(id).ok_or(ErrorKind::UnknownForm)?;
    let node = |item| match item {
        Item::Node(id) => Ok(id),
        Item::Float(_) => Err(ErrorKind::UnknownForm),
    };
    items.items_from(0).map(node).collect()
}

impl Place {
    fn positions(
        &self,
        graph: &Graph<'_>,
        labels: &Labels<'_>,
        reading: Reading<'_>,
    ) -> Result<Vec<usize>, ErrorKind> {
        match *self {
            Self::Positions(id) => positions(graph, id, labels.labels.len(), reading),
            Self::Items(id) => {
                let items = Index::single(graph, id, reading).map_err(|error| error.kind)?.labels(graph);
                items.iter().map(|label| labels.place(label).ok_or(ErrorKind::UnknownForm)).collect()
            }
        }
    }
}

fn positions(
    graph: &Graph<'_>,
    id: NodeId,
    columns: usize,
    reading: Reading<'_>,
) -> Result<Vec<usize>, ErrorKind> {
    if class_of(graph, id) == Some(Global::Slice)
        && let Node::Reduce { args, .. } = graph.node(id)
    {
        return slice_positions(graph, args, columns);
    }
    let array = Array::shared(graph, id, reading.limits)?;
    let [places] = *array.shape.as_slice() else { return Err(ErrorKind::UnknownForm) };
    let position = |row| match array.number(0, row) {
        Some(Number::Int(position)) => usize::try_from(position).map_err(|_| ErrorKind::UnknownForm),
        _ => Err(ErrorKind::UnknownForm),
    };
    (0..places).map(position).collect()
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
