//! How many rows go into a message: by count, by encoded bytes, by bandwidth.

use std::ops::Range;

use arrow_array::RecordBatch;

use super::{ChunkPlan, Error};
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
    /// Cuts `rows` into ranges that each fit a message.
    pub fn split(
        &self,
        _batch: &RecordBatch,
        _rows: Range<usize>,
        _chunk_rows: usize,
        _message_bytes_max: usize,
    ) -> Result<Vec<Range<usize>>, Error> {
        todo!()
    }
}

/// Rows of a chunk that takes `target_latency_ms` to send.
pub fn optimal_chunk_rows(_bandwidth_mbps: f64, _dimension: usize, _target_latency_ms: f64) -> usize {
    todo!()
}
