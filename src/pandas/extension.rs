//! What a block or an index holds: a NumPy array of one or two dimensions, or one of pandas' own arrays, of any age.
//!
//! Newer versions write pandas' arrays as `__pyx_unpickle_…(class, checksum, None)` with a tuple for state, older ones as
//! an object with a dict; the parts are the same.

use std::sync::Arc;

use super::{
    arrow_array::ArrowColumn,
    arrow_text::ArrowText,
    error::{At as _, ErrorKind, Result},
    frequency,
    index::Index,
    values::{Values, class_of},
    zone::Zone,
};
use crate::{
    limits::Limits,
    numpy::{Array, Data, Kind, items::Number},
    pickle::{Global, Graph, Node, NodeId},
};

/// Arrays inside arrays: the categories of a categorical can be intervals, whose sides are numbers.
const DEPTH: u8 = 4;

/// How values are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'l> {
    pub(super) limits: &'l Limits,
    depth: u8,
}

impl<'l> Reading<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, depth: DEPTH }
    }

    /// For values inside values: a file can make them their own parts.
    pub(super) fn deeper(self) -> Result<Self, ErrorKind> {
        let depth = self.depth.checked_sub(1).ok_or(ErrorKind::TooDeep)?;
        Ok(Self { depth, ..self })
    }
}

/// Columns of one type, all of the same length.
#[derive(Debug, Clone)]
pub(super) struct Block<'g> {
    pub(super) columns: Vec<Values<'g>>,
    pub(super) rows: usize,
    /// What pandas calls the type, where the values alone do not tell.
    pub(super) dtype: Option<String>,
}

impl<'g> Block<'g> {
    pub(super) fn one(values: Values<'g>, rows: usize) -> Self {
        Self { columns: vec![values], rows, dtype: None }
    }

    /// The one column there is.
    pub(super) fn single(mut self) -> Result<(Values<'g>, usize), ErrorKind> {
        match (self.columns.pop(), self.columns.is_empty()) {
            (Some(values), true) => Ok((values, self.rows)),
            _ => Err(ErrorKind::UnknownForm),
        }
    }
}

/// Reads the values of a block, of an index, or of a column.
pub(super) fn parse<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>> {
    let class = class_of(graph, id);
    match class {
        Some(Global::Reconstruct) if super::sparse::is_array_of_old(graph, id) => {
            super::sparse::array_of_old(graph, id, reading)
        }
        Some(Global::FromBuffer | Global::Reconstruct) if !is_object_of_old(graph, id) => {
            of_array(Array::shared(graph, id, reading.limits).at("values")?, reading).at("values")
        }
        Some(Global::MaskedReconstruct) => super::masked::block(graph, id, reading).at("values"),
        Some(Global::StringArray) => text_objects(graph, id, reading).at("values"),
        Some(Global::NumpyExtensionArray) => {
            let (_, array) = parts(graph, id, &["_dtype"], &["_ndarray"]).at("values")?;
            of_array(Array::shared(graph, array, reading.limits).at("values")?, reading).at("values")
        }
        Some(Global::Categorical) => categorical(graph, id, reading),
        Some(Global::MaskedArray) => masked(graph, id, reading).at("values"),
        Some(Global::ArrowStringArray) => arrow_text(graph, id).at("values"),
        Some(Global::ArrowExtensionArray) => {
            let column = ArrowColumn::of_extension(graph, id, reading.limits).at("values")?;
            Ok(arrow_column(column))
        }
        Some(Global::ArrowArray | Global::ArrowChunks) => {
            ArrowColumn::parse(graph, id, reading.limits).at("values").map(arrow_column)
        }
        Some(Global::DatetimeArray) => times(graph, id, reading).at("values"),
        Some(Global::TimedeltaArray) => {
            let (_, array) = parts(graph, id, &["_dtype"], &["_data", "_ndarray"]).at("values")?;
            of_array(Array::shared(graph, array, reading.limits).at("values")?, reading).at("values")
        }
        Some(Global::PeriodArray) => periods(graph, id, reading).at("values"),
        Some(Global::IntervalArray) => intervals(graph, id, reading),
        Some(Global::SparseArray) => super::sparse::array(graph, id, reading),
        Some(other) if is_index(other) || is_object_of_old(graph, id) => {
            let index = Index::single(graph, id, reading.deeper().at("values")?)?;
            Ok(Block::one(index.values, index.len))
        }
        Some(other) => {
            Err(ErrorKind::WrongType { wanted: "an array", found: other.name().to_owned() }).at("values")
        }
        None => {
            let found = graph.node(id).kind().to_owned();
            Err(ErrorKind::WrongType { wanted: "an array", found }).at("values")
        }
    }
}

