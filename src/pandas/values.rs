//! The values of one column or index, as the file holds them: numbers, objects, categories, masks, Arrow text.

use super::{arrow_array::ArrowColumn, arrow_text::ArrowText, zone::Zone};
use crate::{
    numpy::Array,
    pickle::{Global, Graph, Item, ListView, Node, NodeId},
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
    /// Objects picked out of rows, one for each row.
    Cells(Arc<[Item]>),
    /// One vector for each row: an array of numbers of shape (rows, elements).
    Vectors(Arc<Array<'g>>),
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
    /// Any values in Arrow buffers.
    Arrow(Arc<ArrowColumn<'g>>),
    /// Text in Arrow buffers.
    ArrowText(Arc<ArrowText<'g>>),
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

impl Values<'_> {
    /// The integer of one row of a range; 0 of all else. Values of a range always fit, the steps on the way need not.
    pub fn in_range(&self, row: usize) -> i64 {
        match self {
            Self::Range { start, step } => start.wrapping_add(step.wrapping_mul(row as i64)),
            _ => 0,
        }
    }
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
            Global::UnpickleNdArrayBacked
            | Global::UnpickleIntervalMixin
            | Global::UnpicklePeriodMixin
            | Global::Reconstructor => global(*graph.tuple(args)?.first()?),
            other => Some(other),
        },
        _ => None,
    }
}
