//! Sending a data set to somebody else's RPC, as messages that their `.proto` file describes.
//!
//! An RPC that takes a stream is called once; one that takes a message is called once for each chunk, in order. Nothing is
//! sent again, ever: what a foreign service makes of a message that it gets twice is not known. Nor is what it kept of a
//! stream that failed. So a send stops at the first failure and says how many rows were confirmed.
//!
//! Every cell is looked at before the connection is opened: a table that does not fit is refused before anything is sent.

mod contract;
mod error;
mod feed;
mod stream;
mod unary;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::uri::PathAndQuery;
use tokio::time;

use super::{
    Target,
    connection::Connection,
    push::{ChunkSize, Nulls, Progress, Selection, Sizes},
};

pub use contract::Source;
pub use error::{Error, Failed};
pub use feed::Feed;

/// What to send, where, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data set, as `DIR/NAME`.
    pub dataset: PathBuf,
    /// The RPC and the map.
    pub source: Source,
    /// The server.
    pub target: Target,
    /// Which rows.
    pub rows: Selection,
    /// Bounds of one message.
    pub chunks: ChunkSize,
    /// How long everything may take.
    pub deadline: Duration,
}

/// What the server answered OK to so far, for whoever watches.
#[derive(Debug, Default)]
pub struct Confirmed(Mutex<Standing>);

/// How far a send is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The first row that is sent, in the data set; those confirmed are the next ones from there.
    pub first_row: u64,
    /// What is confirmed.
    pub sizes: Sizes,
}

impl Confirmed {
    /// So much.
    pub fn standing(&self) -> Standing {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, standing: Standing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

/// A send that the server answered OK to.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The RPC.
    pub rpc: String,
    /// Whether it took everything in one stream.
    pub is_stream: bool,
    /// Sizes of what was sent.
    pub sent: Sizes,
    /// From opening the data set to the last answer.
    pub elapsed: Duration,
    /// From the first message to the last answer.
    pub send: Duration,
    /// Null cells of columns that were sent.
    pub nulls: Vec<Nulls>,
    /// The answer, or the last of them, as JSON; none if there was no call.
    pub answer: Option<serde_json::Value>,
    /// The content sent.
    pub fingerprint: String,
}

/// What a way of sending gives back.
struct Sent {
    sizes: Sizes,
    answer: Option<serde_json::Value>,
}

/// Sends a data set. Dropping the future ends the stream or the call that runs.
pub async fn send(
    options: &Options,
    progress: Arc<dyn Progress>,
    confirmed: &Confirmed,
) -> Result<Report, Error> {
    let started = Instant::now();
    let deadline = time::Instant::from_std(started) + options.deadline;
    let feed = Feed::open(&options.dataset, &options.source, options.chunks, &options.rows)?;
    feed.check()?;
    let channel = connect(&options.target, deadline).await?;
    let began = Instant::now();
    progress.began(feed.rows());
    let call = Call { feed: &feed, channel, path: feed.path()?, deadline, progress, confirmed };
    let is_stream = feed.contract().is_client_streaming();
    let sent = if is_stream { stream::send(call).await? } else { unary::send(call).await? };
    Ok(Report {
        rpc: feed.contract().name(),
        is_stream,
        sent: sent.sizes,
        elapsed: started.elapsed(),
        send: began.elapsed(),
        nulls: feed.nulls()?,
        answer: sent.answer,
        fingerprint: feed.fingerprint().to_owned(),
    })
}

/// What a way of sending needs.
struct Call<'a> {
    feed: &'a Feed,
    channel: Connection,
    path: PathAndQuery,
    deadline: time::Instant,
    progress: Arc<dyn Progress>,
    confirmed: &'a Confirmed,
}

impl Call<'_> {
    /// Notes that the server answered OK to so much.
    fn confirm(&self, sizes: Sizes) {
        self.confirmed.set(Standing { first_row: self.feed.first_row(), sizes });
    }
}

async fn connect(target: &Target, deadline: time::Instant) -> Result<Connection, Error> {
    let failed = match time::timeout_at(deadline, target.connect()).await {
        Ok(Ok(channel)) => return Ok(channel),
        Ok(Err(source)) => Failed::unreached(target, source),
        Err(_) => Failed::Deadline { target: target.to_string() },
    };
    Err(Error::Remote { failed, outcome: "nothing was sent".to_owned() })
}
