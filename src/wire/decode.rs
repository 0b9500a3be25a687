//! Messages to batches: counted and bounded first, then filled.
//!
//! Rows are counted by their lengths alone before anything is allocated, and a message must be long enough to hold that
//! many vectors: what a message makes us allocate is bounded by its own length and by the rows it may have.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::{
    Error,
    envelope::Envelope,
    layout::{Layout, published},
    rows::RowDecoder,
};
use crate::{limits::wire::ChunkLimits, schema::Domain};

use crate::proto::embedding::ChunkHeader;
pub use crate::proto::embedding::IngestMetadata as Metadata;

/// What one message held.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The metadata, if the message carried it.
    pub metadata: Option<Metadata>,
    /// The chunk's header, if the message carried it.
    pub header: Option<ChunkHeader>,
    /// The request's field of the chunk, and its rows.
    pub chunk: Option<(String, RecordBatch)>,
}

/// What one message holds, counted only.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The metadata, if the message carried it.
    pub metadata: Option<Metadata>,
    /// The chunk's header, if the message carried it.
    pub header: Option<ChunkHeader>,
    /// The request's field of the chunk.
    pub chunk: Option<String>,
    /// Rows of the chunk.
    pub rows: usize,
}

/// What one message says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Peeked {
    /// The metadata, if the message carries it.
    pub metadata: Option<Metadata>,
    /// The chunk's header, if the message carries it.
    pub header: Option<ChunkHeader>,
    /// The request's field of the chunk.
    pub chunk: Option<&'static str>,
}

/// The metadata and the kind of chunk of a message of any domain; rows are not looked at.
pub fn peek(message: &Bytes) -> Result<Peeked, Error> {
    let envelope = Envelope::scan(message)?;
    Ok(Peeked {
        metadata: envelope.metadata,
        header: envelope.header,
        chunk: envelope.chunk.map(|chunk| chunk.name),
    })
}

/// Decodes chunks of one domain.
#[derive(Debug, Clone)]
pub struct ChunkDecoder {
    rows: RowDecoder,
    /// Number of the request's field that carries the domain's chunks.
    chunk: u32,
    chunk_field: String,
    /// Number of the chunk's field that carries rows.
    rows_field: u32,
}

impl ChunkDecoder {
    /// A decoder for `domain`'s rows with vectors of `dimension`.
    pub fn new(domain: &Domain, dimension: usize, limits: ChunkLimits) -> Result<Self, Error> {
        let layout = Layout::find(published(), &domain.chunk_field, &domain.message)?;
        let rows = RowDecoder::new(domain, &layout.row, dimension, limits)?;
        Ok(Self {
            rows,
            chunk: layout.chunk,
            chunk_field: domain.chunk_field.clone(),
            rows_field: layout.rows,
        })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        self.rows.schema()
    }

    /// The rows of `message` as a batch.
    pub fn decode(&self, message: &Bytes) -> Result<Decoded, Error> {
        let envelope = self.open(message)?;
        let chunk = envelope.chunk.map(|chunk| self.rows.batch(&chunk.rows(self.rows_field), message.len()));
        let chunk = chunk.transpose()?.map(|batch| (self.chunk_field.clone(), batch));
        Ok(Decoded { metadata: envelope.metadata, header: envelope.header, chunk })
    }

    /// Counts the rows of `message` and checks the dimension of each; no vector is read.
    pub fn count(&self, message: &Bytes) -> Result<Counted, Error> {
        let envelope = self.open(message)?;
        let rows = envelope.chunk.as_ref().map(|chunk| self.rows.check(&chunk.rows(self.rows_field)));
        let rows = rows.transpose()?.unwrap_or(0);
        let chunk = envelope.chunk.map(|chunk| chunk.name.to_owned());
        Ok(Counted { metadata: envelope.metadata, header: envelope.header, chunk, rows })
    }

    fn open<'m>(&self, message: &'m Bytes) -> Result<Envelope<'m>, Error> {
        self.rows.check_length(message.len())?;
        let envelope = Envelope::scan(message)?;
        match &envelope.chunk {
            Some(chunk) if chunk.number != self.chunk => {
                Err(Error::ChunkKind { expected: self.chunk_field.clone(), found: chunk.name.to_owned() })
            }
            _ => Ok(envelope),
        }
    }
}
