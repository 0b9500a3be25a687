//! How many rows go into a message: by count, by encoded bytes, by bandwidth.

use std::ops::Range;

use arrow_array::RecordBatch;

use super::{ChunkPlan, Error, varint::delimited_len};
use crate::limits;

/// Bounds of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunking {
    /// Rows at most.
    pub chunk_rows: usize,
    /// Encoded bytes at most.
    pub message_bytes_max: usize,
}

impl Default for Chunking {
    fn default() -> Self {
        Self { chunk_rows: 1_000, message_bytes_max: limits::wire::SEND_BYTES_MAX }
    }
}

impl ChunkPlan {
    /// Cuts `rows` into ranges of at most `chunk_rows` rows whose messages take at most `message_bytes_max` bytes. A
    /// row that alone takes more is an error that names it.
    pub fn split(
        &self,
        batch: &RecordBatch,
        rows: Range<usize>,
        chunk_rows: usize,
        message_bytes_max: usize,
    ) -> Result<Vec<Range<usize>>, Error> {
        let columns = self.bind(batch)?;
        let mut ranges = Vec::new();
        let (mut start, mut chunk_len) = (rows.start, 0);
        for row in rows.clone() {
            let row_len = delimited_len(self.rows_key, self.row_len(&columns, row)?);
            let bytes = self.message_len(row_len);
            if bytes > message_bytes_max {
                return Err(Error::RowTooLong { row: row as u64, bytes, message_bytes_max });
            }
            let is_full = row - start >= chunk_rows.max(1);
            if is_full || self.message_len(chunk_len + row_len) > message_bytes_max {
                ranges.push(start..row);
                (start, chunk_len) = (row, 0);
            }
            chunk_len += row_len;
        }
        if start < rows.end {
            ranges.push(start..rows.end);
        }
        Ok(ranges)
    }
}

/// Rows of a chunk that takes `target_latency_ms` to send at `bandwidth_mbps`, by the published rule: 500 bytes a row
/// beside its vector, 100 to 10,000 rows, and never more than a message of the contract holds.
pub fn optimal_chunk_rows(bandwidth_mbps: f64, dimension: usize, target_latency_ms: f64) -> usize {
    const BESIDE_VECTOR_BYTES: usize = 500;
    let row_bytes = dimension.saturating_mul(size_of::<f32>()).saturating_add(BESIDE_VECTOR_BYTES);
    let bytes_per_second = bandwidth_mbps * 1024.0 * 1024.0 / 8.0;
    // A float that is NaN or out of range becomes 0 or the largest integer, and the clamp takes it from there.
    let rows = (bytes_per_second * target_latency_ms / 1000.0 / row_bytes as f64) as usize;
    let rows_max = (limits::wire::CONTRACT_BYTES_MAX / row_bytes).max(1);
    rows.clamp(100, 10_000).min(rows_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_hold() {
        assert_eq!(optimal_chunk_rows(100.0, 384, 100.0), 643);
        assert_eq!(optimal_chunk_rows(100.0, 768, 100.0), 366);
        assert_eq!(optimal_chunk_rows(1000.0, 384, 100.0), 6_437);
        assert_eq!(optimal_chunk_rows(1000.0, 768, 100.0), 3_669);
    }

    #[test]
    fn a_message_of_the_contract_is_never_exceeded() {
        assert_eq!(optimal_chunk_rows(1e9, 384, 100.0), 8_240);
        assert_eq!(optimal_chunk_rows(1e9, 768, 100.0), 4_696);
        assert_eq!(optimal_chunk_rows(0.0, 384, 100.0), 100);
        assert_eq!(optimal_chunk_rows(f64::NAN, 384, 100.0), 100);
        assert_eq!(optimal_chunk_rows(1.0, 1 << 22, 1.0), 1);
    }
}
