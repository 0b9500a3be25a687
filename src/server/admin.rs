//! The admin port: metrics and probes over HTTP/1, for those who watch servers.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time,
};
use tower_service::Service as _;

use super::Health;
use crate::limits::server as limits;

/// The port and what it tells.
pub(super) struct Admin {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) handle: PrometheusHandle,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Admin {
    /// Answers until it is dropped.
    pub(super) async fn serve(self, health: Health) -> Infallible {
        let Self { listener, handle, .. } = self;
        let router = router(handle.clone(), health);
        let turns = Arc::new(Semaphore::new(limits::ADMIN_CONNECTIONS_MAX));
        let mut answers = JoinSet::new();
        let mut upkeep = time::interval(super::metrics::UPKEEP);
        loop {
            tokio::select! {
                // Figures are kept one by one until they are summed up, whether or not anybody asks for them.
                _ = upkeep.tick() => handle.run_upkeep(),
                _ = answers.join_next(), if !answers.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        if let Ok(turn) = Arc::clone(&turns).try_acquire_owned() {
                            let answering = answer(stream, router.clone());
                            answers.spawn(async move {
                                answering.await;
                                drop(turn);
                            });
                        }
                    }
                    Err(_) => time::sleep(limits::ACCEPT_PAUSE).await,
                }
            }
        }
    }
}

async fn answer(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut router = router.clone();
        async move { router.call(request.map(axum::body::Body::new)).await }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits::ADMIN_REQUEST).keep_alive(false);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    // Whoever went away needs no answer; whoever does not read it gets no more time than for asking.
    let _ = time::timeout(2 * limits::ADMIN_REQUEST, serving).await;
}

fn router(handle: PrometheusHandle, health: Health) -> Router {
    let metrics = move || async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
    };
    let ready = move || async move {
        if health.is_ready() {
            (StatusCode::OK, "ready\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/live", get(|| async { "live\n" }))
        .route("/ready", get(ready))
}
