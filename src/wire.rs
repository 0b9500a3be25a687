//! Arrow batches to protobuf bytes and back, planned from descriptors.

mod decode;
mod encode;
mod error;
mod parallel;
mod plan;
mod split;

pub use decode::{ChunkDecoder, Counted, Decoded, Metadata, peek};
pub use encode::metadata;
pub use error::Error;
pub use parallel::{Encoded, encode_parallel};
pub use plan::ChunkPlan;
pub use split::{Chunking, optimal_chunk_rows};
