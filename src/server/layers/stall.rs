//! Notes when a response waits for its reader. The connection ends calls that wait too long: a body cannot, because nobody
//! asks it for anything then.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{body::Body, extract::Request, middleware::Next, response::Response};

use super::body::{Polled, Watch, ask, watched};
use crate::server::connection::Call;

pub(super) async fn watch(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match Call::current() {
        Some(call) => watched(response, Read(call)),
        None => response,
    }
}

/// Whether more is asked for after a chunk.
struct Read(Arc<Call>);

impl Watch for Read {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        self.0.taken();
        let polled = ask(inner, context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && frame.is_data()
        {
            self.0.offered();
        }
        polled
    }
}
