//! The values of one column or index, as the file holds them: numbers, objects, categories, masks, Arrow text.

use super::{
    arrow_array::ArrowColumn,
    arrow_text::ArrowText,
    error::{At as _, ErrorKind, Result},
    zone::Zone,
};
use crate::{
    limits::Limits,
    numpy::{self, Array, Data},
    pickle::{Global, Graph, ListView, Node, NodeId},
};
use std::sync::Arc;

/// Values of one column, `rows` of them.
#[derive(Debug, Clone)]
pub enum Values<'g> {
    /// Item `item` of an array of numbers of shape (items, rows) or (rows,).
    Numbers {
        /// The array, shared by the columns of its block.
        array: Arc<Array<'g>>,
        /// Which of its items.
        item: usize,
    },
    /// Objects, the first of this column at `first`.
    Objects {
        /// The cells of the whole block.
        cells: Arc<ListView<'g>>,
        /// Position of row 0.
        first: usize,
    },
    /// Texts and missing values among objects, of one of pandas' dtypes for text.
    Strings {
        /// The cells of the whole block.
        cells: Arc<ListView<'g>>,
        /// Position of row 0.
        first: usize,
        /// Which dtype.
        text: Text,
    },
    /// Codes into categories, -1 for missing.
    Categories {
        /// The codes, checked.
        codes: Arc<Array<'g>>,
        /// The categories, in their order.
        categories: Box<Values<'g>>,
        /// How many there are.
        count: usize,
        /// Whether their order means something.
        ordered: bool,
    },
    /// Numbers with a mask: true where missing.
    Masked {
        /// The numbers.
        data: Arc<Array<'g>>,
        /// The mask.
        mask: Arc<Array<'g>>,
    },
    /// Text in Arrow buffers.
    ArrowText(Arc<ArrowText<'g>>),
    /// Any values in Arrow buffers.
    Arrow(Arc<ArrowColumn<'g>>),
    /// Item `item` of an array of `M8`: steps since 1970 in UTC, the smallest integer for a missing one.
    Times {
        /// The array, shared by the columns of its block.
        array: Arc<Array<'g>>,
        /// Which of its items.
        item: usize,
        /// The zone they are shown in.
        zone: Option<Zone>,
    },
    /// Item `item` of an array of `m8`: steps, the smallest integer for a missing one.
    Durations {
        /// The array, shared by the columns of its block.
        array: Arc<Array<'g>>,
        /// Which of its items.
        item: usize,
    },
    /// Item `item` of an array of ordinals, the smallest integer for a missing one.
    Periods {
        /// The ordinals.
        array: Arc<Array<'g>>,
        /// Which of its items.
        item: usize,
        /// pandas' text for the frequency, such as `M` or `Q-DEC`.
        frequency: String,
    },
    /// Intervals: two sides of the same length.
    Intervals {
        /// The left sides.
        left: Box<Values<'g>>,
        /// The right sides.
        right: Box<Values<'g>>,
        /// Which sides belong to the interval: `left`, `right`, `both`, `neither`.
        closed: String,
    },
    /// A few values among many of one.
    Sparse {
        /// The rows that have a value of their own: rising.
        positions: Arc<[u32]>,
        /// Their values.
        values: Box<Values<'g>>,
        /// The value of all other rows: a number, `None`, a text or a NumPy scalar.
        fill: NodeId,
        /// How many rows there are.
        rows: usize,
    },
    /// Values looked up by code, -1 for missing: a level of an index.
    Coded {
        /// The codes, checked.
        codes: Arc<Array<'g>>,
        /// The values.
        values: Box<Values<'g>>,
        /// How many values there are.
        count: usize,
    },
    /// A range of integers.
    Range {
        /// The first.
        start: i64,
        /// The difference between two.
        step: i64,
    },
}

/// Which of pandas' dtypes for text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// `string[python]`: Python objects, `pd.NA` where one is missing.
    Python,
    /// `string[pyarrow]`: an Arrow array, `pd.NA` where one is missing.
    Arrow,
    /// `str`: either, NaN where one is missing.
    Nan,
}

