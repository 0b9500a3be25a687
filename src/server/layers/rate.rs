//! How often one peer may call.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use metrics::counter;
use tracing::error;

use super::account::Unlogged;
use crate::server::{connection::Connection, metrics::SHED, peers::Buckets, refusal, seldom::Seldom};

/// The rate of each peer.
#[derive(Debug, Clone)]
pub(super) struct Rate(Option<Arc<Limited>>);

#[derive(Debug)]
struct Limited {
    calls: Buckets,
    refused: Seldom,
}

impl Rate {
    /// At most `per_second` calls; 0 for any number.
    pub(super) fn new(per_second: u32) -> Self {
        let limited = || Limited { calls: Buckets::new(per_second, per_second), refused: Seldom::default() };
        Self((per_second > 0).then(|| Arc::new(limited())))
    }
}

pub(super) async fn limit(State(rate): State<Rate>, request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Arc<Connection>>();
    if let (Some(limited), Some(connection)) = (&rate.0, connection)
        && let Err(wait) = limited.calls.take(connection.peer())
    {
        counter!(SHED, "reason" => "rate").increment(1);
        if let Some(calls) = limited.refused.happened() {
            error!(calls, "refused: {} calls more often than --rate permits", connection.remote().ip());
        }
        let status = refusal::later("too many calls in a short time: try again later", wait, "RATE_LIMITED");
        let mut response = refusal::response(status);
        response.extensions_mut().insert(Unlogged);
        return response;
    }
    next.run(request).await
}
