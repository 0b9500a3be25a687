//! An `IngestDataStream` whose metadata names a session: the same rows with positions, committed at the end of the stream.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    super::session::{self, Announced},
    Refusal,
    intake::checked_dimension,
};
use crate::{
    limits::wire::ChunkLimits,
    proto::embedding::IngestOutcome,
    schema::Domain,
    session::Hello,
    store::{
        Provenance, Published, Store,
        sessions::{Finish, Opening},
    },
    wire::{self, Metadata},
};

/// The stream of one epoch, acknowledged once.
pub(super) struct SessionStream {
    metadata: Metadata,
    pub(super) domain: &'static Domain,
    announced: Announced,
    intake: session::intake::Intake,
}

impl SessionStream {
    pub(super) fn open(
        metadata: Metadata,
        store: &Arc<dyn Store>,
        limits: ChunkLimits,
    ) -> Result<Self, Refusal> {
        let domain = session::intake::domain(&metadata.domain)?;
        let dimension = checked_dimension(domain, metadata.vector_dimension)?;
        let mut announced = session::announced(metadata.session.as_ref())?;
        if announced.epoch == 0 {
            let provenance = Provenance::named(&metadata.file_name);
            let opening = Opening { hello: announced.hello.clone(), domain, dimension, provenance };
            announced.epoch = session::intake::sessions(&**store)?.open(opening)?.epoch();
        }
        let intake = session::intake::Intake::begin(Arc::clone(store), &announced, limits, Box::new(|_| ()))?;
        Ok(Self { metadata, domain, announced, intake })
    }

    /// Takes one message; the rows of its chunk, if it carries one.
    pub(super) fn take(&mut self, message: &Bytes, chunk: u64) -> Result<Option<u64>, Refusal> {
        let peeked = wire::peek(message).map_err(|source| Refusal::Chunk { chunk, source })?;
        if peeked.metadata.is_some_and(|metadata| metadata != self.metadata) {
            return Err(Refusal::MetadataChanged { chunk });
        }
        if peeked.chunk.is_none() {
            return Ok(None);
        }
        self.intake.take(message)?;
        Ok(peeked.header.map(|header| u64::from(header.row_count)))
    }

    /// Commits what was taken, which must be everything.
    pub(super) fn finish(mut self, store: &dyn Store) -> Result<(Published, IngestOutcome), Refusal> {
        self.intake.settle()?;
        let Announced { hello, epoch, .. } = self.announced;
        let Hello { session, total_rows, fingerprint, .. } = hello;
        let finish = Finish { session, epoch, total_rows, fingerprint };
        let (session, published) = session::intake::sessions(store)?.commit(&finish)?;
        Ok((published, session::outcome(&session, self.intake.duplicate_rows())))
    }
}
