//! Columns that pandas keeps in Arrow buffers, of any type: `_restore_array((type, length, nulls, offset, buffers, children,
//! dictionary))`, alone or in a `chunked_array`.
//!
//! This is what the file says, with the bytes where they lie. pyarrow checks none of it when it loads a pickle; whoever
//! makes an array of it checks all of it.

use std::borrow::Cow;

use super::{error::ErrorKind, extension::named};
use crate::{
    limits::Limits,
    numpy::array::bytes_of,
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// A type, by the function that makes it and what that is given.
#[derive(Debug, Clone, PartialEq)]
pub enum ArrowType {
    /// `type_for_alias(name)`.
    Alias(String),
    /// Times of a unit, in a zone.
    Timestamp(String, Option<String>),
    /// Decimals of a number of bits: precision and scale.
    Decimal(u16, i64, i64),
    /// Bytes of one length.
    FixedBinary(i64),
    /// Lists, with 64-bit offsets if the flag is set.
    List(Box<ArrowField>, bool),
    /// Lists of one length.
    FixedList(Box<ArrowField>, i64),
    /// Structs.
    Struct(Vec<ArrowField>),
    /// Maps of keys to values.
    Map(Box<ArrowField>, Box<ArrowField>),
    /// Codes and values; whether the order of the values means something.
    Dictionary(Box<ArrowType>, Box<ArrowType>, bool),
}

/// A named type.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrowField {
    /// The name.
    pub name: String,
    /// The type.
    pub data_type: ArrowType,
    /// Whether values may be missing.
    pub nullable: bool,
}

/// One array.
#[derive(Debug, Clone)]
pub struct ArrowPart<'g> {
    /// Values.
    pub length: usize,
    /// Where the first one stands in the buffers.
    pub offset: usize,
    /// Validity, then what the type has.
    pub buffers: Vec<Option<Cow<'g, [u8]>>>,
    /// Arrays of the items or fields.
    pub children: Vec<ArrowPart<'g>>,
    /// The values of a dictionary.
    pub dictionary: Option<Box<ArrowPart<'g>>>,
}

/// A column: arrays of one type, one after the other.
#[derive(Debug, Clone)]
pub struct ArrowColumn<'g> {
    /// The type.
    pub data_type: ArrowType,
    /// The arrays.
    pub chunks: Vec<ArrowPart<'g>>,
    /// Values in all of them.
    pub rows: usize,
}

/// Types inside types.
const DEPTH_MAX: usize = 32;

impl<'g> ArrowColumn<'g> {
    /// The column of an `ArrowExtensionArray`.
    pub(super) fn of_extension(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self, ErrorKind> {
        let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
        Self::parse(graph, named(graph, state, &["_pa_array", "_data"])?, limits)
    }

    /// The column of an array or of arrays in a row.
    pub(super) fn parse(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self, ErrorKind> {
        let mut column = Self { data_type: ArrowType::Alias("null".to_owned()), chunks: Vec::new(), rows: 0 };
        let mut first = None;
        let mut add = |id| {
            let (data_type, part) = array(graph, id, limits)?;
            if first.as_ref().is_some_and(|first| *first != data_type) {
                return Err(ErrorKind::BadArrowBuffers);
            }
            first = Some(data_type);
            column.rows = column.rows.checked_add(part.length).ok_or(ErrorKind::BadArrowBuffers)?;
            column.chunks.push(part);
            Ok(())
        };
        match call(graph, id) {
            Some((Global::ArrowArray, _)) => add(id)?,
            Some((Global::ArrowChunks, &[chunks, data_type])) => {
                for item in graph.sequence(chunks).ok_or(ErrorKind::UnknownForm)?.items_from(0) {
                    let Item::Node(id) = item else { return Err(ErrorKind::UnknownForm) };
                    add(id)?;
                }
                if first.is_none() {
                    first = Some(parse_type(graph, data_type, DEPTH_MAX)?);
                }
            }
            _ => return Err(ErrorKind::UnknownForm),
        }
        column.data_type = first.unwrap_or(column.data_type);
        Ok(column)
    }
}

fn call<'g>(graph: &'g Graph<'g>, id: NodeId) -> Option<(Global, &'g [NodeId])> {
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return None };
    match graph.node(callable) {
        Node::Global(global) => Some((global, graph.tuple(args)?)),
        _ => None,
    }
}

fn array<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    limits: &Limits,
) -> Result<(ArrowType, ArrowPart<'g>), ErrorKind> {
    let Some((Global::ArrowArray, &[whole])) = call(graph, id) else { return Err(ErrorKind::UnknownForm) };
    let data_type = graph.tuple(whole).and_then(<[NodeId]>::first).ok_or(ErrorKind::UnknownForm)?;
    Ok((parse_type(graph, *data_type, DEPTH_MAX)?, part(graph, whole, limits, DEPTH_MAX)?))
}

