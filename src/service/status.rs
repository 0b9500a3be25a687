//! The one place where errors become gRPC statuses.

use std::{error::Error as StdError, io};

use tonic::{Code, Status};

use super::ingest::Refusal;
use crate::store;

/// The status of a refused ingest stream.
pub(crate) fn of_refusal(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::MetadataMissing
        | Refusal::MetadataChanged { .. }
        | Refusal::UnknownDomain(_)
        | Refusal::Dimension { .. }
        | Refusal::OtherKind { .. } => Status::invalid_argument(refusal.to_string()),
        Refusal::Chunk { source, .. } => Status::new(of_wire(source), refusal.to_string()),
        Refusal::Store(error) => of_store(error),
    }
}

fn of_wire(_error: &crate::wire::Error) -> Code {
    Code::InvalidArgument
}

fn of_store(error: &store::Error) -> Status {
    match error {
        store::Error::OtherDimension { .. } | store::Error::OtherColumns { .. } => {
            Status::failed_precondition(error.to_string())
        }
        store::Error::BadKey { .. } => Status::invalid_argument(error.to_string()),
        store::Error::TooManyRows { .. } => Status::resource_exhausted(error.to_string()),
        other if is_full(other) => Status::resource_exhausted("the store is full"),
        other => internal(other),
    }
}

fn is_full(error: &(dyn StdError + 'static)) -> bool {
    let full = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
    };
    chain(error).any(|error| error.downcast_ref::<io::Error>().is_some_and(full))
}

/// Logs what happened and tells the peer only that it did.
#[allow(clippy::print_stderr, reason = "the server's log is stderr")]
pub(crate) fn internal(error: &(dyn StdError + 'static)) -> Status {
    let causes: Vec<String> = chain(error).map(ToString::to_string).collect();
    eprintln!("error: {}", causes.join(": "));
    Status::internal("internal error of the server; its log says more")
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