fn is_index(global: Global) -> bool {
    matches!(
        global,
        Global::NewIndex
            | Global::NewDatetimeIndex
            | Global::NewTimedeltaIndex
            | Global::NewPeriodIndex
            | Global::NewIntervalIndex
    )
}

/// Whether `_reconstruct` makes an index or a series: before 0.15 they were NumPy arrays with more to them.
pub(super) fn is_object_of_old(graph: &Graph<'_>, id: NodeId) -> bool {
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return false };
    let class = graph.tuple(args).and_then(<[NodeId]>::first).map(|class| graph.node(*class));
    graph.node(callable) == Node::Global(Global::Reconstruct)
        && !matches!(class, Some(Node::Global(Global::NdArray | Global::FrozenNdArray)))
}

/// The columns of an array of shape (items, rows) or (rows,).
pub(super) fn of_array<'g>(array: Array<'g>, reading: Reading<'_>) -> Result<Block<'g>, ErrorKind> {
    let (items, rows) = match array.shape.as_slice() {
        [rows] => (1, *rows),
        [items, rows] => (*items, *rows),
        other => return Err(ErrorKind::Dimensions(other.len())),
    };
    if items > reading.limits.columns_max {
        return Err(ErrorKind::TooManyColumns(items));
    }
    if let Data::Objects(cells) = array.data {
        let cells = Arc::new(cells);
        let column = |item| Values::Objects { cells: Arc::clone(&cells), first: item * rows };
        return Ok(Block { columns: (0..items).map(column).collect(), rows, dtype: None });
    }
    let array = Arc::new(array);
    let column = |item| {
        let array = Arc::clone(&array);
        match array.dtype.kind {
            Kind::Datetime(_) => Values::Times { array, item, zone: None },
            Kind::Timedelta(_) => Values::Durations { array, item },
            _ => Values::Numbers { array, item },
        }
    };
    Ok(Block { columns: (0..items).map(column).collect(), rows, dtype: None })
}

/// Two parts of an object: the first two items of its state if that is a tuple, else what its dict has under the names.
fn parts(
    graph: &Graph<'_>,
    id: NodeId,
    first: &[&'static str],
    second: &[&'static str],
) -> Result<(NodeId, NodeId), ErrorKind> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
    match graph.tuple(state) {
        Some(&[one, two] | &[one, two, _]) => return Ok((one, two)),
        Some(&[dict]) => return Ok((named(graph, dict, first)?, named(graph, dict, second)?)),
        _ => {}
    }
    Ok((named(graph, state, first)?, named(graph, state, second)?))
}

/// The value of the first of these keys that a dict has.
pub(super) fn named(graph: &Graph<'_>, dict: NodeId, keys: &[&'static str]) -> Result<NodeId, ErrorKind> {
    let found = keys.iter().find_map(|key| graph.dict_value(dict, key));
    found.ok_or(ErrorKind::Missing(keys.first().copied().unwrap_or("state")))
}

fn times<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>, ErrorKind> {
    let (dtype, array) = parts(graph, id, &["_dtype"], &["_data", "_ndarray"])?;
    let block = of_array(Array::shared(graph, array, reading.limits)?, reading)?;
    let zone = match class_of(graph, dtype) {
        Some(Global::DatetimeTzDtype) => Some(zone_of_dtype(graph, dtype)?),
        _ => None,
    };
    Ok(in_zone(block, zone.as_ref()))
}

fn zone_of_dtype(graph: &Graph<'_>, dtype: NodeId) -> Result<Zone, ErrorKind> {
    let state = graph.state(dtype).ok_or(ErrorKind::Missing("tz"))?;
    Zone::parse(graph, named(graph, state, &["tz"])?).ok_or(ErrorKind::UnknownZone)
}

/// The same times, shown in a zone.
pub(super) fn in_zone<'g>(block: Block<'g>, zone: Option<&Zone>) -> Block<'g> {
    let Some(zone) = zone else { return block };
    let columns = block.columns.into_iter().map(|values| match values {
        Values::Times { array, item, .. } => Values::Times { array, item, zone: Some(zone.clone()) },
        other => other,
    });
    Block { columns: columns.collect(), ..block }
}

fn periods<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>, ErrorKind> {
    let (dtype, array) = parts(graph, id, &["_dtype"], &["_data", "_ndarray"])?;
    let frequency = frequency::of_dtype(graph, dtype).ok_or(ErrorKind::UnknownFrequency)?;
    of_ordinals(Array::shared(graph, array, reading.limits)?, &frequency)
}

