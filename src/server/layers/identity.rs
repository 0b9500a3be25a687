//! The name of a call: the client's `x-request-id` if it is fit to be one, else a new one. It stands in the span, so in the
//! log, and in the headers of the response.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Context,
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument as _, Span, error_span};

use super::body::{Polled, Watch, ask, watched};
use crate::server::connection::Connection;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LENGTH_MAX: usize = 128;

/// Tells runs of the program apart.
static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
static CALLS: AtomicU64 = AtomicU64::new(0);

pub(super) async fn name(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER).filter(|id| is_fit(id.as_bytes()));
    let id = given.cloned().unwrap_or_else(new);
    request.headers_mut().insert(HEADER, id.clone());
    let span = span(&request, &id);
    #[cfg(feature = "otel")]
    crate::server::traces::adopt(&span, request.headers());
    let mut response = next.run(request).instrument(span.clone()).await;
    response.headers_mut().insert(HEADER, id);
    watched(response, InSpan(span))
}

/// Has a body tell what it does under the name of its call.
struct InSpan(Span);

impl Watch for InSpan {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        self.0.in_scope(|| ask(inner, context))
    }
}

fn span(request: &Request, id: &HeaderValue) -> Span {
    let peer = request.extensions().get::<Arc<Connection>>().map(|connection| connection.remote());
    // At the highest level, because it must be there for whatever is logged inside.
    error_span!(
        "call",
        request_id = id.to_str().unwrap_or_default(),
        peer = peer.map(tracing::field::display),
        method = crate::server::quoted::quoted(request.uri().path()),
    )
}

/// Long enough to be one, short enough to be logged, and of letters that mean nothing to anybody who reads logs.
fn is_fit(id: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=LENGTH_MAX).contains(&id.len()) && id.iter().all(plain)
}

fn new() -> HeaderValue {
    let id = format!("{:016x}-{}", *RUN, CALLS.fetch_add(1, Relaxed));
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_taken_and_new_ones_differ() {
        assert!(is_fit(b"4bf92f35-77b3.4da6_a3ce:1/2+3="));
        assert!(!is_fit(b"") && !is_fit(&[b'a'; LENGTH_MAX + 1]));
        assert!(!is_fit(b"a b") && !is_fit(b"a\tb") && !is_fit("é".as_bytes()) && !is_fit(b"a\"b"));
        assert_ne!(new(), new());
        assert!(is_fit(new().as_bytes()));
    }
}
