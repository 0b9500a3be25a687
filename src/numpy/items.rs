//! The items of arrays of fixed-size numbers: one place that knows widths and byte orders.

use super::{
    array::{Array, Data},
    dtype::{Dtype, Kind},
};

/// One number of an array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A float; narrower ones are widened exactly.
    Float(f64),
}

/// The number that `bytes` of one item hold. `None` for a dtype without numbers.
pub fn number(dtype: Dtype, bytes: &[u8]) -> Option<Number> {
    let mut little = [0_u8; 8];
    let width = bytes.len().min(8);
    little[..width].copy_from_slice(&bytes[..width]);
    if dtype.big_endian {
        little[..width].reverse();
    }
    let raw = u64::from_le_bytes(little);
    let unused = 64 - 8 * width as u32;
    Some(match dtype.kind {
        Kind::Bool => Number::Bool(raw != 0),
        Kind::Uint => Number::Uint(raw),
        Kind::Int => Number::Int(raw.wrapping_shl(unused) as i64 >> unused),
        Kind::Float => Number::Float(match width {
            2 => f64::from(half(raw as u16)),
            4 => f64::from(f32::from_bits(raw as u32)),
            _ => f64::from_bits(raw),
        }),
        Kind::Complex
        | Kind::Text
        | Kind::Raw
        | Kind::Datetime(_)
        | Kind::Timedelta(_)
        | Kind::Record
        | Kind::Object => {
            return None;
        }
    })
}

/// IEEE 754 binary16 to binary32, exactly.
pub fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    match exponent {
        0 => {
            let value = fraction as f32 / 16_777_216.0;
            if sign == 0 { value } else { -value }
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

impl Array<'_> {
    /// The bytes of the item at column `item` and row `row` of an array of shape (items, rows) or (rows,).
    pub fn item_bytes(&self, item: usize, row: usize) -> Option<&[u8]> {
        let Data::Bytes(bytes) = &self.data else { return None };
        let at = match self.shape.as_slice() {
            [_] => row,
            [items, _] if self.fortran => row * items + item,
            [_, rows] => item * rows + row,
            _ => return None,
        };
        let start = at.checked_mul(self.dtype.itemsize)?;
        bytes.get(start..start + self.dtype.itemsize)
    }

    /// The bytes of row `row` of an array of shape (rows, elements): where they lie if the array is in C order, else
    /// gathered into `buffer`.
    pub fn row_bytes<'b>(&'b self, row: usize, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        let (Data::Bytes(bytes), [rows, elements]) = (&self.data, self.shape.as_slice()) else { return None };
        let size = self.dtype.itemsize;
        if !self.fortran {
            return bytes.get(row * elements * size..(row + 1) * elements * size);
        }
        buffer.clear();
        for element in 0..*elements {
            let at = (element * rows + row) * size;
            buffer.extend_from_slice(bytes.get(at..at + size)?);
        }
        Some(buffer)
    }

    /// The step count of a time or duration, or any 64-bit integer, at column `item` and row `row`.
    pub fn steps(&self, item: usize, row: usize) -> Option<i64> {
        let bytes = <[u8; 8]>::try_from(self.item_bytes(item, row)?).ok()?;
        Some(if self.dtype.big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) })
    }

    /// The text at column `item` and row `row`, without the zeros that pad it; `None` if it is no text, or not Unicode.
    pub fn text(&self, item: usize, row: usize) -> Option<String> {
        if self.dtype.kind != Kind::Text {
            return None;
        }
        let points = self.item_bytes(item, row)?.as_chunks::<{ super::dtype::CODE_POINT_BYTES }>().0;
        let big_endian = self.dtype.big_endian;
        let point = |bytes: &[u8; 4]| {
            if big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) }
        };
        let end = points.iter().rposition(|bytes| point(bytes) != 0).map_or(0, |last| last + 1);
        points[..end].iter().map(|bytes| char::from_u32(point(bytes))).collect()
    }

    /// The number at column `item` and row `row`.
    pub fn number(&self, item: usize, row: usize) -> Option<Number> {
        number(self.dtype, self.item_bytes(item, row)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_orders() {
        let dtype = |kind, itemsize, big_endian| Dtype { kind, itemsize, big_endian };
        assert_eq!(number(dtype(Kind::Int, 2, false), &[0xfe, 0xff]), Some(Number::Int(-2)));
        assert_eq!(number(dtype(Kind::Int, 2, true), &[0xff, 0xfe]), Some(Number::Int(-2)));
        assert_eq!(number(dtype(Kind::Uint, 8, false), &[0xff; 8]), Some(Number::Uint(u64::MAX)));
        assert_eq!(number(dtype(Kind::Float, 4, true), &1.5_f32.to_be_bytes()), Some(Number::Float(1.5)));
        assert_eq!(number(dtype(Kind::Object, 8, false), &[0; 8]), None);
    }

    #[test]
    fn halves_are_exact() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0), (0x8000, -0.0)]
        {
            assert_eq!(half(bits).to_bits(), f32::to_bits(value), "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f32::NEG_INFINITY);
    }
}
