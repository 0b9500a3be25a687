//! What a pull did, as the caller and `--json` learn it.

use std::{path::PathBuf, time::Duration};

use super::Row;
use crate::client::push::Sizes;

/// A pull that received everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The domain received.
    pub domain: String,
    /// Sizes of what was received, in all attempts.
    pub received: Sizes,
    /// From the first attempt to the end.
    pub elapsed: Duration,
    /// From the request to the first chunk.
    pub time_to_first_chunk: Option<Duration>,
    /// Attempts made.
    pub attempts: u32,
    /// The first row received.
    pub first: Option<Row>,
    /// The last row received.
    pub last: Option<Row>,
    /// The dimension of every vector.
    pub dimension: Option<usize>,
    /// The id of the last row, or the checkpoint if none stands behind it: what to go on behind.
    pub checkpoint: Option<String>,
    /// Whether the server did not know the checkpoint that it was asked to begin behind, and sent all rows.
    pub checkpoint_unknown: bool,
    /// Rows of the server's table, if it says so.
    pub total_rows: Option<u64>,
    /// The fingerprint of the server's table, if it says so; else of what was written.
    pub fingerprint: Option<String>,
    /// Whether the server said where each chunk's rows stand and what they add up to, and it was so.
    pub verified: bool,
    /// Rows with an id that an earlier row has.
    pub repeated_ids: u64,
    /// The data set, if one was written.
    pub written: Option<Written>,
}

/// A data set that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where, as `DIR/NAME`.
    pub dataset: PathBuf,
    /// Its fingerprint.
    pub fingerprint: String,
}
