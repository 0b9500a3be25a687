//! The one place where errors become gRPC statuses.

use std::{collections::HashMap, error::Error as StdError, io};

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{ingest::Refusal, stream::Refused};
use crate::{proto::embedding::session::v1::Reason, session::Refusal as State, store, wire};

/// The status of a refused call or stream. Why a session refused stands in the details too, because codes alone are also
/// made up by transports.
pub(crate) fn of_refusal(refusal: &Refusal) -> Status {
    let status = without_reason(refusal);
    let reason = match refusal {
        Refusal::Store(store::Error::Session(state)) => state.reason(),
        Refusal::Store(error) if is_full(error) => STORAGE_FULL,
        _ => return status,
    };
    let details = ErrorDetails::with_error_info(reason, REASONS, facts(refusal));
    Status::with_error_details(status.code(), status.message(), details)
}

/// The status of a request for rows that is refused, or of an answer that breaks off.
pub(crate) fn of_refused(refused: &Refused) -> Status {
    let reasoned = |reason: &str| {
        let details = ErrorDetails::with_error_info(reason, SERVING_REASONS, HashMap::new());
        Status::with_error_details(tonic::Code::FailedPrecondition, refused.to_string(), details)
    };
    match refused {
        Refused::ChunkSize(_) | Refused::UnknownDomain(_) | Refused::TwoPlaces => {
            Status::invalid_argument(refused.to_string())
        }
        Refused::NotServed { .. } => Status::not_found(refused.to_string()),
        Refused::BeyondEnd { .. } => Status::out_of_range(refused.to_string()),
        Refused::CheckpointUnknown(_) => reasoned("CHECKPOINT_UNKNOWN"),
        Refused::CheckpointAmbiguous { .. } => reasoned("CHECKPOINT_AMBIGUOUS"),
        Refused::Fingerprint { .. } => reasoned("FINGERPRINT_MISMATCH"),
        Refused::Busy => busy(refused.to_string()),
        Refused::Wire(wire::Error::RowTooLong { .. }) => Status::failed_precondition(refused.to_string()),
        Refused::Store(error) => match error.missing() {
            Some(path) => {
                let name = path.file_name().unwrap_or_default().display().to_string();
                Status::not_found(format!("Data file not found: {name}"))
            }
            None => internal(error),
        },
        other => internal(other),
    }
}

fn without_reason(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::NoSessions => Status::unimplemented(refusal.to_string()),
        Refusal::Unclear(_)
        | Refusal::NoHeader
        | Refusal::MetadataMissing
        | Refusal::MetadataChanged { .. }
        | Refusal::UnknownDomain(_)
        | Refusal::Dimension { .. } => Status::invalid_argument(refusal.to_string()),
        Refusal::Chunk { source, .. } => of_wire(source, &sentence(refusal)),
        Refusal::Store(error) => of_store(error),
    }
}

/// The status of a call for which there is no place now.
pub(crate) fn busy(told: String) -> Status {
    let details = ErrorDetails::with_retry_info(Some(crate::limits::server::PLACE_AGAIN));
    Status::with_error_details(tonic::Code::ResourceExhausted, told, details)
}

/// The status of a sender whose message does not arrive.
pub(crate) fn slow_sender() -> Status {
    let details = ErrorDetails::with_error_info("SLOW_SENDER", REASONS, HashMap::new());
    let told = "the message that was begun does not arrive: send it faster";
    Status::with_error_details(tonic::Code::Aborted, told, details)
}

/// The domains of the reasons in `google.rpc.ErrorInfo`.
const REASONS: &str = "embedding.session";
const SERVING_REASONS: &str = "embedding.serving";

/// The reason that is the disk's and not the session's.
const STORAGE_FULL: &str = "STORAGE_FULL";

/// Why a session refused a chunk, if it did: other errors are the server's, and end the stream.
pub(crate) fn reason_of(refusal: &Refusal) -> Option<Reason> {
    match refusal {
        Refusal::Store(store::Error::Session(state)) => {
            Reason::from_str_name(&format!("REASON_{}", state.reason()))
        }
        Refusal::Store(store::Error::BadKey { .. })
        | Refusal::Chunk { .. }
        | Refusal::NoHeader
        | Refusal::Unclear(_) => Some(Reason::RowInvalid),
        _ => None,
    }
}

fn facts(refusal: &Refusal) -> HashMap<String, String> {
    let Refusal::Store(store::Error::Session(state)) = refusal else { return HashMap::new() };
    let (name, value) = match state {
        State::OffsetGap { expected_row } => ("expected_row", *expected_row),
        State::PrefixMismatch { committed_rows } | State::Incomplete { committed_rows } => {
            ("committed_rows", *committed_rows)
        }
        State::Fenced { epoch } => ("epoch", *epoch),
        _ => return HashMap::new(),
    };
    HashMap::from([(name.to_owned(), value.to_string())])
}

fn of_state(state: &State) -> Status {
    let message = state.to_string();
    match state {
        State::OffsetGap { .. } => Status::out_of_range(message),
        State::BeyondEnd => Status::invalid_argument(message),
        State::Fenced { .. } => Status::aborted(message),
        State::FingerprintMismatch
        | State::PrefixMismatch { .. }
        | State::SessionFinalized
        | State::Incomplete { .. } => Status::failed_precondition(message),
        State::ChunkCorrupt { .. } => Status::data_loss(message),
        State::SessionUnknown => Status::not_found(message),
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
        store::Error::TooManyRows { .. } | store::Error::TooManySessions { .. } => {
            Status::resource_exhausted(error.to_string())
        }
        store::Error::Session(refusal) => of_state(refusal),
        damaged @ store::Error::DamagedSession { .. } => {
            internal(damaged);
            Status::failed_precondition(
                "what the store has of the session is damaged: send the rows as a new run (--new-run)",
            )
        }
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
pub(crate) fn internal(error: &(dyn StdError + 'static)) -> Status {
    tracing::error!("{}", sentence(error));
    Status::internal("internal error of the server; its log says more")
}

/// The error and its causes; a layer that repeats the one below it says it once.
pub(crate) fn sentence(error: &(dyn StdError + 'static)) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_a_reason_wherever_it_shows() {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let refusal = Refusal::Store(store::Error::Io { path: "x".into(), source });
        let status = of_refusal(&refusal);
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert_eq!(status.get_details_error_info().unwrap().reason, STORAGE_FULL);
        assert_eq!(reason_of(&refusal), None, "it ends the stream");
        let source = io::Error::from(io::ErrorKind::BrokenPipe);
        let other = of_refusal(&Refusal::Store(store::Error::Io { path: "x".into(), source }));
        assert_eq!(other.code(), tonic::Code::Internal);
        assert!(other.get_details_error_info().is_none());
    }
}
