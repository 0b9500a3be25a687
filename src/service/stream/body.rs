//! The answer's body: chunks encoded ahead of the reader, in order, and the status behind them.
//!
//! A chunk that the reader asks for is encoded whatever other streams do, so a slow reader holds up nobody; what is encoded
//! before it is asked for is paid from a budget that all streams share, until the connection has written it. Nothing waits: a
//! chunk that the budget has no room for is encoded when the reader asks for it. The cores are shared among peers by turns.

use std::{
    collections::VecDeque,
    future::Future as _,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tonic::Status;
use tracing::info;

use super::Refused;
use crate::{
    digest::RangeDigester,
    figures::count,
    limits::serving as limits,
    proto::embedding::ChunkHeader,
    service::{coding::Coding, seats::Slot, status, turns::Turns},
    store::catalogue::Cursor,
    wire::{self, Beside, ServingPlan},
};

/// How the rows of one answer become messages.
pub(super) struct Work {
    pub(super) cursor: Cursor,
    pub(super) plan: ServingPlan,
    /// For clients that know what stands beside the rows.
    pub(super) digests: Option<RangeDigester>,
    pub(super) coding: Option<Coding>,
    pub(super) message_bytes_max: usize,
    pub(super) chunk_rows: usize,
    pub(super) rows: Range<u64>,
}

/// A chunk: its messages, each with its rows.
type Encoded = Vec<(usize, Bytes)>;

impl Work {
    fn encode(&self, rows: Range<u64>) -> Result<Encoded, Refused> {
        let batch = self.cursor.slice(rows.clone())?;
        let beside = |range: Range<usize>| match &self.digests {
            None => Ok(Beside::default()),
            Some(digests) => {
                let digest = digests.digest(&batch, &range, rows.start)?;
                Ok(self.beside(rows.start + range.start as u64, range.len(), digest))
            }
        };
        let encoded = self.plan.encode(&batch, self.message_bytes_max, beside);
        let encoded = encoded.map_err(|error: wire::Error| error.shifted(rows.start))?;
        let Some(coding) = self.coding else { return Ok(encoded) };
        let compress = |(rows, framed): (usize, Bytes)| Ok((rows, coding.compress(&framed)?));
        encoded.into_iter().map(compress).collect::<Result<_, _>>().map_err(Refused::Compress)
    }

    fn beside(&self, first_row: u64, rows: usize, digest: u128) -> Beside {
        let header =
            ChunkHeader { first_row, row_count: rows as u32, range_digest: digest.to_le_bytes().to_vec() };
        let snapshot = self.cursor.snapshot();
        let about_rows = Beside { header: Some(header), ..Beside::default() };
        if first_row > self.rows.start {
            return about_rows;
        }
        Beside { total_rows: snapshot.rows(), fingerprint: snapshot.fingerprint().to_owned(), ..about_rows }
    }
}

/// The body of one answer.
pub(super) struct Chunks {
    work: Arc<Work>,
    /// The first row that no job has.
    next_row: u64,
    pending: VecDeque<Pending>,
    /// Messages of the oldest chunk that were not taken yet.
    ready: VecDeque<(usize, Bytes)>,
    /// Bytes of the last chunk: what the next one will take.
    chunk_bytes: usize,
    sent: Sent,
    ended: bool,
    ahead: Arc<Semaphore>,
    turns: Turns,
    /// Whoever stops reading has no use for chunks that were not begun.
    stopped: Arc<AtomicBool>,
    slot: Arc<Slot>,
}

/// A chunk that is being encoded, and its share of the budget.
struct Pending {
    encoded: oneshot::Receiver<Result<Encoded, Refused>>,
    share: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    chunks: u64,
    rows: u64,
}

/// A message, and until the connection has written it its share of the budget and the place of its stream.
struct Held {
    message: Bytes,
    _share: Option<OwnedSemaphorePermit>,
    _slot: Arc<Slot>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.message
    }
}

impl Chunks {
    /// The chunks of `work`, of which the first is begun at once.
    pub(super) fn new(work: Work, ahead: Arc<Semaphore>, turns: Turns, slot: Slot) -> Self {
        let mut chunks = Self {
            next_row: work.rows.start,
            work: Arc::new(work),
            pending: VecDeque::new(),
            ready: VecDeque::new(),
            chunk_bytes: 0,
            sent: Sent::default(),
            ended: false,
            ahead,
            turns,
            stopped: Arc::default(),
            slot: Arc::new(slot),
        };
        chunks.begin(None);
        chunks
    }

