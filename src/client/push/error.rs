//! What can go wrong in a push: here, or at the server.

use tonic::{Code, Status};

use super::Dialect;
use crate::{file, wire};

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
    /// The call succeeded, the answer did not.
    #[error("Batch Server answered status {status:?}: {message}")]
    Answer {
        /// The `status` of the answer.
        status: String,
        /// Its `message`.
        message: String,
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
    /// The gRPC code by which the failure is judged.
    pub fn code(&self) -> Code {
        match self {
            Self::Status { status, .. } => status.code(),
            Self::Connect { .. } => Code::Unavailable,
            Self::Answer { .. } | Self::Counts { .. } => Code::FailedPrecondition,
        }
    }

    /// What the server or the transport said of it.
    pub fn details(&self) -> String {
        match self {
            Self::Status { status, .. } => status.message().to_owned(),
            Self::Connect { source, .. } => innermost(source.as_ref()),
            Self::Answer { .. } | Self::Counts { .. } => self.to_string(),
        }
    }

    /// Whether no server was reached or it stopped answering, as opposed to one that refused.
    pub fn is_unreachable(&self) -> bool {
        matches!(self.code(), Code::Unavailable | Code::DeadlineExceeded)
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
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
