//! Indexes: the labels of columns and rows.
//!
//! `_new_Index(class, {data, name})`, or `{name, start, stop, step}` for a range, which holds no data.

use super::{
    error::{At as _, ErrorKind, Result},
    values::{Values, class_of},
};
use crate::{
    limits::Limits,
    numpy::items::Number,
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// The labels along one axis.
#[derive(Debug, Clone)]
pub struct Index<'g> {
    /// Its name, if it has one that is text.
    pub name: Option<String>,
    /// The labels.
    pub values: Values<'g>,
    /// How many.
    pub len: usize,
}

/// Reads the values of an index.
type ReadValues<'r, 'g> = dyn Fn(NodeId) -> Result<(Vec<Values<'g>>, usize)> + 'r;

impl<'g> Index<'g> {
    pub(super) fn parse(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        Self::parse_with(graph, id, &|data| Values::parse(graph, data, limits))
    }

    /// The index that holds the categories of a categorical: never a categorical itself, or reading a file whose
    /// categories are their own categories would not end.
    pub(super) fn of_categories(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        Self::parse_with(graph, id, &|data| match class_of(graph, data) {
            Some(Global::Categorical) => Err(ErrorKind::UnknownForm).at("data"),
            _ => Values::parse(graph, data, limits),
        })
    }

    fn parse_with(graph: &'g Graph<'g>, id: NodeId, read: &ReadValues<'_, 'g>) -> Result<Self> {
        let known = match graph.node(id) {
            Node::Reduce { callable, args, .. } if graph.node(callable) == Node::Global(Global::NewIndex) => {
                graph.tuple(args)
            }
            _ => None,
        };
        let Some(&[class, parts]) = known else { return Err(ErrorKind::UnknownForm).at("index") };
        let name = graph.dict_value(parts, "name").and_then(|name| graph.text(name)).map(str::to_owned);
        match graph.node(class) {
            Node::Global(Global::RangeIndex) => range(graph, parts, name).at("index"),
            Node::Global(Global::Index) => {
                let data = graph.dict_value(parts, "data").ok_or(ErrorKind::Missing("data")).at("index")?;
                let (mut values, len) = read(data).map_err(|error| error.inside("index"))?;
                match (values.pop(), values.is_empty()) {
                    (Some(values), true) => Ok(Self { name, values, len }),
                    _ => Err(ErrorKind::UnknownForm).at("index.data"),
                }
            }
            _ => Err(ErrorKind::UnknownForm).at("index.class"),
        }
    }

    /// The values and how many they are.
    pub(super) fn into_values(self) -> (Values<'g>, usize) {
        (self.values, self.len)
    }

    /// Whether this is the index of a frame that never got one: 0, 1, 2, …
    pub fn is_default(&self) -> bool {
        matches!(self.values, Values::Range { start: 0, step: 1 }) && self.name.is_none()
    }

    /// The labels as names of columns: text as it is, numbers in decimal.
    pub(super) fn labels(&self, graph: &Graph<'_>) -> Result<Vec<String>, ErrorKind> {
        let label = |row: usize| match &self.values {
            Values::Range { .. } => Some(self.values.in_range(row).to_string()),
            Values::ArrowText(text) => text.value(row).and_then(|text| String::from_utf8(text.to_vec()).ok()),
            Values::Numbers { array, item } => match array.number(*item, row)? {
                Number::Int(value) => Some(value.to_string()),
                Number::Uint(value) => Some(value.to_string()),
                Number::Bool(value) => Some(value.to_string()),
                Number::Float(value) => Some(format!("{value:?}")),
            },
            Values::Objects { cells, first } | Values::Strings { cells, first, .. } => match cells.items_from(first + row).next()? {
                Item::Float(value) => Some(format!("{value:?}")),
                Item::Node(id) => match graph.node(id) {
                    Node::Int(value) => Some(value.to_string()),
                    _ => graph.text(id).map(str::to_owned),
                },
            },
            _ => None,
        };
        (0..self.len).map(|row| label(row).ok_or(ErrorKind::UnknownForm)).collect()
    }
}

fn range<'g>(graph: &'g Graph<'g>, parts: NodeId, name: Option<String>) -> Result<Index<'g>, ErrorKind> {
    let part = |key| match graph.dict_value(parts, key).map(|id| graph.node(id)) {
        Some(Node::Int(value)) => Ok(value),
        _ => Err(ErrorKind::Missing(key)),
    };
    let (start, stop, step) = (part("start")?, part("stop")?, part("step")?);
    let span = i128::from(stop) - i128::from(start);
    let len = match step {
        0 => return Err(ErrorKind::UnknownForm),
        1.. => (span + i128::from(step) - 1) / i128::from(step),
        _ => (span + i128::from(step) + 1) / i128::from(step),
    };
    let len = usize::try_from(len.max(0)).map_err(|_| ErrorKind::UnknownForm)?;
    Ok(Index { name, values: Values::Range { start, step }, len })
}
