//! The chassis under every gRPC face: sockets, HTTP/2 settings, drain. It knows no service.
//!
//! [`Config`] is plain data; [`Config::bind`] opens the socket at once, so that a port in use is known before anything
//! else starts; [`Bound::run`] serves until the shutdown future ends and then drains within bounds.

use std::{
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    time::Duration,
};

use tokio::{net::TcpListener, time};
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};

use crate::limits::server as limits;

mod signals;

pub use signals::shutdown_signal;

/// How a server listens.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port`; port 0 takes a free one.
    pub listen: String,
    /// Permits addresses other than loopback although nothing is encrypted.
    pub insecure: bool,
    /// How long calls may go on after a shutdown was asked for.
    pub drain: Duration,
}

/// A server that holds its socket but does not serve yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    drain: Duration,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every call had ended.
    Whole,
    /// Some calls were cut when the time for draining was over.
    CutShort,
}

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
        "{0} can be reached from other machines and the connection is not encrypted: give --insecure to permit that"
    )]
    NotLoopback(SocketAddr),
    /// Somebody else listens there.
    #[error("{0} is already in use: stop the other server or choose another --listen")]
    InUse(SocketAddr),
    /// The socket could not be opened.
    #[error("listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Serving failed.
    #[error("serve")]
    Serve(#[source] tonic::transport::Error),
}

// === impl Config ===

impl Config {
    /// A server on `listen` with the default settings.
    pub fn new(listen: impl Into<String>) -> Self {
        Self { listen: listen.into(), insecure: false, drain: limits::DRAIN }
    }

    /// Opens the socket.
    pub async fn bind(&self) -> Result<Bound, Error> {
        let Self { listen, insecure, drain } = self;
        let wanted = resolve(listen)?;
        if !wanted.ip().is_loopback() && !insecure {
            return Err(Error::NotLoopback(wanted));
        }
        let listener = TcpListener::bind(wanted).await.map_err(|source| listen_error(wanted, source))?;
        let address = listener.local_addr().map_err(|source| listen_error(wanted, source))?;
        Ok(Bound { listener, address, drain: *drain })
    }
}

fn resolve(listen: &str) -> Result<SocketAddr, Error> {
    let unresolved = |source| Error::Address { listen: listen.to_owned(), source };
    let mut addresses: Vec<SocketAddr> = listen.to_socket_addrs().map_err(unresolved)?.collect();
    // `localhost` may name ::1 first, which a container without IPv6 cannot bind.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let none = || unresolved(io::Error::new(io::ErrorKind::NotFound, "no address"));
    addresses.first().copied().ok_or_else(none)
}

fn listen_error(address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::InUse(address),
        _ => Error::Listen { address, source },
    }
}

// === impl Bound ===

impl Bound {
    /// The address with the port really taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `routes` until `shutdown` ends, then lets running calls finish for at most the configured time.
    pub async fn run(
        self,
        routes: Routes,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Drained, Error> {
        let Self { listener, drain, .. } = self;
        let (asked, asked_seen) = tokio::sync::oneshot::channel();
        let shutdown = async move {
            shutdown.await;
            let _ = asked.send(());
        };
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serving = tuned().add_routes(routes).serve_with_incoming_shutdown(incoming, shutdown);
        let overdue = async {
            let _ = asked_seen.await;
            time::sleep(drain).await;
        };
        tokio::select! {
            served = serving => served.map(|()| Drained::Whole).map_err(Error::Serve),
            () = overdue => Ok(Drained::CutShort),
        }
    }
}

/// HTTP/2 as a bulk receiver needs it.
fn tuned() -> Server {
    Server::builder()
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .max_frame_size(limits::FRAME_BYTES_MAX)
        .max_concurrent_streams(limits::STREAMS_MAX)
        .http2_keepalive_interval(Some(limits::KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(limits::KEEPALIVE_TIMEOUT))
        .tcp_nodelay(true)
}