/// Ordinals of 64 bits as periods.
pub(super) fn of_ordinals<'g>(array: Array<'g>, frequency: &str) -> Result<Block<'g>, ErrorKind> {
    if array.dtype.kind != Kind::Int || array.dtype.itemsize != 8 {
        return Err(ErrorKind::UnknownForm);
    }
    let (items, rows) = match array.shape.as_slice() {
        [rows] => (1, *rows),
        [items @ 0..=1, rows] => (*items, *rows),
        _ => return Err(ErrorKind::UnknownForm),
    };
    let array = Arc::new(array);
    let column = |item| Values::Periods { array: Arc::clone(&array), item, frequency: frequency.to_owned() };
    Ok(Block { columns: (0..items).map(column).collect(), rows, dtype: None })
}

fn intervals<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>> {
    let (left, right) = parts(graph, id, &["_left"], &["_right"]).at("values")?;
    let state = graph.state(id).ok_or(ErrorKind::Missing("state")).at("values")?;
    let state = graph.tuple(state).and_then(|state| state.first().copied()).unwrap_or(state);
    let closed = graph.dict_value(state, "_closed").or_else(|| {
        let dtype = graph.state(graph.dict_value(state, "_dtype")?)?;
        graph.dict_value(dtype, "closed")
    });
    let closed = closed.ok_or(ErrorKind::Missing("closed")).at("values")?;
    let side = |id, name| {
        let block = parse(graph, id, reading.deeper().at(name)?).map_err(|error| error.inside(name))?;
        block.single().at(name)
    };
    of_sides(graph, side(left, "values.left")?, side(right, "values.right")?, closed).at("values")
}

/// Intervals of two sides.
pub(super) fn of_sides<'g>(
    graph: &'g Graph<'g>,
    (left, rows): (Values<'g>, usize),
    (right, right_rows): (Values<'g>, usize),
    closed: NodeId,
) -> Result<Block<'g>, ErrorKind> {
    if rows != right_rows {
        return Err(ErrorKind::WrongRows { what: "the right side", wanted: rows, found: right_rows });
    }
    let closed = graph.text(closed).filter(|closed| ["left", "right", "both", "neither"].contains(closed));
    let closed = closed.ok_or(ErrorKind::UnknownForm)?.to_owned();
    let plain = |values: &Values<'_>| {
        matches!(
            values,
            Values::Numbers { .. } | Values::Times { .. } | Values::Durations { .. } | Values::Range { .. }
        )
    };
    if !(plain(&left) && plain(&right)) {
        return Err(ErrorKind::UnknownForm);
    }
    let values = Values::Intervals { left: Box::new(left), right: Box::new(right), closed };
    Ok(Block::one(values, rows))
}

fn text_objects<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>, ErrorKind> {
    let (dtype, array) = parts(graph, id, &["_dtype"], &["_ndarray"])?;
    let block = of_array(Array::shared(graph, array, reading.limits)?, reading)?;
    Ok(Block { dtype: Some(text_dtype(graph, dtype, "python")), ..block })
}

fn arrow_text<'g>(graph: &'g Graph<'g>, id: NodeId) -> Result<Block<'g>, ErrorKind> {
    let text = ArrowText::parse(graph, id)?;
    let rows = text.rows();
    let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
    let dtype = graph.dict_value(state, "_dtype").map(|dtype| text_dtype(graph, dtype, "pyarrow"));
    Ok(Block { dtype, ..Block::one(Values::ArrowText(Arc::new(text)), rows) })
}

