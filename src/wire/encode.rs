//! Batches to bytes: exact lengths first, then one write into one allocation.

use std::ops::Range;

use arrow_array::RecordBatch;
use bytes::Bytes;

use super::{ChunkPlan, Error};

impl ChunkPlan {
    /// Bytes of the message that `encode` makes of `rows`.
    pub fn encoded_len(&self, _batch: &RecordBatch, _rows: Range<usize>) -> Result<usize, Error> {
        todo!()
    }

    /// One encoded `IngestDataRequest` that carries `rows`.
    pub fn encode(&self, _batch: &RecordBatch, _rows: Range<usize>) -> Result<Bytes, Error> {
        todo!()
    }
}

/// The first message of a stream: metadata alone.
pub fn metadata(_domain: &str, _file_name: &str, _vector_dimension: i32) -> Bytes {
    todo!()
}
