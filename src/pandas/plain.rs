//! Tables that plain Python makes without pandas: rows of dicts or tuples, columns in a dict, vectors in a list.
//!
//! | value | table |
//! |---|---|
//! | list of dicts | a column for each key, in the order of first appearance; a key that a row lacks is missing there |
//! | list of tuples, or of lists of one length | columns `0`, `1`, … |
//! | list of float vectors | one column `vector` |
//! | dict of lists and arrays of one length | a column for each key; an array of two dimensions is a column of vectors |
//! | dict of many float vectors, lists or arrays | columns `key` and `vector` |

use std::{collections::HashMap, sync::Arc};

use super::{
    error::{At as _, ErrorKind, Result},
    extension,
    frame::Frame,
    holding::Holding,
    values::{Values, class_of},
};
use crate::{
    limits::{Budget, CELL_BYTES, Limits},
    numpy::{Array, Kind},
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// The column of a table that is nothing but vectors.
pub(super) const VECTOR: &str = "vector";
/// The column of the keys of a dict of vectors.
const KEY: &str = "key";
/// A dict of more vectors than this has keys of rows, not names of columns.
const VECTOR_COLUMNS_MAX: usize = 1_000;

/// What a plain value is, as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// A list of dicts.
    Records,
    /// A list of tuples or lists.
    Rows,
    /// A list of vectors.
    Vectors,
    /// A dict of columns.
    Columns,
    /// A dict of vectors.
    KeyedVectors,
}

impl Plain {
    /// What `id` is; `None` if it is no table. Looks at all items, but not into them; what holds something of pandas is a
    /// container of tables.
    pub(super) fn of(
        graph: &Graph<'_>,
        id: NodeId,
        limits: &Limits,
        holding: &mut Holding<'_>,
    ) -> Option<Self> {
        let plain = match graph.dict(id) {
            Some(_) => Self::of_dict(graph, id, limits),
            None => Self::of_list(graph, id, limits),
        }?;
        // An index is a column of a dict, so only what stands in its columns counts.
        let holds = match plain {
            Self::Columns | Self::KeyedVectors => graph.dict(id)?.any(|(_, column)| holding.of(column)),
            Self::Records | Self::Rows | Self::Vectors => holding.of(id),
        };
        (!holds).then_some(plain)
    }