impl Text {
    /// What a `StringDtype` says; `storage` where it says nothing, as before pandas 1.3.
    pub(super) fn of_dtype(graph: &Graph<'_>, dtype: Option<NodeId>, storage: Self) -> Self {
        let Some(dtype) = dtype else { return storage };
        if let Node::Reduce { args, .. } = graph.node(dtype)
            && let Some(&[storage, missing]) = graph.tuple(args)
        {
            return match (graph.node(missing), graph.text(storage)) {
                (Node::Float(_), _) => Self::Nan,
                (_, Some("pyarrow")) => Self::Arrow,
                _ => Self::Python,
            };
        }
        let storage_text = graph.state(dtype).and_then(|state| {
            graph.dict_value(state, "storage").or_else(|| graph.dict_value(state, "_storage"))
        });
        match storage_text.and_then(|id| graph.text(id)) {
            Some("python") => Self::Python,
            Some("pyarrow") => Self::Arrow,
            Some("pyarrow_numpy") => Self::Nan,
            _ => storage,
        }
    }
}

impl<'g> Values<'g> {
    /// The integer of one row of a range; 0 of all else. Values of a range always fit, the steps on the way need not.
    pub fn in_range(&self, row: usize) -> i64 {
        match self {
            Self::Range { start, step } => start.wrapping_add(step.wrapping_mul(row as i64)),
            _ => 0,
        }
    }

