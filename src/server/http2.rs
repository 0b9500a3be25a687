//! One connection's HTTP/2: its settings, and its life from the first call to the wish that it goes.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http2::Builder, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::{self, Instant, Interval, MissedTickBehavior},
};
use tonic::transport::server::TcpConnectInfo;
use tower_service::Service as _;
use tracing::{debug, info, warn};

use super::{
    Config,
    connection::{CallExecutor, Connection},
};
use crate::limits::server as limits;

/// What is said to a connection, and by what it is judged.
#[derive(Debug, Clone)]
pub(super) struct Manners {
    config: Arc<Config>,
    /// Whether the server closes.
    closing: watch::Receiver<bool>,
}

/// The rest of a connection's life.
struct Life<'a> {
    connection: &'a Connection,
    config: &'a Config,
    closing: watch::Receiver<bool>,
    tick: Interval,
    /// When it ends, once it was asked to go.
    leaves_by: Option<Instant>,
    /// Since when it has had no call, once it was asked to go.
    idle_since: Option<Instant>,
}

enum Step {
    /// Take no more calls and go when the running ones have ended.
    Retire,
    /// Everything is said: the peer stays all the same.
    Part,
    /// Go now.
    End,
}

// === impl Manners ===

impl Manners {
    pub(super) fn new(config: Arc<Config>, closing: watch::Receiver<bool>) -> Self {
        Self { config, closing }
    }

    /// Serves `router` on `io` until either side has enough; says whether everything was answered.
    pub(super) async fn serve<T>(self, io: T, connection: Arc<Connection>, router: Router) -> bool
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let builder = tuned(&self.config, CallExecutor(Arc::clone(&connection)));
        let from = Arc::clone(&connection);
        let answer = service_fn(move |request| answer(router.clone(), request, Arc::clone(&from)));
        let mut serving = pin!(builder.serve_connection(TokioIo::new(io), answer));
        let mut life = Life::new(&connection, &self.config, self.closing);
        loop {
            tokio::select! {
                served = serving.as_mut() => {
                    if let Err(error) = served {
                        debug!(peer = %connection.remote(), "the connection broke: {error}");
                        return false;
                    }
                    return true;
                }
                step = life.next() => match step {
                    Step::Retire => serving.as_mut().graceful_shutdown(),
                    Step::Part => return true,
                    Step::End => return false,
                }
            }
        }
    }
}

async fn answer(
    mut router: Router,
    request: Request<Incoming>,
    connection: Arc<Connection>,
) -> Result<axum::response::Response, Infallible> {
    let mut request = request.map(axum::body::Body::new);
    // What `tonic::Request::remote_addr` reads.
    let info = TcpConnectInfo { local_addr: None, remote_addr: Some(connection.remote()) };
    request.extensions_mut().insert(info);
    // What `Messages` waits for.
    request.extensions_mut().insert(connection.backlog());
    request.extensions_mut().insert(connection);
    router.call(request).await
}

fn tuned(config: &Config, executor: CallExecutor) -> Builder<CallExecutor> {
    let mut builder = Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(config.windows.stream_bytes())
        .initial_connection_window_size(config.windows.connection_bytes())
        .max_frame_size(config.windows.frame_bytes())
        .max_header_list_size(limits::HEADER_BYTES_MAX)
        .max_concurrent_streams(limits::STREAMS_MAX)
        .keep_alive_interval(limits::KEEPALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT);
    if let Some(resets) = config.resets_max {
        builder.max_pending_accept_reset_streams(resets);
    }
    builder
}

/// Ends when the server closes. Whoever would close it going away is the same.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

// === impl Life ===

impl<'a> Life<'a> {
    fn new(connection: &'a Connection, config: &'a Config, closing: watch::Receiver<bool>) -> Self {
        let mut tick = time::interval(config.patience.tick());
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { connection, config, closing, tick, leaves_by: None, idle_since: None }
    }

    /// What happens next. Nothing is lost if this is dropped.
    async fn next(&mut self) -> Step {
        loop {
            let closing = tokio::select! {
                () = closed(&mut self.closing), if self.leaves_by.is_none() => true,
                _ = self.tick.tick() => false,
            };
            if closing {
                return self.retire(self.config.drain);
            }
            if let Some(step) = self.judged() {
                return step;
            }
        }
    }

    fn judged(&mut self) -> Option<Step> {
        let patience = &self.config.patience;
        if self.is_stalled() {
            return Some(Step::End);
        }
        match self.leaves_by {
            Some(by) if by <= Instant::now() => return Some(Step::End),
            Some(_) => return self.lingers().then_some(Step::Part),
            None => {}
        }
        let age = self.connection.age();
        if !self.connection.has_called() && age >= patience.first_request {
            // Who only waited comes again when there is something to ask. What is asked at this moment is answered.
            return Some(self.retire(patience.connection_grace));
        }
        (age >= patience.connection_age).then(|| self.retire(patience.connection_grace))
    }

    fn retire(&mut self, grace: Duration) -> Step {
        self.leaves_by = Some(Instant::now() + grace);
        info!(peer = %self.connection.remote(), "asked the connection to go");
        Step::Retire
    }

    /// Whether it has nothing left to do and stays all the same. Who hears the wish to go leaves at once; who has sent half a
    /// greeting, or answers nothing, never does.
    fn lingers(&mut self) -> bool {
        if self.connection.is_busy(self.config.patience.stall) {
            self.idle_since = None;
            return false;
        }
        self.idle_since.get_or_insert_with(Instant::now).elapsed() >= limits::PARTING
    }

    /// Ends calls that nobody reads. If the connection has no others, nobody reads it at all.
    fn is_stalled(&self) -> bool {
        let found = self.connection.cut_stalled(self.config.patience.stall);
        if found.cut == 0 {
            return false;
        }
        metrics::counter!("brine_calls_stalled_total").increment(found.cut as u64);
        let peer = self.connection.remote();
        warn!(%peer, calls = found.cut, "ended calls whose responses were not read");
        found.others == 0
    }
}
