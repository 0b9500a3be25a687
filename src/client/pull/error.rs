//! What can go wrong in a pull: at the server, on the way, or with what came.

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    client::{Misfit, push::code_name, push::retry::may_pass},
    digest, file, wire,
};

/// Why a pull failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server, or the way to it.
    #[error("{failed}")]
    Remote {
        /// The last failure.
        failed: Failed,
        /// Attempts made.
        attempts: u32,
    },
    /// A message that is not what it should be.
    #[error("read the server's chunk {chunk}")]
    Wire {
        /// Which one, counted from 1.
        chunk: u64,
        /// What is wrong; its row is counted from the first one received.
        source: Box<wire::Error>,
    },
    /// Rows of another domain than was asked for.
    #[error(
        "the server sent {found:?}, which are not the {domain} rows that were asked for: a server of the original contract \
         serves one table and knows no --domain"
    )]
    OtherDomain {
        /// The domain asked for.
        domain: String,
        /// The field that was found.
        found: String,
    },
    /// A row without a vector.
    #[error("the first row has no vector")]
    NoVector,
    /// A row whose id is none.
    #[error("row {row}: {id:?} is no id of the domain")]
    BadId {
        /// The row, counted from the first one received.
        row: u64,
        /// What stands in its place.
        id: String,
    },
    /// Ids that came more than once, from a server that says nothing of where rows stand.
    #[error(
        "{rows} rows have an id that an earlier row has, such as rows {first} and {second}: the server sent rows twice, or \
         its table holds them twice"
    )]
    RepeatedIds {
        /// How many rows.
        rows: u64,
        /// One of them.
        first: u64,
        /// The next row with its id.
        second: u64,
    },
    /// The stream broke behind a row whose id is not its own.
    #[error(
        "{failed}; the last id, {id}, came more than once, so that the server cannot be asked for the rows behind it"
    )]
    Ambiguous {
        /// The id.
        id: String,
        /// Why the stream has to be taken up again.
        failed: Failed,
    },
    /// The server does not know its own row any more, or does not look at checkpoints.
    #[error("the server did not go on behind id {checkpoint}: it began again")]
    Restarted {
        /// Where it should have gone on.
        checkpoint: String,
    },
    /// The server does not know what was asked for.
    #[error(
        "the server knows only the original contract, without {option}: whether it did as asked is not known"
    )]
    Unsupported {
        /// The option.
        option: &'static str,
    },
    /// The table changed between two attempts.
    #[error("the server's table changed while it was being pulled: run the command again")]
    Changed,
    /// Chunks that contradict each other or themselves.
    #[error("chunk {chunk}: {what}")]
    Contradiction {
        /// Which one, counted from 1.
        chunk: u64,
        /// What is wrong.
        what: Contradiction,
    },
    /// All rows of the table came, and they are not those of its fingerprint.
    #[error("the rows received are not those of the table: its fingerprint is {announced}, theirs {found}")]
    Fingerprint {
        /// What the server says.
        announced: String,
        /// What was received.
        found: String,
    },
    /// There is nothing to make a data set of, although the whole table was asked for.
    #[error("the server's table has no row, so there is no data set to write")]
    NoRows,
    /// The rows could not be hashed.
    #[error("hash the rows")]
    Digest(#[from] digest::Error),
    /// The data set could not be written.
    #[error("write the data set")]
    File(#[source] Box<file::Error>),
}

/// What a chunk says of itself that is not so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// Rows are missing or come again.
    #[error("it begins with row {found}, expected was row {expected}")]
    Place {
        /// The row that had to follow.
        expected: u64,
        /// The row that the chunk says it begins with.
        found: u64,
    },
    /// Rows were lost inside the chunk.
    #[error("it says it has {announced} rows and has {found}")]
    Rows {
        /// What it says.
        announced: u32,
        /// What it has.
        found: usize,
    },
    /// The rows are not those that the server read.
    #[error("its rows do not add up to the digest that it carries")]
    Digest,
    /// More rows than the table has.
    #[error("its rows go beyond the {total_rows} of the table")]
    Beyond {
        /// Rows of the table.
        total_rows: u64,
    },
    /// The first chunk must say what table it is of.
    #[error("it is the first and names neither the rows of the table nor their fingerprint")]
    Anonymous,
    /// Chunks say where they stand, or none does.
    #[error("it says where its rows stand and others do not, or the other way round")]
    Mixed,
}

/// How an attempt failed at the server or on the way.
#[derive(Debug, Clone, thiserror::Error)]
#[error("RPC failed: {} - {details}", code_name(*code))]
pub struct Failed {
    /// The gRPC code.
    pub code: Code,
    /// What the server, or the transport, said.
    pub details: String,
    /// The reason's name, if a server of ours gave one.
    pub reason: Option<String>,
    /// Why this client cannot talk to the server at all, if that is known.
    pub misfit: Option<Misfit>,
}

impl Failed {
    /// What the server, or the transport, answered.
    pub(super) fn of(status: &Status) -> Self {
        if let Some(misfit) = Misfit::among(status) {
            return misfit.into();
        }
        let reason = status.get_details_error_info().map(|info| info.reason);
        Self { code: status.code(), details: status.message().to_owned(), reason, misfit: None }
    }

    /// A stream that ended in good order before its last row.
    pub(super) fn cut_short(next: u64, total_rows: u64) -> Self {
        let details = format!("the stream ended before row {next} of {total_rows}");
        Self { code: Code::Unavailable, details, reason: None, misfit: None }
    }

    /// Whether the cause may go away by itself.
    pub(super) fn may_pass(&self) -> bool {
        self.misfit.is_none() && may_pass(self.code)
    }

    /// Whether no server was reached or it stopped answering, as opposed to one that refused.
    pub fn is_unreachable(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::DeadlineExceeded)
    }
}

impl From<Misfit> for Failed {
    fn from(misfit: Misfit) -> Self {
        Self { code: Code::Unavailable, details: misfit.to_string(), reason: None, misfit: Some(misfit) }
    }
}

impl From<file::Error> for Error {
    fn from(error: file::Error) -> Self {
        Self::File(Box::new(error))
    }
}
