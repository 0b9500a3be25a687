//! What a column holds where no schema says it: every cell is looked at, because the last one may change the answer.

use arrow_schema::DataType;

use super::{
    embedding::dimension_of,
    error::{BadRow, Error, Reason, Result},
    object,
    source::{Cell, Source},
    text_list::sequence,
};
use crate::{
    limits::{Bound, Budget, Limits},
    numpy::{Array, Dtype, Kind, array::packed_items},
    pandas::Values,
    pickle::{Item, Node, NodeId},
};

/// What a column becomes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Inferred {
    /// Numbers or booleans of this dtype's width.
    Plain(Plain),
    /// `Utf8`.
    Text,
    /// `List<Utf8>`.
    TextList,
    /// Vectors of one dimension, of 32-bit floats if `narrow`.
    Vector {
        /// Elements of each.
        dimension: usize,
        /// Whether all of them are 32-bit floats in the file.
        narrow: bool,
    },
    /// Objects of another kind.
    Object(object::kind::Kind),
}

/// What becomes of a column whose cells have no kind together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mixed {
    /// It is refused.
    #[default]
    Refuse,
    /// Its cells are kept as JSON text.
    Json,
}

/// Number types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) kind: Kind,
    pub(super) bytes: usize,
}

impl Plain {
    const INT: Self = Self { kind: Kind::Int, bytes: 8 };
    const FLOAT: Self = Self { kind: Kind::Float, bytes: 8 };
    const BOOL: Self = Self { kind: Kind::Bool, bytes: 1 };

    pub(super) fn of(dtype: Dtype) -> Self {
        // Halves are widened: several readers do not know them.
        let bytes = if dtype.kind == Kind::Float { dtype.itemsize.max(4) } else { dtype.itemsize };
        Self { kind: dtype.kind, bytes }
    }

    pub(super) fn data_type(self) -> DataType {
        match (self.kind, self.bytes) {
            (Kind::Bool, _) => DataType::Boolean,
            (Kind::Int, 1) => DataType::Int8,
            (Kind::Int, 2) => DataType::Int16,
            (Kind::Int, 4) => DataType::Int32,
            (Kind::Uint, 1) => DataType::UInt8,
            (Kind::Uint, 2) => DataType::UInt16,
            (Kind::Uint, 4) => DataType::UInt32,
            (Kind::Uint, _) => DataType::UInt64,
            (Kind::Float, 4) => DataType::Float32,
            (Kind::Float, _) => DataType::Float64,
            _ => DataType::Int64,
        }
    }
}

/// Decides what `source` becomes.
pub(super) fn infer(source: Source<'_>, rows: usize, limits: &Limits, mixed: Mixed) -> Result<Inferred> {
    match source.values {
        Values::Numbers { array, .. } => return Ok(Inferred::Plain(Plain::of(array.dtype))),
        Values::Masked { data, .. } => return Ok(Inferred::Plain(Plain::of(data.dtype))),
        Values::Range { .. } => return Ok(Inferred::Plain(Plain::INT)),
        Values::ArrowText(_) => return Ok(Inferred::Text),
        Values::Vectors(array) => {
            let dimension = array.shape.last().copied().unwrap_or(0);
            return Ok(Inferred::Vector { dimension, narrow: is_narrow(array.dtype) });
        }
        Values::Objects { .. } | Values::Cells(_) => {}
        _ => {
            let (column, found) = (source.name.to_owned(), "values of an extension type".to_owned());
            return Err(Error::NoType { column, row: 0, found });
        }
    }
    match common_cells(source, rows, limits) {
        Ok(Inferred::Vector { dimension: 0, .. }) => objects(source, rows, limits, mixed),
        Err(Error::NoType { .. } | Error::Mixed { .. } | Error::BadRow { .. }) => {
            objects(source, rows, limits, mixed)
        }
        other => other,
    }
}

