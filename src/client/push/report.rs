//! What a push did, as the caller and `--json` learn it.

use std::time::Duration;

use super::Dialect;

/// A push that the server confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The domain sent.
    pub domain: String,
    /// The dialect it was sent in.
    pub dialect: Dialect,
    /// Fields of the dialect that the data set lacks: they were sent empty.
    pub unfilled: Vec<String>,
    /// Sizes of what was sent: in the attempt that succeeded, or in all attempts of a session.
    pub sent: Sizes,
    /// From opening the data set to the answer.
    pub elapsed: Duration,
    /// From the first message of the successful attempt to the answer.
    pub send: Duration,
    /// Attempts made.
    pub attempts: u32,
    /// What the server is known to have now.
    pub guarantee: Guarantee,
    /// Cells that were null here and are empty on the wire.
    pub nulls: Vec<Nulls>,
    /// The server's own words.
    pub message: String,
    /// The content sent.
    pub fingerprint: String,
    /// The first row sent, in the data set.
    pub first_row: u64,
    /// The session, if it was one.
    pub session: Option<SessionReport>,
}

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionReport {
    /// Its name, in hexadecimal.
    pub id: String,
    /// Its first row in the data set.
    pub first_row: u64,
    /// Its rows; all of them are acknowledged.
    pub rows: u64,
    /// Rows that the server had when the push began.
    pub resumed_at: u64,
    /// The version of the server's table that holds the rows.
    pub version: u64,
}

/// Sizes of a stream of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows.
    pub rows: u64,
    /// Chunks, the metadata not among them.
    pub chunks: u64,
    /// Encoded bytes, the metadata among them.
    pub bytes: u64,
    /// Bytes of the largest message.
    pub largest: u64,
}

/// What a confirmed push means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Every row arrived; after a retry some may have arrived twice, which a server that upserts by key hides.
    AtLeastOnce,
    /// Every row is in the server's storage, once for this session, by its position.
    ExactlyOnce,
}

/// Null cells of a column that the wire carries as something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nulls {
    /// The column.
    pub column: String,
    /// How many cells.
    pub cells: u64,
}

impl Report {
    /// Rows that the server has because of this push.
    pub fn rows_delivered(&self) -> u64 {
        self.session.as_ref().map_or(self.sent.rows, |session| session.rows - session.resumed_at)
    }

    /// Rows that were on their way when a stream of a session broke, and went over the wire once more.
    pub fn rows_sent_again(&self) -> u64 {
        self.sent.rows.saturating_sub(self.rows_delivered())
    }
}

impl Sizes {
    /// Counts one message of `rows` rows.
    pub(in crate::client) fn add(&mut self, rows: u64, bytes: u64) {
        self.rows += rows;
        self.chunks += 1;
        self.bytes += bytes;
        self.largest = self.largest.max(bytes);
    }
}

impl Guarantee {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::AtLeastOnce => "at-least-once",
            Self::ExactlyOnce => "exactly-once",
        }
    }
}
