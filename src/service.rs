//! The gRPC faces: one file for each service, thin, over the store and the wire.
//!
//! * `embedding.EmbeddingStreamService`, its receiving half: [`ingest`];
//! * `embedding.session.v1.IngestSessionService`: [`session`].

pub mod ingest;
mod messages;
pub mod session;
mod status;