/// The kinds that most columns are, which have converters of their own.
fn common_cells(source: Source<'_>, rows: usize, limits: &Limits) -> Result<Inferred> {
    let mut found: Option<(Inferred, &'static str)> = None;
    for (row, cell) in source.cells(0..rows).enumerate() {
        if cell == Cell::Null {
            continue;
        }
        let kind = cell.kind(source.graph);
        let inferred = of_cell(source, row, cell, limits)?;
        found = match found {
            None => Some((inferred, kind)),
            Some((so_far, first)) => match common(&so_far, &inferred) {
                Some(both) => Some((both, first)),
                None => return Err(mixed_kinds(source, (so_far, first), row, (inferred, kind))),
            },
        };
    }
    Ok(found.map_or(Inferred::Text, |(inferred, _)| inferred))
}

/// Any other kind that all cells have.
fn objects(source: Source<'_>, rows: usize, limits: &Limits, mixed: Mixed) -> Result<Inferred> {
    let cells_max = limits.cell_bytes_max(source.graph.input().len()) / size_of::<Item>() as u64;
    let budget = Budget::new(&Bound { what: "values of a column", flag: Some("cell-bytes") }, cells_max);
    let mut look = object::kind::Look { graph: source.graph, limits, budget };
    let mut all: Option<(object::kind::Kind, &'static str)> = None;
    for (row, item) in source.items(0..rows).into_iter().flatten().enumerate() {
        let value = object::value::Value::of_item(source.graph, item);
        let found = value.kind();
        let kind = match look.kind(&value) {
            Ok(kind) => kind,
            Err(_) if mixed == Mixed::Json && !matches!(value, object::value::Value::Other(_)) => {
                return Ok(Inferred::Object(object::kind::Kind::Json));
            }
            Err(reason) => return Err(refused(source, row, found, reason)),
        };
        all = match all {
            None if kind == object::kind::Kind::Missing => None,
            None => Some((kind, found)),
            Some((so_far, first)) => match so_far.with(kind).filter(object::kind::Kind::fits) {
                Some(both) => Some((both, first)),
                None if mixed == Mixed::Json => return Ok(Inferred::Object(object::kind::Kind::Json)),
                None => return Err(Error::Mixed { column: source.name.to_owned(), first, row, found }),
            },
        };
    }
    match all {
        Some((kind, _)) if kind.fits() => Ok(Inferred::Object(kind)),
        Some(_) if mixed == Mixed::Json => Ok(Inferred::Object(object::kind::Kind::Json)),
        Some((_, found)) => Err(refused(source, 0, found, object::kind::NoKind::Value(found))),
        None => Ok(Inferred::Text),
    }
}

fn refused(source: Source<'_>, row: usize, found: &'static str, reason: object::kind::NoKind) -> Error {
    let column = source.name.to_owned();
    match reason {
        object::kind::NoKind::Value(inner) => {
            let found = if inner == found { found.to_owned() } else { format!("{found} with {inner} in it") };
            Error::NoType { column, row, found }
        }
        object::kind::NoKind::Mixed => {
            Error::NoType { column, row, found: format!("{found} of mixed kinds") }
        }
        object::kind::NoKind::TooMuch => {
            Error::NoType { column, row, found: format!("{found} of more values than the file pays for") }
        }
    }
}

/// The error of two cells that have no type in common: the first of the column and the one in `row`.
fn mixed_kinds(
    source: Source<'_>,
    so_far: (Inferred, &'static str),
    row: usize,
    found: (Inferred, &'static str),
) -> Error {
    let column = source.name.to_owned();
    match (so_far.0, found.0) {
        (Inferred::Vector { dimension: wanted, .. }, Inferred::Vector { dimension: found, .. }) => {
            Error::BadRow {
                bad: Box::new(BadRow { row, column, reason: Reason::Dimension { found, wanted } }),
            }
        }
        _ => Error::Mixed { column, first: so_far.1, row, found: found.1 },
    }
}

/// One type for both, if there is one.
fn common(a: &Inferred, b: &Inferred) -> Option<Inferred> {
    use Inferred::{Plain as P, Vector};
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (P(Plain::INT), P(Plain::FLOAT)) | (P(Plain::FLOAT), P(Plain::INT)) => Some(P(Plain::FLOAT)),
        (Vector { dimension, narrow: a }, Vector { dimension: other, narrow: b }) if dimension == other => {
            Some(Vector { dimension: *dimension, narrow: *a && *b })
        }
        _ => None,
    }
}

fn of_cell(source: Source<'_>, row: usize, cell: Cell<'_>, limits: &Limits) -> Result<Inferred> {
    let no_type = |found: String| Error::NoType { column: source.name.to_owned(), row, found };
    match cell {
        Cell::Text(_) => Ok(Inferred::Text),
        Cell::Bool(_) => Ok(Inferred::Plain(Plain::BOOL)),
        Cell::Int(_) => Ok(Inferred::Plain(Plain::INT)),
        Cell::Float(_) => Ok(Inferred::Plain(Plain::FLOAT)),
        Cell::Object(id) => {
            of_object(source, id, limits).ok_or_else(|| no_type(cell.kind(source.graph).to_owned()))
        }
        Cell::Uint(_) | Cell::Null => Err(no_type(cell.kind(source.graph).to_owned())),
    }
}

fn of_object(source: Source<'_>, id: NodeId, limits: &Limits) -> Option<Inferred> {
    let graph = source.graph;
    match graph.node(id) {
        Node::FloatList { count, .. } => Some(Inferred::Vector { dimension: count as usize, narrow: false }),
        Node::Packed { template, count, .. } => {
            let (dtype, _) = packed_items(graph, template).ok()?;
            numeric(dtype).then_some(Inferred::Vector { dimension: count as usize, narrow: is_narrow(dtype) })
        }
        Node::Reduce { .. } => match Array::parse(graph, id, limits) {
            Ok(array) if numeric(array.dtype) => {
                let dimension = dimension_of(source, Cell::Object(id), limits)?;
                Some(Inferred::Vector { dimension, narrow: is_narrow(array.dtype) })
            }
            _ => of_sequence(source, id, limits),
        },
        _ => of_sequence(source, id, limits),
    }
}

fn numeric(dtype: Dtype) -> bool {
    !matches!(dtype.kind, Kind::Object | Kind::Bool)
}

/// Whether 32-bit floats hold every value.
fn is_narrow(dtype: Dtype) -> bool {
    dtype.kind == Kind::Float && dtype.itemsize <= 4
}

fn of_sequence(source: Source<'_>, id: NodeId, limits: &Limits) -> Option<Inferred> {
    let items = sequence(source.graph, id, limits).ok()??;
    let cell = |item: &Item| source.of_item(*item);
    if items.iter().all(|item| matches!(cell(item), Cell::Text(_))) {
        return Some(Inferred::TextList);
    }
    let is_number =
        |item: &Item| matches!(item, Item::Float(_)) || matches!(cell(item), Cell::Int(_) | Cell::Float(_));
    items.iter().all(is_number).then_some(Inferred::Vector { dimension: items.len(), narrow: false })
}
