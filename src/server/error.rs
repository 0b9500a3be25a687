//! Why a server did not start or stopped.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why a server did not start or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address does not parse or resolve.
    #[error("{listen:?} is not an address to listen on (expected host:port)")]
    Address {
        /// What was given.
        listen: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Clear text to the outside was not asked for.
    #[error(
        "{0} can be reached from other machines and the connection is not encrypted: give --tls-cert and --tls-key, or --insecure to permit that"
    )]
    NotLoopback(SocketAddr),
    /// Somebody else listens there.
    #[error("{0} is already in use: stop the other server or choose another --listen")]
    InUse(SocketAddr),
    /// Somebody else listens on the admin port.
    #[error("{0} is already in use: choose another --admin")]
    AdminInUse(SocketAddr),
    /// The socket could not be opened.
    #[error("listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Two settings do not go together.
    #[error("{0}")]
    Contradiction(&'static str),
    /// A file could not be read.
    #[error("{}: cannot be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of secrets is open to everybody.
    #[error("{}: other users can read it (mode {mode:04o}): `chmod 600` it", path.display())]
    Readable {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A certificate or key is of no use.
    #[error("{}: cannot be used for TLS", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: tokio_rustls::rustls::Error,
    },
    /// A name of a client is none that a certificate can hold.
    #[error("{0:?} is neither a host name nor an address, and other names of certificates are not compared")]
    ClientName(String),
    /// What reflection is to tell does not parse.
    #[error("the descriptors of a service cannot be read")]
    Descriptors(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something else counts the metrics of this process.
    #[error("the metrics of this process are already counted by something else")]
    Metrics,
    /// The address of the collector is none.
    #[cfg(feature = "otel")]
    #[error("the collector of spans cannot be used")]
    Collector(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A log was set up before.
    #[error("the log of this process is already set up")]
    Log,
}
