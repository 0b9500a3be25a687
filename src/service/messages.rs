//! gRPC messages cut from the body of a request, without decoding them.
//!
//! tonic's own reader is not used for bulk data: it copies every frame into one buffer, reads a message before anybody
//! could ask whether there is room for it, and takes a cancelled request for a finished one, which a receiver that
//! commits at the end must never do.
//!
//! A message that has begun must arrive at a pace: a peer that sends a byte now and then would hold its place for hours. Between
//! messages a sender may think; and while the server does not read another stream of the same connection, a sender may have no
//! window left to send in, which is not its fault.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::{Body as _, Frame};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, timeout_at},
};
use tonic::{Status, body::Body};

use super::coding::{Coding, PREFIX_BYTES};
use crate::{
    limits::server as limits,
    server::{Away, Backlog},
};

/// Reads one message after another, each only when the budget has room for it.
#[derive(Debug)]
pub(crate) struct Messages {
    body: Body,
    /// What was received but not yet taken. Usually one frame, which is one message.
    front: Bytes,
    budget: Arc<Semaphore>,
    /// What this stream may take of the budget.
    own: Arc<Semaphore>,
    message_bytes_max: usize,
    /// How compressed messages are to be expanded.
    coding: Option<Coding>,
    /// How long the peer may be silent.
    silence: Option<Duration>,
    /// When the peer will have been silent for too long, while no message has begun.
    quiet_until: Option<Instant>,
    /// How long it may take for the next part of a message.
    pace: Duration,
    backlog: Backlog,
    /// Set while nobody reads the body.
    away: Option<Away>,
}

/// A message and its share of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    _share: Share,
}

/// What a message takes of the budget, and of its stream's part of it.
#[derive(Debug)]
struct Share {
    own: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

impl Messages {
    pub(crate) fn new(body: Body, budget: Arc<Semaphore>, message_bytes_max: usize) -> Self {
        let (front, pace) = (Bytes::new(), limits::PACE_INTERVAL);
        let own = limits::INGEST_STREAM_BYTES_MAX.max(message_bytes_max).min(Semaphore::MAX_PERMITS);
        let (backlog, away) = (Backlog::default(), None);
        Self {
            body,
            front,
            budget,
            own: Arc::new(Semaphore::new(own)),
            message_bytes_max,
            coding: None,
            silence: None,
            quiet_until: None,
            pace,
            backlog,
            away,
        }
    }

    /// Takes compressed messages too.
    pub(crate) fn with_coding(self, coding: Option<Coding>) -> Self {
        Self { coding, ..self }
    }

    /// Tells other streams of the connection when nobody reads this one, and is told.
    pub(crate) fn with_backlog(self, backlog: Backlog) -> Self {
        Self { backlog, ..self }
    }

    /// Gives up a peer that sends nothing for so long.
    pub(crate) fn with_silence(self, silence: Duration) -> Self {
        Self { silence: Some(silence), ..self }
    }

    /// The next message; `None` only if the peer ended its side in good order. It is read before the budget is asked: what
    /// a peer announces and does not send takes nothing from others, and each stream reads one message at most.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, Status> {
        let next = self.read().await;
        self.away = Some(self.backlog.leave());
        next
    }

    async fn read(&mut self) -> Result<Option<Message>, Status> {
        self.away = None;
        self.quiet_until = self.silence.map(|silence| Instant::now() + silence);
        let prefix = self.take(PREFIX_BYTES, true).await?;
        // From here on it is the pace that counts.
        self.quiet_until = None;
        let Some(mut prefix) = prefix else { return Ok(None) };
        let compressed = prefix.get_u8() != 0;
        let length = prefix.get_u32() as usize;
        if length > self.message_bytes_max {
            return Err(too_large(length, self.message_bytes_max));
        }
        let bytes = self.take(length, false).await?.unwrap_or_default();
        if compressed {
            return self.expanded(bytes).await.map(Some);
        }
        let share = self.admit(length).await?;
        Ok(Some(Message { bytes, _share: share }))
    }

    /// The message that was compressed to `bytes`. What it will take is unknown, so the most is admitted and what is left given
    /// back.
    async fn expanded(&mut self, bytes: Bytes) -> Result<Message, Status> {
        let bytes_max = self.message_bytes_max;
        let coding = self
            .coding
            .ok_or_else(|| Status::internal("a message is compressed, but grpc-encoding does not say how"))?;
        let mut share = self.admit(bytes_max).await?;
        let expanded = tokio::task::spawn_blocking(move || coding.expand(&bytes, bytes_max)).await;
        let bytes = expanded.map_err(|panic| super::status::internal(&panic))??;
        share.give_back(bytes_max - bytes.len());
        Ok(Message { bytes, _share: share })
    }

