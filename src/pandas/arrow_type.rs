//! Arrow types as pyarrow pickles them: expressions such as `list_(field('item', type_for_alias('int64'), True, None))`.

use std::fmt;

use super::error::ErrorKind;
use crate::{
    limits::Limits,
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// An Arrow type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrowType {
    /// Nothing but missing values.
    Null,
    /// Bits.
    Bool,
    /// Integers of so many bytes.
    Int(usize),
    /// Integers without a sign, of so many bytes.
    Uint(usize),
    /// Floats of so many bytes.
    Float(usize),
    /// UTF-8.
    Text(Offsets),
    /// Bytes.
    Binary(Offsets),
    /// Bytes, always so many.
    FixedBinary(usize),
    /// Days since 1970 in 32 bits.
    Date32,
    /// Milliseconds since 1970, whole days.
    Date64,
    /// Time of day in 32 bits.
    Time32(ArrowUnit),
    /// Time of day in 64 bits.
    Time64(ArrowUnit),
    /// Time since 1970, in UTC if there is a zone.
    Timestamp(ArrowUnit, Option<String>),
    /// A span of time.
    Duration(ArrowUnit),
    /// Decimal numbers of so many bytes: precision and scale.
    Decimal(usize, u8, i8),
    /// Lists.
    List(Box<ArrowField>, Offsets),
    /// Lists of one length.
    FixedList(Box<ArrowField>, usize),
    /// Named values.
    Struct(Vec<ArrowField>),
    /// Keys with values.
    Map(Box<[ArrowField; 2]>),
    /// Indices into values, and whether the order of these means something.
    Dictionary(Box<Self>, Box<Self>, bool),
    /// Values with the rows at which their runs end.
    Runs(Box<Self>, Box<Self>),
}

/// How values without a fixed width are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offsets {
    /// Offsets of 4 bytes.
    Narrow,
    /// Offsets of 8 bytes.
    Wide,
    /// Views of 16 bytes.
    View,
}

/// The units that Arrow counts time in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ArrowUnit {
    Second,
    Milli,
    Micro,
    Nano,
}

/// A named type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrowField {
    /// The name.
    pub name: String,
    /// The type.
    pub data_type: ArrowType,
    /// Whether values may be missing.
    pub nullable: bool,
}

/// What may still be read of one column's types and arrays: a file can name one type inside another again and again.
pub(super) struct Allowance {
    nodes: usize,
    depth_max: usize,
}

impl Allowance {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { nodes: limits.columns_max, depth_max: limits.nesting_max }
    }

    /// One more node, `depth` levels down.
    pub(super) fn spend(&mut self, depth: usize) -> Result<(), ErrorKind> {
        if depth > self.depth_max {
            return Err(ErrorKind::Arrow("it is nested too deep"));
        }
        self.nodes = self.nodes.checked_sub(1).ok_or(ErrorKind::Arrow("it has too many parts"))?;
        Ok(())
    }
}

/// The callable and the arguments of a call.
pub(super) fn call<'g>(graph: &'g Graph<'g>, id: NodeId) -> Option<(Global, &'g [NodeId])> {
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return None };
    let Node::Global(global) = graph.node(callable) else { return None };
    Some((global, graph.tuple(args)?))
}

impl ArrowType {
    /// The type that node `id` describes, `depth` levels down.
    pub(super) fn parse(
        graph: &Graph<'_>,
        id: NodeId,
        depth: usize,
        left: &mut Allowance,
    ) -> Result<Self, ErrorKind> {
        left.spend(depth)?;
        let Some((global, args)) = call(graph, id) else { return Err(ErrorKind::UnknownForm) };
        let mut inner = |id| Self::parse(graph, id, depth + 1, left).map(Box::new);
        Ok(match (global, args) {
            (Global::ArrowType, &[alias]) => {
                let alias = graph.text(alias).ok_or(ErrorKind::UnknownForm)?;
                Self::of_alias(alias).ok_or_else(|| ErrorKind::ArrowType(alias.to_owned()))?
            }
            (Global::ArrowTimestamp, &[unit]) => Self::Timestamp(unit_of(graph, unit)?, None),
            (Global::ArrowTimestamp, &[unit, zone]) => {
                let zone = match zone {
                    NodeId::NONE => None,
                    zone => Some(graph.text(zone).ok_or(ErrorKind::UnknownForm)?.to_owned()),
                };
                Self::Timestamp(unit_of(graph, unit)?, zone)
            }
            (Global::ArrowDecimal128, args) => decimal(graph, 16, args)?,
            (Global::ArrowDecimal256, args) => decimal(graph, 32, args)?,
            (Global::ArrowBinary, &[width]) => Self::FixedBinary(size(graph, width)?),
            (Global::ArrowList, &[item]) => {
                Self::List(Box::new(field(graph, item, depth, left)?), Offsets::Narrow)
            }
            (Global::ArrowLargeList, &[item]) => {
                Self::List(Box::new(field(graph, item, depth, left)?), Offsets::Wide)
            }
            (Global::ArrowList, &[item, length]) => {
                Self::FixedList(Box::new(field(graph, item, depth, left)?), size(graph, length)?)
            }
            (Global::ArrowStruct, &[fields]) => Self::Struct(parse_fields(graph, fields, depth, left)?),
            (Global::ArrowMap, &[key, value] | &[key, value, _]) => {
                Self::Map(Box::new([field(graph, key, depth, left)?, field(graph, value, depth, left)?]))
            }
            (Global::ArrowDictionary, &[index, value, ordered]) => {
                Self::Dictionary(inner(index)?, inner(value)?, ordered == NodeId::TRUE)
            }
            (Global::ArrowRunEndEncoded, &[ends, values]) => Self::Runs(inner(ends)?, inner(values)?),
            (other, _) => return Err(ErrorKind::ArrowType(other.name().to_owned())),
        })
    }

