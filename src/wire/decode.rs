//! Messages to batches: counted and bounded first, then filled.

use arrow_array::RecordBatch;
use bytes::Bytes;

use super::Error;
use crate::{limits::wire::ChunkLimits, schema::Domain};

pub use crate::proto::embedding::IngestMetadata as Metadata;

/// What one message held.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The metadata, if the message carried it.
    pub metadata: Option<Metadata>,
    /// The field of the chunk and its rows.
    pub chunk: Option<(String, RecordBatch)>,
}

/// What one message holds, counted only.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The metadata, if the message carried it.
    pub metadata: Option<Metadata>,
    /// The field of the chunk.
    pub chunk: Option<String>,
    /// Rows of the chunk.
    pub rows: usize,
}

/// Decodes chunks of one domain.
#[derive(Debug, Clone)]
pub struct ChunkDecoder;

impl ChunkDecoder {
    /// A decoder for `domain`'s rows with vectors of `dimension`.
    pub fn new(_domain: &Domain, _dimension: usize, _limits: ChunkLimits) -> Result<Self, Error> {
        todo!()
    }

    /// The rows of `message` as a batch.
    pub fn decode(&self, _message: &Bytes) -> Result<Decoded, Error> {
        todo!()
    }

    /// Counts and checks the rows of `message` without touching a vector.
    pub fn count(&self, _message: &Bytes) -> Result<Counted, Error> {
        todo!()
    }
}

/// The metadata and the chunk field of a message of any domain; rows are not looked at.
pub fn peek(_message: &Bytes) -> Result<(Option<Metadata>, Option<u32>), Error> {
    todo!()
}
