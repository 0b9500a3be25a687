//! A panic ends the call that it happened in, and nothing else.

use std::{
    any::Any,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll},
};

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use metrics::counter;
use tonic::Status;
use tracing::error;

use super::body::{Polled, Watch, ask, ended, watched};
use crate::server::{metrics::PANICS, quoted::quoted, refusal};

pub(super) async fn catch(request: Request, next: Next) -> Response {
    let mut answering = pin!(next.run(request));
    let answered = poll_fn(|context| {
        // What panicked is dropped and never polled again.
        match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(told(&*panic))),
        }
    });
    match answered.await {
        Ok(response) => watched(response, Caught),
        Err(status) => refusal::response(status),
    }
}

struct Caught;

impl Watch for Caught {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        catch_unwind(AssertUnwindSafe(|| ask(inner, context))).unwrap_or_else(|panic| ended(&told(&*panic)))
    }
}

/// Logs the panic; its caller learns only that there was one.
fn told(panic: &(dyn Any + Send)) -> Status {
    counter!(PANICS).increment(1);
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    error!("panic: {}", quoted(text.unwrap_or("without a message")));
    Status::internal("internal error of the server; its log says more")
}