    /// Every column of what a block or an index holds, and the number of rows: several columns for a 2-D array, one for
    /// all else.
    pub(super) fn parse(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<(Vec<Self>, usize)> {
        match class_of(graph, id) {
            Some(Global::FromBuffer | Global::Reconstruct) => {
                columns_of_array(graph, id, limits).at("values")
            }
            Some(Global::StringArray) => strings(graph, id, limits),
            Some(Global::Categorical) => categorical(graph, id, limits).map(one),
            Some(Global::MaskedArray) => masked(graph, id, limits).at("values").map(one),
            Some(Global::ArrowStringArray) => {
                let text = ArrowText::parse(graph, id).at("values")?;
                let rows = text.rows();
                Ok(one((Self::ArrowText(Arc::new(text)), rows)))
            }
            Some(Global::ArrowExtensionArray) => arrow(graph, id, limits).at("values").map(one),
            Some(other) => {
                Err(ErrorKind::WrongType { wanted: "an array", found: other.name().to_owned() }).at("values")
            }
            None => {
                let found = graph.node(id).kind().to_owned();
                Err(ErrorKind::WrongType { wanted: "an array", found }).at("values")
            }
        }
    }
}

fn one((values, rows): (Values<'_>, usize)) -> (Vec<Values<'_>>, usize) {
    (vec![values], rows)
}

/// The class or function that made an object; the class that is named to an unpickling function counts as the class.
pub(super) fn class_of(graph: &Graph<'_>, id: NodeId) -> Option<Global> {
    let global = |id| match graph.node(id) {
        Node::Global(global) => Some(global),
        _ => None,
    };
    match graph.node(id) {
        Node::Packed { .. } => Some(Global::FromBuffer),
        Node::Object { class, .. } => global(class),
        Node::Reduce { callable, args, .. } => match global(callable)? {
            Global::UnpickleNdArrayBacked | Global::Reconstructor => global(*graph.tuple(args)?.first()?),
            other => Some(other),
        },
        _ => None,
    }
}

fn columns_of_array<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    limits: &Limits,
) -> Result<(Vec<Values<'g>>, usize), ErrorKind> {
    let array = Array::parse(graph, id, limits)?;
    let (items, rows) = match array.shape.as_slice() {
        [rows] => (1, *rows),
        [items, rows] => (*items, *rows),
        _ => return Err(ErrorKind::UnknownForm),
    };
    if items > limits.columns_max {
        return Err(ErrorKind::TooManyColumns(items));
    }
    let columns = match array.data {
        Data::Objects(cells) => {
            let cells = Arc::new(cells);
            (0..items).map(|item| Values::Objects { cells: Arc::clone(&cells), first: item * rows }).collect()
        }
        Data::Bytes(_) => {
            let array = Arc::new(array);
            (0..items).map(|item| Values::Numbers { array: Arc::clone(&array), item }).collect()
        }
    };
    Ok((columns, rows))
}

fn strings<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<(Vec<Values<'g>>, usize)> {
    let (dtype, array) = backing(graph, id)?;
    let text = Text::of_dtype(graph, Some(dtype), Text::Python);
    let (values, rows) = columns_of_array(graph, array, limits).at("values")?;
    let values = values.into_iter().map(|values| match values {
        Values::Objects { cells, first } => Values::Strings { cells, first, text },
        other => other,
    });
    Ok((values.collect(), rows))
}

/// The Arrow array of an extension array.
fn arrow<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<(Values<'g>, usize), ErrorKind> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
    let array = graph.dict_value(state, "_pa_array").or_else(|| graph.dict_value(state, "_data"));
    let mut column = ArrowColumn::parse(graph, array.ok_or(ErrorKind::Missing("_pa_array"))?, limits)?;
    column.is_recent = graph.dict_value(state, "_pa_array").is_some();
    let rows = column.rows;
    Ok((Values::Arrow(Arc::new(column)), rows))
}

/// The dtype and the array behind an extension array: state `(dtype, array[, dict])`.
fn backing(graph: &Graph<'_>, id: NodeId) -> Result<(NodeId, NodeId)> {
    let state = graph.state(id).and_then(|state| graph.tuple(state)).unwrap_or_default();
    match state {
        &[dtype, array] | &[dtype, array, _] => Ok((dtype, array)),
        _ => Err(ErrorKind::UnknownForm).at("values"),
    }
}

fn categorical<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<(Values<'g>, usize)> {
    let (dtype, codes) = backing(graph, id)?;
    let state = graph.state(dtype).ok_or(ErrorKind::Missing("dtype")).at("values.dtype")?;
    let index =
        graph.dict_value(state, "categories").ok_or(ErrorKind::Missing("categories")).at("values.dtype")?;
    let (categories, count) = super::index::Index::of_categories(graph, index, limits)
        .map_err(|error| error.inside("values.categories"))?
        .into_values();
    let ordered = graph.dict_value(state, "ordered") == Some(NodeId::TRUE);
    let codes = Array::parse(graph, codes, limits).at("values.codes")?;
    let rows = codes.len();
    check_codes(&codes, count).at("values.codes")?;
    let categories = Box::new(categories);
    Ok((Values::Categories { codes: Arc::new(codes), categories, count, ordered }, rows))
}

fn check_codes(codes: &Array<'_>, categories: usize) -> Result<(), ErrorKind> {
    let [rows] = *codes.shape.as_slice() else { return Err(ErrorKind::UnknownForm) };
    for row in 0..rows {
        match codes.number(0, row) {
            Some(numpy::items::Number::Int(code)) if code >= -1 && code < categories as i64 => {}
            Some(numpy::items::Number::Int(code)) => {
                return Err(ErrorKind::CodeOutOfRange { row, code, categories });
            }
            _ => return Err(ErrorKind::UnknownForm),
        }
    }
    Ok(())
}

fn masked<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<(Values<'g>, usize), ErrorKind> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
    let array = |key| {
        let id = graph.dict_value(state, key).ok_or(ErrorKind::Missing(key))?;
        Ok::<_, ErrorKind>(Array::parse(graph, id, limits)?)
    };
    let (data, mask) = (array("_data")?, array("_mask")?);
    if mask.dtype.kind != numpy::Kind::Bool || data.shape.len() != 1 || mask.shape.len() != 1 {
        return Err(ErrorKind::UnknownForm);
    }
    if mask.len() != data.len() {
        return Err(ErrorKind::WrongRows { what: "the mask", wanted: data.len(), found: mask.len() });
    }
    let rows = data.len();
    Ok((Values::Masked { data: Arc::new(data), mask: Arc::new(mask) }, rows))
}
