//! The gRPC faces: one file for each service, thin, over the store and the wire.
//!
//! * `embedding.EmbeddingStreamService`, its receiving half: [`ingest`].

pub mod ingest;
mod messages;
mod status;
