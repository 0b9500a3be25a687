//! Bounds of serving rows.

/// Rows of a chunk unless the request says.
pub const CHUNK_ROWS_DEFAULT: usize = 300;

/// The fewest rows of a chunk that may be asked for.
pub const CHUNK_ROWS_MIN: usize = 100;

/// The most rows of a chunk that may be asked for.
pub const CHUNK_ROWS_MAX: usize = 1_000;

/// Streams at a time: each holds a chunk while its reader is slow.
pub const STREAMS_MAX: usize = 128;

/// How many of them one peer may have, so that one alone cannot keep others out.
pub const STREAMS_OF_PEER_MAX: usize = 96;

/// Bytes of chunks that are encoded before their readers asked for them, over all streams.
pub const AHEAD_BYTES_MAX: usize = 64 << 20;

/// Chunks of one stream that are encoded, or being encoded, before its reader asked for them.
pub const AHEAD_CHUNKS_MAX: usize = 2;

/// Bytes of a request.
pub const REQUEST_BYTES_MAX: usize = 64 << 10;

/// After so many chunks the log says how far a stream is.
pub const LOG_CHUNK_INTERVAL: u64 = 10;
