//! Labels: what a column, a row or a level is called. In pandas any value can be a name; in a file it is text.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use super::{
    clock,
    scalar::{Scalar, scalar},
    values::Values,
    zone::Zone,
};
use crate::{
    numpy::{Kind, Step, items::Number},
    pickle::{Graph, Item, Node, NodeId},
};

/// The name of a column, a row or a level.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// No name, or a missing one.
    None,
    /// Text.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A float.
    Float(f64),
    /// A time.
    Time {
        /// Steps since 1970.
        value: i64,
        /// What they count.
        step: Step,
        /// The zone it is shown in.
        zone: Option<Zone>,
    },
    /// The labels of several levels.
    Tuple(Vec<Label>),
    /// Something else, by the kind of value it is.
    Other(&'static str),
}

/// Labels inside labels; deeper ones are only called what they are.
const TUPLE_DEPTH: usize = 4;

impl Label {
    /// The label that a node stands for.
    pub fn of_node(graph: &Graph<'_>, id: NodeId) -> Self {
        Self::within(graph, id, TUPLE_DEPTH)
    }

    fn within(graph: &Graph<'_>, id: NodeId, depth: usize) -> Self {
        if let Some(labels) = graph.tuple(id).filter(|_| depth > 0) {
            return Self::Tuple(labels.iter().map(|label| Self::within(graph, *label, depth - 1)).collect());
        }
        match scalar(graph, id) {
            Scalar::Missing => Self::None,
            Scalar::Number(number) => Self::of_number(number),
            Scalar::Time { value, step, zone } => Self::Time { value, step, zone },
            Scalar::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            Scalar::Other => match graph.node(id) {
                Node::BigInt { .. } | Node::DecimalInt { .. } => Self::Other("an int"),
                node => Self::Other(node.kind()),
            },
        }
    }

    fn of_number(number: Number) -> Self {
        match number {
            Number::Bool(value) => Self::Bool(value),
            Number::Int(value) => Self::Int(value.into()),
            Number::Uint(value) => Self::Int(value.into()),
            Number::Float(value) => Self::Float(value),
        }
    }

    /// The label at `row` of the values of an index.
    pub(super) fn at(graph: &Graph<'_>, values: &Values<'_>, row: usize) -> Self {
        let of_item = |item| match item {
            Some(Item::Float(value)) => Self::Float(value),
            Some(Item::Node(id)) => Self::of_node(graph, id),
            None => Self::None,
        };
        match values {
            Values::Range { .. } => Self::Int(values.in_range(row).into()),
            Values::Objects { cells, first } => of_item(cells.items_from(first + row).next()),
            Values::Cells(cells) => of_item(cells.get(row).copied()),
            Values::ArrowText(text) => text
                .value(row)
                .map_or(Self::None, |text| Self::Text(String::from_utf8_lossy(text).into_owned())),
            Values::Numbers { array, item } => match (array.number(*item, row), array.dtype.kind) {
                (Some(number), _) => Self::of_number(number),
                (None, Kind::Text) => array.text(*item, row).map_or(Self::Other("text"), Self::Text),
                _ => Self::Other("an item of an array"),
            },
            Values::Masked { data, mask } => match mask.number(0, row) {
                Some(Number::Bool(false)) => data.number(0, row).map_or(Self::None, Self::of_number),
                _ => Self::None,
            },
            Values::Times { array, item, zone } => match (array.steps(*item, row), array.dtype.kind) {
                (Some(i64::MIN), _) => Self::None,
                (Some(value), Kind::Datetime(step)) => Self::Time { value, step, zone: zone.clone() },
                _ => Self::Other("a time"),
            },
            Values::Categories { codes, categories: values, .. } | Values::Coded { codes, values, .. } => {
                match codes.number(0, row) {
                    Some(Number::Int(code @ 0..)) => Self::at(graph, values, code as usize),
                    _ => Self::None,
                }
            }
            Values::Arrow(column) => match (column.number(row), column.text(row)) {
                (Some(number), _) => Self::of_number(number),
                (None, Some(text)) => Self::Text(String::from_utf8_lossy(text).into_owned()),
                (None, None) => Self::None,
            },
            Values::Durations { array, item } => match (array.steps(*item, row), array.dtype.kind) {
                (Some(i64::MIN), _) => Self::None,
                (Some(value), Kind::Timedelta(step)) => Self::Text(clock::duration_text(value, step)),
                _ => Self::Other("a duration"),
            },
            Values::Periods { array, item, frequency } => match array.number(*item, row) {
                Some(Number::Int(i64::MIN)) => Self::None,
                Some(Number::Int(ordinal)) => Self::Text(clock::period_text(ordinal, frequency)),
                _ => Self::Other("a period"),
            },
            Values::Intervals { left, right, closed } => {
                let open = if matches!(closed.as_str(), "left" | "both") { '[' } else { '(' };
                let close = if matches!(closed.as_str(), "right" | "both") { ']' } else { ')' };
                let (left, right) = (Self::at(graph, left, row), Self::at(graph, right, row));
                Self::Text(format!("{open}{left}, {right}{close}"))
            }
            Values::Sparse { .. } | Values::Vectors(_) => Self::Other("a value"),
        }
    }

    /// Bytes that it takes besides its own place.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Tuple(labels) => {
                size_of_val(labels.as_slice()) + labels.iter().map(Self::bytes).sum::<usize>()
            }
            _ => 0,
        }
    }

    /// As text, if it is text.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// As Python's `str` writes it, inside tuples as its `repr`.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Text(text) => f.write_str(text),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&float_text(*value)),
            Self::Time { value, step, zone } => f.write_str(&clock::time_text(*value, *step, zone.as_ref())),
            Self::Tuple(labels) => {
                let inner = |label: &Self| match label {
                    Self::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
                    label @ Self::Time { .. } => format!("'{label}'"),
                    label => label.to_string(),
                };
                let labels: Vec<String> = labels.iter().map(inner).collect();
                let comma = if labels.len() == 1 { "," } else { "" };
                write!(f, "({}{comma})", labels.join(", "))
            }
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

/// A float as Python prints it.
fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let size = value.abs();
    if size == 0.0 || value.is_infinite() || (1e-4..1e16).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |exponent| ("-", exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// The names of columns in a file: each label as text, with a number where one is taken already.
pub(super) fn names(labels: &[Label]) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    // The number to go on with: all columns can have one label.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(labels.len());
    for label in labels {
        let plain = label.to_string();
        let number = numbers.entry(plain.clone()).or_default();
        let mut name = if *number == 0 { plain.clone() } else { format!("{plain}.{number}") };
        *number += 1;
        while !taken.insert(name.clone()) {
            name = format!("{plain}.{number}");
            *number += 1;
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_gets_a_name_of_its_own() {
        let text = |text: &str| Label::Text(text.to_owned());
        let labels = [
            text("a"),
            text("a"),
            text("a.1"),
            Label::Int(1),
            Label::Tuple(vec![text("x'"), Label::Int(2)]),
            Label::Tuple(vec![Label::None]),
        ];
        assert_eq!(names(&labels), ["a", "a.1", "a.1.1", "1", "('x\\'', 2)", "(None,)"]);
    }
}