    /// A type by the name that pyarrow gives it.
    fn of_alias(alias: &str) -> Option<Self> {
        Some(match alias {
            "null" => Self::Null,
            "bool" | "bool_" | "boolean" => Self::Bool,
            "int8" => Self::Int(1),
            "int16" => Self::Int(2),
            "int32" => Self::Int(4),
            "int64" => Self::Int(8),
            "uint8" => Self::Uint(1),
            "uint16" => Self::Uint(2),
            "uint32" => Self::Uint(4),
            "uint64" => Self::Uint(8),
            "halffloat" | "float16" => Self::Float(2),
            "float" | "float32" => Self::Float(4),
            "double" | "float64" => Self::Float(8),
            "string" | "utf8" => Self::Text(Offsets::Narrow),
            "large_string" | "large_utf8" => Self::Text(Offsets::Wide),
            "string_view" | "utf8_view" => Self::Text(Offsets::View),
            "binary" => Self::Binary(Offsets::Narrow),
            "large_binary" => Self::Binary(Offsets::Wide),
            "binary_view" => Self::Binary(Offsets::View),
            "date32" | "date32[day]" => Self::Date32,
            "date64" | "date64[ms]" => Self::Date64,
            _ => {
                let (kind, unit) = alias.strip_suffix(']')?.split_once('[')?;
                let unit = ArrowUnit::of_name(unit)?;
                match (kind, unit) {
                    ("time32", ArrowUnit::Second | ArrowUnit::Milli) => Self::Time32(unit),
                    ("time64", ArrowUnit::Micro | ArrowUnit::Nano) => Self::Time64(unit),
                    ("timestamp", _) => Self::Timestamp(unit, None),
                    ("duration", _) => Self::Duration(unit),
                    _ => return None,
                }
            }
        })
    }

    /// Bytes of one value, where all are as wide.
    pub fn width(&self) -> Option<usize> {
        Some(match self {
            Self::Int(width)
            | Self::Uint(width)
            | Self::Float(width)
            | Self::FixedBinary(width)
            | Self::Decimal(width, ..) => *width,
            Self::Date32 | Self::Time32(_) => 4,
            Self::Date64 | Self::Time64(_) | Self::Timestamp(..) | Self::Duration(_) => 8,
            Self::Dictionary(index, ..) => index.width()?,
            _ => return None,
        })
    }

    /// Whether the two are the same but for the names of fields and whether they say that values may be missing.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a, kind), Self::List(b, other)) => kind == other && a.data_type.is_like(&b.data_type),
            (Self::FixedList(a, length), Self::FixedList(b, other)) => {
                length == other && a.data_type.is_like(&b.data_type)
            }
            (Self::Struct(a), Self::Struct(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.data_type.is_like(&b.data_type))
            }
            (Self::Map(a), Self::Map(b)) => {
                a.iter().zip(b.iter()).all(|(a, b)| a.data_type.is_like(&b.data_type))
            }
            (Self::Dictionary(a, c, _), Self::Dictionary(b, d, _)) | (Self::Runs(a, c), Self::Runs(b, d)) => {
                a.is_like(b) && c.is_like(d)
            }
            _ => self == other,
        }
    }
}

fn decimal(graph: &Graph<'_>, width: usize, args: &[NodeId]) -> Result<ArrowType, ErrorKind> {
    let &[precision, scale] = args else { return Err(ErrorKind::UnknownForm) };
    let digits_max = if width == 16 { 38 } else { 76 };
    match (graph.node(precision), graph.node(scale)) {
        (Node::Int(precision @ 1..), Node::Int(scale)) if precision <= digits_max => {
            let scale = i8::try_from(scale).map_err(|_| ErrorKind::UnknownForm)?;
            Ok(ArrowType::Decimal(width, precision as u8, scale))
        }
        _ => Err(ErrorKind::UnknownForm),
    }
}

