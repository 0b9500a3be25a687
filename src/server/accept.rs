//! Accepting connections, within bounds: their number, the time they may be silent, the time they may shake hands.

use std::{io, net::SocketAddr, sync::Arc};

use axum::Router;
use metrics::{counter, gauge};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time,
};
use tracing::{error, warn};

use super::{
    Config,
    connection::Connection,
    farewell::{self, Lent},
    http2::{Manners, closed},
    peers::{Counted, Numbers},
    seldom::Seldom,
    tls::Tls,
};
use crate::limits::server as limits;

/// What every connection is greeted with.
#[derive(Debug, Clone)]
pub(super) struct Greeting {
    pub(super) config: Arc<Config>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) router: Router,
    pub(super) closing: watch::Receiver<bool>,
    pub(super) handshakes: Arc<Semaphore>,
    /// Handshakes that failed.
    pub(super) failed: Arc<Seldom>,
}

/// Accepts until the server closes, then waits for the last connection. Dropping this ends all of them.
pub(super) struct Accepting {
    listener: TcpListener,
    greeting: Greeting,
    open: watch::Sender<usize>,
    silent: Arc<Numbers>,
    connections: JoinSet<()>,
    refused: Seldom,
    failed: Seldom,
}

impl Accepting {
    pub(super) fn new(listener: TcpListener, greeting: Greeting, open: watch::Sender<usize>) -> Self {
        Self {
            listener,
            greeting,
            open,
            silent: Numbers::new(limits::SILENT_CONNECTIONS_MAX),
            connections: JoinSet::new(),
            refused: Seldom::default(),
            failed: Seldom::default(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut closing = self.greeting.closing.clone();
        loop {
            tokio::select! {
                () = closed(&mut closing) => break,
                _ = self.connections.join_next(), if !self.connections.is_empty() => self.count(),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, remote)) => self.admit(stream, remote),
                    Err(error) => self.pause(&error).await,
                }
            }
        }
        let Self { listener, mut connections, .. } = self;
        // New ones are refused by the kernel from here on.
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    fn admit(&mut self, stream: TcpStream, remote: SocketAddr) {
        let silent = self.silent.count(remote.ip().into());
        let full = self.connections.len() >= self.greeting.config.connections_max;
        let Some(silent) = silent.filter(|_| !full) else {
            return self.refuse(remote, full);
        };
        counter!("brine_connections_total").increment(1);
        self.connections.spawn(self.greeting.clone().greet(stream, remote, silent));
        self.count();
    }

    fn refuse(&self, remote: SocketAddr, full: bool) {
        let reason = if full { "full" } else { "silent" };
        counter!("brine_connections_refused_total", "reason" => reason).increment(1);
        let Some(refused) = self.refused.happened() else { return };
        let open = self.connections.len();
        if full {
            error!(peer = %remote, open, refused, "refused a connection: as many are open as may be (--connections-max)");
        } else {
            error!(peer = %remote, refused, "refused a connection: its peer has too many that have asked for nothing");
        }
    }

    /// Accepting failed. A connection that went before it was accepted is nothing; without files to open nobody can be
    /// accepted for a while.
    async fn pause(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
            return;
        }
        if let Some(times) = self.failed.happened() {
            error!(times, "cannot accept connections: {error}");
        }
        time::sleep(limits::ACCEPT_PAUSE).await;
    }

    fn count(&self) {
        let open = self.connections.len();
        gauge!("brine_connections_open").set(open as f64);
        self.open.send_replace(open);
    }
}

// === impl Greeting ===

impl Greeting {
    /// From the first byte to the last.
    async fn greet(self, stream: TcpStream, remote: SocketAddr, silent: Counted) {
        let patience = self.config.patience;
        // Small messages must not wait for the answer to the ones before. Whoever lost the connection meanwhile learns it next.
        let _ = stream.set_nodelay(true);
        let (mut closing, mut first) = (self.closing.clone(), [0]);
        let spoke = tokio::select! {
            // Whoever has said nothing yet is not waited for.
            () = closed(&mut closing) => return,
            spoke = time::timeout(patience.first_byte, stream.peek(&mut first)) => spoke,
        };
        if !matches!(spoke, Ok(Ok(1))) {
            counter!("brine_connections_cut_total", "reason" => "silence").increment(1);
            return;
        }
        let connection = Connection::new(remote, silent);
        let (stream, home) = farewell::lend(stream, Arc::clone(&connection));
        if self.serve(stream, Arc::clone(&connection)).await && connection.has_called() {
            home.farewell().await;
        }
    }

    /// Whether everything was answered.
    async fn serve(self, stream: Lent, connection: Arc<Connection>) -> bool {
        let remote = connection.remote();
        let manners = Manners::new(Arc::clone(&self.config), self.closing.clone());
        let Some(tls) = self.tls.clone() else {
            return manners.serve(stream, connection, self.router).await;
        };
        let handshake = async {
            let _turn = self.handshakes.acquire().await;
            tls.acceptor().accept(stream).await
        };
        match time::timeout(self.config.patience.handshake, handshake).await {
            Ok(Ok(stream)) => return manners.serve(stream, connection, self.router).await,
            Ok(Err(error)) => self.failed_handshake(remote, &error.to_string()),
            Err(_) => self.failed_handshake(remote, "it took too long"),
        }
        false
    }

    fn failed_handshake(&self, remote: SocketAddr, why: &str) {
        counter!("brine_connections_cut_total", "reason" => "handshake").increment(1);
        if let Some(times) = self.failed.happened() {
            let why = super::quoted::quoted(why);
            warn!(peer = %remote, times, "no TLS with a peer: {why}");
        }
    }
}
