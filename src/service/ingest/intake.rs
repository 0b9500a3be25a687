//! The deciding half of an ingest stream: plain code without async, one message after another.

use std::sync::Arc;

use bytes::Bytes;

use super::{super::session, session_stream::SessionStream};
use crate::{
    limits::wire::ChunkLimits,
    proto::embedding::IngestDataResponse,
    schema::{self, Domain},
    store::{self, Provenance, Published, Run, Store},
    wire::{self, ChunkDecoder, Metadata},
};

/// Takes the messages of one stream into a run of the store.
pub(super) struct Intake {
    store: Arc<dyn Store>,
    limits: ChunkLimits,
    stream: Option<Stream>,
    chunks: u64,
    rows: u64,
}

/// What the metadata opened.
enum Stream {
    Run(Box<RunStream>),
    /// The same with positions: exactly once.
    Session(Box<SessionStream>),
}

struct RunStream {
    metadata: Metadata,
    domain: &'static Domain,
    decoder: ChunkDecoder,
    run: Box<dyn Run>,
}

/// Why a stream is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the first message carries no metadata")]
    MetadataMissing,
    #[error("the message of chunk {chunk} carries other metadata than the first message")]
    MetadataChanged { chunk: u64 },
    #[error("unknown domain {0:?}; known are {known}", known = known_domains())]
    UnknownDomain(String),
    #[error("vector_dimension {dimension} is not one of {domain}: {allowed}")]
    Dimension { dimension: i32, domain: &'static str, allowed: String },
    #[error("chunk {chunk}: {source}")]
    Chunk { chunk: u64, source: wire::Error },
    #[error("this server keeps no sessions")]
    NoSessions,
    #[error(transparent)]
    Unclear(#[from] session::Unclear),
    #[error("the chunk has no header")]
    NoHeader,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<crate::session::Refusal> for Refusal {
    fn from(refusal: crate::session::Refusal) -> Self {
        Self::Store(refusal.into())
    }
}

fn known_domains() -> String {
    let names: Vec<&str> = schema::builtin().iter().map(|domain| domain.name.as_str()).collect();
    names.join(", ")
}

impl Intake {
    pub(super) fn new(store: Arc<dyn Store>, limits: ChunkLimits) -> Self {
        Self { store, limits, stream: None, chunks: 0, rows: 0 }
    }

    /// Takes one message.
    pub(super) fn take(&mut self, message: &Bytes) -> Result<(), Refusal> {
        if self.stream.is_none() {
            let peeked = wire::peek(message).map_err(|source| Refusal::Chunk { chunk: 1, source })?;
            let metadata = peeked.metadata.ok_or(Refusal::MetadataMissing)?;
            self.stream = Some(Stream::open(metadata, &self.store, self.limits)?);
        }
        let Some(stream) = &mut self.stream else { return Err(Refusal::MetadataMissing) };
        let chunk = self.chunks + 1;
        if let Some(rows) = stream.take(message, chunk)? {
            self.chunks = chunk;
            self.rows += rows;
        }
        Ok(())
    }

    /// Publishes what was taken.
    pub(super) fn finish(self) -> Result<IngestDataResponse, Refusal> {
        let (domain, published, outcome) = match self.stream.ok_or(Refusal::MetadataMissing)? {
            Stream::Run(stream) => (stream.domain, stream.run.finish()?, None),
            Stream::Session(stream) => {
                let domain = stream.domain;
                let (published, outcome) = stream.finish(&*self.store)?;
                (domain, published, Some(outcome))
            }
        };
        Ok(IngestDataResponse {
            status: "success".to_owned(),
            message: describe(domain, self.rows, self.chunks, &published),
            total_rows_received: i32::try_from(self.rows).unwrap_or(i32::MAX),
            total_chunks_received: i32::try_from(self.chunks).unwrap_or(i32::MAX),
            outcome,
        })
    }
}

fn describe(domain: &Domain, rows: u64, chunks: u64, published: &Published) -> String {
    let name = &domain.name;
    let Published { version, changed, table_rows, .. } = published;
    let received = format!("{name}: {rows} rows received in {chunks} chunks");
    match (version, changed) {
        (0, _) => format!("{received}, counted and discarded"),
        (_, true) => format!("{received}, published as version {version} of {table_rows} rows"),
        (_, false) => format!("{received}, nothing changed in version {version} of {table_rows} rows"),
    }
}

impl Stream {
    fn open(metadata: Metadata, store: &Arc<dyn Store>, limits: ChunkLimits) -> Result<Self, Refusal> {
        if metadata.session.is_some() {
            let stream = SessionStream::open(metadata, store, limits)?;
            return Ok(Self::Session(Box::new(stream)));
        }
        RunStream::open(metadata, &**store, limits).map(|stream| Self::Run(Box::new(stream)))
    }

    /// Takes one message; the rows of its chunk, if it carries one.
    fn take(&mut self, message: &Bytes, chunk: u64) -> Result<Option<u64>, Refusal> {
        match self {
            Self::Run(stream) => stream.take(message, chunk),
            Self::Session(stream) => stream.take(message, chunk),
        }
    }
}

impl RunStream {
    fn open(metadata: Metadata, store: &dyn Store, limits: ChunkLimits) -> Result<Self, Refusal> {
        let domain = session::intake::domain(&metadata.domain)?;
        let dimension = checked_dimension(domain, metadata.vector_dimension)?;
        let decoder = ChunkDecoder::new(domain, dimension, limits)
            .map_err(|source| Refusal::Chunk { chunk: 1, source })?;
        let provenance = Provenance::named(&metadata.file_name);
        let run = store.begin(domain, dimension, provenance)?;
        Ok(Self { metadata, domain, decoder, run })
    }

    /// Takes one message; the rows of its chunk, if it carries one.
    fn take(&mut self, message: &Bytes, chunk: u64) -> Result<Option<u64>, Refusal> {
        let failed = |source| Refusal::Chunk { chunk, source };
        if self.run.counts_only() {
            let counted = self.decoder.count(message).map_err(failed)?;
            self.check(counted.metadata, chunk)?;
            let rows = counted.chunk.map(|_| counted.rows as u64);
            self.run.skip(rows.unwrap_or(0));
            return Ok(rows);
        }
        let decoded = self.decoder.decode(message).map_err(failed)?;
        self.check(decoded.metadata, chunk)?;
        let Some((_, batch)) = decoded.chunk else { return Ok(None) };
        let rows = batch.num_rows() as u64;
        self.run.append(batch)?;
        Ok(Some(rows))
    }

    /// Metadata may be repeated, never changed.
    fn check(&self, metadata: Option<Metadata>, chunk: u64) -> Result<(), Refusal> {
        let changed = metadata.is_some_and(|metadata| metadata != self.metadata);
        if changed { Err(Refusal::MetadataChanged { chunk }) } else { Ok(()) }
    }
}

/// The dimension of a session's vectors, if the domain has such.
pub(in crate::service) fn dimension(domain: &'static Domain, dimension: u32) -> Result<usize, Refusal> {
    checked_dimension(domain, i32::try_from(dimension).unwrap_or(i32::MAX))
}

pub(super) fn checked_dimension(domain: &'static Domain, dimension: i32) -> Result<usize, Refusal> {
    let allowed = &domain.columns[domain.vector].dimensions;
    let fits = |dimension: &usize| *dimension > 0 && (allowed.is_empty() || allowed.contains(dimension));
    usize::try_from(dimension).ok().filter(fits).ok_or_else(|| {
        let texts: Vec<String> = allowed.iter().map(usize::to_string).collect();
        let allowed = if texts.is_empty() { "any above 0".to_owned() } else { texts.join(", ") };
        Refusal::Dimension { dimension, domain: &domain.name, allowed }
    })
}
