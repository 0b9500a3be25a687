//! dtypes: what the items of an array are.
//!
//! `dtype(code, False, True)` with state `(3, byteorder, subdtype, names, fields, itemsize, alignment, flags[, metadata])`
//! (`numpy/_core/src/multiarray/descriptor.c`, `arraydescr_setstate`).

use super::error::{Error, Result};
use crate::pickle::{Global, Graph, Node, NodeId};

/// What the items are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One byte, 0 or 1.
    Bool,
    /// Signed integers of 1, 2, 4 or 8 bytes.
    Int,
    /// Unsigned integers of 1, 2, 4 or 8 bytes.
    Uint,
    /// Floats of 2, 4 or 8 bytes.
    Float,
    /// Two floats of 4 or 8 bytes: the real and the imaginary part.
    Complex,
    /// Text of code points of 4 bytes each, padded with zeros.
    Text,
    /// Bytes, padded with zeros.
    Raw,
    /// Steps since 1970; the smallest integer stands for a missing one.
    Datetime(Step),
    /// Steps; the smallest integer stands for a missing one.
    Timedelta(Step),
    /// Fields of different types: one record of named parts.
    Record,
    /// References to Python objects.
    Object,
}

/// The unit that times and durations count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The unit.
    pub unit: Unit,
    /// How many units one step is: nearly always 1.
    pub count: u32,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Milli,
    Micro,
    Nano,
    Pico,
    Femto,
    Atto,
    /// Without a unit: only missing values make sense.
    Generic,
}

/// The type of an array's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dtype {
    /// What they are.
    pub kind: Kind,
    /// Bytes of one.
    pub itemsize: usize,
    /// Whether their bytes are in big-endian order.
    pub big_endian: bool,
}

impl Dtype {
    /// The dtype that node `id` describes.
    pub fn parse(graph: &Graph<'_>, id: NodeId) -> Result<Self> {
        let Node::Reduce { callable, args, .. } = graph.node(id) else {
            return Err(Error::WrongType { wanted: "a dtype", found: graph.node(id).kind() });
        };
        match graph.node(callable) {
            Node::Global(Global::Dtype) => {}
            // Text of any length: the array holds a list of texts.
            Node::Global(Global::StringDtypeKwargs) => return Ok(Self::OBJECT),
            _ => return Err(Error::WrongType { wanted: "a dtype", found: "another object" }),
        }
        let code = graph.tuple(args).and_then(<[NodeId]>::first);
        let code = code.ok_or(Error::UnknownForm("dtype"))?;
        if graph.node(*code) == Node::Global(Global::Record) {
            return Ok(Self { kind: Kind::Record, itemsize: itemsize(graph, id)?, big_endian: false });
        }
        let code = graph.text(*code).ok_or(Error::UnknownForm("dtype"))?;
        let (kind, itemsize) = match code {
            "M8" => (Kind::Datetime(step(graph, id)?), 8),
            "m8" => (Kind::Timedelta(step(graph, id)?), 8),
            _ if code.starts_with('V') && has_fields(graph, id) => (Kind::Record, itemsize(graph, id)?),
            _ => kind_of(code).ok_or_else(|| unknown(code))?,
        };
        Ok(Self { kind, itemsize, big_endian: is_big_endian(graph, id) })
    }

    const OBJECT: Self = Self { kind: Kind::Object, itemsize: 8, big_endian: false };

    /// NumPy's code, such as `f4`.
    pub fn code(&self) -> String {
        let letter = match self.kind {
            Kind::Bool => 'b',
            Kind::Int => 'i',
            Kind::Uint => 'u',
            Kind::Float => 'f',
            Kind::Complex => 'c',
            Kind::Text => 'U',
            Kind::Raw => 'S',
            Kind::Datetime(_) => 'M',
            Kind::Timedelta(_) => 'm',
            Kind::Record => 'V',
            Kind::Object => 'O',
        };
        format!("{letter}{}", self.itemsize)
    }
}

/// Why a dtype has no meaning here.
fn unknown(code: &str) -> Error {
    match code {
        "f12" | "f16" | "c24" | "c32" => Error::LongDouble(code.to_owned()),
        _ if code.starts_with('V') => Error::Void(code.to_owned()),
        _ => Error::UnknownDtype(code.to_owned()),
    }
}

