//! What can go wrong in a push: here, or at the server.

use tonic::{Code, Status};

use super::{Dialect, retry::may_pass};
use crate::{
    client::{Misfit, Target, target::is_distrust},
    file,
    limits::client as limits,
    wire,
};

/// The reason of rows that a server cannot take, or cannot read.
pub(super) const ROW_INVALID: &str = "ROW_INVALID";

/// Why a push failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data set could not be read.
    #[error("read the data set")]
    File(#[source] Box<file::Error>),
    /// The rows do not fit the messages.
    #[error("encode the data set")]
    Wire(#[source] Box<wire::Error>),
    /// The data set belongs to no domain.
    #[error("the data set has no domain: only data sets converted with a domain's schema can be streamed")]
    NoDomain,
    /// The data set names a domain that this program does not know.
    #[error("Unknown domain: {0}")]
    UnknownDomain(String),
    /// The data set has no column of vectors.
    #[error("the data set has no column of vectors")]
    NoVector,
    /// Rows with a key that another row has, which an old server may refuse or mix up.
    #[error(
        "{rows} rows have a key that an earlier row has, and a {dialect} server may refuse a chunk with both: convert the \
         source again with --on-bad-row skip, which keeps the first row of each key"
    )]
    RepeatedKeys {
        /// How many rows.
        rows: u64,
        /// The dialect that cannot carry them.
        dialect: Dialect,
    },
    /// The data set was replaced between two attempts.
    #[error("the data set was changed while it was being sent: run the command again")]
    Changed,
    /// The data set's columns are not those of its domain, by which the receiver digests rows.
    #[error(
        "the columns of the data set are not those of domain {domain:?}: convert it again with this version"
    )]
    OtherColumns {
        /// The domain.
        domain: String,
    },
    /// Rows were asked for that the data set does not have.
    #[error("the data set has {rows} rows: {asked} are not among them")]
    Selection {
        /// What was asked for.
        asked: String,
        /// Rows of the data set.
        rows: u64,
    },
    /// The session on the server began with other rows.
    #[error(
        "the {rows} rows that the server has of this session are not those of the data set: send it anew with --new-run"
    )]
    Prefix {
        /// How many it has.
        rows: u64,
    },
    /// Another attempt holds the session.
    #[error("another run sends the same rows to the same server and has taken over: {message}")]
    Fenced {
        /// The server's words.
        message: String,
    },
    /// The server refused for a reason that another attempt does not change.
    #[error("Batch Server refused ({reason}): {message}")]
    Refused {
        /// The reason's name.
        reason: String,
        /// The server's words.
        message: String,
    },
    /// The server, or the way to it.
    #[error("{failed}")]
    Remote {
        /// The last failure.
        #[source]
        failed: Failed,
        /// Attempts made.
        attempts: u32,
    },
}

/// How one attempt failed at the server or on the way.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The call ended with a status other than OK. The sentences are those of the published client.
    #[error("{}", sentence(status))]
    Status {
        /// What the server, or the transport, said.
        #[source]
        status: Box<Status>,
        /// Chunks handed to the connection.
        chunks: u64,
    },
    /// No connection.
    #[error("Batch Server unavailable: {target}")]
    Connect {
        /// Where.
        target: String,
        /// Why not.
        #[source]
        source: std::sync::Arc<tonic::transport::Error>,
    },
    /// A server that this client cannot talk to.
    #[error("Batch Server unavailable: {0}")]
    Misfit(Misfit),
    /// The call succeeded, the answer did not.
    #[error("Batch Server answered status {status:?}: {message}")]
    Answer {
        /// The `status` of the answer.
        status: String,
        /// Its `message`.
        message: String,
    },
    /// The server refused for a reason that may pass.
    #[error("Batch Server refused for now ({reason}): {message}")]
    Reason {
        /// The reason's name.
        reason: String,
        /// The server's words.
        message: String,
    },
    /// The stream ended before all rows were acknowledged.
    #[error("Batch Server ended the stream after {acknowledged} acknowledged rows")]
    Unfinished {
        /// Rows that it acknowledged.
        acknowledged: u64,
    },
    /// The server counted something else than was sent.
    #[error(
        "Batch Server counted {}{chunks_received} chunks, sent were {rows_sent} rows in {chunks_sent} chunks",
        rows_in(*rows_received)
    )]
    Counts {
        /// What was sent.
        rows_sent: u64,
        /// What was sent.
        chunks_sent: u64,
        /// What the server says, if it counts rows.
        rows_received: Option<i32>,
        /// What the server says.
        chunks_received: i32,
    },
}

