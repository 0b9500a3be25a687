//! One column of a frame, cell by cell, whatever form the file gives it.

use std::ops::Range;

use crate::{
    numpy::items::Number,
    pandas::Values,
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// A column and the graph it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'g> {
    pub(super) graph: &'g Graph<'g>,
    pub(super) values: &'g Values<'g>,
    pub(super) name: &'g str,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'g> {
    /// `None`, NaN or `pd.NA` among objects, a masked number, category -1.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above the signed range, or of an unsigned dtype.
    Uint(u64),
    /// A float.
    Float(f64),
    /// The bytes of a text.
    Text(&'g [u8]),
    /// Anything else: a list, an array, an object.
    Object(NodeId),
}

impl Cell<'_> {
    /// Bytes of its text, 0 for all else.
    pub(super) fn text_bytes(self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self, graph: &Graph<'_>) -> &'static str {
        match self {
            Self::Null => super::error::Reason::MISSING,
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Uint(_) => "an int",
            Self::Float(_) => "a float",
            Self::Text(_) => "text",
            Self::Object(id) => graph.node(*id).kind(),
        }
    }
}

impl From<Number> for Cell<'_> {
    fn from(number: Number) -> Self {
        match number {
            Number::Bool(value) => Self::Bool(value),
            Number::Int(value) => Self::Int(value),
            Number::Uint(value) => i64::try_from(value).map_or(Self::Uint(value), Self::Int),
            Number::Float(value) => Self::Float(value),
        }
    }
}

impl<'g> Source<'g> {
    /// The cells of `rows`.
    pub(super) fn cells(self, rows: Range<usize>) -> Box<dyn Iterator<Item = Cell<'g>> + 'g> {
        match self.values {
            Values::Objects { cells, first } => {
                let items = cells.items_from(first + rows.start).take(rows.len());
                Box::new(items.map(move |item| self.of_item(item)))
            }
            Values::Cells(cells) => Box::new(cells[rows].iter().map(move |item| self.of_item(*item))),
            _ => Box::new(rows.map(move |row| self.cell(row))),
        }
    }

    /// The items of `rows` of a column of objects, undecided.
    pub(super) fn items(self, rows: Range<usize>) -> Option<Box<dyn Iterator<Item = Item> + 'g>> {
        match self.values {
            Values::Objects { cells, first } => {
                Some(Box::new(cells.items_from(first + rows.start).take(rows.len())))
            }
            Values::Cells(cells) => Some(Box::new(cells[rows].iter().copied())),
            _ => None,
        }
    }

    /// The cell of one row of a column that is no list of objects.
    fn cell(self, row: usize) -> Cell<'g> {
        match self.values {
            Values::Numbers { array, item } => array.number(*item, row).map_or(Cell::Null, Cell::from),
            Values::Masked { data, mask } => match mask.number(0, row) {
                Some(Number::Bool(false)) => data.number(0, row).map_or(Cell::Null, Cell::from),
                _ => Cell::Null,
            },
            Values::Arrow(column) => match column.number(row) {
                Some(number) => Cell::from(number),
                None => column.text(row).map_or(Cell::Null, Cell::Text),
            },
            Values::ArrowText(text) => text.value(row).map_or(Cell::Null, Cell::Text),
            Values::Range { .. } => Cell::Int(self.values.in_range(row)),
            Values::Categories { codes, categories, .. } => match codes.number(0, row) {
                Some(Number::Int(code @ 0..)) => {
                    let categories = Source { values: categories, ..self };
                    categories.cells(code as usize..code as usize + 1).next().unwrap_or(Cell::Null)
                }
                _ => Cell::Null,
            },
            Values::Objects { .. } | Values::Cells(_) => {
                self.cells(row..row + 1).next().unwrap_or(Cell::Null)
            }
            _ => Cell::Null,
        }
    }

    /// What an object is: a float that is NaN stands for a missing value here, as in pandas.
    pub(super) fn of_item(self, item: Item) -> Cell<'g> {
        let float = |value: f64| if value.is_nan() { Cell::Null } else { Cell::Float(value) };
        let id = match item {
            Item::Float(value) => return float(value),
            Item::Node(id) => id,
        };
        match self.graph.node(id) {
            Node::None | Node::Global(Global::Na) => Cell::Null,
            Node::Bool(value) => Cell::Bool(value),
            Node::Int(value) => Cell::Int(value),
            Node::Float(value) => float(value),
            Node::Reduce { callable, args, .. } => match self.graph.node(callable) {
                Node::Global(Global::NaT) => Cell::Null,
                Node::Global(Global::Scalar) => self.scalar(args).unwrap_or(Cell::Object(id)),
                _ => Cell::Object(id),
            },
            // A Python 2 `str` is text if it is ASCII.
            Node::String { .. } | Node::DecodedString(_) => {
                self.graph.text(id).map_or(Cell::Object(id), |text| Cell::Text(text.as_bytes()))
            }
            _ => self.graph.text_bytes(id).map_or(Cell::Object(id), Cell::Text),
        }
    }

    /// A NumPy scalar among objects: `scalar(dtype, bytes)`.
    fn scalar(self, args: NodeId) -> Option<Cell<'g>> {
        let &[dtype, bytes] = self.graph.tuple(args)? else { return None };
        let dtype = crate::numpy::Dtype::parse(self.graph, dtype).ok()?;
        let bytes = crate::numpy::array::bytes_of(self.graph, bytes)?;
        let number =
            (bytes.len() == dtype.itemsize).then(|| crate::numpy::items::number(dtype, &bytes))??;
        Some(match Cell::from(number) {
            Cell::Float(value) if value.is_nan() => Cell::Null,
            cell => cell,
        })
    }
}
