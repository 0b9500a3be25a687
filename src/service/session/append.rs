//! The receiving half of `Append`: cuts messages from the stream and hands them to the intake on a thread of its own,
//! whose acknowledgements go back on the same stream.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{sync::mpsc, time};
use tokio_stream::Stream;
use tonic::Status;

use super::{
    super::{
        ingest::{Ingest, Refusal},
        messages::{Message, Messages},
        seats::Slot,
        status,
    },
    announced,
    hello::Unclear,
    intake::Intake,
    outcome,
};
use crate::{
    limits::server as limits,
    proto::embedding::{
        IngestOutcome, SessionState,
        session::v1::{AppendAck, AppendError, Draining, append_ack::Kind},
    },
    session::{Position, Refusal as State},
    store::{self, sessions::Showing},
    wire::{Append, open_append},
};

/// Acknowledgements that wait for a slow reader, who gets them all or at least the last one.
const ACKNOWLEDGEMENTS: usize = 64;

type Acks = mpsc::Sender<Result<AppendAck, Status>>;

/// What the server says while it takes chunks.
pub(super) struct Acknowledgements {
    acks: mpsc::Receiver<Result<AppendAck, Status>>,
}

impl Stream for Acknowledgements {
    type Item = Result<AppendAck, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.acks.poll_recv(context)
    }
}

/// What the receiving half tells the intake's thread.
enum Event {
    Message(Message),
    /// Rows have waited long enough.
    Tick,
    /// The sender said that this was all.
    End,
    /// The server stops.
    Drain,
}

impl From<Option<Message>> for Event {
    fn from(message: Option<Message>) -> Self {
        message.map_or(Self::End, Self::Message)
    }
}

/// Takes the chunks of one `Append`.
pub(super) fn append(
    ingest: Ingest,
    messages: Messages,
    remote: Option<SocketAddr>,
) -> Result<Acknowledgements, Status> {
    let slot = ingest.slot(remote)?;
    let (acks, receiver) = mpsc::channel(ACKNOWLEDGEMENTS);
    tokio::spawn(serve(ingest, messages, acks, slot));
    Ok(Acknowledgements { acks: receiver })
}

/// Holds the stream's place until its thread has ended, whoever waits for the answer.
async fn serve(ingest: Ingest, messages: Messages, acks: Acks, _slot: Slot) {
    let messages = messages.with_silence(limits::SESSION_SILENCE);
    let (events, queue) = mpsc::channel(limits::INGEST_QUEUE);
    let worker = {
        let (ingest, acks) = (ingest.clone(), acks.clone());
        tokio::task::spawn_blocking(move || take_all(&ingest, queue, &acks))
    };
    let ticking = tokio::spawn(tick(events.clone()));
    let forwarded = tokio::select! {
        // Half a second's worth of chunks may wait in the queue: they are taken before the intake hears of the end.
        () = ingest.draining() => { let _ = events.send(Event::Drain).await; Ok(()) }
        forwarded = messages.forward(&events) => forwarded,
        // The intake has ended, and a client that waits for acknowledgements sends nothing that would show it.
        () = events.closed() => Ok(()),
        // The call is over, by its deadline or because its client is gone.
        () = acks.closed() => Err(Status::cancelled("nobody waits for the acknowledgements")),
    };
    ticking.abort();
    drop(events);
    let ended = match worker.await {
        Err(panic) => Err(status::internal(&panic)),
        Ok(Err(error)) => Err(ingest.told(&error)),
        Ok(Ok(())) => forwarded,
    };
    if let Err(status) = ended {
        // Nobody may be there to hear it.
        let _ = acks.send(Err(status)).await;
    }
}

async fn tick(events: mpsc::Sender<Event>) {
    let mut interval = time::interval(limits::GROUP_INTERVAL);
    loop {
        interval.tick().await;
        // An intake whose queue is full seals by size.
        if matches!(events.try_send(Event::Tick), Err(mpsc::error::TrySendError::Closed(_))) {
            return;
        }
    }
}