    fn of_list(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Option<Self> {
        // A tuple is what a function gives back, such as (train, test): its items are members.
        let list = graph.list(id)?;
        let mut forms = list.items_from(0).map(|item| match item {
            Item::Node(id) => row_form(graph, id).or_else(|| array_form(graph, id, limits)),
            Item::Float(_) => None,
        });
        let first = forms.next()??;
        let same = forms.all(|form| form == Some(first));
        let cells = first.0 != Plain::Rows || holds_cells(graph, list.items_from(0).next()?);
        (same && cells).then_some(first.0)
    }

    fn of_dict(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Option<Self> {
        // Kept until all are read: columns that name one text share what it decodes to.
        let mut columns: Vec<(Values<'_>, usize)> = Vec::new();
        for (_, value) in graph.dict(id)? {
            let column = column(graph, value, limits).ok()?;
            if columns.first().is_some_and(|(_, first)| column.1 != *first) {
                return None;
            }
            columns.push(column);
        }
        columns.first()?;
        let entries = graph.dict(id)?.count();
        let elements = columns[0].1.saturating_mul(entries);
        // A list that stands in many entries would be looked at once for each.
        let many = entries > VECTOR_COLUMNS_MAX && elements <= graph.input().len();
        let vectors = many && graph.dict(id)?.all(|(_, value)| is_vector(graph, value, limits));
        Some(if vectors { Self::KeyedVectors } else { Self::Columns })
    }

    /// The table of `id`, which is what this says.
    pub(super) fn parse<'g>(self, graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Frame<'g>> {
        match self {
            Self::Records => records(graph, id, limits).at("rows"),
            Self::Rows => rows(graph, id, limits).at("rows"),
            Self::Vectors => vectors(graph, id).at("rows"),
            Self::Columns => columns(graph, id, limits),
            Self::KeyedVectors => keyed_vectors(graph, id, limits).at("rows"),
        }
    }
}

/// What one item of a list says that the list is, and the length that all items must share.
fn row_form(graph: &Graph<'_>, id: NodeId) -> Option<(Plain, usize)> {
    match graph.node(id) {
        Node::FloatList { count, .. } | Node::Packed { count, .. } => Some((Plain::Vectors, count as usize)),
        Node::Tuple { len, .. } | Node::List { len, .. } if len > 0 => Some((Plain::Rows, len as usize)),
        _ if graph.dict(id).is_some() => Some((Plain::Records, 0)),
        _ => None,
    }
}

/// The same of an array that is no folded one: a vector, if it holds numbers in a row.
fn array_form(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Option<(Plain, usize)> {
    let (dtype, shape) = Array::announced(graph, id, limits).ok()?;
    let is_number = matches!(dtype.kind, Kind::Float | Kind::Int | Kind::Uint | Kind::Bool);
    match shape.as_slice() {
        &[count] if is_number && count > 0 => Some((Plain::Vectors, count)),
        _ => None,
    }
}

/// Whether the items of a row are cells, not tables of their own.
fn holds_cells(graph: &Graph<'_>, row: Item) -> bool {
    let Item::Node(row) = row else { return false };
    let is_cell = |item| match item {
        Item::Float(_) => true,
        Item::Node(id) => {
            let rows = graph.list(id).and_then(|list| list.items_from(0).next());
            let is_table = matches!(rows, Some(Item::Node(row)) if row_form(graph, row).is_some());
            !(is_table || graph.dict(id).is_some())
        }
    };
    graph.sequence(row).is_some_and(|cells| cells.items_from(0).all(is_cell))
}

/// Whether a value is floats in a row, in a list or in an array.
fn is_vector(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> bool {
    let is_float = |item| match item {
        Item::Float(_) => true,
        Item::Node(id) => matches!(graph.node(id), Node::Float(_)),
    };
    match graph.node(id) {
        Node::FloatList { .. } | Node::Packed { .. } => true,
        Node::List { .. } => graph.list(id).is_some_and(|list| list.items_from(0).all(is_float)),
        _ => Array::announced(graph, id, limits).is_ok_and(|(dtype, shape)| {
            dtype.kind == Kind::Float && matches!(shape.as_slice(), [elements] if *elements > 0)
        }),
    }
}

/// Whether an array is one vector for each row: floats of two dimensions, as embeddings are kept.
pub(super) fn is_matrix(array: &Array<'_>) -> bool {
    array.dtype.kind == Kind::Float && matches!(array.shape.as_slice(), [_, elements] if *elements > 0)
}

/// Cells that are picked out of rows take memory that the file need not have paid for.
fn cell_budget(graph: &Graph<'_>, limits: &Limits) -> Budget {
    Budget::new(&CELL_BYTES, limits.cell_bytes_max(graph.input().len()))
}

/// A column that grows row by row.
#[derive(Default)]
struct Growing {
    cells: Vec<Item>,
}

impl Growing {
    /// Gives `row` a value; rows before it that have none are missing, and of two values the later one wins.
    fn set(&mut self, row: usize, item: Item, budget: &mut Budget) -> Result<(), ErrorKind> {
        self.pad(row + 1, budget)?;
        self.cells[row] = item;
        Ok(())
    }

    fn pad(&mut self, rows: usize, budget: &mut Budget) -> Result<(), ErrorKind> {
        let more = rows.saturating_sub(self.cells.len());
        budget.spend((more * size_of::<Item>()) as u64)?;
        self.cells.resize(rows.max(self.cells.len()), Item::Node(NodeId::NONE));
        Ok(())
    }
}

/// Columns in the order of their first appearance, found by key: the same object is recognised before its text is.
struct Growth<'g> {
    graph: &'g Graph<'g>,
    names: Vec<NodeId>,
    columns: Vec<Growing>,
    by_node: HashMap<NodeId, usize>,
    by_name: HashMap<String, usize>,
    columns_max: usize,
    /// The place behind the last one found: most rows have the same keys in the same order.
    next: usize,
}

impl<'g> Growth<'g> {
    fn new(graph: &'g Graph<'g>, limits: &Limits) -> Self {
        Self {
            graph,
            names: Vec::new(),
            columns: Vec::new(),
            by_node: HashMap::new(),
            by_name: HashMap::new(),
            columns_max: limits.columns_max,
            next: 0,
        }
    }

    fn column(&mut self, key: NodeId) -> Result<&mut Growing, ErrorKind> {
        let place = match self.names.get(self.next) {
            Some(next) if *next == key => self.next,
            _ => self.place(key)?,
        };
        self.next = if place + 1 < self.names.len() { place + 1 } else { 0 };
        Ok(&mut self.columns[place])
    }

    fn place(&mut self, key: NodeId) -> Result<usize, ErrorKind> {
        if let Some(place) = self.by_node.get(&key) {
            return Ok(*place);
        }
        let name = name_of(self.graph, key)?;
        let place = *self.by_name.entry(name).or_insert(self.columns.len());
        if place == self.columns.len() {
            if place >= self.columns_max {
                return Err(ErrorKind::TooManyColumns(place + 1));
            }
            self.columns.push(Growing::default());
            self.names.push(key);
        }
        // One entry for each column is enough where keys are shared; where they are not, the map would only grow.
        if self.by_node.len() < self.columns_max {
            self.by_node.insert(key, place);
        }
        Ok(place)
    }

    fn frame(mut self, rows: usize, budget: &mut Budget) -> Result<Frame<'g>, ErrorKind> {
        for column in &mut self.columns {
            column.pad(rows, budget)?;
        }
        let columns = self.names.iter().zip(self.columns);
        let columns =
            columns.map(|(key, column)| Ok((name_of(self.graph, *key)?, Values::Cells(column.cells.into()))));
        Ok(Frame::plain(self.graph, columns.collect::<Result<_, ErrorKind>>()?, rows))
    }
}

/// A key as the name of a column.
pub(super) fn name_of(graph: &Graph<'_>, key: NodeId) -> Result<String, ErrorKind> {
    match graph.node(key) {
        Node::Int(value) => Ok(value.to_string()),
        Node::Float(value) => Ok(format!("{value:?}")),
        Node::Bool(true) => Ok("True".to_owned()),
        Node::Bool(false) => Ok("False".to_owned()),
        Node::None => Ok("None".to_owned()),
        node => graph.text(key).map(str::to_owned).ok_or_else(|| ErrorKind::WrongType {
            wanted: "a text or a number as the name of a column",
            found: node.kind().to_owned(),
        }),
    }
}

fn records<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Frame<'g>, ErrorKind> {
    let list = graph.sequence(id).ok_or(ErrorKind::UnknownForm)?;
    let mut budget = cell_budget(graph, limits);
    let mut growth = Growth::new(graph, limits);
    for (row, item) in list.items_from(0).enumerate() {
        let Item::Node(record) = item else { return Err(ErrorKind::UnknownForm) };
        for (key, value) in graph.dict(record).ok_or(ErrorKind::UnknownForm)? {
            growth.column(key)?.set(row, Item::Node(value), &mut budget)?;
        }
    }
    growth.frame(list.len(), &mut budget)
}

fn rows<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Frame<'g>, ErrorKind> {
    let list = graph.sequence(id).ok_or(ErrorKind::UnknownForm)?;
    let mut budget = cell_budget(graph, limits);
    let mut columns: Vec<Growing> = Vec::new();
    for (row, item) in list.items_from(0).enumerate() {
        let Item::Node(cells) = item else { return Err(ErrorKind::UnknownForm) };
        let cells = graph.sequence(cells).ok_or(ErrorKind::UnknownForm)?;
        if cells.len() > limits.columns_max {
            return Err(ErrorKind::TooManyColumns(cells.len()));
        }
        columns.resize_with(cells.len(), Growing::default);
        for (column, cell) in columns.iter_mut().zip(cells.items_from(0)) {
            column.set(row, cell, &mut budget)?;
        }
    }
    let columns = columns.into_iter().enumerate();
    let columns = columns.map(|(place, column)| (place.to_string(), Values::Cells(column.cells.into())));
    Ok(Frame::plain(graph, columns.collect(), list.len()))
}

fn vectors<'g>(graph: &'g Graph<'g>, id: NodeId) -> Result<Frame<'g>, ErrorKind> {
    let list = graph.sequence(id).ok_or(ErrorKind::UnknownForm)?;
    let rows = list.len();
    let values = Values::Objects { cells: Arc::new(list), first: 0 };
    Ok(Frame::plain(graph, vec![(VECTOR.to_owned(), values)], rows))
}

fn keyed_vectors<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Frame<'g>, ErrorKind> {
    let mut budget = cell_budget(graph, limits);
    let (mut keys, mut vectors) = (Growing::default(), Growing::default());
    for (row, (key, value)) in graph.dict(id).ok_or(ErrorKind::UnknownForm)?.enumerate() {
        keys.set(row, Item::Node(key), &mut budget)?;
        vectors.set(row, Item::Node(value), &mut budget)?;
    }
    let rows = keys.cells.len();
    let columns = [(KEY, keys), (VECTOR, vectors)];
    let columns = columns.map(|(name, column)| (name.to_owned(), Values::Cells(column.cells.into())));
    Ok(Frame::plain(graph, columns.into(), rows))
}

