//! The gRPC faces: one file for each service, thin, over the store and the wire.
//!
//! * `embedding.EmbeddingStreamService`, and its namesake of the published Java server: [`embedding`], whose receiving half
//!   is [`ingest`] and whose serving half is [`stream`];
//! * `embedding.session.v1.IngestSessionService`: [`session`].

use tonic::server::NamedService as _;

use crate::{proto::DESCRIPTORS, server::Chassis};

mod coding;
pub mod embedding;
pub mod ingest;
mod messages;
mod probe;
mod seats;
pub mod session;
mod status;
pub mod stream;
mod turns;

/// The service that both halves of the published contract belong to.
const EMBEDDING: &str = embedding::EmbeddingService::NAME;
const SESSIONS: &str = session::SessionService::NAME;
/// The namesake of the first.
const PUBLISHED: &str = embedding::PublishedService::NAME;

/// Every way into the store of `ingest`: what a Batch Server listens with. Its health is watched as long as the server runs.
///
/// # Panics
///
/// Outside an async runtime.
pub fn batch_server(ingest: &ingest::Ingest) -> Chassis {
    let chassis = Chassis::new()
        .register(embedding::EmbeddingService::ingesting(ingest.clone()), DESCRIPTORS)
        .register(session::SessionService::new(ingest.clone()), DESCRIPTORS);
    let (draining, watched) = (ingest.clone(), ingest.clone());
    let watching = probe::watch(chassis.health(), &[EMBEDDING, SESSIONS], move || watched.check());
    chassis.on_drain(move || {
        drop(watching);
        draining.drain();
    })
}

/// Every way to the tables: what `brine serve` listens with. Their health is watched as long as the server runs.
///
/// # Panics
///
/// Outside an async runtime.
pub fn serving(tables: &stream::Tables) -> Chassis {
    let chassis = Chassis::new()
        .register(embedding::EmbeddingService::serving(tables.clone()), DESCRIPTORS)
        .register(embedding::PublishedService::new(tables.clone()), DESCRIPTORS);
    let watched = tables.clone();
    let watching = probe::watch(chassis.health(), &[EMBEDDING, PUBLISHED], move || watched.check());
    chassis.on_drain(move || drop(watching))
}
