//! What can be wrong between Arrow batches and protobuf messages.

/// Why a batch cannot be encoded or a message cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {}