fn columns<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Frame<'g>> {
    let mut columns: Vec<(String, Values<'g>)> = Vec::new();
    let mut places = HashMap::new();
    let mut rows = 0;
    for (key, value) in graph.dict(id).ok_or(ErrorKind::UnknownForm).at("columns")? {
        let name = name_of(graph, key).at("columns")?;
        let inside = |error: super::Error| error.inside(&format!("[{name:?}]"));
        let (values, len) = column(graph, value, limits).map_err(inside)?;
        rows = len;
        let place = *places.entry(name.clone()).or_insert(columns.len());
        if place == columns.len() {
            columns.push((name, values));
        } else {
            columns[place].1 = values;
        }
        if columns.len() > limits.columns_max {
            return Err(ErrorKind::TooManyColumns(columns.len())).at("columns");
        }
    }
    Ok(Frame::plain(graph, columns, rows))
}

fn column<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<(Values<'g>, usize)> {
    if let Node::List { .. } | Node::FloatList { .. } | Node::Tuple { .. } = graph.node(id) {
        let list = graph.sequence(id).ok_or(ErrorKind::UnknownForm).at("column")?;
        let rows = list.len();
        return Ok((Values::Objects { cells: Arc::new(list), first: 0 }, rows));
    }
    let array = match class_of(graph, id) {
        Some(Global::FromBuffer | Global::Reconstruct) => Array::shared(graph, id, limits).ok(),
        _ => None,
    };
    match array {
        Some(matrix) if is_matrix(&matrix) => {
            let rows = matrix.shape[0];
            Ok((Values::Vectors(Arc::new(matrix)), rows))
        }
        // What it decoded is there until the column has it.
        _array => extension::parse(graph, id, extension::Reading::new(limits))?.single().at("column"),
    }
}
