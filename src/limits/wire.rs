//! Bounds of messages on the wire: what we send unless told otherwise, what we take, and what a message may make us
//! allocate.

/// Encoded bytes of one message a client sends unless the server says it takes more: below the 4 MiB that stock gRPC
/// servers accept, with room for their framing.
pub const SEND_BYTES_MAX: usize = 3_670_016;
/// Encoded bytes of one message that our servers take.
pub const RECEIVE_BYTES_MAX: usize = 16 << 20;
/// Rows of one message that our servers take.
pub const RECEIVE_ROWS_MAX: usize = 16_384;
/// Bytes of one message in the published contract: what `optimal_chunk_rows` stays below.
pub const CONTRACT_BYTES_MAX: usize = 16 << 20;

/// What one received chunk may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Rows in one message.
    pub rows_max: usize,
    /// Bytes of one message.
    pub message_bytes_max: usize,
}

impl Default for ChunkLimits {
    fn default() -> Self {
        Self { rows_max: RECEIVE_ROWS_MAX, message_bytes_max: RECEIVE_BYTES_MAX }
    }
}
