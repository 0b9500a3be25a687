//! The body of the request: encoded messages as they are, framed for gRPC without being copied.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body::{Body, Frame};
use tokio::sync::mpsc;

use super::{Error, Progress, Sizes};
use crate::wire::Encoded;

/// What the encoding thread sends. The end is an item of its own: a thread that dies must not look like one that is done.
#[derive(Debug)]
pub(in crate::client) enum Item {
    Chunk(Encoded),
    Failed(Error),
    End,
}

/// The request's body.
pub(in crate::client) struct Outgoing {
    metadata: Option<Bytes>,
    items: mpsc::Receiver<Item>,
    outcome: Arc<Outcome>,
    progress: Arc<dyn Progress>,
}

/// What became of the body, for whoever sent it.
#[derive(Debug, Default)]
pub(in crate::client) struct Outcome {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: Sizes,
    error: Option<Error>,
    is_abandoned: bool,
}

/// Cuts the stream when it is dropped. The connection goes on sending a body whose answer nobody awaits any more, and a
/// server must not take that for a finished stream.
#[derive(Debug)]
pub(in crate::client) struct Awaited(Arc<Outcome>);

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.with(|state| state.is_abandoned = true);
    }
}

/// The stream is cut because it could not be encoded to its end.
#[derive(Debug, thiserror::Error)]
#[error("encoding failed")]
pub(in crate::client) struct Cut;

impl Outcome {
    /// What was handed to the connection.
    pub(in crate::client) fn sent(&self) -> Sizes {
        self.with(|state| state.sent)
    }

    /// Whoever awaits the answer holds this.
    pub(in crate::client) fn awaited(self: &Arc<Self>) -> Awaited {
        Awaited(Arc::clone(self))
    }

    /// The error that cut the stream here, if one did.
    pub(in crate::client) fn take_error(&self) -> Option<Error> {
        self.with(|state| state.error.take())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Outgoing {
    pub(super) fn new(metadata: Bytes, items: mpsc::Receiver<Item>, progress: Arc<dyn Progress>) -> Self {
        Self::after(Some(metadata), items, progress)
    }

    /// The same, with or without a message before the chunks.
    pub(in crate::client) fn after(
        first: Option<Bytes>,
        items: mpsc::Receiver<Item>,
        progress: Arc<dyn Progress>,
    ) -> Self {
        Self { metadata: first, items, outcome: Arc::default(), progress }
    }

    pub(in crate::client) fn outcome(&self) -> Arc<Outcome> {
        Arc::clone(&self.outcome)
    }

    fn chunk(&mut self, chunk: Encoded) -> Bytes {
        let sent = self.outcome.with(|state| {
            state.sent.add(chunk.rows.end - chunk.rows.start, chunk.message().len() as u64);
            state.sent
        });
        self.progress.chunk(&sent);
        chunk.framed
    }

    fn cut(&self, error: Option<Error>) -> Cut {
        self.outcome.with(|state| state.error = error);
        Cut
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.outcome.with(|state| state.is_abandoned) {
            return Poll::Ready(Some(Err(Cut)));
        }
        if let Some(metadata) = self.metadata.take() {
            return Poll::Ready(Some(Ok(Frame::data(framed(&metadata)))));
        }
        let item = ready!(self.items.poll_recv(context));
        Poll::Ready(match item {
            _ if self.outcome.with(|state| state.is_abandoned) => Some(Err(Cut)),
            Some(Item::Chunk(chunk)) => Some(Ok(Frame::data(self.chunk(chunk)))),
            Some(Item::Failed(error)) => Some(Err(self.cut(Some(error)))),
            Some(Item::End) => {
                self.progress.completed(&self.outcome.sent());
                None
            }
            None => Some(Err(self.cut(None))),
        })
    }
}

/// A gRPC message in one piece: not compressed, its length, and the bytes.
fn framed(message: &Bytes) -> Bytes {
    let mut whole = BytesMut::new();
    whole.put_u8(0);
    whole.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    whole.extend_from_slice(message);
    whole.freeze()
}
