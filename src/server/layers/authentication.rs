//! Who may call: whoever has a token of the server's file, in `authorization: Bearer` or in `api-key`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use metrics::counter;
use tonic::Status;
use tracing::error;

use super::account::Unlogged;
use crate::{
    limits::server as limits,
    server::{
        connection::Connection, health, metrics::AUTH_FAILURES, peers::Buckets, refusal, seldom::Seldom,
        tokens::Tokens,
    },
};

const API_KEY: &str = "api-key";
const BEARER: &str = "bearer ";

/// The tokens, and how often each peer was wrong.
#[derive(Debug, Clone)]
pub(super) struct Guard(Option<Arc<Guarding>>);

#[derive(Debug)]
struct Guarding {
    tokens: Arc<Tokens>,
    failures: Buckets,
    throttled: Seldom,
}

pub(super) async fn authenticate(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Some(guarding) = guard.0.filter(|_| !request.uri().path().starts_with(health::PATH)) else {
        return next.run(request).await;
    };
    let Some(connection) = request.extensions().get::<Arc<Connection>>().map(Arc::clone) else {
        return refusal::response(Status::internal("the call came by no connection"));
    };
    if let Some(refused) = guarding.refuses(&connection, request.headers()) {
        return refused;
    }
    // Nobody behind this needs them, and what is not there is not logged.
    request.headers_mut().remove(AUTHORIZATION);
    request.headers_mut().remove(API_KEY);
    next.run(request).await
}

// === impl Guard ===

impl Guard {
    pub(super) fn new(tokens: Option<Arc<Tokens>>) -> Self {
        let failures = || Buckets::new(limits::AUTH_FAILURES_PER_SECOND, limits::AUTH_FAILURES_BURST);
        let guarding = |tokens| Guarding { tokens, failures: failures(), throttled: Seldom::default() };
        Self(tokens.map(|tokens| Arc::new(guarding(tokens))))
    }
}

// === impl Guarding ===

impl Guarding {
    /// The answer to who may not call.
    fn refuses(&self, connection: &Connection, headers: &HeaderMap) -> Option<Response> {
        // Too many wrong tokens are answered without looking, or they could be tried at any speed. A connection that had a
        // good one is none of those who guess, though they may share its address.
        if !connection.is_trusted() && self.failures.look(connection.peer()).is_err() {
            return Some(self.throttle(connection));
        }
        let why = match token(headers) {
            Token::Sent(token) if self.tokens.permit(token) => {
                connection.trust();
                return None;
            }
            Token::Sent(_) => ("wrong", "the token is not valid"),
            Token::OtherScheme => ("scheme", "the authorization is not of the form `Bearer TOKEN`"),
            Token::None => {
                ("none", "a token is needed: send it as `authorization: Bearer TOKEN` or as `api-key: TOKEN`")
            }
        };
        // It may be the last one that is answered; there was one for it when this began.
        let _ = self.failures.take(connection.peer());
        counter!(AUTH_FAILURES, "reason" => why.0).increment(1);
        Some(refusal::response(Status::unauthenticated(why.1)))
    }

    fn throttle(&self, connection: &Connection) -> Response {
        counter!(AUTH_FAILURES, "reason" => "throttled").increment(1);
        if let Some(calls) = self.throttled.happened() {
            error!(calls, "too many calls without a valid token from {}", connection.remote().ip());
        }
        let wait = self.failures.look(connection.peer()).err().unwrap_or_default();
        let status =
            refusal::later("too many calls without a valid token: try again later", wait, "AUTH_THROTTLED");
        let mut response = refusal::response(status);
        response.extensions_mut().insert(Unlogged);
        response
    }
}

enum Token<'a> {
    Sent(&'a [u8]),
    OtherScheme,
    None,
}

fn token(headers: &HeaderMap) -> Token<'_> {
    if let Some(key) = headers.get(API_KEY) {
        return Token::Sent(key.as_bytes());
    }
    let Some(value) = headers.get(AUTHORIZATION) else { return Token::None };
    match value.as_bytes().split_at_checked(BEARER.len()) {
        // The scheme's case says nothing (RFC 9110, 11.1).
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER.as_bytes()) => {
            Token::Sent(token.trim_ascii())
        }
        _ => Token::OtherScheme,
    }
}
