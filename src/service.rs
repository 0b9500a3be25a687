//! The gRPC faces: one file for each service, thin, over the store and the wire.
//!
//! * `embedding.EmbeddingStreamService`, its receiving half: [`ingest`];
//! * `embedding.session.v1.IngestSessionService`: [`session`].

use crate::{proto::DESCRIPTORS, server::Chassis};

pub mod ingest;
mod messages;
pub mod session;
mod status;

/// Every way into the store of `ingest`: what a Batch Server listens with.
pub fn batch_server(ingest: &ingest::Ingest) -> Chassis {
    let draining = ingest.clone();
    Chassis::new()
        .register(ingest::IngestService::new(ingest.clone()), DESCRIPTORS)
        .register(session::SessionService::new(ingest.clone()), DESCRIPTORS)
        .on_drain(move || draining.drain())
}
