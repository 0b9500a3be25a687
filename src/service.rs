//! The gRPC faces: one file for each service, thin, over the store and the wire.
//!
//! * `embedding.EmbeddingStreamService`, and its namesake of the published Java server: [`embedding`], whose receiving half
//!   is [`ingest`] and whose serving half is [`stream`];
//! * `embedding.session.v1.IngestSessionService`: [`session`].

use tonic::service::Routes;

mod coding;
pub mod embedding;
pub mod ingest;
mod messages;
pub mod session;
mod status;
pub mod stream;

/// Every way into the store of `ingest`: what a Batch Server listens with.
pub fn batch_server(ingest: &ingest::Ingest) -> Routes {
    Routes::new(embedding::EmbeddingService::ingesting(ingest.clone()))
        .add_service(session::SessionService::new(ingest.clone()))
}

/// Every way to the tables: what `brine serve` listens with.
pub fn serving(tables: &stream::Tables) -> Routes {
    Routes::new(embedding::EmbeddingService::serving(tables.clone()))
        .add_service(embedding::PublishedService::new(tables.clone()))
}
