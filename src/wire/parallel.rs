//! Chunks encoded on all cores, handed out in order, at most a window of them ahead.
//!
//! The iterator pulls: each call of `next` first starts as many chunks as the window has room for, then waits for the
//! oldest. There is no thread of its own and no queue beside the window, so
//!
//! - memory is bounded by `window` messages and the batches they come from, however slow the taker is,
//! - order is the order in which chunks were started,
//! - nothing runs while nobody takes, and
//! - dropping the iterator raises a flag that chunks look at before they start: at most one for each core still
//!   finishes.
//!
//! Reading and cutting batches happens on the caller's thread (it touches lengths, not vectors), encoding on rayon's.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
};

use arrow_array::RecordBatch;
use bytes::Bytes;

use super::{Chunking, Error, encode::GRPC_PREFIX_BYTES, plan::Plan, spare::Spare, split::Cut};

/// One encoded message and the rows of the table it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Rows of the table.
    pub rows: Range<u64>,
    /// The encoded request behind the prefix of gRPC.
    pub framed: Bytes,
}

impl Encoded {
    /// The encoded request.
    pub fn message(&self) -> Bytes {
        self.framed.slice(GRPC_PREFIX_BYTES..)
    }
}

/// Encodes `batches` on all cores, in order: at most `window` messages are encoded, or being encoded, and not yet taken.
/// After an error the iterator ends. Rows, also those that errors name, are counted from the first batch's first row.
pub fn encode_parallel<P, I, E>(
    plan: Arc<P>,
    batches: I,
    options: &Chunking,
    window: usize,
) -> impl Iterator<Item = Result<Encoded, E>> + use<P, I, E>
where
    P: Plan,
    I: Iterator<Item = Result<RecordBatch, E>>,
    E: From<Error>,
{
    let stopped = Arc::new(AtomicBool::new(false));
    let (cuts, spare) = (VecDeque::new(), Spare::new(window.max(1)));
    let source = Chunks { plan, batches, options: *options, batch: None, cuts, spare, rows: 0 };
    Window { source, pending: VecDeque::new(), ahead_max: window.max(1), stopped, is_exhausted: false }
}

/// One chunk to be encoded.
struct Chunk<P> {
    plan: Arc<P>,
    batch: RecordBatch,
    cut: Cut,
    spare: Spare,
    /// Rows of the table before the batch.
    first_row: u64,
}

impl<P: Plan> Chunk<P> {
    fn encode(self) -> Result<Encoded, Error> {
        let framed = self.plan.encode_framed(&self.batch, &self.cut, self.first_row, &self.spare);
        let framed = framed.map_err(|error| error.shifted(self.first_row))?;
        let Range { start, end } = self.cut.rows;
        Ok(Encoded { rows: self.first_row + start as u64..self.first_row + end as u64, framed })
    }
}

/// The chunks of the batches, one by one.
struct Chunks<P, I> {
    plan: Arc<P>,
    batches: I,
    options: Chunking,
    batch: Option<RecordBatch>,
    cuts: VecDeque<Cut>,
    spare: Spare,
    /// Rows of the table before `batch`.
    rows: u64,
}

impl<P, I, E> Chunks<P, I>
where
    P: Plan,
    I: Iterator<Item = Result<RecordBatch, E>>,
    E: From<Error>,
{
    fn next(&mut self) -> Option<Result<Chunk<P>, E>> {
        loop {
            if let (Some(batch), Some(cut)) = (&self.batch, self.cuts.pop_front()) {
                let (plan, batch, spare) = (Arc::clone(&self.plan), batch.clone(), self.spare.clone());
                return Some(Ok(Chunk { plan, batch, cut, spare, first_row: self.rows }));
            }
            self.rows += self.batch.take().map_or(0, |batch| batch.num_rows() as u64);
            if let Err(error) = self.batches.next()?.and_then(|batch| Ok(self.cut(batch)?)) {
                return Some(Err(error));
            }
        }
    }

    fn cut(&mut self, batch: RecordBatch) -> Result<(), Error> {
        let cuts = self.plan.cut(&batch, self.rows, self.options);
        self.cuts = cuts.map_err(|error| error.shifted(self.rows))?.into();
        self.batch = Some(batch);
        Ok(())
    }
}

/// The chunks that were started and not yet taken, oldest first.
struct Window<P, I, E> {
    source: Chunks<P, I>,
    pending: VecDeque<Pending<E>>,
    ahead_max: usize,
    stopped: Arc<AtomicBool>,
    is_exhausted: bool,
}

enum Pending<E> {
    /// Being encoded elsewhere.
    Started(Receiver<Result<Encoded, Error>>),
    /// Already known.
    Settled(Result<Encoded, E>),
}

impl<P, I, E> Window<P, I, E>
where
    P: Plan,
    I: Iterator<Item = Result<RecordBatch, E>>,
    E: From<Error>,
{
    fn fill(&mut self) {
        while !self.is_exhausted && self.pending.len() < self.ahead_max {
            match self.source.next() {
                Some(Ok(chunk)) => self.pending.push_back(start(chunk, &self.stopped)),
                Some(Err(error)) => {
                    self.is_exhausted = true;
                    self.pending.push_back(Pending::Settled(Err(error)));
                }
                None => self.is_exhausted = true,
            }
        }
    }
}

fn start<P: Plan, E: From<Error>>(chunk: Chunk<P>, stopped: &Arc<AtomicBool>) -> Pending<E> {
    // A worker of the pool must not wait for its own pool: with one worker nobody would be left to encode.
    if rayon::current_thread_index().is_some() {
        return Pending::Settled(chunk.encode().map_err(E::from));
    }
    let (sender, receiver) = sync_channel(1);
    let stopped = Arc::clone(stopped);
    rayon::spawn(move || {
        if !stopped.load(Ordering::Relaxed) {
            // The taker may be gone: then nobody wants the message.
            drop(sender.send(chunk.encode()));
        }
    });
    Pending::Started(receiver)
}

impl<E: From<Error>> Pending<E> {
    fn wait(self) -> Result<Encoded, E> {
        match self {
            // A worker that panicked hangs up without a message: that must not look like the end of the table.
            Self::Started(receiver) => receiver.recv().unwrap_or(Err(Error::WorkerLost)).map_err(E::from),
            Self::Settled(encoded) => encoded,
        }
    }
}

impl<P, I, E> Iterator for Window<P, I, E>
where
    P: Plan,
    I: Iterator<Item = Result<RecordBatch, E>>,
    E: From<Error>,
{
    type Item = Result<Encoded, E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill();
        let oldest = self.pending.pop_front()?.wait();
        if oldest.is_err() {
            self.is_exhausted = true;
            self.pending.clear();
            self.stopped.store(true, Ordering::Relaxed);
        }
        Some(oldest)
    }
}

impl<P, I, E> Drop for Window<P, I, E> {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}