impl From<file::Error> for Error {
    fn from(error: file::Error) -> Self {
        Self::File(Box::new(error))
    }
}

impl From<wire::Error> for Error {
    fn from(error: wire::Error) -> Self {
        Self::Wire(Box::new(error))
    }
}

fn rows_in(rows: Option<i32>) -> String {
    rows.map_or_else(String::new, |rows| format!("{rows} rows in "))
}

impl Error {
    /// The same error with its row counted `rows` further on: of the data set, where it was of what is sent of it.
    pub(in crate::client) fn shifted(self, rows: u64) -> Self {
        match self {
            Self::Wire(error) => Self::Wire(Box::new(error.shifted(rows))),
            other => other,
        }
    }
}

fn sentence(status: &Status) -> String {
    match status.code() {
        Code::Unavailable => "Batch Server unavailable".to_owned(),
        Code::DeadlineExceeded => "Request timeout".to_owned(),
        Code::ResourceExhausted => "Batch Server resource exhausted".to_owned(),
        Code::InvalidArgument => format!("Invalid argument: {}", status.message()),
        code => format!("Unknown gRPC error: {}, {}", code_name(code), status.message()),
    }
}

impl Failed {
    /// No connection to `target`.
    pub(super) fn unreached(target: &Target, source: tonic::transport::Error) -> Self {
        Misfit::among(&source).map_or_else(
            || Self::Connect { target: target.to_string(), source: std::sync::Arc::new(source) },
            Self::Misfit,
        )
    }

    /// What a call ended with, after so many chunks.
    pub(super) fn of(status: Status, chunks: u64) -> Self {
        Misfit::among(&status).map_or_else(|| Self::Status { status: Box::new(status), chunks }, Self::Misfit)
    }

    /// Whether the cause may go away by itself.
    pub(super) fn may_pass(&self) -> bool {
        !matches!(self, Self::Misfit(_)) && may_pass(self.code())
    }

    /// The gRPC code by which the failure is judged.
    pub fn code(&self) -> Code {
        match self {
            Self::Status { status, .. } => status.code(),
            Self::Connect { source, .. } if is_distrust(source) => Code::Unauthenticated,
            Self::Connect { .. } | Self::Misfit(_) | Self::Unfinished { .. } => Code::Unavailable,
            Self::Answer { .. } | Self::Counts { .. } => Code::FailedPrecondition,
            Self::Reason { .. } => Code::Aborted,
        }
    }

    /// What the server or the transport said of it.
    pub fn details(&self) -> String {
        match self {
            Self::Status { status, .. } => status.message().to_owned(),
            Self::Connect { source, .. } => innermost(source.as_ref()),
            Self::Misfit(misfit) => misfit.to_string(),
            Self::Answer { .. } | Self::Counts { .. } | Self::Reason { .. } | Self::Unfinished { .. } => {
                self.to_string()
            }
        }
    }

    /// The reason that is final when it was met too often without progress, and how often that is: rows that cannot be
    /// read again and again, a disk that stays full, a chunk that arrives damaged each time. On a line that damages one
    /// chunk in ten, the same one is hit three times in a row in most long transfers.
    pub(super) fn bounded(&self, attempts: u32) -> Option<(&str, u32)> {
        let Self::Reason { reason, .. } = self else { return None };
        match reason.as_str() {
            ROW_INVALID | "STORAGE_FULL" => Some((reason, attempts)),
            "CHUNK_CORRUPT" => Some((reason, attempts.max(limits::DAMAGED_ATTEMPTS))),
            _ => None,
        }
    }

    /// Whether no server was reached or it stopped answering, as opposed to one that refused.
    pub fn is_unreachable(&self) -> bool {
        matches!(self.code(), Code::Unavailable | Code::DeadlineExceeded)
    }
}

pub(in crate::client) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.last().map(ToString::to_string).unwrap_or_default()
}

/// The code's name as gRPC spells it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
