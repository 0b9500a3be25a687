//! Generated protobuf messages and services, one module for each package, and the descriptor set they were made from.
//!
//! `build.rs` compiles `proto/`; this is the only place that includes the result.

pub mod raw;

/// Package `embedding`: the published contract of the embedding streams, and what was added to it.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::clone_on_ref_ptr,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    unused_qualifications,
    reason = "generated code"
)]
pub mod embedding {
    tonic::include_proto!("embedding");

    pub mod session {
        /// Package `embedding.session.v1`: streams that are acknowledged and resumed.
        pub mod v1 {
            tonic::include_proto!("embedding.session.v1");
        }
    }
}

/// Package `com.alpha.backend.grpc`: the published Java server's ingest, with rows as JSON text.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::clone_on_ref_ptr,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    unused_qualifications,
    reason = "generated code"
)]
pub mod embedding_json {
    tonic::include_proto!("com.alpha.backend.grpc");
}

/// The encoded `FileDescriptorSet` of every file under `proto/`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
