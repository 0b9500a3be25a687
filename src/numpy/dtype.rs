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
        if graph.node(callable) != Node::Global(Global::Dtype) {
            return Err(Error::WrongType { wanted: "a dtype", found: "another object" });
        }
        let code = graph.tuple(args).and_then(<[NodeId]>::first).and_then(|code| graph.text(*code));
        let code = code.ok_or(Error::UnknownForm("dtype"))?;
        let (kind, itemsize) = kind_of(code).ok_or_else(|| Error::UnknownDtype(code.to_owned()))?;
        Ok(Self { kind, itemsize, big_endian: is_big_endian(graph, id) })
    }

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
            Kind::Object => 'O',
        };
        format!("{letter}{}", self.itemsize)
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
        "O8" | "O4" => (Kind::Object, 8),
        _ => return None,
    })
}

fn is_big_endian(graph: &Graph<'_>, id: NodeId) -> bool {
    let state = graph.state(id).and_then(|state| graph.tuple(state));
    state.and_then(|state| state.get(1)).is_some_and(|order| graph.text(*order) == Some(">"))
}
