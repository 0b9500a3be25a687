//! Files: data sets of Parquet, Arrow IPC, id index and manifest, written so that a crash leaves nothing half-done; inputs,
//! mapped, or unpacked into an unlinked temporary file first.

pub mod ahead;
mod annex;
mod arrays;
pub mod arrow_ipc;
pub mod atomic;
mod batches;
pub(crate) mod categories;
pub mod dataset;
mod error;
mod generate;
pub mod guard;
pub mod ids;
pub mod inspect;
pub mod manifest;
pub mod map;
pub mod packed;
pub mod parquet;
pub mod pickle;
pub mod spool;
#[cfg(test)]
mod testing;
pub mod verify;

pub use atomic::AtomicFile;
pub(crate) use batches::BatchSpool;
pub use dataset::{Dataset, DatasetOptions, DatasetWriter, GatheredWriter, Only, Timings, VectorEncoding};
pub use error::{Damage, Error};
pub use generate::Generate;
pub use manifest::{FileInfo, Manifest, SourceInfo};
pub use map::Identity;

/// BLAKE3 of the bytes of a file.
pub(crate) fn digest_of(bytes: &[u8]) -> blake3::Hash {
    blake3::hash(bytes)
}
