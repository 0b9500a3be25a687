//! Neighbouring columns of a matrix whose rows lie together, as those of a frame that was made from one.
//!
//! Each item of a column is a row apart from the next, so a column alone reads a whole cache line for each of its items.
//! Columns take turns, some rows at a time, so that a line still is in a cache when the next column wants it. The first
//! column of many reads long stretches of the matrix, which a processor fetches ahead: twice as fast as taking turns over
//! the eight columns that share a line, and that is twice as fast as one column after the other.

use std::ops::Range;

use arrow_array::ArrayRef;

use super::convert::Interleaved;

/// Columns that are copied together.
pub(super) const COLUMNS: usize = 64;

/// Rows that each of them copies in its turn: with columns of eight bytes 256 KiB, for the second-level cache.
const ROWS: usize = 512;

/// The arrays of `rows` of these columns.
pub(super) fn convert(columns: &[&dyn Interleaved], rows: &Range<usize>) -> Vec<ArrayRef> {
    let mut buffers: Vec<_> = columns.iter().map(|column| column.buffer(rows.len())).collect();
    for start in rows.clone().step_by(ROWS) {
        let turn = start..rows.end.min(start + ROWS);
        for (column, buffer) in columns.iter().zip(&mut buffers) {
            let size = buffer.len() / rows.len();
            let out =
                &mut buffer.as_slice_mut()[(turn.start - rows.start) * size..(turn.end - rows.start) * size];
            column.copy(turn.clone(), out);
        }
    }
    columns.iter().zip(buffers).map(|(column, buffer)| column.array(rows.clone(), buffer)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int16Array;
    use arrow_buffer::{MutableBuffer, ScalarBuffer};

    use super::*;

    /// The column whose row `r` is `start + r`.
    struct Counted(i16);

    impl Interleaved for Counted {
        fn buffer(&self, rows: usize) -> MutableBuffer {
            MutableBuffer::from_len_zeroed(rows * 2)
        }

        fn copy(&self, rows: Range<usize>, out: &mut [u8]) {
            assert!(rows.len() <= ROWS && out.len() == rows.len() * 2);
            for (row, out) in rows.zip(out.chunks_exact_mut(2)) {
                out.copy_from_slice(&(self.0 + row as i16).to_le_bytes());
            }
        }

        fn array(&self, rows: Range<usize>, buffer: MutableBuffer) -> ArrayRef {
            Arc::new(Int16Array::new(ScalarBuffer::new(buffer.into(), 0, rows.len()), None))
        }
    }

    #[test]
    fn columns_that_take_turns_are_whole() {
        for rows in [0..0, 7..8, 3..ROWS + 3, 100..100 + 3 * ROWS + 1] {
            let columns = [Counted(0), Counted(10_000)];
            let arrays = convert(&[&columns[0], &columns[1]], &rows);
            for (column, array) in columns.iter().zip(arrays) {
                let expected = Int16Array::from_iter_values(rows.clone().map(|row| column.0 + row as i16));
                assert_eq!(array.as_ref(), &expected as &dyn arrow_array::Array, "{rows:?}");
            }
        }
    }
}
