//! The one place where errors become gRPC statuses.

use std::{error::Error as StdError, io};

use tonic::Status;

use super::ingest::Refusal;
use crate::{store, wire};

/// The status of a refused ingest stream.
pub(crate) fn of_refusal(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::MetadataMissing
        | Refusal::MetadataChanged { .. }
        | Refusal::UnknownDomain(_)
        | Refusal::Dimension { .. } => Status::invalid_argument(refusal.to_string()),
        Refusal::Chunk { source, .. } => of_wire(source, &sentence(refusal)),
        Refusal::Store(error) => of_store(error),
    }
}

fn of_wire(error: &wire::Error, sentence: &str) -> Status {
    match error {
        wire::Error::MessageTooLong { .. } | wire::Error::TooManyRows { .. } => {
            Status::resource_exhausted(sentence)
        }
        wire::Error::Malformed { .. }
        | wire::Error::WireType { .. }
        | wire::Error::Dimension { .. }
        | wire::Error::Utf8 { .. }
        | wire::Error::ChunkKind { .. }
        | wire::Error::EnumName { .. }
        | wire::Error::Overflow { .. }
        | wire::Error::Metadata(_) => Status::invalid_argument(sentence),
        other => internal(other),
    }
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
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    };
    chain(error).any(|error| error.downcast_ref::<io::Error>().is_some_and(full))
}

/// Logs what happened and tells the peer only that it did.
#[allow(clippy::print_stderr, reason = "the server's log is stderr")]
pub(crate) fn internal(error: &(dyn StdError + 'static)) -> Status {
    eprintln!("error: {}", sentence(error));
    Status::internal("internal error of the server; its log says more")
}

/// The error and its causes; a layer that repeats the one below it says it once.
fn sentence(error: &(dyn StdError + 'static)) -> String {
    let mut sentence = error.to_string();
    for cause in chain(error).skip(1).map(ToString::to_string) {
        if !sentence.ends_with(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    sentence
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
