//! How a server listens, as plain data.

use std::{path::PathBuf, time::Duration};

use crate::limits::server as limits;

/// How a server listens. [`Config::bind`](Config::bind) does it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port`; port 0 takes a free one.
    pub listen: String,
    /// Permits addresses other than loopback although nothing is encrypted.
    pub insecure: bool,
    /// Encryption, and who may connect.
    pub tls: Option<TlsFiles>,
    /// The file of the tokens that a call needs one of: one a line, at most two. Without it everybody may call.
    pub token_file: Option<PathBuf>,
    /// `[host:]port` of metrics and probes over HTTP; without a host on loopback.
    pub admin: Option<String>,
    /// What a peer may send before somebody takes it.
    pub windows: Windows,
    /// Connections at a time.
    pub connections_max: usize,
    /// Calls at a time, over all connections.
    pub calls_max: usize,
    /// Calls that one peer may make in a second; 0 for any number.
    pub calls_per_second: u32,
    /// Streams that a connection may reset before they were looked at; `None` for what the library holds right.
    pub resets_max: Option<usize>,
    /// How long a call may take.
    pub deadline_max: Duration,
    /// From the wish to stop to the end of the last call.
    pub drain: Duration,
    /// How long peers may take.
    pub patience: Patience,
}

/// What a peer may send on a stream and on a connection before somebody takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// Peers send bulk data.
    Receiving,
    /// Peers only ask.
    Asking,
}

/// The files of a server's TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// The certificate, with what it was signed by, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
    /// Whose certificates clients need; without it they need none.
    pub client_ca: Option<PathBuf>,
    /// The names of which a client's certificate must hold one; none for any.
    pub client_names: Vec<String>,
}

/// How long peers may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a TLS handshake.
    pub handshake: Duration,
    /// Before the first byte.
    pub first_byte: Duration,
    /// Before the first call.
    pub first_request: Duration,
    /// Before a response is taken on.
    pub stall: Duration,
    /// Until a connection is asked to go.
    pub connection_age: Duration,
    /// For the calls of a connection that was asked to go. Streams that cannot be resumed need as long as they may take.
    pub connection_grace: Duration,
    /// For others to notice that this server will stop.
    pub lame_duck: Duration,
}

// === impl Config ===

impl Config {
    /// A server on `listen` with the default settings, for peers that send bulk data.
    pub fn new(listen: impl Into<String>) -> Self {
        Self {
            listen: listen.into(),
            insecure: false,
            tls: None,
            token_file: None,
            admin: None,
            windows: Windows::Receiving,
            connections_max: limits::CONNECTIONS_MAX,
            calls_max: limits::CALLS_MAX,
            calls_per_second: limits::CALLS_PER_SECOND,
            resets_max: None,
            deadline_max: limits::DEADLINE_MAX,
            drain: limits::DRAIN,
            // A stream without a session begins again from nothing: cut because of its age, it would never arrive.
            patience: Patience { connection_grace: limits::DEADLINE_MAX, ..Patience::default() },
        }
    }
}

// === impl Windows ===

impl Windows {
    /// Bytes of a stream.
    pub(super) fn stream_bytes(self) -> u32 {
        match self {
            Self::Receiving => limits::STREAM_WINDOW_BYTES,
            Self::Asking => limits::ASKING_STREAM_WINDOW_BYTES,
        }
    }

    /// Bytes of a frame.
    pub(super) fn frame_bytes(self) -> u32 {
        match self {
            Self::Receiving => limits::FRAME_BYTES_MAX,
            Self::Asking => limits::ASKING_FRAME_BYTES_MAX,
        }
    }

    /// Bytes of a connection.
    pub(super) fn connection_bytes(self) -> u32 {
        match self {
            Self::Receiving => limits::CONNECTION_WINDOW_BYTES,
            Self::Asking => limits::ASKING_CONNECTION_WINDOW_BYTES,
        }
    }
}

// === impl Patience ===

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: limits::HANDSHAKE,
            first_byte: limits::FIRST_BYTE,
            first_request: limits::FIRST_REQUEST,
            stall: limits::STALL,
            connection_age: limits::CONNECTION_AGE,
            connection_grace: limits::CONNECTION_GRACE,
            lame_duck: limits::LAME_DUCK,
        }
    }
}

impl Patience {
    /// How often a connection is looked at.
    pub(super) fn tick(&self) -> Duration {
        let shortest = self.first_request.min(self.stall).min(self.connection_age);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}
