//! Messages to batches: counted and bounded first, then filled.
//!
//! Rows are counted by their lengths alone before anything is allocated, and a message must be long enough to hold that
//! many vectors: what a message makes us allocate is bounded by its own length and by the rows it may have.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::{
    Error,
    envelope::{Chunk, Envelope},
    fill::{Filler, Holds, Target},
    layout::{Layout, describe, published},
    scalar::Scalar,
};
use crate::{
    columnar::schema::of_domain,
    limits::wire::ChunkLimits,
    schema::{self, Domain, NullPolicy},
};

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
    schema: SchemaRef,
    targets: Vec<Target>,
    /// Index into `targets` of the vector.
    vector: usize,
    dimension: usize,
    /// Number of the request's field that carries the domain's chunks.
    chunk: u32,
    chunk_field: String,
    /// Number of the chunk's field that carries rows.
    rows: u32,
    limits: ChunkLimits,
}

impl ChunkDecoder {
    /// A decoder for `domain`'s rows with vectors of `dimension`.
    pub fn new(domain: &Domain, dimension: usize, limits: ChunkLimits) -> Result<Self, Error> {
        let schema = of_domain(domain, dimension);
        let layout = Layout::find(published(), &domain.chunk_field, &domain.message)?;
        let targets = domain.columns.iter().zip(schema.fields());
        let targets = targets.map(|(column, field)| target(column, field, dimension, &layout));
        Ok(Self {
            targets: targets.collect::<Result<_, _>>()?,
            vector: domain.vector,
            dimension,
            chunk: layout.chunk,
            chunk_field: domain.chunk_field.clone(),
            rows: layout.rows,
            schema,
            limits,
        })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of `message` as a batch.
    pub fn decode(&self, message: &Bytes) -> Result<Decoded, Error> {
        let envelope = self.open(message)?;
        let chunk = envelope.chunk.map(|chunk| self.batch(&chunk, message.len()));
        let chunk = chunk.transpose()?.map(|batch| (self.chunk_field.clone(), batch));
        Ok(Decoded { metadata: envelope.metadata, header: envelope.header, chunk })
    }

    /// Counts the rows of `message` and checks the dimension of each; no vector is read.
    pub fn count(&self, message: &Bytes) -> Result<Counted, Error> {
        let envelope = self.open(message)?;
        let rows = envelope.chunk.as_ref().map_or(Ok(0), |chunk| self.check(chunk))?;
        let chunk = envelope.chunk.map(|chunk| chunk.name.to_owned());
        Ok(Counted { metadata: envelope.metadata, header: envelope.header, chunk, rows })
    }

    fn open<'m>(&self, message: &'m Bytes) -> Result<Envelope<'m>, Error> {
        // Arrow's offsets have 31 bits, whatever the limits say.
        let message_bytes_max = self.limits.message_bytes_max.min(i32::MAX as usize);
        if message.len() > message_bytes_max {
            return Err(Error::MessageTooLong { bytes: message.len(), message_bytes_max });
        }
        let envelope = Envelope::scan(message)?;
        match &envelope.chunk {
            Some(chunk) if chunk.number != self.chunk => {
                Err(Error::ChunkKind { expected: self.chunk_field.clone(), found: chunk.name.to_owned() })
            }
            _ => Ok(envelope),
        }
    }

    /// Counts the rows by their lengths alone.
    fn count_rows(&self, chunk: &Chunk<'_>) -> Result<usize, Error> {
        let (mut rows, mut count) = (chunk.rows(self.rows), 0);
        while rows.next()?.is_some() {
            count += 1;
            if count > self.limits.rows_max {
                return Err(Error::TooManyRows { rows_max: self.limits.rows_max });
            }
        }
        Ok(count)
    }

    /// Counts the rows and checks the dimension of each, in one pass: rows lie far apart, and looking at one is waiting
    /// for memory.
    fn check(&self, chunk: &Chunk<'_>) -> Result<usize, Error> {
        // Too many rows is the fault that is told, whatever else is wrong: the sender can mend it by smaller chunks.
        self.check_rows(chunk).or_else(|fault| self.count_rows(chunk).and(Err(fault)))
    }

    fn check_rows(&self, chunk: &Chunk<'_>) -> Result<usize, Error> {
        let target = &self.targets[self.vector];
        let (mut rows, mut count) = (chunk.rows(self.rows), 0);
        while let Some(mut fields) = rows.next()? {
            if count == self.limits.rows_max {
                return Err(Error::TooManyRows { rows_max: self.limits.rows_max });
            }
            let (row, mut elements) = (count as u64, 0_usize);
            while let Some(found) = fields.next()? {
                if found.number == target.number {
                    elements += target.elements(&found, row)?;
                }
            }
            target.check_dimension(self.dimension, elements, row)?;
            count += 1;
        }
        Ok(count)
    }

    fn batch(&self, chunk: &Chunk<'_>, message_bytes: usize) -> Result<RecordBatch, Error> {
        let count = self.count_rows(chunk)?;
        let vector_bytes = self.dimension.saturating_mul(size_of::<f32>());
        if count.saturating_mul(vector_bytes) > message_bytes {
            // Too short for so many vectors: some row has too small a one, and the check names it.
            self.check(chunk)?;
        }
        let mut fillers: Vec<_> = self.targets.iter().map(|target| Filler::new(target, count)).collect();
        let mut rows = chunk.rows(self.rows);
        for row in 0..count as u64 {
            let Some(mut fields) = rows.next()? else { break };
            while let Some(found) = fields.next()? {
                let index = self.targets.iter().position(|target| target.number == found.number);
                index.map_or(Ok(()), |index| fillers[index].take(&found, row))?;
            }
            fillers.iter_mut().try_for_each(|filler| filler.end_row(row))?;
        }
        let columns = fillers.into_iter().map(Filler::finish).collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

fn target(
    column: &schema::Column,
    field: &Arc<arrow_schema::Field>,
    dimension: usize,
    layout: &Layout,
) -> Result<Target, Error> {
    let found = layout.row.get_field_by_name(&column.field);
    let found = found.ok_or_else(|| Error::NoField {
        column: column.field.clone(),
        message: layout.row.full_name().to_owned(),
    })?;
    let holds = Holds::of(column.kind, &found, dimension).ok_or_else(|| Error::Type {
        column: column.field.clone(),
        field: describe(&found),
        data_type: field.data_type().clone(),
        reason: "a received column of this kind is not made of it",
    })?;
    if matches!(holds, Holds::Vector(_)) && column.null != NullPolicy::Refuse {
        return Err(Error::Policy { column: column.field.clone(), field: describe(&found) });
    }
    Ok(Target {
        name: column.field.clone(),
        number: found.number(),
        holds,
        presence: found.supports_presence(),
        empty_is_null: column.null == NullPolicy::Empty,
        field: Arc::clone(field),
    })
}

impl Holds {
    /// How a column of `kind` is filled from `field`; none if it cannot be.
    fn of(kind: schema::Kind, field: &prost_reflect::FieldDescriptor, dimension: usize) -> Option<Self> {
        use prost_reflect::Kind as Wire;
        use schema::Kind;
        let integer = || {
            Scalar::of(&field.kind())
                .filter(|scalar| scalar.is_integer() || matches!(scalar, Scalar::Enum(_)))
        };
        match (kind, field.kind(), field.is_list()) {
            (Kind::Text, Wire::String, false) => Some(Self::Text),
            (Kind::Category, Wire::String, false) => Some(Self::Category),
            (Kind::Int32, _, false) => integer().map(Self::Int32),
            (Kind::Int64, _, false) => integer().map(Self::Int64),
            (Kind::TextList, Wire::String, true) => Some(Self::TextList),
            (Kind::Vector, Wire::Float, true) => Some(Self::Vector(dimension)),
            _ => None,
        }
    }
}
