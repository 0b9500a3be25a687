//! Why a session refuses, in words that a client can act on: the reason decides, never the bare status code.

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The chunk does not begin where the session stands: go on from `expected_row`.
    #[error("row {expected_row} is expected next")]
    OffsetGap {
        /// The next row.
        expected_row: u64,
    },
    /// The chunk ends behind the last row that the session announced.
    #[error("the chunk goes beyond the rows that the session announced")]
    BeyondEnd,
    /// A newer attempt holds the session: stop.
    #[error("a newer attempt, epoch {epoch}, holds the session")]
    Fenced {
        /// Its epoch.
        epoch: u64,
    },
    /// Other rows than the session was opened for: begin a new one.
    #[error("the session was opened for other rows")]
    FingerprintMismatch,
    /// What was sent before is not what the client has now: begin a new session.
    #[error("the rows before row {committed_rows} are not those that were stored")]
    PrefixMismatch {
        /// How many were stored.
        committed_rows: u64,
    },
    /// The rows are not those that the chunk announces: send it again.
    #[error("the rows of the chunk at row {first_row} are not those it announces")]
    ChunkCorrupt {
        /// Its first row.
        first_row: u64,
    },
    /// Everything is in already: a success, if it was for the same rows.
    #[error("the session is finalized")]
    SessionFinalized,
    /// Nobody knows the session, or not this attempt: open it.
    #[error("the session is not open")]
    SessionUnknown,
    /// A commit before the last row.
    #[error("only {committed_rows} rows are durable")]
    Incomplete {
        /// How many are.
        committed_rows: u64,
    },
}

impl Refusal {
    /// The reason's name on the wire.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::OffsetGap { .. } => "OFFSET_GAP",
            Self::BeyondEnd => "ROW_INVALID",
            Self::Fenced { .. } => "FENCED",
            Self::FingerprintMismatch => "FINGERPRINT_MISMATCH",
            Self::PrefixMismatch { .. } => "PREFIX_MISMATCH",
            Self::ChunkCorrupt { .. } => "CHUNK_CORRUPT",
            Self::SessionFinalized => "SESSION_FINALIZED",
            Self::SessionUnknown => "SESSION_UNKNOWN",
            Self::Incomplete { .. } => "INCOMPLETE",
        }
    }
}
