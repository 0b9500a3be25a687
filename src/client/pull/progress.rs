//! What a pull tells whoever watches it.

use std::time::Duration;

use super::Failed;
use crate::client::push::Sizes;

/// Watches a pull. Called from the threads that receive and check: return soon.
pub trait Progress: Send + Sync {
    /// The server does not know `checkpoint`, and sends all rows.
    fn unknown_checkpoint(&self, _checkpoint: &str) {}
    /// `rows` are to come in all, as far as the server says.
    fn expected(&self, _rows: u64) {}
    /// Another chunk was received and checked; its last row has the id `last_id`.
    fn chunk(&self, _received: &Sizes, _last_id: &str) {}
    /// The last one was.
    fn completed(&self) {}
    /// An attempt failed, and another one follows: a failure that ends the pull is its error.
    fn failed(&self, _failed: &Failed) {}
    /// Attempt `attempt` of `attempts` since a row came goes on, after a pause, behind what was received.
    fn resuming(&self, _attempt: u32, _attempts: u32, _pause: Duration) {}
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
