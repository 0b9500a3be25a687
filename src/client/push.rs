//! Pushing a data set: exactly once to a server that keeps sessions (`session`), at least once, by whole streams, to one
//! that only takes `IngestDataStream`.
//!
//! The data set is mapped, encoded on all cores (`feed`) in the server's `dialect` and handed to the connection through a
//! short channel, from which the request's body takes it without copying (`body`). One stream is one `attempt`; what may
//! be tried again is decided in `retry`.

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
mod dialect;
mod error;
pub(super) mod feed;
mod progress;
mod report;
pub(super) mod retry;
mod selection;
mod session;

pub use dialect::Dialect;
pub(super) use error::innermost;
pub use error::{Error, Failed, code_name};
pub use feed::Feed;
pub use progress::{Progress, Silent};
pub use report::{Guarantee, Nulls, Report, SessionReport, Sizes};
pub use retry::Backoff;
pub use selection::Selection;
pub use session::{SessionOptions, new_salt};

use retry::{History, Verdict};

/// What to push, where and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data set, as `DIR/NAME`.
    pub dataset: PathBuf,
    /// The server.
    pub target: Target,
    /// How the server wants its rows.
    pub dialect: Dialect,
    /// Which rows.
    pub rows: Selection,
    /// How a session is made, if it is one.
    pub session: SessionOptions,
    /// Bounds of one message.
    pub chunks: ChunkSize,
    /// How long everything may take; in a session, how long it may take without an acknowledgement.
    pub deadline: Duration,
    /// How long one stream of a dialect without sessions may take; none: what is left of the deadline.
    pub timeout: Option<Duration>,
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
    /// By the dimension, about 1.5 MB; 100 as JSON text.
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
            dialect: Dialect::default(),
            rows: Selection::default(),
            session: SessionOptions::default(),
            chunks: ChunkSize::default(),
            deadline: limits::DEADLINE,
            timeout: None,
            attempts: limits::ATTEMPTS,
            backoff: Backoff::default(),
        }
    }
}

/// Encodes what a push would send, to nowhere.
pub fn dry_run(feed: &Feed, session: &SessionOptions) -> Result<Sizes, Error> {
    match feed.dialect() {
        Dialect::Session => session::dry_run(feed, session),
        Dialect::TypedV1 | Dialect::JsonV1 => feed.dry_run(),
    }
}

/// Pushes a data set. Dropping the future ends the stream; the server then keeps nothing of it.
pub async fn push(options: &Options, progress: Arc<dyn Progress>) -> Result<Report, Error> {
    let push = Push::new(options, progress);
    push.in_dialect(options.dialect, |_| None).await.map_err(|error| options.dialect.hinted(error))
}

/// The same, in an older dialect if the server does not know the one of `options`.
pub async fn push_downgrading(options: &Options, progress: Arc<dyn Progress>) -> Result<Report, Error> {
    let push = Push::new(options, progress);
    let mut dialect = options.dialect;
    loop {
        let outcome = push.in_dialect(dialect, |error| dialect.older_for(error)).await;
        let Some(older) = outcome.as_ref().err().and_then(|error| dialect.older_for(error)) else {
            return outcome;
        };
        push.progress.downgraded(dialect, older);
        dialect = older;
    }
}

/// One push, over all its dialects and attempts.
struct Push<'a> {
    options: &'a Options,
    progress: Arc<dyn Progress>,
    started: Instant,
}

impl<'a> Push<'a> {
    /// Whether a failure only says that the server does not know sessions.
    fn is_unknown_method(failed: &Failed, attempts: u32) -> bool {
        let error = Error::Remote { failed: failed.clone(), attempts };
        Dialect::Session.older_for(&error).is_some()
    }

    fn new(options: &'a Options, progress: Arc<dyn Progress>) -> Self {
        Self { options, progress, started: Instant::now() }
    }

    /// Sends whole streams until one is confirmed or none is worth trying. A failure for which there is an `older` dialect
    /// is not told to who watches: it only says what the server is.
    async fn in_dialect(
        &self,
        dialect: Dialect,
        older: impl Fn(&Error) -> Option<Dialect>,
    ) -> Result<Report, Error> {
        let Self { options, progress, started } = self;
        let feed = Feed::open(&options.dataset, options.chunks, dialect)?.select(&options.rows)?;
        progress.begins(dialect, feed.unfilled());
        if dialect == Dialect::Session {
            return session::run(self, &feed).await;
        }
        let deadline = time::Instant::from_std(*started) + options.deadline;
        let mut history = History::new(options.attempts, options.backoff);
        loop {
            feed.check_unchanged()?;
            let until = options.timeout.map_or(deadline, |time| deadline.min(time::Instant::now() + time));
            let failed = match attempt::run(&feed, &options.target, until, progress).await {
                Ok(sent) => return feed.report(sent, history.attempt(), started.elapsed()),
                Err(attempt::Error::Local(error)) => return Err(error),
                Err(attempt::Error::Remote(failed)) => failed,
            };
            let error = Error::Remote { failed: failed.clone(), attempts: history.attempt() };
            if older(&error).is_some() {
                return Err(error);
            }
            progress.failed(&failed);
            match history.judge(&failed, deadline) {
                Verdict::Again(pause) => {
                    progress.retrying(history.attempt(), options.attempts, pause);
                    time::sleep(pause).await;
                }
                Verdict::GiveUp => {
                    progress.gave_up(history.attempt(), &failed);
                    return Err(error);
                }
            }
        }
    }
}