/// The intake's thread.
fn take_all(ingest: &Ingest, mut queue: mpsc::Receiver<Event>, acks: &Acks) -> Result<(), Refusal> {
    let mut intake = None;
    while let Some(event) = queue.blocking_recv() {
        match event {
            Event::Message(message) => take(ingest, &mut intake, &message, acks)?,
            Event::Tick => intake.as_mut().map_or(Ok(()), Intake::tick)?,
            Event::End => return end(intake, acks),
            Event::Drain => return drain(intake, acks),
        }
    }
    Ok(())
}

fn take(ingest: &Ingest, intake: &mut Option<Intake>, message: &Message, acks: &Acks) -> Result<(), Refusal> {
    match (opened(message)?, intake) {
        (Some(Append::Start(hello)), intake @ None) => {
            let begun = begin(ingest, &hello, acks)?;
            send(acks, Kind::Committed(outcome(&begun.status()?, 0)));
            *intake = Some(begun);
            Ok(())
        }
        (Some(Append::Chunk(request)), Some(intake)) => match intake.take(&request) {
            Err(error) => refused(error, intake, acks),
            Ok(()) => Ok(()),
        },
        (Some(Append::Flush), Some(intake)) => {
            intake.flush()?;
            send(acks, Kind::Committed(outcome(&intake.status()?, intake.duplicate_rows())));
            Ok(())
        }
        (Some(Append::Start(_)), Some(_)) | (Some(_), None) => Err(Unclear::Missing.into()),
        (None, _) => Ok(()),
    }
}

fn opened(message: &Message) -> Result<Option<Append>, Refusal> {
    open_append(&message.bytes).map_err(|source| Refusal::Chunk { chunk: 0, source })
}

fn begin(
    ingest: &Ingest,
    hello: &crate::proto::embedding::SessionHello,
    acks: &Acks,
) -> Result<Intake, Refusal> {
    let announced = announced(Some(hello))?;
    let (acks, epoch) = (acks.clone(), announced.epoch);
    let secured = Box::new(move |position| send(&acks, Kind::Committed(secured(position, epoch))));
    Intake::begin(Arc::clone(ingest.store()), &announced, ingest.limits(), secured)
}

fn secured(Position { rows, digest }: Position, epoch: u64) -> IngestOutcome {
    IngestOutcome {
        state: SessionState::Open.into(),
        committed_rows: rows,
        prefix_digest: digest.to_le_bytes().to_vec(),
        epoch,
        ..IngestOutcome::default()
    }
}

/// A refused chunk is told on the stream, which goes on; anything else ends it. What came before the chunk is made durable
/// first: the client opens the session anew, and what is not durable by then has to come again.
fn refused(error: Refusal, intake: &mut Intake, acks: &Acks) -> Result<(), Refusal> {
    let Some(reason) = status::reason_of(&error) else { return Err(error) };
    intake.secure()?;
    let expected_row = match &error {
        Refusal::Store(store::Error::Session(State::OffsetGap { expected_row })) => *expected_row,
        _ => intake.status()?.taken().rows,
    };
    let message = status::sentence(&error);
    send(acks, Kind::Error(AppendError { reason: reason.into(), expected_row, message, rows: Vec::new() }));
    Ok(())
}

fn end(intake: Option<Intake>, acks: &Acks) -> Result<(), Refusal> {
    let Some(mut intake) = intake else { return Err(Unclear::Missing.into()) };
    intake.settle()?;
    intake.show(Showing::Now)?;
    send(acks, Kind::Committed(outcome(&intake.status()?, intake.duplicate_rows())));
    Ok(())
}

fn drain(intake: Option<Intake>, acks: &Acks) -> Result<(), Refusal> {
    if let Some(intake) = intake {
        end(Some(intake), acks)?;
    }
    send(acks, Kind::Draining(Draining { deadline_ms: limits::DRAIN.as_millis() as u32 }));
    Ok(())
}

/// Nobody may listen any more: what is durable stays so.
fn send(acks: &Acks, kind: Kind) {
    let _ = acks.blocking_send(Ok(AppendAck { kind: Some(kind) }));
}
