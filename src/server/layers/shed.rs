//! How many calls may run. One more is turned away at once: a queue would only make all of them late.

use std::{sync::Arc, task::Context};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{Polled, Watch, ask, watched};
use crate::{
    limits::server::SHED_RETRY,
    server::{health, metrics::SHED, refusal},
};

/// The places that running calls take.
#[derive(Debug, Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

impl Places {
    pub(super) fn new(calls_max: usize) -> Self {
        let all = calls_max.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all }
    }
}

pub(super) async fn admit(State(places): State<Places>, request: Request, next: Next) -> Response {
    // A server that is busy is healthy.
    if request.uri().path().starts_with(health::PATH) {
        return next.run(request).await;
    }
    let Ok(place) = places.free.try_acquire_owned() else {
        counter!(SHED, "reason" => "calls").increment(1);
        let message = format!("{} calls are running already: try again later", places.all);
        return refusal::response(refusal::later(&message, SHED_RETRY, "TOO_MANY_CALLS"));
    };
    watched(next.run(request).await, Placed(place))
}

/// Holds the place until the response has ended.
struct Placed(#[allow(dead_code, reason = "dropping it is its use")] OwnedSemaphorePermit);

impl Watch for Placed {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        ask(inner, context)
    }
}
