//! Bounds of listening and of receiving streams.

use std::time::Duration;

/// From the wish to stop to the end of the last call. Orchestrators kill after 30 s.
pub const DRAIN: Duration = Duration::from_secs(25);

/// How long a server that will stop goes on taking calls while balancers notice that it is not serving any more.
pub const LAME_DUCK: Duration = Duration::from_secs(2);

/// Connections at a time. Each may hold the windows below.
pub const CONNECTIONS_MAX: usize = 256;

/// Connections of one peer that have not made a call: what a peer that only connects can take of all connections.
pub const SILENT_CONNECTIONS_MAX: usize = 64;

/// TLS handshakes at a time: each costs a signature, and more at once only make all of them late.
pub const HANDSHAKES_MAX: usize = 128;

/// How long a TLS handshake may take.
pub const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a new connection may be silent.
pub const FIRST_BYTE: Duration = Duration::from_secs(5);

/// How long a new connection may be without a call.
pub const FIRST_REQUEST: Duration = Duration::from_secs(15);

/// How long accepting pauses when the process has no more files to open. The connection stays in the queue meanwhile, and
/// trying again at once would only burn the processor.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Age at which a connection is asked to go, so that clients spread over servers that came later.
pub const CONNECTION_AGE: Duration = Duration::from_mins(30);

/// How long the calls of a connection that was asked to go may go on. Readers resume behind the last row that arrived.
pub const CONNECTION_GRACE: Duration = Duration::from_mins(1);

/// How long a connection without calls may stay after it was asked to go.
pub const PARTING: Duration = Duration::from_secs(1);

/// How long a peer that was answered in full may say nothing before its side of the connection is no longer waited for.
pub const FAREWELL_SILENCE: Duration = Duration::from_secs(3);

/// How long it is waited for whatever it says.
pub const FAREWELL: Duration = Duration::from_secs(10);

/// How long a call may take when its client says nothing, or says more: what a bulk transfer over a slow line needs, and an end
/// for calls that everybody forgot.
pub const DEADLINE_MAX: Duration = Duration::from_hours(6);

/// How long a response may wait for its reader. Chunks that nobody takes are memory that others need.
pub const STALL: Duration = Duration::from_mins(1);

/// Bytes at the beginning of a response whose writing is not watched: single answers, of which those that nobody reads take
/// 32 MiB at most, over all connections.
pub const UNWATCHED_BYTES_MAX: usize = 4 << 10;

/// Calls at a time, over all connections.
pub const CALLS_MAX: usize = 1024;

/// After how long a client may try again that was turned away because of too many calls.
pub const SHED_RETRY: Duration = Duration::from_secs(1);

/// Calls that one peer may make in a second; it may save up as many. More is a loop that does not wait for answers.
pub const CALLS_PER_SECOND: u32 = 20_000;

/// Calls with a wrong token or none that one peer may make in a second.
pub const AUTH_FAILURES_PER_SECOND: u32 = 5;

/// Calls with a wrong token or none that one peer may make at once.
pub const AUTH_FAILURES_BURST: u32 = 20;

/// Peers whose rates are remembered.
pub const PEERS_MAX: usize = 4_096;

/// Bytes of a file of tokens, certificates or keys.
pub const SECRET_FILE_BYTES_MAX: u64 = 1 << 20;

/// Tokens that are good at a time: the old one and the new one while clients change over.
pub const TOKENS_MAX: usize = 2;

/// Bytes of the headers of one request.
pub const HEADER_BYTES_MAX: u32 = 16 << 10;

/// Characters of a text of a peer's that are put into the log.
pub const LOGGED_CHARS_MAX: usize = 256;

/// Requests to the admin port at a time.
pub const ADMIN_CONNECTIONS_MAX: usize = 16;

/// How long a request to the admin port may take to arrive.
pub const ADMIN_REQUEST: Duration = Duration::from_secs(5);

/// What a peer that sends bulk data may send on one stream before the reader takes it: several of the largest usual
/// messages, so that a sender never waits for a window update while the reader decodes.
pub const STREAM_WINDOW_BYTES: u32 = 8 << 20;

/// What a peer that sends bulk data may send on one connection: two streams at full speed.
pub const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

/// What a peer that only asks may send on one stream.
pub const ASKING_STREAM_WINDOW_BYTES: u32 = 1 << 20;

/// What a peer that only asks may send on one connection.
pub const ASKING_CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// The largest frame of a peer that only asks: the least that HTTP/2 permits.
pub const ASKING_FRAME_BYTES_MAX: u32 = 16 << 10;

/// The largest DATA frame asked for of a peer that sends bulk data. A message that arrives in one frame is decoded where it lies.
pub const FRAME_BYTES_MAX: u32 = (4 << 20) - 1;

/// Calls at a time on one connection.
pub const STREAMS_MAX: u32 = 32;

/// How often a silent peer is asked whether it lives.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// How long it may take to answer.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Ingest streams at a time, because each may fill its window before it is read.
pub const INGEST_STREAMS_MAX: usize = 16;

/// How many of them one peer may have, so that one alone cannot keep others out.
pub const INGEST_STREAMS_OF_PEER_MAX: usize = 12;

/// How long an ingest stream of the original contract may be silent between two messages: its client may be reading a large
/// file.
pub const INGEST_SILENCE: Duration = Duration::from_mins(5);

/// A message that has begun delivers at least this many bytes in each interval.
pub const PACE_BYTES: usize = 16 << 10;

/// That interval.
pub const PACE_INTERVAL: Duration = Duration::from_secs(10);

/// The part of that interval for which a stream that the server does not read excuses the others of its connection.
pub const PACE_SHARE_HELD: u32 = 10;

/// Bytes for which memory is taken when a message begins to arrive in pieces.
pub const GATHERED_BYTES: usize = 4 << 20;

/// Bytes of received messages that wait for their decoding or are being decoded, over all streams.
pub const INGEST_BYTES_MAX: usize = 128 << 20;

/// Those of one stream, or one message if that is larger: all places of one peer take three quarters of the whole.
pub const INGEST_STREAM_BYTES_MAX: usize = INGEST_BYTES_MAX / INGEST_STREAMS_MAX;

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

/// How often a service is asked whether it can do its work.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// The longest time that an option may name: sums of times must not overflow.
pub const PATIENCE_MAX: Duration = Duration::from_hours(365 * 24);

/// When a call for which there was no place may be tried again.
pub const PLACE_AGAIN: Duration = Duration::from_secs(1);