fn arrow_column(column: ArrowColumn<'_>) -> Block<'_> {
    let rows = column.rows;
    Block::one(Values::Arrow(Arc::new(column)), rows)
}

/// What pandas calls a type of text: `string` with `pd.NA` for a missing one, and where it is stored, which the dtype says
/// since pandas 1.3; `str` with NaN, whose storage has no name.
fn text_dtype(graph: &Graph<'_>, dtype: NodeId, storage: &str) -> String {
    let said = if let Node::Reduce { args, .. } = graph.node(dtype) {
        match graph.tuple(args) {
            Some(&[_, missing]) if matches!(graph.node(missing), Node::Float(_)) => return "str".to_owned(),
            Some(&[storage, _]) => graph.text(storage),
            _ => None,
        }
    } else {
        let state = graph.state(dtype);
        let said = |state| graph.dict_value(state, "storage").or_else(|| graph.dict_value(state, "_storage"));
        state.and_then(said).and_then(|id| graph.text(id))
    };
    match said {
        Some("pyarrow_numpy") => "str".to_owned(),
        Some(storage @ ("python" | "pyarrow")) => format!("string[{storage}]"),
        _ => format!("string[{storage}]"),
    }
}

fn categorical<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>> {
    let Categorical { categories, codes, ordered } = Categorical::of(graph, id).at("values")?;
    let inside = |error: super::Error| error.inside("values.categories");
    let index =
        Index::single(graph, categories, reading.deeper().at("values.categories")?).map_err(inside)?;
    if matches!(index.values, Values::Categories { .. }) {
        return Err(ErrorKind::UnknownForm).at("values.categories");
    }
    let codes = Array::shared(graph, codes, reading.limits).at("values.codes")?;
    let rows = codes.len();
    check_codes(&codes, index.len).at("values.codes")?;
    let (categories, count) = (Box::new(index.values), index.len);
    Ok(Block::one(Values::Categories { codes: Arc::new(codes), categories, count, ordered }, rows))
}

/// The parts of a categorical.
struct Categorical {
    categories: NodeId,
    codes: NodeId,
    ordered: bool,
}

impl Categorical {
    fn of(graph: &Graph<'_>, id: NodeId) -> Result<Self, ErrorKind> {
        let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
        let (dtype, codes) = match graph.tuple(state) {
            Some(&[dtype, codes] | &[dtype, codes, _]) => (Some(dtype), codes),
            _ => (graph.dict_value(state, "_dtype"), named(graph, state, &["_codes", "labels"])?),
        };
        let described = match dtype {
            Some(dtype) => graph.state(dtype).ok_or(ErrorKind::Missing("dtype"))?,
            None => state,
        };
        let categories = named(graph, described, &["categories", "_categories", "_levels"])?;
        let ordered = ["ordered", "_ordered"].iter().find_map(|key| graph.dict_value(described, key));
        Ok(Self { categories, codes, ordered: ordered == Some(NodeId::TRUE) })
    }
}

/// Codes are whole numbers from -1, which is missing, up to the last value.
pub(super) fn check_codes(codes: &Array<'_>, categories: usize) -> Result<(), ErrorKind> {
    let [rows] = *codes.shape.as_slice() else { return Err(ErrorKind::UnknownForm) };
    if extremes(codes).is_some_and(|(least, most)| least >= -1 && most < categories as i64) {
        return Ok(());
    }
    for row in 0..rows {
        match codes.number(0, row) {
            Some(Number::Int(code)) if code >= -1 && code < categories as i64 => {}
            Some(Number::Int(code)) => return Err(ErrorKind::CodeOutOfRange { row, code, categories }),
            _ => return Err(ErrorKind::UnknownForm),
        }
    }
    Ok(())
}

/// The least and the greatest of codes as pandas writes them on nearly every machine; `None` for all other forms.
fn extremes(codes: &Array<'_>) -> Option<(i64, i64)> {
    let Data::Bytes(bytes) = &codes.data else { return None };
    if codes.dtype.kind != Kind::Int || codes.dtype.big_endian && codes.dtype.itemsize > 1 {
        return None;
    }
    macro_rules! of {
        ($native:ty) => {
            bytes.as_chunks().0.iter().fold((0, 0), |(least, most), item| {
                let code = i64::from(<$native>::from_le_bytes(*item));
                (code.min(least), code.max(most))
            })
        };
    }
    Some(match codes.dtype.itemsize {
        1 => of!(i8),
        2 => of!(i16),
        4 => of!(i32),
        8 => of!(i64),
        _ => return None,
    })
}

fn masked<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Block<'g>, ErrorKind> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
    let array = |key| Ok::<_, ErrorKind>(Array::shared(graph, named(graph, state, &[key])?, reading.limits)?);
    of_mask(array("_data")?, array("_mask")?)
}

/// Numbers with a mask, both of one dimension.
pub(super) fn of_mask<'g>(data: Array<'g>, mask: Array<'g>) -> Result<Block<'g>, ErrorKind> {
    let numbers = matches!(data.dtype.kind, Kind::Bool | Kind::Int | Kind::Uint | Kind::Float);
    if mask.dtype.kind != Kind::Bool || !numbers || data.shape.len() != 1 || mask.shape.len() != 1 {
        return Err(ErrorKind::UnknownForm);
    }
    if mask.len() != data.len() {
        return Err(ErrorKind::WrongRows { what: "the mask", wanted: data.len(), found: mask.len() });
    }
    let rows = data.len();
    Ok(Block::one(Values::Masked { data: Arc::new(data), mask: Arc::new(mask) }, rows))
}
