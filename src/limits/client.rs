//! Bounds of sending.

use std::time::Duration;

/// How long a push may take in all.
pub const DEADLINE: Duration = Duration::from_mins(10);

/// Attempts in all.
pub const ATTEMPTS: u32 = 3;

/// Times that a chunk of a session may arrive damaged, without any progress, at least.
pub const DAMAGED_ATTEMPTS: u32 = 10;

/// Attempts that may be asked for.
pub const ATTEMPTS_MAX: i64 = 1_000;

/// The pause before the second attempt; it doubles.
pub const BACKOFF_MIN: Duration = Duration::from_secs(2);

/// The longest pause.
pub const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// The first ceiling of the pauses of a session's attempts; it doubles.
pub const SESSION_BACKOFF_MIN: Duration = Duration::from_millis(100);

/// The longest pause of a session.
pub const SESSION_BACKOFF_MAX: Duration = Duration::from_secs(10);

/// How long a call about a session may take.
pub const SESSION_CALL: Duration = Duration::from_secs(30);

/// How long the commit of a session may take.
pub const SESSION_COMMIT: Duration = Duration::from_mins(10);

/// How often a silent server that keeps sessions is asked whether it lives.
pub const SESSION_KEEPALIVE: Duration = Duration::from_secs(20);

/// How long it may take to answer.
pub const SESSION_KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long establishing a connection may take.
pub const CONNECT: Duration = Duration::from_secs(10);

/// Silence on the socket before the kernel asks whether the peer lives. Pings of HTTP/2 are not sent: servers with
/// library defaults end connections that send them.
pub const TCP_KEEPALIVE: Duration = Duration::from_secs(10);

/// How long sent bytes may stay unacknowledged before the kernel gives the connection up: a peer that vanished without a
/// word would otherwise hold a stream for a quarter of an hour.
pub const TCP_USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Encoded messages that wait for the connection.
pub const QUEUE: usize = 2;

/// Chunks between two lines of progress.
pub const PROGRESS_CHUNKS: u64 = 10;

/// Bandwidth that `auto` assumes, in Mbit/s.
pub const BANDWIDTH_MBPS: f64 = 100.0;

/// Time on the wire that `auto` aims at for one message, in milliseconds.
pub const LATENCY_MS: f64 = 100.0;

/// How many chunks two attempts may differ in and still count as having failed at the same place: what the windows of
/// usual servers hold.
pub const AHEAD_CHUNKS: u64 = 8;

/// Messages encoded ahead of the connection.
pub const ENCODE_AHEAD: usize = 4;

/// Floats in a chunk by default: 1.5 MB, which is 1,000 rows at 384 dimensions and 500 at 768.
pub const CHUNK_FLOATS: usize = 384_000;

/// Rows in a chunk by default, however short they are.
pub const CHUNK_ROWS: usize = 1_000;

/// Rows in a chunk of JSON text by default, as the published client sends them: at 1,536 dimensions they still fit a message.
pub const JSON_CHUNK_ROWS: usize = 100;

/// What a float takes as text, in floats of four bytes: nine digits, sign, point and comma are about twelve.
pub const JSON_FLOATS: usize = 3;

/// Bytes of one served message: 1,000 rows of 16,384 dimensions.
pub const PULL_MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Bytes of served messages that wait to be looked at, or are looked at.
pub const PULL_QUEUE_BYTES: usize = 64 << 20;

/// Served messages that wait to be looked at.
pub const PULL_QUEUE: usize = 16;

/// How long a server that serves may be silent: the published one loads its whole file for each request.
pub const PULL_SILENCE: Duration = Duration::from_mins(2);

/// What a stream of served rows may have on its way to us; the default of 64 KiB is a tenth of one chunk.
pub const PULL_WINDOW_BYTES: u32 = 8 << 20;

/// Bytes of a frame that a server may send: fewer frames for the same rows.
pub const PULL_FRAME_BYTES: u32 = 256 << 10;

/// Rows in a chunk that are asked for.
pub const PULL_CHUNK_ROWS: i32 = 300;

/// How long an interrupted pull may take to remove what it has written.
pub const PULL_END: Duration = Duration::from_secs(10);

/// Bytes of a file with certificates, a key or a token.
pub const CREDENTIALS_BYTES_MAX: u64 = 1 << 20;
