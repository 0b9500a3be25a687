//! Vector columns: `FixedSizeList<Float32 | Float64, N>`, decoded from where they lie in the pickle.
//!
//! The rows of a batch are decoded in parallel into one buffer that comes back after the batch is written: fresh memory
//! costs more in page faults than the decoding itself.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow_array::{ArrayRef, FixedSizeListArray, PrimitiveArray, cast::AsArray as _};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use rayon::prelude::*;

use super::{
    convert::{Convert, Faults},
    element::{Element, Seen},
    error::Reason,
    object::{Part, Value},
    pool::Pool,
    source::{Cell, Source},
};
use crate::{
    limits::Limits,
    numpy::{Array, Data, Dtype, array::packed_items, items::number},
    pandas::Values,
    pickle::{FloatBytes, Item, Node, NodeId},
};

/// Rows that one task decodes.
const TASK_ROWS: usize = 256;
/// A column of vectors of one dimension.
pub(super) struct Embedding<'g, T: Element> {
    source: Source<'g>,
    field: Field,
    dimension: usize,
    /// Whether NaN and infinity are values: without a domain they are what the file says.
    any_float: bool,
    limits: Limits,
    rounded: AtomicU64,
    pool: Pool,
    element: std::marker::PhantomData<T>,
}

impl<'g, T: Element> Embedding<'g, T> {
    pub(super) fn new(
        source: Source<'g>,
        field: Field,
        dimension: usize,
        any_float: bool,
        limits: &Limits,
    ) -> Self {
        Self {
            source,
            field,
            dimension,
            any_float,
            limits: limits.clone(),
            rounded: AtomicU64::new(0),
            pool: Pool::default(),
            element: std::marker::PhantomData,
        }
    }

    /// Decodes the vector of one cell into `out`; false if it is missing.
    fn fill(&self, item: Item, out: &mut [T::Native], seen: &mut Seen) -> Result<bool, Reason> {
        let cell = self.source.of_item(item);
        let id = match cell {
            Cell::Null => return Ok(false),
            Cell::Text(text) => return self.fill_json(text, out, seen),
            Cell::Object(id) => id,
            other => return Err(wrong(other.kind(self.source.graph))),
        };
        match self.source.graph.node(id) {
            Node::FloatList { count, offset } => self.fill_floats(count, offset, out, seen),
            Node::Packed { template, count, offset } => {
                self.check(count as usize)?;
                let (dtype, bytes) = packed_items(self.source.graph, template)?;
                let payload = self.source.graph.span(offset, bytes);
                if Some(payload.len()) != self.dimension.checked_mul(dtype.itemsize) {
                    let (shape, itemsize, found) = (vec![count as usize], dtype.itemsize, payload.len());
                    return Err(crate::numpy::Error::WrongLength { shape, itemsize, found }.into());
                }
                fill_payload::<T>(dtype, payload, out, seen)
            }
            _ => self.fill_object(id, out, seen),
        }
    }

    fn check(&self, found: usize) -> Result<(), Reason> {
        if found == self.dimension {
            Ok(())
        } else {
            Err(Reason::Dimension { found, wanted: self.dimension })
        }
    }

    fn fill_floats(
        &self,
        count: u32,
        offset: u64,
        out: &mut [T::Native],
        seen: &mut Seen,
    ) -> Result<bool, Reason> {
        self.check(count as usize)?;
        let mut floats = FloatBytes::new(self.source.graph.input(), offset, count);
        let mut done = 0;
        while let Some(run) = floats.next_run(out.len() - done) {
            let count = run.len() / crate::pickle::BINFLOAT_BYTES;
            T::from_binfloats(run, &mut out[done..done + count], seen);
            done += count;
        }
        self.check(done)?;
        Ok(true)
    }

