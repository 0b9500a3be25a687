//! A connection whose calls say who makes them, and which knows when it cannot come to anything.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, header::AUTHORIZATION};
use tonic::{
    Status,
    body::Body,
    transport::{self, Channel},
};
use tower_service::Service;

use super::listening::{Beginning, Heard};

/// Headers of answers that are nothing but a status, and the code of `Code::Unimplemented` there.
const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const UNIMPLEMENTED: &str = "12";

/// A channel that adds the token to each call.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) channel: Channel,
    /// The header's value; never told to anybody but the server.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) heard: Heard,
}

/// A call on a [`Connection`].
pub(super) type Calling = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Status>> + Send>>;

impl Service<http::Request<Body>> for Connection {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Calling;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel
            .poll_ready(context)
            .map_err(|error| unheard(&self.heard).unwrap_or_else(|| Status::unavailable(error.to_string())))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let method = request.uri().path().to_owned();
        let (calling, heard) = (self.channel.call(request), self.heard.clone());
        let failed = move |error: transport::Error| {
            unheard(&heard).unwrap_or_else(|| Status::from_error(Box::new(error)))
        };
        Box::pin(async move { calling.await.map(|answer| named(answer, &method)).map_err(failed) })
    }
}

/// The answer, with a word in it where a server says of a method only that it does not know it.
fn named(mut answer: http::Response<Body>, method: &str) -> http::Response<Body> {
    let said =
        |name| answer.headers().get(name).map_or("", |value: &HeaderValue| value.to_str().unwrap_or(name));
    if said(STATUS) == UNIMPLEMENTED
        && said(MESSAGE).is_empty()
        && let Ok(message) = HeaderValue::try_from(format!("the server does not know {method}"))
    {
        answer.headers_mut().insert(MESSAGE, message);
    }
    answer
}

/// The status of calls to a server that has said nothing of HTTP/2.
fn unheard(heard: &Heard) -> Option<Status> {
    let beginning = heard.beginning();
    if beginning == Beginning::Closed {
        // A server that is full, or stops, does so too.
        return Some(Status::unavailable(
            "the server closed the connection without a word: does it speak TLS (https://), or is this another port?",
        ));
    }
    let misfit = beginning.misfit()?;
    let mut status = Status::unavailable(misfit.to_string());
    status.set_source(Arc::new(misfit));
    Some(status)
}