fn part<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    limits: &Limits,
    depth: usize,
) -> Result<ArrowPart<'g>, ErrorKind> {
    let depth = depth.checked_sub(1).ok_or(ErrorKind::TooDeep)?;
    let &[_, length, _, offset, buffers, children, dictionary] = graph.tuple(id).unwrap_or_default() else {
        return Err(ErrorKind::UnknownForm);
    };
    let size = |id| match graph.node(id) {
        Node::Int(value) => usize::try_from(value).map_err(|_| ErrorKind::BadArrowBuffers),
        _ => Err(ErrorKind::UnknownForm),
    };
    let nodes = |id| {
        let items = graph.sequence(id).ok_or(ErrorKind::UnknownForm)?;
        if items.len() > limits.columns_max {
            return Err(ErrorKind::TooManyColumns(items.len()));
        }
        let node = |item| match item {
            Item::Node(id) => Ok(id),
            Item::Float(_) => Err(ErrorKind::UnknownForm),
        };
        items.items_from(0).map(node).collect::<Result<Vec<NodeId>, ErrorKind>>()
    };
    let buffer = |id| match (id, call(graph, id)) {
        (NodeId::NONE, _) => Ok(None),
        (_, Some((Global::ArrowBuffer, &[bytes]))) => {
            bytes_of(graph, bytes).map(Some).ok_or(ErrorKind::UnknownForm)
        }
        _ => Err(ErrorKind::UnknownForm),
    };
    let child = |id| part(graph, id, limits, depth);
    Ok(ArrowPart {
        length: size(length)?,
        offset: size(offset)?,
        buffers: nodes(buffers)?.into_iter().map(buffer).collect::<Result<_, _>>()?,
        children: nodes(children)?.into_iter().map(child).collect::<Result<_, _>>()?,
        dictionary: match dictionary {
            NodeId::NONE => None,
            values => Some(Box::new(child(values)?)),
        },
    })
}

fn parse_type(graph: &Graph<'_>, id: NodeId, depth: usize) -> Result<ArrowType, ErrorKind> {
    let depth = depth.checked_sub(1).ok_or(ErrorKind::TooDeep)?;
    let (global, args) = call(graph, id).ok_or(ErrorKind::UnknownForm)?;
    let text = |id: &NodeId| graph.text(*id).map(str::to_owned).ok_or(ErrorKind::UnknownForm);
    let int = |id: &NodeId| match graph.node(*id) {
        Node::Int(value) => Ok(value),
        _ => Err(ErrorKind::UnknownForm),
    };
    let inner = |id: &NodeId| parse_type(graph, *id, depth);
    let field = |id: &NodeId| parse_field(graph, *id, depth).map(Box::new);
    Ok(match (global, args) {
        (Global::ArrowType, [name]) => ArrowType::Alias(text(name)?),
        (Global::ArrowTimestamp, [unit] | [unit, NodeId::NONE]) => ArrowType::Timestamp(text(unit)?, None),
        (Global::ArrowTimestamp, [unit, zone]) => ArrowType::Timestamp(text(unit)?, Some(text(zone)?)),
        (Global::ArrowDecimal128, [precision, scale]) => {
            ArrowType::Decimal(128, int(precision)?, int(scale)?)
        }
        (Global::ArrowDecimal256, [precision, scale]) => {
            ArrowType::Decimal(256, int(precision)?, int(scale)?)
        }
        (Global::ArrowBinary, [length]) => ArrowType::FixedBinary(int(length)?),
        (Global::ArrowList, [item, length]) => {
            let unnamed = || -> Result<ArrowField, ErrorKind> {
                Ok(ArrowField { name: "item".to_owned(), data_type: inner(item)?, nullable: true })
            };
            let item = parse_field(graph, *item, depth).or_else(|_| unnamed())?;
            ArrowType::FixedList(Box::new(item), int(length)?)
        }
        (Global::ArrowList, [item]) => ArrowType::List(field(item)?, false),
        (Global::ArrowLargeList, [item]) => ArrowType::List(field(item)?, true),
        (Global::ArrowMap, [key, value]) => ArrowType::Map(field(key)?, field(value)?),
        (Global::ArrowDictionary, [codes, values, ordered]) => {
            ArrowType::Dictionary(Box::new(inner(codes)?), Box::new(inner(values)?), *ordered == NodeId::TRUE)
        }
        (Global::ArrowStruct, [fields]) => {
            let items = graph.sequence(*fields).ok_or(ErrorKind::UnknownForm)?;
            let field = |item| match item {
                Item::Node(id) => parse_field(graph, id, depth),
                Item::Float(_) => Err(ErrorKind::UnknownForm),
            };
            ArrowType::Struct(items.items_from(0).map(field).collect::<Result<_, _>>()?)
        }
        _ => return Err(ErrorKind::UnknownForm),
    })
}

/// `field(name, type, nullable, metadata)`.
fn parse_field(graph: &Graph<'_>, id: NodeId, depth: usize) -> Result<ArrowField, ErrorKind> {
    match call(graph, id) {
        Some((Global::ArrowField, &[name, data_type, nullable, _])) => Ok(ArrowField {
            name: graph.text(name).ok_or(ErrorKind::UnknownForm)?.to_owned(),
            data_type: parse_type(graph, data_type, depth)?,
            nullable: nullable == NodeId::TRUE,
        }),
        _ => Err(ErrorKind::UnknownForm),
    }
}
