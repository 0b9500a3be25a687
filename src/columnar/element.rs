//! Elements of vectors: what a number becomes as a 32-bit or a 64-bit float, and what is noted on the way.

use arrow_array::{
    ArrowPrimitiveType,
    types::{Float32Type, Float64Type},
};
use arrow_buffer::ArrowNativeType;

use super::source::Cell;
use crate::{
    numpy::{Dtype, Kind},
    pickle::BINFLOAT_BYTES,
};

/// What was noted while a vector was decoded.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Seen {
    /// Values that the narrower type does not hold exactly.
    pub(super) rounded: u64,
    /// Whether an element is NaN or infinite.
    pub(super) not_finite: bool,
}

/// A float type that vectors can have.
pub(super) trait Element:
    ArrowPrimitiveType<Native: ArrowNativeType + Default + Send + Sync> + Send + Sync
{
    /// Narrows a float and notes what that did to it.
    fn from_f64(value: f64, seen: &mut Seen) -> Self::Native;

    /// Whether a value is neither NaN nor infinite.
    fn is_finite(value: Self::Native) -> bool;

    /// Copies a payload that already is what the column holds; false if it is not.
    fn copy_payload(dtype: Dtype, payload: &[u8], out: &mut [Self::Native], seen: &mut Seen) -> bool;

    /// Decodes `BINFLOAT`s: a tag and a big-endian double each.
    fn from_binfloats(run: &[u8], out: &mut [Self::Native], seen: &mut Seen) {
        for (out, bytes) in out.iter_mut().zip(run.chunks_exact(BINFLOAT_BYTES)) {
            let mut value = [0; 8];
            value.copy_from_slice(&bytes[1..]);
            *out = Self::from_f64(f64::from_be_bytes(value), seen);
        }
    }

    /// A number of any kind; integers only if they are exact. `None` for what is no number.
    fn from_cell(cell: Cell<'_>, seen: &mut Seen) -> Option<Self::Native> {
        let value = match cell {
            Cell::Float(value) => value,
            // By way of 128 bits, because casts stop at the largest integer.
            Cell::Int(value) => (value as f64 as i128 == i128::from(value)).then_some(value as f64)?,
            Cell::Uint(value) => (value as f64 as i128 == i128::from(value)).then_some(value as f64)?,
            _ => return None,
        };
        Some(Self::from_f64(value, seen))
    }
}

impl Element for Float32Type {
    #[inline]
    #[allow(clippy::float_cmp, reason = "exactness is the question")]
    fn from_f64(value: f64, seen: &mut Seen) -> f32 {
        let narrow = value as f32;
        // NaN is unequal to itself and counts as not finite, not as rounded.
        seen.rounded += u64::from(f64::from(narrow) != value && narrow.is_finite());
        seen.not_finite |= !narrow.is_finite();
        narrow
    }

    fn is_finite(value: f32) -> bool {
        value.is_finite()
    }

    fn copy_payload(dtype: Dtype, payload: &[u8], out: &mut [f32], seen: &mut Seen) -> bool {
        if dtype != (Dtype { kind: Kind::Float, itemsize: 4, big_endian: false }) {
            return false;
        }
        for (out, bytes) in out.iter_mut().zip(payload.as_chunks::<4>().0) {
            *out = f32::from_le_bytes(*bytes);
            seen.not_finite |= !out.is_finite();
        }
        true
    }
}

impl Element for Float64Type {
    #[inline]
    fn from_f64(value: f64, seen: &mut Seen) -> f64 {
        seen.not_finite |= !value.is_finite();
        value
    }

    fn is_finite(value: f64) -> bool {
        value.is_finite()
    }

    fn copy_payload(dtype: Dtype, payload: &[u8], out: &mut [f64], seen: &mut Seen) -> bool {
        if dtype != (Dtype { kind: Kind::Float, itemsize: 8, big_endian: false }) {
            return false;
        }
        for (out, bytes) in out.iter_mut().zip(payload.as_chunks::<8>().0) {
            *out = f64::from_le_bytes(*bytes);
            seen.not_finite |= !out.is_finite();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_counts_what_it_rounds_and_sees_what_is_not_finite() {
        let mut seen = Seen::default();
        assert_eq!(Float32Type::from_f64(0.5, &mut seen).to_bits(), 0.5_f32.to_bits());
        assert_eq!((seen.rounded, seen.not_finite), (0, false));
        Float32Type::from_f64(0.1, &mut seen);
        assert_eq!((seen.rounded, seen.not_finite), (1, false));
        Float32Type::from_f64(1e300, &mut seen);
        assert_eq!((seen.rounded, seen.not_finite), (1, true), "beyond the range is not rounding");
        assert_eq!(
            Float32Type::from_cell(Cell::Int((1 << 53) + 1), &mut seen),
            None,
            "an int that no float holds"
        );
        assert_eq!(Float64Type::from_cell(Cell::Int(i64::MAX), &mut seen), None);
    }
}
