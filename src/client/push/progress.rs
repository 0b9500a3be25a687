//! What a push tells whoever watches it.

use std::time::Duration;

use super::{Dialect, Failed, Sizes};

/// Watches a push. Called from the task that sends: return soon.
pub trait Progress: Send + Sync {
    /// A push begins in `dialect`, of whose fields the data set lacks `unfilled`: they are sent empty.
    fn begins(&self, _dialect: Dialect, _unfilled: &[String]) {}
    /// The server does not know `dialect`; the push begins again in `older`.
    fn downgraded(&self, _dialect: Dialect, _older: Dialect) {}
    /// An attempt sends `domain` with vectors of `dimension`; `rows` are to follow.
    fn metadata(&self, domain: &str, dimension: usize, rows: u64);
    /// A stream without metadata begins; `rows` are to follow.
    fn began(&self, _rows: u64) {}
    /// Another chunk was handed to the connection.
    fn chunk(&self, sent: &Sizes);
    /// The last one was.
    fn completed(&self, sent: &Sizes);
    /// An attempt failed.
    fn failed(&self, failed: &Failed);
    /// Attempt `attempt` of `attempts` follows after a pause.
    fn retrying(&self, attempt: u32, attempts: u32, pause: Duration);
    /// The server has so many rows of the session already.
    fn resumed(&self, _rows: u64) {}
    /// So many rows of `total`, from row `first_row` of the data set on, are durable at the server.
    fn acknowledged(&self, _first_row: u64, _rows: u64, _total: u64) {}
    /// Attempt `attempt` goes on, after a pause, behind what is acknowledged.
    fn resuming(&self, _attempt: u32, _pause: Duration) {}
    /// No further attempt is made.
    fn gave_up(&self, attempts: u32, failed: &Failed);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn metadata(&self, _: &str, _: usize, _: u64) {}
    fn chunk(&self, _: &Sizes) {}
    fn completed(&self, _: &Sizes) {}
    fn failed(&self, _: &Failed) {}
    fn retrying(&self, _: u32, _: u32, _: Duration) {}
    fn gave_up(&self, _: u32, _: &Failed) {}
}
