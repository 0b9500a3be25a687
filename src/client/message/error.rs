//! What can go wrong when a table is sent to somebody else's RPC.

use std::{io, path::PathBuf, sync::Arc};

use tonic::{Code, Status};

use crate::{
    client::{
        Misfit, Target,
        push::{self, code_name},
    },
    file, schema, wire,
};

/// Why a table was not sent, or not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data set could not be read.
    #[error(transparent)]
    Local(#[from] push::Error),
    /// The rows do not fit the messages.
    #[error(transparent)]
    Wire(Box<wire::Error>),
    /// The `.proto` file does not compile.
    #[error("{what}")]
    Proto {
        /// Where and what, as the compiler says it.
        what: String,
    },
    /// The `.proto` file or the map cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The map is longer than any map.
    #[error("{}: {bytes} bytes, a map has at most {bytes_max}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The bound.
        bytes_max: usize,
    },
    /// The map is not one.
    #[error(transparent)]
    Map(#[from] schema::Error),
    /// The name of the RPC is no path.
    #[error("{rpc:?} is not the name of an RPC")]
    Path {
        /// The RPC.
        rpc: String,
    },
    /// The server, or the way to it.
    #[error("{failed}; {outcome}")]
    Remote {
        /// The failure.
        #[source]
        failed: Failed,
        /// What the server is known to have.
        outcome: String,
    },
}

/// How a call failed at the server or on the way.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The call ended with a status other than OK.
    #[error("{}: {}", code_name(status.code()), status.message())]
    Status {
        /// What the server, or the transport, said.
        status: Box<Status>,
    },
    /// No connection.
    #[error("{target} is not reached")]
    Connect {
        /// Where.
        target: String,
        /// Why not.
        #[source]
        source: Arc<tonic::transport::Error>,
    },
    /// A server that this client cannot talk to.
    #[error("{0}")]
    Misfit(Misfit),
    /// No connection before the deadline.
    #[error("{target} is not reached before the deadline")]
    Deadline {
        /// Where.
        target: String,
    },
}

impl Failed {
    /// No connection to `target`.
    pub(super) fn unreached(target: &Target, source: tonic::transport::Error) -> Self {
        Misfit::among(&source).map_or_else(
            || Self::Connect { target: target.to_string(), source: Arc::new(source) },
            Self::Misfit,
        )
    }

    /// What a call ended with.
    pub(super) fn of(status: Status) -> Self {
        Misfit::among(&status).map_or_else(|| Self::Status { status: Box::new(status) }, Self::Misfit)
    }

    /// Whether no server was reached or it stopped answering, as opposed to one that refused.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Status { status } => matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded),
            Self::Connect { .. } | Self::Misfit(_) | Self::Deadline { .. } => true,
        }
    }
}

impl From<file::Error> for Error {
    fn from(error: file::Error) -> Self {
        Self::Local(error.into())
    }
}

impl From<wire::Error> for Error {
    fn from(error: wire::Error) -> Self {
        Self::Wire(Box::new(error))
    }
}
