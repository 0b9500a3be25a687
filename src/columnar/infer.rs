//! What a column of objects becomes: every cell is looked at, because the last one may change the answer.

mod kind;
mod walk;

use std::ops::Range;

use arrow_schema::DataType;

pub(super) use kind::{Integer, Kind, Size};

use super::{
    error::{Error, MixedKinds, Result},
    source::Source,
};
use crate::{
    limits::{COLUMN_NESTING_MAX, Limits},
    numpy::{self, Dtype},
    pickle::{Graph, Item, Node},
};
use walk::{Fault, Known, Walk};

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
    pub(super) kind: numpy::Kind,
    pub(super) bytes: usize,
}

impl Plain {
    pub(super) const FLOAT: Self = Self { kind: numpy::Kind::Float, bytes: 8 };

    pub(super) fn of(dtype: Dtype) -> Self {
        // Halves are widened: several readers do not know them.
        let is_float = dtype.kind == numpy::Kind::Float;
        let bytes = if is_float { dtype.itemsize.max(4) } else { dtype.itemsize };
        Self { kind: dtype.kind, bytes }
    }

    pub(super) fn data_type(self) -> DataType {
        use numpy::Kind;
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

/// What the cells of a column have in common.
#[derive(Debug)]
pub(super) struct Inferred<'g> {
    pub(super) kind: Kind<'g>,
    /// Bytes that each row expands to.
    rows: Vec<u32>,
}

impl Inferred<'_> {
    /// Bytes that `rows` expand to.
    pub(super) fn bytes(&self, rows: Range<usize>) -> usize {
        if self.rows.is_empty() {
            return 0;
        }
        self.rows.get(rows).unwrap_or_default().iter().map(|bytes| *bytes as usize).sum()
    }
}

/// Decides what a column of objects becomes.
pub(super) fn infer<'g>(
    source: Source<'g>,
    rows: usize,
    mixed: Mixed,
    limits: &Limits,
) -> Result<Inferred<'g>> {
    let mut column = Column {
        source,
        mixed,
        kind: Kind::Missing,
        first: None,
        bytes: Vec::new(),
        dicts: Vec::new(),
        sum: 0,
    };
    let mut walk = Walk::new(source.graph, mixed, limits);
    for (row, item) in source.items(0..rows).into_iter().flatten().enumerate() {
        if let Some(bytes) = quick(&column.kind, source.graph, item) {
            column.count(bytes, 0);
        } else {
            let known = walk.cell(item).map_err(|fault| column.fault(row, fault))?;
            column.add(row, known)?;
        }
        if column.sum > limits.column_bytes_max(source.graph.input().len()) {
            return Err(column.fault(row, Fault::Expands));
        }
    }
    column.inferred(limits)
}

/// Bytes of a cell that is what all cells so far are, where that is seen at once.
fn quick(kind: &Kind<'_>, graph: &Graph<'_>, item: Item) -> Option<u64> {
    match (kind, item) {
        (Kind::Float(Plain::FLOAT), Item::Float(value)) if !value.is_nan() => Some(8),
        (kind, Item::Node(id)) => match (kind, graph.node(id)) {
            (Kind::Text, Node::Text { len, .. }) => Some(8 + u64::from(len)),
            (Kind::List(list), Node::FloatList { count, .. })
                if list.length == Some(count as usize) && list.item == Kind::Float(Plain::FLOAT) =>
            {
                Some(8 * u64::from(count))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A column that is being looked at.
struct Column<'g> {
    source: Source<'g>,
    mixed: Mixed,
    kind: Kind<'g>,
    /// The first cell that is not missing: its row and what it is.
    first: Option<(usize, String)>,
    bytes: Vec<u32>,
    /// Dicts of each row, where there are any.
    dicts: Vec<u32>,
    sum: u64,
}

impl<'g> Column<'g> {
    fn count(&mut self, bytes: u64, dicts: u64) {
        self.sum = self.sum.saturating_add(bytes);
        if dicts > 0 {
            self.dicts.resize(self.bytes.len(), 0);
            self.dicts.push(u32::try_from(dicts).unwrap_or(u32::MAX));
        }
        self.bytes.push(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    fn add(&mut self, row: usize, known: Known<'g>) -> Result<()> {
        self.count(known.bytes, known.dicts);
        if known.kind == Kind::Missing || matches!(self.kind, Kind::Mixed(_)) {
            return Ok(());
        }
        let words = self.first.is_none().then(|| known.kind.in_words());
        let first = self.first.get_or_insert_with(|| (row, words.unwrap_or_default()));
        let own = matches!(known.kind, Kind::Mixed(_));
        let Err(clash) = self.kind.absorb(known.kind) else { return Ok(()) };
        if self.mixed == Mixed::Json {
            self.kind = Kind::Mixed(Box::new(clash));
            return Ok(());
        }
        // Values of one cell, or of two.
        let first_row = if own { row } else { first.0 };
        Err(Error::Mixed(Box::new(MixedKinds {
            column: self.source.name.to_owned(),
            path: clash.path,
            first: clash.first,
            first_row,
            row,
            found: clash.found,
        })))
    }

    fn fault(&self, row: usize, fault: Fault) -> Error {
        let column = self.source.name.to_owned();
        let found = match fault {
            Fault::NoType(found) => found,
            Fault::Deep => format!("values nested more than {COLUMN_NESTING_MAX} deep"),
            Fault::Cycle => "a value that holds itself".to_owned(),
            Fault::Expands => return Error::Expands { column, row },
        };
        Error::NoType { column, row, found }
    }

    /// Every dict takes room for each field that the others have.
    fn inferred(mut self, limits: &Limits) -> Result<Inferred<'g>> {
        let input = self.source.graph.input().len();
        let room = 8 * self.kind.leaves();
        for (row, dicts) in self.dicts.iter().enumerate() {
            let more = room.saturating_mul(u64::from(*dicts));
            let bytes = u64::from(self.bytes[row]).saturating_add(more);
            self.sum = self.sum.saturating_add(more);
            if bytes > limits.object_bytes_max(input) || self.sum > limits.column_bytes_max(input) {
                return Err(self.fault(row, Fault::Expands));
            }
            self.bytes[row] = u32::try_from(bytes).unwrap_or(u32::MAX);
        }
        // Where all values have one width, rows need not be weighed.
        let rows = if self.kind.is_of_one_width() { Vec::new() } else { self.bytes };
        Ok(Inferred { kind: self.kind, rows })
    }
}
