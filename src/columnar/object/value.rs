//! What one cell of a column of objects is: a Python object read as data, whichever library and version wrote it.

use std::borrow::Cow;

use super::{
    decimal::{self, Decimal},
    label::{self, Label},
    moment::{self, Moment},
    sequence::{Grid, Sequence},
};
use crate::{
    columnar::infer::{Kind as ValueKind, Plain},
    limits::Limits,
    numpy::{self, Array, Dtype, Kind, array::bytes_of, items::Number},
    pandas::frequency,
    pickle::{Global, Graph, Item, Node, NodeId},
};
use arrow_schema::TimeUnit;

/// A Python object as data.
#[derive(Debug, Clone)]
pub(in crate::columnar) enum Value<'g> {
    /// `None`, `pd.NaT`, `pd.NA`, `np.datetime64('NaT')`, `Decimal('NaN')`.
    Missing,
    /// The float that is not a number: missing in a cell, a number inside a vector.
    Nan,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits.
    BigInt(Decimal),
    Float(f64),
    /// A NumPy number, which has a type of its own.
    Scalar(Plain, Number),
    /// UTF-8 that may hold surrogates.
    Text(Cow<'g, [u8]>),
    /// A Python 2 `str`: text or bytes.
    OldText(&'g [u8]),
    Bytes(Cow<'g, [u8]>),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    Moment(Moment),
    /// A time on the clocks of a zone whose rules are not in the file.
    WallTime {
        micros: i64,
        zone: String,
    },
    Duration(i64, TimeUnit),
    /// A decimal number and its text; no number for infinity.
    Decimal(Option<Decimal>, &'g str),
    Uuid([u8; 16]),
    Label(Label, String),
    Complex(f64, f64),
    /// Start, stop, step.
    Range([i64; 3]),
    /// Ordinal and frequency.
    Period(i64, String),
    /// Left, right, closed.
    Interval(NodeId, NodeId, &'g str),
    Sequence(Sequence<'g>),
    /// A dict, and what else is one.
    Dict(NodeId),
    /// What has no place in a column, in words.
    Other(String),
}

impl<'g> Value<'g> {
    /// Reads an item of a list.
    pub(in crate::columnar) fn of_item(graph: &'g Graph<'g>, item: Item, limits: &Limits) -> Self {
        match item {
            Item::Float(value) => of_float(value),
            Item::Node(id) => Self::of_node(graph, id, limits),
        }
    }

    /// Reads a value.
    pub(in crate::columnar) fn of_node(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Self {
        match graph.node(id) {
            Node::None | Node::Global(Global::Na) => Self::Missing,
            Node::Bool(value) => Self::Bool(value),
            Node::Int(value) => Self::Int(value),
            Node::Float(value) => of_float(value),
            Node::Text { len, offset } => Self::Text(Cow::Borrowed(graph.span(offset, len))),
            Node::DecodedText(_) => Self::Text(Cow::Borrowed(graph.text_bytes(id).unwrap_or_default())),
            Node::String { .. } | Node::DecodedString(_) => {
                Self::OldText(graph.bytes(id).unwrap_or_default())
            }
            Node::Bytes { .. } | Node::ByteArray { .. } | Node::Long(_) => {
                Self::Bytes(Cow::Borrowed(graph.bytes(id).unwrap_or_default()))
            }
            Node::BigInt { .. } | Node::DecimalInt { .. } => {
                decimal::of_int(graph, id, limits).unwrap_or_else(|| other(graph, id))
            }
            Node::List { .. }
            | Node::FloatList { .. }
            | Node::Tuple { .. }
            | Node::Set { .. }
            | Node::FrozenSet { .. } => of_sequence(graph, id),
            Node::Dict { .. } => Self::Dict(id),
            Node::Packed { .. } => of_array(graph, id, limits),
            Node::Reduce { .. } | Node::Object { .. } => {
                of_object(graph, id, limits).unwrap_or_else(|| other(graph, id))
            }
            Node::Global(_) | Node::Foreign(_) | Node::FloatRun { .. } => other(graph, id),
        }
    }

    /// What it is, for messages.
    pub(super) fn in_words(&self) -> String {
        match (ValueKind::of_scalar(self), self) {
            (Some(kind), _) => kind.in_words(),
            (None, Self::Sequence(_)) => "a list".to_owned(),
            (None, Self::Dict(_)) => "a dict".to_owned(),
            (None, Self::Other(words)) => words.clone(),
            (None, _) => "an Interval".to_owned(),
        }
    }

    /// Whether a cell of it holds nothing.
    pub(in crate::columnar) fn is_missing_cell(&self) -> bool {
        match self {
            Self::Missing | Self::Nan => true,
            Self::Scalar(_, Number::Float(value)) => value.is_nan(),
            _ => false,
        }
    }
}

fn of_float<'g>(value: f64) -> Value<'g> {
    if value.is_nan() { Value::Nan } else { Value::Float(value) }
}

fn of_sequence<'g>(graph: &'g Graph<'g>, id: NodeId) -> Value<'g> {
    graph.sequence(id).map_or_else(|| other(graph, id), |view| Value::Sequence(Sequence::View(view)))
}

/// A class or function, its arguments, and the object's state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made<'g> {
    pub(super) by: Global,
    pub(super) args: &'g [NodeId],
    pub(super) state: Option<NodeId>,
}

impl<'g> Made<'g> {
    pub(super) fn of(graph: &'g Graph<'g>, id: NodeId) -> Option<Self> {
        let global = |id| match graph.node(id) {
            Node::Global(global) => Some(global),
            _ => None,
        };
        let state = graph.state(id);
        match graph.node(id) {
            Node::Object { class, args, .. } => {
                Some(Self { by: global(class)?, args: graph.tuple(args).unwrap_or_default(), state })
            }
            Node::Reduce { callable, args, .. } => {
                let args = graph.tuple(args).unwrap_or_default();
                match global(callable)? {
                    // Protocols 0 and 1 make objects by a function that is given the class.
                    Global::Reconstructor => Some(Self {
                        by: global(*args.first()?)?,
                        args: args.get(3..).unwrap_or_default(),
                        state,
                    }),
                    by => Some(Self { by, args, state }),
                }
            }
            _ => None,
        }
    }
}

fn of_object<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Option<Value<'g>> {
    let made = Made::of(graph, id)?;
    match made.by {
        Global::NaT => Some(Value::Missing),
        Global::Scalar => of_scalar(graph, made.args, limits),
        Global::Reconstruct | Global::FromBuffer => Some(of_array(graph, id, limits)),
        Global::Date | Global::Time | Global::DateTime | Global::TimeDelta => {
            moment::of_standard(graph, made)
        }
        Global::Timestamp | Global::Timedelta => moment::of_pandas(graph, made),
        Global::Decimal => decimal::of_decimal(graph, made.args),
        Global::Uuid => label::uuid(graph, made, limits),
        Global::Fraction | Global::Ipv4 | Global::Ipv6 | Global::Path => label::of(graph, made, limits),
        Global::Complex => match *made.args {
            [re, im] => Some(Value::Complex(float(graph, re)?, float(graph, im)?)),
            _ => None,
        },
        Global::Range => match *made.args {
            [start, stop, step] => {
                Some(Value::Range([int(graph, start)?, int(graph, stop)?, int(graph, step)?]))
            }
            _ => None,
        },
        Global::Interval => match *made.args {
            [left, right, closed] => Some(Value::Interval(left, right, graph.text(closed)?)),
            _ => None,
        },
        Global::Period => match *made.args {
            [_, offset, ordinal] => match int(graph, ordinal)? {
                i64::MIN => Some(Value::Missing),
                ordinal => Some(Value::Period(ordinal, frequency::of_offset(graph, offset)?)),
            },
            _ => None,
        },
        Global::CodecsEncode | Global::Bytes | Global::ByteArray => bytes_of(graph, id).map(Value::Bytes),
        Global::StdArray | Global::StdArrayReconstructor => super::sequence::of_std_array(graph, made),
        by if by.is_dict_like() => Some(Value::Dict(id)),
        by if by.is_list_like() => Some(of_sequence(graph, id)),
        _ => None,
    }
}

fn float(graph: &Graph<'_>, id: NodeId) -> Option<f64> {
    match graph.node(id) {
        Node::Float(value) => Some(value),
        _ => None,
    }
}

pub(super) fn int(graph: &Graph<'_>, id: NodeId) -> Option<i64> {
    match graph.node(id) {
        Node::Int(value) => Some(value),
        _ => None,
    }
}

fn of_array<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Value<'g> {
    match Array::parse(graph, id, limits) {
        Ok(array) => Grid::of(array, graph, limits),
        Err(error) => Value::Other(format!("an array that cannot be read ({error})")),
    }
}

/// `scalar(dtype, bytes)`, or `scalar(dtype, object)`.
fn of_scalar<'g>(graph: &'g Graph<'g>, args: &[NodeId], limits: &Limits) -> Option<Value<'g>> {
    let &[dtype, content] = args else { return None };
    let dtype = Dtype::parse(graph, dtype).ok()?;
    if dtype.kind == Kind::Object {
        // One step and no further: an object in an object in an object is none that NumPy writes.
        return (!matches!(graph.node(content), Node::Reduce { .. } | Node::Object { .. }))
            .then(|| Value::of_node(graph, content, limits));
    }
    let bytes = bytes_of(graph, content)?;
    (bytes.len() == dtype.itemsize).then(|| of_bytes(dtype, &bytes))
}

/// One item of an array.
pub(super) fn of_bytes<'g>(dtype: Dtype, bytes: &[u8]) -> Value<'g> {
    let dtype_of_half = |half: usize| Dtype { kind: Kind::Float, itemsize: half, ..dtype };
    match dtype.kind {
        Kind::Text => decoded(dtype, bytes),
        Kind::Raw => {
            let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            Value::Bytes(Cow::Owned(bytes[..len].to_vec()))
        }
        Kind::Datetime(step) => moment::of_datetime64(raw(dtype, bytes), step),
        Kind::Timedelta(step) => moment::of_timedelta64(raw(dtype, bytes), step),
        Kind::Complex => {
            let (re, im) = bytes.split_at(bytes.len() / 2);
            let part = |bytes: &[u8]| match numpy::items::number(dtype_of_half(bytes.len()), bytes) {
                Some(Number::Float(value)) => value,
                _ => f64::NAN,
            };
            Value::Complex(part(re), part(im))
        }
        _ => match numpy::items::number(dtype, bytes) {
            Some(Number::Bool(value)) => Value::Bool(value),
            Some(number) => Value::Scalar(Plain::of(dtype), number),
            None => Value::Other(format!("a NumPy value of type {}", dtype.code())),
        },
    }
}

fn raw(dtype: Dtype, bytes: &[u8]) -> i64 {
    match numpy::items::number(Dtype { kind: Kind::Int, ..dtype }, bytes) {
        Some(Number::Int(value)) => value,
        _ => i64::MIN,
    }
}

/// NumPy text: four bytes for each character, padded with zeros.
fn decoded<'g>(dtype: Dtype, bytes: &[u8]) -> Value<'g> {
    let codes = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|code| if dtype.big_endian { u32::from_be_bytes(*code) } else { u32::from_le_bytes(*code) });
    let codes: Vec<u32> = codes.collect();
    let len = codes.iter().rposition(|code| *code != 0).map_or(0, |last| last + 1);
    let text: Option<String> = codes[..len].iter().map(|code| char::from_u32(*code)).collect();
    match text {
        Some(text) => Value::Text(Cow::Owned(text.into_bytes())),
        None => Value::Other("NumPy text with a code that is no character".to_owned()),
    }
}

/// What has no place in a column.
fn other<'g>(graph: &'g Graph<'g>, id: NodeId) -> Value<'g> {
    Value::Other(in_words(graph, id))
}

fn in_words(graph: &Graph<'_>, id: NodeId) -> String {
    let class = |id| match graph.node(id) {
        Node::Foreign(index) => graph.foreign().get(index as usize).map(|foreign| {
            format!("an object of the class {}.{}, which is not known", foreign.module, foreign.name)
        }),
        _ => None,
    };
    match graph.node(id) {
        Node::Global(global) => format!("the class or function {}", global.name()),
        Node::Foreign(_) => class(id).unwrap_or_default().replacen("an object of ", "", 1),
        Node::Reduce { callable, .. } if class(callable).is_some() => class(callable).unwrap_or_default(),
        Node::Object { class: id, .. } if class(id).is_some() => class(id).unwrap_or_default(),
        node => match Made::of(graph, id).map(|made| made.by) {
            Some(Global::DataFrame) => "a DataFrame inside a cell".to_owned(),
            Some(Global::Series) => "a Series inside a cell".to_owned(),
            Some(Global::NewIndex) => "an Index inside a cell".to_owned(),
            Some(Global::UnpickleNdArrayBacked) => "an array of pandas inside a cell".to_owned(),
            Some(by) => format!("an object made by {}", by.name()),
            None => node.kind().to_owned(),
        },
    }
}