    /// Hands each message to `events`, and none at the end, until the sender ends or fails, or nobody takes them.
    pub(crate) async fn forward<E: From<Option<Message>>>(
        mut self,
        events: &mpsc::Sender<E>,
    ) -> Result<(), Status> {
        loop {
            let message = self.next().await?;
            let is_last = message.is_none();
            if events.send(message.into()).await.is_err() || is_last {
                return Ok(());
            }
        }
    }

    async fn admit(&mut self, length: usize) -> Result<Share, Status> {
        // Until there is room nothing is read.
        self.away = Some(self.backlog.leave());
        let permits = u32::try_from(length).unwrap_or(u32::MAX);
        let stopping = |_| Status::unavailable("the server is stopping");
        let own = Arc::clone(&self.own).acquire_many_owned(permits).await.map_err(stopping)?;
        let all = Arc::clone(&self.budget).acquire_many_owned(permits).await.map_err(stopping)?;
        Ok(Share { own, all })
    }

    /// The next `length` bytes: a slice of the frame if one frame holds them, else gathered.
    async fn take(&mut self, length: usize, may_end: bool) -> Result<Option<Bytes>, Status> {
        let mut pace = Pace::new(self.pace, &self.backlog);
        while self.front.is_empty() && length > 0 {
            let frame = if may_end { self.frame().await? } else { pace.keep(self.frame()).await? };
            match frame {
                Some(data) => self.front = data,
                None if may_end => return Ok(None),
                None => return Err(cut_off()),
            }
        }
        if self.front.len() >= length {
            return Ok(Some(self.front.split_to(length)));
        }
        self.gather(length).await.map(Some)
    }

    /// Memory grows with what arrives; the length is only what the peer claims.
    async fn gather(&mut self, length: usize) -> Result<Bytes, Status> {
        let mut gathered = BytesMut::with_capacity(length.min(limits::GATHERED_BYTES));
        gathered.extend_from_slice(&std::mem::take(&mut self.front));
        let mut pace = Pace::new(self.pace, &self.backlog);
        while gathered.len() < length {
            let mut data = pace.keep(self.frame()).await?.ok_or_else(cut_off)?;
            pace.note(data.len());
            let missing = length - gathered.len();
            gathered.extend_from_slice(&data.split_to(missing.min(data.len())));
            self.front = data;
        }
        Ok(gathered.freeze())
    }

    /// A reset without error also ends the body; only the peer's own end of stream says that it sent everything.
    fn end(&self) -> Result<Option<Bytes>, Status> {
        if self.body.is_end_stream() {
            Ok(None)
        } else {
            Err(Status::cancelled("the stream was reset by the sender"))
        }
    }

    /// A message may take long to arrive; its frames come one by one.
    async fn next_frame(&mut self) -> Result<Option<Result<Frame<Bytes>, Status>>, Status> {
        let quiet_until = self.quiet_until;
        let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
        match quiet_until {
            None => Ok(frame.await),
            Some(until) => timeout_at(until, frame).await.map_err(|_| silent()),
        }
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            let frame = self.next_frame().await?;
            let Some(frame) = frame.transpose()? else { return self.end() };
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

/// Watches that a message that has begun also arrives.
struct Pace {
    begun: Instant,
    interval: Duration,
    bytes: usize,
    backlog: Backlog,
}

impl Pace {
    fn new(interval: Duration, backlog: &Backlog) -> Self {
        Self { begun: Instant::now(), interval, bytes: 0, backlog: backlog.clone() }
    }

    /// Waits for a frame, as long as the sender keeps the pace. An interval in which the server held another stream of the
    /// connection says nothing of the sender.
    async fn keep<T>(&mut self, frame: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        let mut frame = pin!(frame);
        loop {
            if let Ok(frame) = timeout_at(self.begun + self.interval, frame.as_mut()).await {
                return frame;
            }
            if !self.backlog.held_since(self.begun, self.interval / limits::PACE_SHARE_HELD) {
                return Err(slow());
            }
            self.begin();
        }
    }

    fn note(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= limits::PACE_BYTES {
            self.begin();
        }
    }

    fn begin(&mut self) {
        (self.begun, self.bytes) = (Instant::now(), 0);
    }
}

impl Share {
    fn give_back(&mut self, bytes: usize) {
        drop((self.own.split(bytes), self.all.split(bytes)));
    }
}

fn too_large(length: usize, limit: usize) -> Status {
    Status::resource_exhausted(format!("message of {length} bytes is larger than the limit of {limit} bytes"))
}

fn silent() -> Status {
    Status::deadline_exceeded("the stream was silent for too long; what was acknowledged is kept")
}

fn slow() -> Status {
    super::status::slow_sender()
}

fn cut_off() -> Status {
    Status::internal("the stream ended inside a message")
}

#[cfg(test)]
mod tests;
