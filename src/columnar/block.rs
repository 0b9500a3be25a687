//! Columns of numeric blocks: their bytes are copied, not looked at cell by cell.
//!
//! A column of a C-ordered block is one stretch of the file; of a Fortran-ordered one, which is what a frame made from a
//! matrix is, every item lies a row apart.

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, cast::AsArray as _};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, MutableBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults, Interleaved},
    pool::Pool,
    source::Source,
};
use crate::{
    numpy::{Array, Data, Kind},
    pandas::Values,
};

/// A column of numbers whose type in the file is its type in Arrow.
struct Block<'g, T> {
    field: Field,
    items: Items<'g>,
    mask: Option<Items<'g>>,
    pool: Pool,
    element: std::marker::PhantomData<T>,
}

/// A column of booleans, a byte each in the file.
struct Flags<'g> {
    field: Field,
    items: Items<'g>,
    mask: Option<Items<'g>>,
}

/// The items of one column of an array.
#[derive(Debug, Clone, Copy)]
struct Items<'g> {
    bytes: &'g [u8],
    /// Of row 0.
    start: usize,
    /// From one row to the next.
    step: usize,
    size: usize,
}

impl<'g> Items<'g> {
    /// `None` for items that must be looked at one by one.
    fn of(array: &'g Array<'g>, item: usize) -> Option<Self> {
        let Data::Bytes(bytes) = &array.data else { return None };
        let size = array.dtype.itemsize;
        if array.dtype.big_endian && size > 1 {
            return None;
        }
        let (start, step) = match array.shape.as_slice() {
            [_] => (0, size),
            [items, _] if array.fortran => (item * size, items * size),
            [_, rows] => (item * rows * size, size),
            _ => return None,
        };
        Some(Self { bytes, start, step, size })
    }

    fn copy(&self, rows: Range<usize>, out: &mut [u8]) {
        if rows.is_empty() {
            return;
        }
        let start = self.start + rows.start * self.step;
        if self.step == self.size {
            return out.copy_from_slice(&self.bytes[start..start + rows.len() * self.size]);
        }
        match self.size {
            8 => self.gather::<8>(start, out),
            4 => self.gather::<4>(start, out),
            2 => self.gather::<2>(start, out),
            _ => self.gather::<1>(start, out),
        }
    }

    fn gather<const SIZE: usize>(&self, start: usize, out: &mut [u8]) {
        let rows = self.bytes[start..].chunks(self.step);
        for (out, row) in out.chunks_exact_mut(SIZE).zip(rows) {
            out.copy_from_slice(&row[..SIZE]);
        }
    }

    /// Which of `rows` are true.
    fn flags(&self, rows: &Range<usize>) -> BooleanBuffer {
        let start = self.start + rows.start * self.step;
        BooleanBuffer::collect_bool(rows.len(), |row| self.bytes[start + row * self.step] != 0)
    }

    /// Which of `rows` are there, if these items say which are missing.
    fn validity(&self, rows: &Range<usize>) -> NullBuffer {
        NullBuffer::new(!&self.flags(rows))
    }
}

/// The converter of a column whose items have the width and kind of `data_type`. `None` where cells must be looked at.
pub(super) fn converter<'g>(source: Source<'g>, data_type: &DataType) -> Option<Box<dyn Convert + 'g>> {
    let (array, item, mask) = match source.values {
        Values::Numbers { array, item } => (array, *item, None),
        Values::Masked { data, mask } => (data, 0, Some(Items::of(mask, 0)?)),
        _ => return None,
    };
    let items = Items::of(array, item)?;
    let field = Field::new(source.name, data_type.clone(), true);
    macro_rules! by_type {
        ($($kind:ident $bytes:literal => $data_type:ident $element:ident),+) => {
            match (array.dtype.kind, array.dtype.itemsize, data_type) {
                (Kind::Bool, 1, DataType::Boolean) => Some(Box::new(Flags { field, items, mask })),
                $((Kind::$kind, $bytes, DataType::$data_type) => Some(Box::new(
                    Block::<arrow_array::types::$element> {
                        field, items, mask, pool: Pool::default(), element: std::marker::PhantomData,
                    },
                )),)+
                _ => None,
            }
        };
    }
    by_type!(
        Int 1 => Int8 Int8Type, Int 2 => Int16 Int16Type, Int 4 => Int32 Int32Type, Int 8 => Int64 Int64Type,
        Uint 1 => UInt8 UInt8Type, Uint 2 => UInt16 UInt16Type, Uint 4 => UInt32 UInt32Type,
        Uint 8 => UInt64 UInt64Type, Float 4 => Float32 Float32Type, Float 8 => Float64 Float64Type
    )
}

impl<T: ArrowPrimitiveType + Send + Sync> Convert for Block<'_, T> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let mut buffer = self.buffer(rows.len());
        self.copy(rows.clone(), &mut buffer);
        self.array(rows, buffer)
    }

    fn interleaved(&self) -> Option<&dyn Interleaved> {
        (self.items.step != self.items.size).then_some(self)
    }

    fn recycle(&self, array: ArrayRef) {
        let buffer = array.as_primitive::<T>().values().inner().clone();
        drop(array);
        self.pool.give(buffer);
    }
}

impl<T: ArrowPrimitiveType + Send + Sync> Interleaved for Block<'_, T> {
    fn buffer(&self, rows: usize) -> MutableBuffer {
        self.pool.take(rows * T::Native::get_byte_width())
    }

    fn copy(&self, rows: Range<usize>, out: &mut [u8]) {
        self.items.copy(rows, out);
    }

    fn array(&self, rows: Range<usize>, buffer: MutableBuffer) -> ArrayRef {
        let nulls = self.mask.map(|mask| mask.validity(&rows)).filter(|nulls| nulls.null_count() > 0);
        Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::new(buffer.into(), 0, rows.len()), nulls))
    }
}

impl Convert for Flags<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let nulls = self.mask.map(|mask| mask.validity(&rows)).filter(|nulls| nulls.null_count() > 0);
        Arc::new(BooleanArray::new(self.items.flags(&rows), nulls))
    }
}

#[cfg(test)]
mod tests {
    use arrow_buffer::ToByteSlice as _;

    use super::*;

    #[test]
    fn a_column_is_copied_out_of_either_order() {
        // Two columns of three rows: 0, 1, 2 and 10, 11, 12.
        let c_order: Vec<u8> = [0_i16, 1, 2, 10, 11, 12].to_byte_slice().to_vec();
        let f_order: Vec<u8> = [0_i16, 10, 1, 11, 2, 12].to_byte_slice().to_vec();
        for (bytes, start, step) in [(&c_order, 6, 2), (&f_order, 2, 4)] {
            let items = Items { bytes, start, step, size: 2 };
            let mut out = [0; 4];
            items.copy(1..3, &mut out);
            assert_eq!(out, [11_i16, 12].to_byte_slice());
        }
    }
}
