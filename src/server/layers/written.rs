//! Ends a response only when what went before its end is written. The library takes what it is given and keeps it until its
//! reader has room; a response that ended meanwhile would belong to no call: nobody would notice that it is not read, and
//! a connection that was asked to go would be cut before the last rows have left.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http_body::Frame;

use super::body::{Polled, Watch, ask, watched};
use crate::{limits::server::UNWATCHED_BYTES_MAX, server::connection::Call};

pub(super) async fn wait(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match Call::current() {
        Some(call) => watched(response, Writing { call, unwritten: Arc::default(), unwatched: 0, end: None }),
        None => response,
    }
}

/// A response of which some may be unwritten.
struct Writing {
    call: Arc<Call>,
    unwritten: Arc<Unwritten>,
    /// Bytes of its beginning, which are not watched while they are few.
    unwatched: usize,
    /// How it ends, once that is known.
    end: Option<End>,
}

/// What comes behind the data: trailers, an error or nothing.
struct End(Option<Result<Frame<Bytes>, axum::Error>>);

/// What was handed out and not yet written.
#[derive(Debug, Default)]
struct Unwritten(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    frames: usize,
    waker: Option<Waker>,
}

/// Bytes that count as unwritten until they are dropped.
struct Counted {
    bytes: Bytes,
    of: Arc<Unwritten>,
}

impl Watch for Writing {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        if self.end.is_none() {
            match std::task::ready!(ask(inner, context)) {
                Some(Ok(frame)) if frame.is_data() => return Poll::Ready(Some(Ok(self.counted(frame)))),
                end => self.end = Some(End(end)),
            }
            if self.unwritten.is_waited_for(context) {
                self.call.offered();
                return Poll::Pending;
            }
        } else if self.unwritten.is_waited_for(context) {
            return Poll::Pending;
        }
        Poll::Ready(self.end.take().and_then(|End(end)| end))
    }
}

impl Writing {
    fn counted(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        frame.map_data(|bytes| {
            self.unwatched = self.unwatched.saturating_add(bytes.len());
            if self.unwatched <= UNWATCHED_BYTES_MAX {
                return bytes;
            }
            self.unwritten.lock().frames += 1;
            Bytes::from_owner(Counted { bytes, of: Arc::clone(&self.unwritten) })
        })
    }
}

impl Unwritten {
    /// Whether anything is; whoever asks is woken when nothing is any more.
    fn is_waited_for(&self, context: &Context<'_>) -> bool {
        let mut waiting = self.lock();
        if waiting.frames == 0 {
            return false;
        }
        waiting.waker = Some(context.waker().clone());
        true
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut waiting = self.of.lock();
        waiting.frames -= 1;
        let waker = if waiting.frames == 0 { waiting.waker.take() } else { None };
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
