//! `IngestDataStream`: takes one data set as a stream of chunks into the store and answers once, at the end.
//!
//! Two halves. The receiving half (`face`, this file) runs on the async runtime: it cuts messages from the stream, each
//! only when the byte budget has room, and hands them through a short channel to the `intake`, which decodes and stores
//! on a thread of its own. A full channel stops the reading, which stops the sender: that is all the back-pressure there
//! is. The end of the stream is an event of its own, so that a sender that vanishes is never taken for one that finished.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Semaphore, mpsc, watch};
use tonic::{Status, body::Body};

use crate::{
    limits::{server as limits, wire::ChunkLimits},
    proto::embedding::IngestDataResponse,
    server::Backlog,
    store::{self, Store},
};

mod face;
mod intake;
mod session_stream;

pub(super) use face::answer;
pub(crate) use intake::Refusal;
pub(super) use intake::dimension;

use super::{
    coding::{Coding, ENCODING},
    messages::{Message, Messages},
    seats::{Seats, Slot},
    status,
};
use intake::Intake;

/// What all ingest streams of a server share.
#[derive(Clone)]
pub struct Ingest {
    store: Arc<dyn Store>,
    limits: ChunkLimits,
    seats: Seats,
    budget: Arc<Semaphore>,
    draining: watch::Receiver<bool>,
    drain: Arc<watch::Sender<bool>>,
    /// The store failed, and has not yet shown that it is well again.
    ailing: Arc<AtomicBool>,
}

/// What the receiving half tells the intake.
enum Event {
    Message(Message),
    /// The sender said that this was all.
    End,
}

impl From<Option<Message>> for Event {
    fn from(message: Option<Message>) -> Self {
        message.map_or(Self::End, Self::Message)
    }
}

impl Ingest {
    /// Ingest into `store`, with messages of at most `limits`.
    pub fn new(store: Arc<dyn Store>, limits: ChunkLimits) -> Self {
        // A message larger than the whole budget could never be admitted; a compressed one is paid twice.
        let budget = limits::INGEST_BYTES_MAX.max(limits.message_bytes_max.saturating_mul(2));
        let (drain, draining) = watch::channel(false);
        Self {
            drain: Arc::new(drain),
            draining,
            ailing: Arc::default(),
            store,
            limits,
            seats: Seats::new(limits::INGEST_STREAMS_MAX, limits::INGEST_STREAMS_OF_PEER_MAX),
            budget: Arc::new(Semaphore::new(budget.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Asks streams that can be resumed to end now.
    pub fn drain(&self) {
        self.drain.send_replace(true);
    }

    /// Ends when [`Ingest::drain`] is called.
    pub(super) async fn draining(&self) {
        let mut draining = self.draining.clone();
        // The sender lives as long as this.
        let _ = draining.wait_for(|draining| *draining).await;
    }

    /// The right to be one of the streams.
    pub(super) fn slot(&self, remote: Option<SocketAddr>) -> Result<Slot, Status> {
        self.seats.take(remote).ok_or_else(busy)
    }

    /// The messages of a call, within the bounds, and the rest of its request.
    pub(super) fn messages(
        &self,
        request: http::Request<Body>,
    ) -> Result<(Messages, http::Request<Body>), Status> {
        let (mut parts, body) = request.into_parts();
        let coding = Coding::of_request(&parts.headers)?;
        // Messages are expanded as they are read.
        parts.headers.remove(ENCODING);
        let messages = Messages::new(body, Arc::clone(&self.budget), self.limits.message_bytes_max);
        let messages = messages.with_coding(coding).with_backlog(Backlog::of(&parts.extensions));
        Ok((messages, http::Request::from_parts(parts, Body::empty())))
    }

    /// The status of a refusal; one that is the store's fault is remembered.
    pub(super) fn told(&self, refusal: &Refusal) -> Status {
        if matches!(refusal, Refusal::Store(error) if error.is_fault_of_the_store()) {
            self.ailing.store(true, Ordering::Relaxed);
        }
        status::of_refusal(refusal)
    }

    /// Whether rows can be stored, as far as is known; a store that failed is tried. Touches the disk.
    pub(super) fn check(&self) -> Result<(), store::Error> {
        if self.ailing.load(Ordering::Relaxed) {
            self.store.probe()?;
            self.ailing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn limits(&self) -> ChunkLimits {
        self.limits
    }

    async fn receive(
        self,
        messages: Messages,
        remote: Option<SocketAddr>,
    ) -> Result<IngestDataResponse, Status> {
        let slot = self.slot(remote)?;
        let messages = messages.with_silence(limits::INGEST_SILENCE);
        let (events, queue) = mpsc::channel(limits::INGEST_QUEUE);
        let intake = Intake::new(Arc::clone(&self.store), self.limits);
        // A run that is being published goes on when its call is over, and keeps its place until it is.
        let worker = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            take_all(intake, queue)
        });
        let forwarded = messages.forward(&events).await;
        drop(events);
        // The intake's own refusal came first if there is one: the receiving half stops because of it.
        let taken = worker.await.map_err(|panic| status::internal(&panic))?;
        match (forwarded, taken) {
            (Err(status), Ok(None)) => Err(status),
            (_, Err(refusal)) => Err(self.told(&refusal)),
            (_, Ok(Some(response))) => Ok(response),
            (Ok(()), Ok(None)) => Err(Status::internal("the stream ended without an answer")),
        }
    }
}

/// The intake's thread. `None` if the stream broke off: the run is dropped and nothing of it remains.
fn take_all(
    mut intake: Intake,
    mut queue: mpsc::Receiver<Event>,
) -> Result<Option<IngestDataResponse>, Refusal> {
    while let Some(event) = queue.blocking_recv() {
        match event {
            Event::Message(message) => intake.take(&message.bytes)?,
            Event::End => return intake.finish().map(Some),
        }
    }
    Ok(None)
}

fn busy() -> Status {
    let (all, own) = (limits::INGEST_STREAMS_MAX, limits::INGEST_STREAMS_OF_PEER_MAX);
    status::busy(format!("{all} ingest streams are running already, or {own} of yours: try again later"))
}