fn size(graph: &Graph<'_>, id: NodeId) -> Result<usize, ErrorKind> {
    match graph.node(id) {
        Node::Int(size) => i32::try_from(size)
            .ok()
            .and_then(|size| usize::try_from(size).ok())
            .ok_or(ErrorKind::Arrow("a width is impossible")),
        _ => Err(ErrorKind::UnknownForm),
    }
}

fn unit_of(graph: &Graph<'_>, id: NodeId) -> Result<ArrowUnit, ErrorKind> {
    graph.text(id).and_then(ArrowUnit::of_name).ok_or(ErrorKind::UnknownForm)
}

/// A field; older writers give a list the bare type of its items.
fn field(graph: &Graph<'_>, id: NodeId, depth: usize, left: &mut Allowance) -> Result<ArrowField, ErrorKind> {
    if let Some((Global::ArrowField, &[name, data_type, nullable, ..])) = call(graph, id) {
        Ok(ArrowField {
            name: graph.text(name).ok_or(ErrorKind::UnknownForm)?.to_owned(),
            data_type: ArrowType::parse(graph, data_type, depth + 1, left)?,
            nullable: nullable != NodeId::FALSE,
        })
    } else {
        let data_type = ArrowType::parse(graph, id, depth + 1, left)?;
        Ok(ArrowField { name: "item".to_owned(), data_type, nullable: true })
    }
}

/// The fields in a list.
pub(super) fn parse_fields(
    graph: &Graph<'_>,
    id: NodeId,
    depth: usize,
    left: &mut Allowance,
) -> Result<Vec<ArrowField>, ErrorKind> {
    let fields = graph.list(id).ok_or(ErrorKind::UnknownForm)?;
    let parse = |item| match item {
        Item::Node(id) => field(graph, id, depth, left),
        Item::Float(_) => Err(ErrorKind::UnknownForm),
    };
    fields.items_from(0).map(parse).collect()
}

impl ArrowUnit {
    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "s" => Self::Second,
            "ms" => Self::Milli,
            "us" => Self::Micro,
            "ns" => Self::Nano,
            _ => return None,
        })
    }
}

impl fmt::Display for ArrowUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Second => "s",
            Self::Milli => "ms",
            Self::Micro => "us",
            Self::Nano => "ns",
        })
    }
}

impl fmt::Display for ArrowField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.name, self.data_type, if self.nullable { "" } else { " not null" })
    }
}

/// pyarrow's text of the type, which pandas makes the name of its dtype from.
impl fmt::Display for ArrowType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = |offsets: &Offsets| if *offsets == Offsets::Wide { "large_" } else { "" };
        let suffix = |offsets: &Offsets| if *offsets == Offsets::View { "_view" } else { "" };
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int(width) => write!(f, "int{}", width * 8),
            Self::Uint(width) => write!(f, "uint{}", width * 8),
            Self::Float(2) => f.write_str("halffloat"),
            Self::Float(4) => f.write_str("float"),
            Self::Float(_) => f.write_str("double"),
            Self::Text(offsets) => write!(f, "{}string{}", prefix(offsets), suffix(offsets)),
            Self::Binary(offsets) => write!(f, "{}binary{}", prefix(offsets), suffix(offsets)),
            Self::FixedBinary(width) => write!(f, "fixed_size_binary[{width}]"),
            Self::Date32 => f.write_str("date32[day]"),
            Self::Date64 => f.write_str("date64[ms]"),
            Self::Time32(unit) => write!(f, "time32[{unit}]"),
            Self::Time64(unit) => write!(f, "time64[{unit}]"),
            Self::Timestamp(unit, None) => write!(f, "timestamp[{unit}]"),
            Self::Timestamp(unit, Some(zone)) => write!(f, "timestamp[{unit}, tz={zone}]"),
            Self::Duration(unit) => write!(f, "duration[{unit}]"),
            Self::Decimal(width, precision, scale) => {
                write!(f, "decimal{}({precision}, {scale})", width * 8)
            }
            Self::List(item, offsets) => write!(f, "{}list<{item}>", prefix(offsets)),
            Self::FixedList(item, length) => write!(f, "fixed_size_list<{item}>[{length}]"),
            Self::Struct(fields) => {
                let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                write!(f, "struct<{}>", fields.join(", "))
            }
            Self::Map(entry) => write!(f, "map<{}, {}>", entry[0].data_type, entry[1].data_type),
            Self::Dictionary(index, value, ordered) => {
                write!(f, "dictionary<values={value}, indices={index}, ordered={}>", u8::from(*ordered))
            }
            Self::Runs(ends, values) => write!(f, "run_end_encoded<run_ends: {ends}, values: {values}>"),
        }
    }
}