fn kind_of(code: &str) -> Option<(Kind, usize)> {
    Some(match code {
        "b1" => (Kind::Bool, 1),
        "i1" => (Kind::Int, 1),
        "i2" => (Kind::Int, 2),
        "i4" => (Kind::Int, 4),
        "i8" => (Kind::Int, 8),
        "u1" => (Kind::Uint, 1),
        "u2" => (Kind::Uint, 2),
        "u4" => (Kind::Uint, 4),
        "u8" => (Kind::Uint, 8),
        "f2" => (Kind::Float, 2),
        "f4" => (Kind::Float, 4),
        "f8" => (Kind::Float, 8),
        "c8" => (Kind::Complex, 8),
        "c16" => (Kind::Complex, 16),
        "O8" | "O4" => (Kind::Object, 8),
        _ => return padded(code),
    })
}

/// Text and bytes of one length: `U3` is three code points of four bytes.
fn padded(code: &str) -> Option<(Kind, usize)> {
    let length = |digits: &str| digits.parse::<u32>().ok().map(|length| length as usize);
    if let Some(digits) = code.strip_prefix('U') {
        return Some((Kind::Text, length(digits)?.checked_mul(CODE_POINT_BYTES)?));
    }
    Some((Kind::Raw, length(code.strip_prefix('S')?)?))
}

/// Bytes of one code point in an array of text.
pub const CODE_POINT_BYTES: usize = 4;

fn state_item(graph: &Graph<'_>, id: NodeId, place: usize) -> Option<NodeId> {
    graph.tuple(graph.state(id)?)?.get(place).copied()
}

fn has_fields(graph: &Graph<'_>, id: NodeId) -> bool {
    state_item(graph, id, 3).is_some_and(|names| graph.tuple(names).is_some())
}

fn itemsize(graph: &Graph<'_>, id: NodeId) -> Result<usize> {
    match state_item(graph, id, 5).map(|size| graph.node(size)) {
        Some(Node::Int(size)) => usize::try_from(size).map_err(|_| Error::ImpossibleShape),
        _ => Err(Error::UnknownForm("dtype")),
    }
}

/// The unit of times: `(metadata, (unit, count, 1, 1))` is the last item of the state.
fn step(graph: &Graph<'_>, id: NodeId) -> Result<Step> {
    let unknown = Error::UnknownForm("dtype of times");
    let Some(metadata) = state_item(graph, id, 8) else {
        return Ok(Step { unit: Unit::Generic, count: 1 });
    };
    let step = graph.tuple(metadata).and_then(|metadata| graph.tuple(*metadata.last()?));
    let Some(&[unit, count, ..]) = step else { return Err(unknown) };
    let text = super::array::bytes_of(graph, unit);
    let text =
        text.as_deref().or_else(|| graph.text(unit).map(str::as_bytes)).ok_or_else(|| unknown.clone())?;
    let unit = Unit::parse(text).ok_or_else(|| unknown.clone())?;
    match graph.node(count) {
        Node::Int(count @ 1..) => u32::try_from(count).map(|count| Step { unit, count }).map_err(|_| unknown),
        _ => Err(unknown),
    }
}

impl Unit {
    /// The unit that NumPy writes like this.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"Y" => Self::Year,
            b"M" => Self::Month,
            b"W" => Self::Week,
            b"D" => Self::Day,
            b"h" => Self::Hour,
            b"m" => Self::Minute,
            b"s" => Self::Second,
            b"ms" => Self::Milli,
            b"us" => Self::Micro,
            b"ns" => Self::Nano,
            b"ps" => Self::Pico,
            b"fs" => Self::Femto,
            b"as" => Self::Atto,
            b"generic" => Self::Generic,
            _ => return None,
        })
    }
}

fn is_big_endian(graph: &Graph<'_>, id: NodeId) -> bool {
    let state = graph.state(id).and_then(|state| graph.tuple(state));
    state.and_then(|state| state.get(1)).is_some_and(|order| graph.text(*order) == Some(">"))
}
