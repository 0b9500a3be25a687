//! Columns of NumPy items of fixed width: numbers and booleans, copied range by range without a look at single cells.
//!
//! NaN in a float column is a value, as it is in pandas; a mask makes nulls.

use std::{marker::PhantomData, ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray,
    types::{
        Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

use super::convert::{Convert, Faults};
use crate::numpy::{Array, Data, Kind};

/// One column of an array: where its items lie in the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items<'g> {
    /// From the first item on.
    bytes: &'g [u8],
    /// Bytes from one item to the next.
    stride: usize,
    width: usize,
    big_endian: bool,
}

impl<'g> Items<'g> {
    /// Column `item` of `array`, whose shape is (items, rows) or (rows,). `None` for objects and other shapes.
    pub(super) fn of(array: &'g Array<'g>, item: usize) -> Option<Self> {
        let Data::Bytes(bytes) = &array.data else { return None };
        let width = array.dtype.itemsize;
        let (first, step) = match array.shape.as_slice() {
            [_] => (0, 1),
            [items, _] if array.fortran => (item, *items),
            [_, rows] => (item.checked_mul(*rows)?, 1),
            _ => return None,
        };
        let bytes = bytes.get(first.checked_mul(width)?..).unwrap_or_default();
        Some(Self { bytes, stride: step.checked_mul(width)?, width, big_endian: array.dtype.big_endian })
    }

    /// The bytes of one item.
    #[inline]
    pub(super) fn bytes(&self, row: usize) -> &'g [u8] {
        &self.bytes[row * self.stride..][..self.width]
    }

    /// Whether the items lie one behind the other, as Arrow has them.
    fn is_plain(&self) -> bool {
        let order = self.width == 1 || self.big_endian == cfg!(target_endian = "big");
        self.stride == self.width && order
    }

    /// The numbers of `rows`.
    pub(super) fn numbers<N: Number>(&self, rows: Range<usize>) -> ScalarBuffer<N> {
        if self.is_plain() && self.width == size_of::<N>() {
            let bytes = &self.bytes[rows.start * self.width..rows.end * self.width];
            return ScalarBuffer::new(Buffer::from(bytes), 0, rows.len());
        }
        rows.map(|row| N::of_bytes(self.bytes(row), self.big_endian)).collect()
    }
}

/// A number of fixed width.
pub(super) trait Number: arrow_buffer::ArrowNativeType {
    /// The number that `bytes`, which are as many as it is wide, hold; of a 32-bit float also a 16-bit one's.
    fn of_bytes(bytes: &[u8], big_endian: bool) -> Self;
}

macro_rules! number {
    ($($native:ty),+) => {$(
        impl Number for $native {
            #[inline]
            fn of_bytes(bytes: &[u8], big_endian: bool) -> Self {
                let mut own = [0; size_of::<Self>()];
                own.copy_from_slice(bytes);
                if big_endian { Self::from_be_bytes(own) } else { Self::from_le_bytes(own) }
            }
        }
    )+};
}

number!(i8, i16, i32, i64, u8, u16, u32, u64, half::f16, f64);

impl Number for f32 {
    #[inline]
    fn of_bytes(bytes: &[u8], big_endian: bool) -> Self {
        if let &[first, second] = bytes {
            return half::f16::of_bytes(&[first, second], big_endian).to_f32();
        }
        let mut own = [0; size_of::<Self>()];
        own.copy_from_slice(bytes);
        if big_endian { Self::from_be_bytes(own) } else { Self::from_le_bytes(own) }
    }
}

/// Which rows have a value, by a mask that is true where none is.
pub(super) fn validity(mask: Option<Items<'_>>, rows: Range<usize>) -> Option<NullBuffer> {
    let mask = mask?;
    let bits = BooleanBuffer::collect_bool(rows.len(), |row| mask.bytes(rows.start + row)[0] == 0);
    Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
}

/// A column of numbers of type `T`.
struct Numbers<'g, T> {
    field: Field,
    items: Items<'g>,
    mask: Option<Items<'g>>,
    element: PhantomData<T>,
}

/// A column of booleans.
struct Booleans<'g> {
    field: Field,
    items: Items<'g>,
    mask: Option<Items<'g>>,
}

/// The converter of column `item` of an array of numbers or booleans. `None` for other dtypes.
pub(super) fn converter<'g>(
    name: &str,
    array: &'g Array<'g>,
    item: usize,
    mask: Option<&'g Array<'g>>,
) -> Option<Box<dyn Convert + 'g>> {
    let data_type = data_type(array)?;
    let items = Items::of(array, item)?;
    let mask = match mask {
        Some(mask) => Some(Items::of(mask, 0)?),
        None => None,
    };
    let field = Field::new(name, data_type.clone(), true);
    macro_rules! numbers {
        ($($data_type:ident => $element:ty),+) => {
            match data_type {
                $(DataType::$data_type => Box::new(Numbers { field, items, mask, element: PhantomData::<$element> }),)+
                _ => Box::new(Booleans { field, items, mask }),
            }
        };
    }
    Some(numbers! {
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type,
        Float32 => Float32Type, Float64 => Float64Type
    })
}

/// The Arrow type of numbers and booleans.
pub(super) fn data_type(array: &Array<'_>) -> Option<DataType> {
    Some(match (array.dtype.kind, array.dtype.itemsize) {
        (Kind::Bool, 1) => DataType::Boolean,
        (Kind::Int, 1) => DataType::Int8,
        (Kind::Int, 2) => DataType::Int16,
        (Kind::Int, 4) => DataType::Int32,
        (Kind::Int, 8) => DataType::Int64,
        (Kind::Uint, 1) => DataType::UInt8,
        (Kind::Uint, 2) => DataType::UInt16,
        (Kind::Uint, 4) => DataType::UInt32,
        (Kind::Uint, 8) => DataType::UInt64,
        // Readers of Parquet from before 2024 refuse a whole file with 16-bit floats in it; 32 bits hold each of them.
        (Kind::Float, 2 | 4) => DataType::Float32,
        (Kind::Float, 8) => DataType::Float64,
        _ => return None,
    })
}

impl<T> Convert for Numbers<'_, T>
where
    T: ArrowPrimitiveType<Native: Number> + Send + Sync,
{
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let nulls = validity(self.mask, rows.clone());
        Arc::new(PrimitiveArray::<T>::new(self.items.numbers(rows), nulls))
    }
}

impl Convert for Booleans<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let bits =
            BooleanBuffer::collect_bool(rows.len(), |row| self.items.bytes(rows.start + row)[0] != 0);
        Arc::new(BooleanArray::new(bits, validity(self.mask, rows)))
    }
}
