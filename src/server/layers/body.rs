//! Response bodies that a layer looks at while they pass. Frames are handed on as they are; nothing is copied.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use http_body::{Frame, SizeHint};
use tonic::Status;

/// What a body yields when it is asked.
pub(super) type Polled = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

/// Stands between a body and its reader.
pub(super) trait Watch: Unpin + Send + 'static {
    /// Asks `inner` for its next frame, or answers itself.
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled;
}

/// A body and who looks at it. The body goes as soon as it has ended.
struct Watched<W> {
    inner: Option<Body>,
    watch: W,
    /// The body ended as its sender wanted.
    is_whole: bool,
}

/// The response with `watch` around its body.
pub(super) fn watched(response: Response, watch: impl Watch) -> Response {
    response.map(|inner| Body::new(Watched { inner: Some(inner), watch, is_whole: false }))
}

/// The end of a body, with a status.
pub(super) fn ended(status: &Status) -> Polled {
    let mut trailers = axum::http::HeaderMap::new();
    // Fails for details that no header can hold; ours are text.
    let _ = status.add_header(&mut trailers);
    Poll::Ready(Some(Ok(Frame::trailers(trailers))))
}

/// The body's own answer.
pub(super) fn ask(inner: &mut Body, context: &mut Context<'_>) -> Polled {
    http_body::Body::poll_frame(Pin::new(inner), context)
}

impl<W: Watch> http_body::Body for Watched<W> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let Self { inner, watch, is_whole } = &mut *self;
        let Some(body) = inner else { return Poll::Ready(None) };
        let polled = ready!(watch.poll(body, context));
        if !matches!(&polled, Some(Ok(frame)) if frame.is_data()) {
            // A reset without error also ends a body: whoever takes the end for the peer's own asks for this.
            *is_whole = matches!(&polled, Some(Ok(_))) || http_body::Body::is_end_stream(body);
            *inner = None;
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().map_or(self.is_whole, http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or(SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}
