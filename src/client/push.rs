//! Pushing a data set to a server that takes `IngestDataStream`: at least once, by whole streams.
//!
//! The data set is mapped, encoded on all cores (`feed`) and handed to the connection through a short channel, from
//! which the request's body takes it without copying (`body`). One stream is one `attempt`; what may be tried again
//! is decided in `retry`.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time;

use super::Target;
use crate::limits::{client as limits, wire::SEND_BYTES_MAX};

pub(super) mod attempt;
pub(super) mod body;
mod error;
pub(super) mod feed;
mod progress;
mod report;
mod retry;

pub use error::{Error, Failed, code_name};
pub use feed::Feed;
pub use progress::{Progress, Silent};
pub use report::{Guarantee, Nulls, Report, Sizes};
pub use retry::Backoff;

use retry::{History, Verdict};

/// What to push, where and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data set, as `DIR/NAME`.
    pub dataset: PathBuf,
    /// The server.
    pub target: Target,
    /// Bounds of one message.
    pub chunks: ChunkSize,
    /// How long everything may take.
    pub deadline: Duration,
    /// Attempts in all.
    pub attempts: u32,
    /// The pauses between attempts.
    pub backoff: Backoff,
}

/// How large messages are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChunkSize {
    /// How many rows.
    pub rows: ChunkRows,
    /// Encoded bytes at most.
    pub message_bytes_max: usize,
}

/// How many rows go into a chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ChunkRows {
    /// By the dimension: about 1.5 MB.
    Default,
    /// As many as this.
    Fixed(usize),
    /// What a line of this bandwidth, in Mbit/s, carries in a tenth of a second.
    Auto(f64),
}

impl Default for ChunkSize {
    fn default() -> Self {
        Self { rows: ChunkRows::Default, message_bytes_max: SEND_BYTES_MAX }
    }
}

impl Options {
    /// Pushes `dataset` to `target` with the default bounds.
    pub fn new(dataset: impl Into<PathBuf>, target: Target) -> Self {
        Self {
            dataset: dataset.into(),
            target,
            chunks: ChunkSize::default(),
            deadline: limits::DEADLINE,
            attempts: limits::ATTEMPTS,
            backoff: Backoff::default(),
        }
    }
}

/// Pushes a data set. Dropping the future ends the stream; the server then keeps nothing of it.
pub async fn push(options: &Options, progress: Arc<dyn Progress>) -> Result<Report, Error> {
    let started = Instant::now();
    let feed = Feed::open(&options.dataset, options.chunks)?;
    let deadline = time::Instant::from_std(started) + options.deadline;
    let mut history = History::new(options.attempts, options.backoff);
    loop {
        feed.check_unchanged()?;
        let attempt = attempt::run(&feed, &options.target, deadline, &progress);
        let failed = match attempt.await {
            Ok(sent) => return feed.report(sent, history.attempt(), started.elapsed()),
            Err(attempt::Error::Local(error)) => return Err(error),
            Err(attempt::Error::Remote(failed)) => failed,
        };
        progress.failed(&failed);
        match history.judge(&failed, deadline) {
            Verdict::Again(pause) => {
                progress.retrying(history.attempt(), options.attempts, pause);
                time::sleep(pause).await;
            }
            Verdict::GiveUp => {
                progress.gave_up(history.attempt(), &failed);
                return Err(Error::Remote { failed, attempts: history.attempt() });
            }
        }
    }
}
