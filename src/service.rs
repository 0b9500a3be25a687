//! The gRPC faces: one file for each service, thin, over the store and the wire.
//!
//! * `embedding.EmbeddingStreamService`, its receiving half: [`ingest`];
//! * `embedding.session.v1.IngestSessionService`: [`session`].

use tonic::service::Routes;

pub mod ingest;
mod messages;
pub mod session;
mod status;

/// Every way into the store of `ingest`: what a Batch Server listens with.
pub fn batch_server(ingest: &ingest::Ingest) -> Routes {
    Routes::new(ingest::IngestService::new(ingest.clone()))
        .add_service(session::SessionService::new(ingest.clone()))
}