    /// Begins chunks ahead of the reader, as far as bounds permit.
    fn fill(&mut self) {
        while self.pending.len() + usize::from(!self.ready.is_empty()) < limits::AHEAD_CHUNKS_MAX {
            // The first chunk tells how much the others will take.
            let share = if self.chunk_bytes == 0 { None } else { self.share() };
            if share.is_none() || !self.begin(share) {
                return;
            }
        }
    }

    fn share(&self) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(self.chunk_bytes).ok()?;
        Arc::clone(&self.ahead).try_acquire_many_owned(bytes).ok()
    }

    /// Begins the next chunk; false if there is none.
    fn begin(&mut self, share: Option<OwnedSemaphorePermit>) -> bool {
        let end = (self.next_row + self.work.chunk_rows as u64).min(self.work.rows.end);
        if self.next_row == end {
            return false;
        }
        let encoded = self.encode(self.next_row..end);
        self.pending.push_back(Pending { encoded, share });
        self.next_row = end;
        true
    }

    fn encode(&self, rows: Range<u64>) -> oneshot::Receiver<Result<Encoded, Refused>> {
        let (sender, receiver) = oneshot::channel();
        let (work, stopped) = (Arc::clone(&self.work), Arc::clone(&self.stopped));
        self.turns.spawn(self.slot.peer(), move || {
            if !stopped.load(Ordering::Relaxed) {
                // A panic must not take the process with it, nor look like the end of the table.
                let encoded = catch_unwind(AssertUnwindSafe(|| work.encode(rows)));
                // The reader may be gone.
                let _ = sender.send(encoded.unwrap_or(Err(Refused::WorkerLost)));
            }
        });
        receiver
    }

    /// Takes the messages of the oldest chunk.
    fn take(&mut self, encoded: Encoded, mut share: Option<OwnedSemaphorePermit>) {
        self.chunk_bytes = encoded.iter().map(|(_, message)| message.len()).sum();
        let mut left = encoded.len();
        self.ready.extend(encoded.into_iter().map(|(rows, message)| {
            left -= 1;
            // The chunk's share goes with its last message.
            let share = if left == 0 { share.take() } else { None };
            (rows, Bytes::from_owner(Held { message, _share: share, _slot: Arc::clone(&self.slot) }))
        }));
    }

    fn note(&mut self, rows: usize) {
        self.sent.chunks += 1;
        self.sent.rows += rows as u64;
        if self.sent.chunks.is_multiple_of(limits::LOG_CHUNK_INTERVAL) {
            info!("Sent {} chunks ({} rows)", count(self.sent.chunks), count(self.sent.rows));
        }
    }

    /// Ends the answer.
    fn end(&mut self, status: &Status) -> Frame<Bytes> {
        self.ended = true;
        self.pending.clear();
        self.next_row = self.work.rows.end;
        if status.code() == tonic::Code::Ok {
            info!("Total chunks sent: {}", count(self.sent.chunks));
            info!("Total rows sent: {}", count(self.sent.rows));
        }
        let mut trailers = HeaderMap::new();
        // What the status says was made here, so it fits into headers.
        let _ = status.add_header(&mut trailers);
        Frame::trailers(trailers)
    }

    fn poll_oldest(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(), Refused>>> {
        if self.pending.is_empty() && !self.begin(None) {
            return Poll::Ready(None);
        }
        let Some(oldest) = self.pending.front_mut() else { return Poll::Ready(None) };
        let encoded = ready!(Pin::new(&mut oldest.encoded).poll(context));
        let share = self.pending.pop_front().and_then(|oldest| oldest.share);
        let taken = encoded.unwrap_or(Err(Refused::WorkerLost)).map(|encoded| self.take(encoded, share));
        Poll::Ready(Some(taken))
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            let message = self.ready.pop_front();
            self.fill();
            if let Some((rows, message)) = message {
                self.note(rows);
                return Poll::Ready(Some(Ok(Frame::data(message))));
            }
            match ready!(self.poll_oldest(context)) {
                Some(Ok(())) => {}
                Some(Err(refused)) => {
                    let status = status::of_refused(&refused);
                    return Poll::Ready(Some(Ok(self.end(&status))));
                }
                None => return Poll::Ready(Some(Ok(self.end(&Status::ok(""))))),
            }
        }
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if !self.ended {
            info!(
                "The reader left after {} chunks ({} rows)",
                count(self.sent.chunks),
                count(self.sent.rows)
            );
        }
    }
}
