//! Bounds of listening and of receiving streams.

use std::time::Duration;

/// How long calls may go on after a shutdown was asked for. Orchestrators kill after 30 s.
pub const DRAIN: Duration = Duration::from_secs(25);

/// What a peer may send on one stream before the reader takes it: several of the largest usual messages, so that a
/// sender never waits for a window update while the reader decodes.
pub const STREAM_WINDOW_BYTES: u32 = 8 << 20;

/// What a peer may send on one connection: two streams at full speed.
pub const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

/// The largest DATA frame asked for. A message that arrives in one frame is decoded where it lies.
pub const FRAME_BYTES_MAX: u32 = (4 << 20) - 1;

/// Calls at a time on one connection.
pub const STREAMS_MAX: u32 = 32;

/// How often a silent peer is asked whether it lives.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// How long it may take to answer.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Ingest streams at a time, because each may fill its window before it is read.
pub const INGEST_STREAMS_MAX: usize = 16;

/// Bytes of received messages that wait for their decoding or are being decoded, over all streams.
pub const INGEST_BYTES_MAX: usize = 128 << 20;

/// Messages of one stream that wait for their decoding.
pub const INGEST_QUEUE: usize = 2;

/// The largest block whose memory is kept for the next one when it is freed: twice a usual message.
pub const KEPT_BYTES: usize = 8 << 20;

/// Sessions that a server keeps in mind.
pub const SESSIONS_MAX: usize = 10_000;

/// How long an unfinished session waits for its client.
pub const SESSION_OPEN_KEPT: Duration = Duration::from_hours(7 * 24);

/// How long a finished session is remembered: sending the same rows again then changes nothing and costs nothing.
pub const SESSION_FINISHED_KEPT: Duration = Duration::from_hours(30 * 24);

/// Bytes of the log of one epoch of a session: 150 for each group of rows.
pub const SESSION_LOG_BYTES_MAX: u64 = 256 << 20;

/// Bytes of rows that are made durable together: enough for the disk's full speed.
pub const GROUP_BYTES: usize = 8 << 20;

/// How long rows wait for others before they are made durable.
pub const GROUP_INTERVAL: Duration = Duration::from_millis(250);

/// Bytes of chunks that a client may send ahead of their acknowledgement: what is sent again after a fault.
pub const UNACKNOWLEDGED_BYTES_MAX: usize = 16 << 20;

/// How long rows of a session in committed mode that were flushed may be hidden from readers while the stream lasts: each
/// time they are shown, the whole table is written.
pub const SHOW_INTERVAL: Duration = Duration::from_secs(10);

/// Rows that are shown sooner: as many as the table has, divided by this. What a growing table is written is then at most
/// this many times what it holds in the end.
pub const SHOW_SHARE: u64 = 8;

/// How long a session's stream may be silent.
pub const SESSION_SILENCE: Duration = Duration::from_mins(1);

/// Bytes of received rows that a store holds in memory, over all runs, before it puts them on the disk.
pub const SPOOL_MEMORY_BYTES: usize = 256 << 20;
