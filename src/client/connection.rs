//! A connection whose calls say who makes them.

use std::task::{Context, Poll};

use http::{HeaderValue, header::AUTHORIZATION};
use tonic::{
    body::Body,
    transport::{self, Channel, channel::ResponseFuture},
};
use tower_service::Service;

/// A channel that adds the token to each call.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) channel: Channel,
    /// The header's value; never told to anybody but the server.
    pub(super) authorization: Option<HeaderValue>,
}

impl Service<http::Request<Body>> for Connection {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        self.channel.call(request)
    }
}
