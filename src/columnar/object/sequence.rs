//! Objects that hold items in a row: lists, tuples, sets, deques, arrays of NumPy and of the standard library.

use std::{borrow::Cow, sync::Arc};

use super::value::{Made, Value, int, of_bytes};
use crate::{
    limits::Limits,
    numpy::{Array, Data, Dtype, Kind, array::bytes_of},
    pickle::{Global, Graph, Item, ListView},
};

/// An item of a sequence.
#[derive(Debug, Clone)]
pub(in crate::columnar) enum Part<'g> {
    /// An object of the file.
    Item(Item),
    /// What stands in an array.
    Value(Value<'g>),
}

impl<'g> Part<'g> {
    pub(in crate::columnar) fn value(self, graph: &'g Graph<'g>, limits: &Limits) -> Value<'g> {
        match self {
            Self::Item(item) => Value::of_item(graph, item, limits),
            Self::Value(value) => value,
        }
    }
}

/// Items in a row.
#[derive(Debug, Clone)]
pub(in crate::columnar) enum Sequence<'g> {
    /// Of a list, tuple, set or deque.
    View(ListView<'g>),
    /// Of an array, or of one row of it.
    Grid(Grid<'g>),
}

impl<'g> Sequence<'g> {
    /// How many items there are.
    pub(in crate::columnar) fn len(&self) -> usize {
        match self {
            Self::View(view) => view.len(),
            Self::Grid(grid) => grid.array.shape[grid.axis],
        }
    }

    /// The items: those that are objects of the file as such.
    pub(in crate::columnar) fn parts(&self) -> Box<dyn Iterator<Item = Part<'g>> + '_> {
        match self {
            Self::View(view) => Box::new(view.items_from(0).map(Part::Item)),
            Self::Grid(grid) => Box::new((0..self.len()).map(|index| grid.part(index))),
        }
    }

    /// The items, read.
    pub(in crate::columnar) fn values(
        &self,
        graph: &'g Graph<'g>,
        limits: &Limits,
    ) -> impl Iterator<Item = Value<'g>> {
        self.parts().map(move |part| part.value(graph, limits))
    }
}

/// An array from one axis on.
#[derive(Debug, Clone)]
pub(in crate::columnar) struct Grid<'g> {
    array: Arc<Array<'g>>,
    axis: usize,
    /// Position of its first item among the items in memory.
    at: usize,
}

impl<'g> Grid<'g> {
    /// What an array is: items in a row, or one item if it has no dimension.
    pub(super) fn of(array: Array<'g>, graph: &'g Graph<'g>, limits: &Limits) -> Value<'g> {
        match (array.shape.as_slice(), &array.data) {
            ([_], Data::Objects(items)) => Value::Sequence(Sequence::View(items.clone())),
            ([], _) => Self { array: Arc::new(array), axis: 0, at: 0 }.item(0).value(graph, limits),
            _ => Value::Sequence(Sequence::Grid(Self { array: Arc::new(array), axis: 0, at: 0 })),
        }
    }

    fn part(&self, index: usize) -> Part<'g> {
        let at = self.at + index * self.stride();
        if self.axis + 1 == self.array.shape.len() {
            return self.item(at);
        }
        let row = Self { array: Arc::clone(&self.array), axis: self.axis + 1, at };
        Part::Value(Value::Sequence(Sequence::Grid(row)))
    }

    /// Items in memory between two neighbours along the axis. Objects are in C order, whatever the array says.
    fn stride(&self) -> usize {
        let shape = &self.array.shape;
        let fortran = self.array.fortran && matches!(self.array.data, Data::Bytes(_));
        if fortran { shape[..self.axis].iter().product() } else { shape[self.axis + 1..].iter().product() }
    }

    fn item(&self, at: usize) -> Part<'g> {
        let missing = Part::Value(Value::Missing);
        match &self.array.data {
            Data::Objects(items) => items.items_from(at).next().map_or(missing, Part::Item),
            Data::Bytes(bytes) => {
                let size = self.array.dtype.itemsize;
                let bytes = bytes.get(at * size..(at + 1) * size);
                bytes.map_or(missing, |bytes| Part::Value(of_bytes(self.array.dtype, bytes)))
            }
        }
    }
}

/// `array.array(typecode, [items])`, or `_array_reconstructor(array.array, typecode, format, bytes)`.
pub(super) fn of_std_array<'g>(graph: &'g Graph<'g>, made: Made<'g>) -> Option<Value<'g>> {
    match (made.by, made.args) {
        (Global::StdArray, [_, items]) => graph.list(*items).map(Sequence::View).map(Value::Sequence),
        (Global::StdArray, [_]) => {
            Some(Value::Sequence(Sequence::Grid(numbers(FORMATS[0], Cow::Borrowed(&[]))?)))
        }
        (Global::StdArrayReconstructor, [_, _, format, bytes]) => {
            let dtype = *FORMATS.get(usize::try_from(int(graph, *format)?).ok()?)?;
            Some(Value::Sequence(Sequence::Grid(numbers(dtype, bytes_of(graph, *bytes)?)?)))
        }
        _ => None,
    }
}

fn numbers((kind, itemsize, big_endian): (Kind, usize, bool), bytes: Cow<'_, [u8]>) -> Option<Grid<'_>> {
    let dtype = Dtype { kind, itemsize, big_endian };
    let count = bytes.len() / itemsize;
    let whole = bytes.len().is_multiple_of(itemsize);
    let array = Array { dtype, shape: vec![count], fortran: false, data: Data::Bytes(bytes.into()) };
    whole.then(|| Grid { array: Arc::new(array), axis: 0, at: 0 })
}

/// The machine formats of `array.array` (`Modules/arraymodule.c`, `enum machine_format_code`) that hold numbers.
const FORMATS: [(Kind, usize, bool); 18] = [
    (Kind::Uint, 1, false),
    (Kind::Int, 1, false),
    (Kind::Uint, 2, false),
    (Kind::Uint, 2, true),
    (Kind::Int, 2, false),
    (Kind::Int, 2, true),
    (Kind::Uint, 4, false),
    (Kind::Uint, 4, true),
    (Kind::Int, 4, false),
    (Kind::Int, 4, true),
    (Kind::Uint, 8, false),
    (Kind::Uint, 8, true),
    (Kind::Int, 8, false),
    (Kind::Int, 8, true),
    (Kind::Float, 4, false),
    (Kind::Float, 4, true),
    (Kind::Float, 8, false),
    (Kind::Float, 8, true),
];
