//! What a push tells whoever watches it.

use std::time::Duration;

use super::{Failed, Sizes};

/// Watches a push. Called from the task that sends: return soon.
pub trait Progress: Send + Sync {
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