    fn fill_object(&self, id: NodeId, out: &mut [T::Native], seen: &mut Seen) -> Result<bool, Reason> {
        let graph = self.source.graph;
        if graph.node(id).kind() == "an object" {
            match Array::parse(graph, id, &self.limits) {
                Ok(array) => {
                    if let ([count], Data::Bytes(bytes)) = (array.shape.as_slice(), &array.data) {
                        self.check(*count)?;
                        return fill_payload::<T>(array.dtype, bytes, out, seen);
                    }
                }
                // Other objects hold numbers too: a deque, an array of the standard library.
                Err(_) if matches!(Value::of_node(graph, id, &self.limits), Value::Sequence(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let Value::Sequence(items) = Value::of_node(graph, id, &self.limits) else {
            return Err(wrong(graph.node(id).kind()));
        };
        self.check(items.len())?;
        for (at, (out, part)) in out.iter_mut().zip(items.parts()).enumerate() {
            let cell = match part {
                // Inside a vector NaN is a number, not a missing value.
                Part::Item(Item::Float(value)) => Cell::Float(value),
                Part::Item(item @ Item::Node(id)) => match graph.node(id) {
                    Node::Float(value) => Cell::Float(value),
                    _ => self.source.of_item(item),
                },
                Part::Value(Value::Scalar(_, number)) => Cell::from(number),
                Part::Value(_) => Cell::Object(id),
            };
            *out = T::from_cell(cell, seen).ok_or(Reason::Element { at, found: cell.kind(graph) })?;
        }
        Ok(true)
    }

    /// The published system writes vectors as JSON text in a column of strings.
    fn fill_json(&self, text: &[u8], out: &mut [T::Native], seen: &mut Seen) -> Result<bool, Reason> {
        let numbers: Vec<f64> = serde_json::from_slice(text).map_err(|_| Reason::NotJson)?;
        self.check(numbers.len())?;
        for (out, number) in out.iter_mut().zip(numbers) {
            *out = T::from_cell(Cell::Float(number), seen).unwrap_or_default();
        }
        Ok(true)
    }

    fn fill_row(&self, item: Item, out: &mut [T::Native]) -> (Result<bool, Reason>, u64) {
        self.fill_checked(out, |out, seen| self.fill(item, out, seen))
    }

    fn fill_checked(
        &self,
        out: &mut [T::Native],
        fill: impl FnOnce(&mut [T::Native], &mut Seen) -> Result<bool, Reason>,
    ) -> (Result<bool, Reason>, u64) {
        let mut seen = Seen::default();
        let mut filled = fill(out, &mut seen);
        if !self.any_float && seen.not_finite && filled == Ok(true) {
            filled = Err(first_not_finite::<T>(out));
        }
        if filled != Ok(true) {
            out.fill(T::Native::default());
        }
        (filled, seen.rounded)
    }

    /// Decodes all rows; the answers stand in row order.
    fn fill_rows(&self, rows: Range<usize>, out: &mut [T::Native]) -> Vec<Result<bool, Reason>> {
        if let Values::Vectors(array) = self.source.values {
            return self.fill_matrix_rows(array, rows, out);
        }
        let items: Vec<Item> = match self.source.items(rows.clone()) {
            Some(items) => items.collect(),
            None => return self.fill_text_rows(rows, out),
        };
        let tasks = out.par_chunks_mut(self.dimension * TASK_ROWS).zip(items.par_chunks(TASK_ROWS));
        tasks
            .flat_map_iter(|(out, items)| {
                self.note(out.chunks_mut(self.dimension).zip(items), |item, out| self.fill_row(*item, out))
            })
            .collect()
    }

    /// A column of text in Arrow buffers.
    fn fill_text_rows(&self, rows: Range<usize>, out: &mut [T::Native]) -> Vec<Result<bool, Reason>> {
        let cells: Vec<_> = self.source.cells(rows).collect();
        self.note(out.chunks_mut(self.dimension).zip(&cells), |cell, out| {
            let mut seen = Seen::default();
            let filled = match cell {
                Cell::Text(text) => self.fill_json(text, out, &mut seen),
                Cell::Null => Ok(false),
                other => Err(wrong(other.kind(self.source.graph))),
            };
            (filled, seen.rounded)
        })
    }

    /// A column whose vectors are the rows of one array.
    fn fill_matrix_rows(
        &self,
        array: &Array<'_>,
        rows: Range<usize>,
        out: &mut [T::Native],
    ) -> Vec<Result<bool, Reason>> {
        let rows: Vec<usize> = rows.collect();
        let tasks = out.par_chunks_mut(self.dimension * TASK_ROWS).zip(rows.par_chunks(TASK_ROWS));
        let filled = tasks.flat_map_iter(|(out, rows)| {
            let mut gathered = Vec::new();
            self.note(out.chunks_mut(self.dimension).zip(rows), |row, out| {
                self.fill_checked(out, |out, seen| {
                    let payload =
                        array.row_bytes(*row, &mut gathered).ok_or_else(|| wrong("no array of numbers"))?;
                    fill_payload::<T>(array.dtype, payload, out, seen)
                })
            })
        });
        filled.collect()
    }

    fn note<'o, C: 'o>(
        &self,
        rows: impl Iterator<Item = (&'o mut [T::Native], C)>,
        mut fill: impl FnMut(C, &mut [T::Native]) -> (Result<bool, Reason>, u64),
    ) -> Vec<Result<bool, Reason>> {
        let mut rounded = 0;
        let filled = rows.map(|(out, cell)| {
            let (filled, count) = fill(cell, out);
            rounded += count;
            filled
        });
        let filled = filled.collect();
        self.rounded.fetch_add(rounded, Ordering::Relaxed);
        filled
    }
}

impl<T: Element> Convert for Embedding<'_, T> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        // Rows are written in full, placeholders too.
        let mut buffer = self.pool.take(rows.len() * self.dimension * size_of::<T::Native>());
        let filled = self.fill_rows(rows.clone(), buffer.typed_data_mut());
        for (row, filled) in rows.clone().zip(&filled) {
            match filled {
                Ok(true) => {}
                Ok(false) if self.field.is_nullable() => {}
                Ok(false) => faults.push(row, Reason::NoVector),
                Err(reason) => faults.push(row, reason.clone()),
            }
        }
        let valid = |filled: &Result<bool, Reason>| !matches!(filled, Ok(false));
        let nulls = (self.field.is_nullable() && !filled.iter().all(valid))
            .then(|| filled.iter().map(valid).collect::<NullBuffer>());
        let values =
            PrimitiveArray::<T>::new(ScalarBuffer::new(buffer.into(), 0, rows.len() * self.dimension), None);
        let item = Arc::new(Field::new("item", T::DATA_TYPE, false));
        Arc::new(FixedSizeListArray::new(item, self.dimension as i32, Arc::new(values), nulls))
    }

    fn rounded(&self) -> u64 {
        self.rounded.load(Ordering::Relaxed)
    }

    fn recycle(&self, array: ArrayRef) {
        let buffer = array.as_fixed_size_list().values().as_primitive::<T>().values().inner().clone();
        drop(array);
        self.pool.give(buffer);
    }
}

/// Decodes the bytes of an array's items.
fn fill_payload<T: Element>(
    dtype: Dtype,
    payload: &[u8],
    out: &mut [T::Native],
    seen: &mut Seen,
) -> Result<bool, Reason> {
    if T::copy_payload(dtype, payload, out, seen) {
        return Ok(true);
    }
    for (out, bytes) in out.iter_mut().zip(payload.chunks_exact(dtype.itemsize.max(1))) {
        let number = number(dtype, bytes).ok_or_else(|| wrong("an array of objects"))?;
        *out = T::from_cell(Cell::from(number), seen).ok_or_else(|| wrong("another kind of number"))?;
    }
    Ok(true)
}

fn wrong(found: &'static str) -> Reason {
    Reason::WrongType { wanted: "a vector", found }
}

fn first_not_finite<T: Element>(values: &[T::Native]) -> Reason {
    let at = values.iter().position(|value| !T::is_finite(*value)).unwrap_or_default();
    // Only NaN cannot be compared with itself.
    let is_nan = values.get(at).is_some_and(|value| value.partial_cmp(value).is_none());
    Reason::Element { at, found: if is_nan { Reason::NAN } else { Reason::INFINITE } }
}

/// The dimension of the vector in a cell, without decoding it. `None` if it is no vector, or missing.
pub(super) fn dimension_of(source: Source<'_>, cell: Cell<'_>, limits: &Limits) -> Option<usize> {
    let id = match cell {
        Cell::Text(text) => {
            return serde_json::from_slice::<Vec<f64>>(text).ok().map(|numbers| numbers.len());
        }
        Cell::Object(id) => id,
        _ => return None,
    };
    match source.graph.node(id) {
        Node::FloatList { count, .. } | Node::Packed { count, .. } => Some(count as usize),
        _ => match Array::parse(source.graph, id, limits) {
            Ok(array) if array.shape.len() == 1 => Some(array.len()),
            _ => match Value::of_node(source.graph, id, limits) {
                Value::Sequence(items) => Some(items.len()),
                _ => None,
            },
        },
    }
}

/// The Arrow type of vectors of `dimension` elements.
pub(super) fn data_type<T: Element>(dimension: usize) -> DataType {
    super::schema::vector(T::DATA_TYPE, dimension)
}
