//! Arrow batches to protobuf bytes and back, planned from descriptors; and to JSON text, for a server that wants that.
//!
//! `encode` and `decode` are mirrors: a batch of a domain's schema, encoded and decoded again, is the same batch. Neither
//! builds message objects; the bytes of vectors are copied once.

mod append;
mod contract;
mod decode;
mod encode;
mod envelope;
mod error;
mod fill;
mod json;
mod layout;
mod moment;
mod parallel;
mod plan;
mod rows;
mod scalar;
mod scan;
mod served;
mod serving;
mod spare;
mod split;
#[cfg(test)]
mod tests;
mod varint;
mod wrap;

pub use append::{Append, AppendPlan, append_start, open_append};
pub use contract::{Contract, Facts, Planned};
pub use decode::{ChunkDecoder, Counted, Decoded, Metadata, Peeked, peek};
pub use encode::metadata;
pub use error::Error;
pub use json::JsonPlan;
pub use parallel::{Encoded, encode_parallel};
pub use plan::{ChunkPlan, Mapped, Plan};
pub use served::{About, ServedDecoder};
pub use serving::{Beside, Revision, ServingPlan};
pub use split::{Chunking, optimal_chunk_rows};
