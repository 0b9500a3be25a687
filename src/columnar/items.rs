//! NumPy items of fixed width, one column of an array: where they lie, whatever the order of the array and of the bytes.
//!
//! Numbers that are in the file as Arrow has them are `block`'s; these are the items of everything else.

use std::ops::Range;

use arrow_buffer::{Buffer, ScalarBuffer};

use crate::numpy::{Array, Data};

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

    /// All items of `array`, as they follow each other in memory. `None` for objects.
    pub(super) fn in_memory(array: &'g Array<'g>) -> Option<Self> {
        let Data::Bytes(bytes) = &array.data else { return None };
        let width = array.dtype.itemsize;
        Some(Self { bytes, stride: width, width, big_endian: array.dtype.big_endian })
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

impl Items<'_> {
    /// One number.
    pub(super) fn number<N: Number>(&self, row: usize) -> N {
        N::of_bytes(self.bytes(row), self.big_endian)
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
