//! What follows from a refusal or a failure: another attempt, which asks the server first, or an end.

use tonic::{Code, Status, transport};
use tonic_types::StatusExt as _;

use super::super::{Error, Failed, attempt::of_transport, error::ROW_INVALID};
use crate::{
    client::Target,
    proto::embedding::session::v1::{AppendError, Reason},
};

/// What follows.
#[derive(Debug)]
pub(super) enum Next {
    /// Ask where the session stands, and go on from there.
    Again(Failed),
    /// Nothing that this process can mend.
    Stop(Error),
}

impl From<Error> for Next {
    fn from(error: Error) -> Self {
        Self::Stop(error)
    }
}

/// What follows from a status: by its reason if the server gave one, because transports make codes up.
pub(super) fn of_status(status: Status, chunks: u64) -> Next {
    let reason = status.get_details_error_info().map(|info| info.reason);
    if let Some(reason) = reason.and_then(|reason| Reason::from_str_name(&format!("REASON_{reason}"))) {
        return of_reason(reason, status.message());
    }
    let status = of_transport(status);
    let is_final = matches!(
        status.code(),
        Code::InvalidArgument | Code::Unauthenticated | Code::PermissionDenied | Code::FailedPrecondition
    );
    let failed = Failed::of(status, chunks);
    if is_final && !matches!(failed, Failed::Misfit(_)) {
        Next::Stop(Error::Remote { failed, attempts: 1 })
    } else {
        Next::Again(failed)
    }
}

/// What follows from a connection that did not come about. Whether a misfit is one for good, those know who know whether the
/// server was ever reached.
pub(super) fn of_unreached(target: &Target, error: transport::Error) -> Next {
    let failed = Failed::unreached(target, error);
    if failed.may_pass() || matches!(failed, Failed::Misfit(_)) {
        Next::Again(failed)
    } else {
        Next::Stop(Error::Remote { failed, attempts: 1 })
    }
}

/// What follows from the status that ended a stream of chunks: one that the server cannot read may have been changed on its
/// way as well.
pub(super) fn of_stream(status: Status) -> Next {
    let (code, message) = (status.code(), status.message().to_owned());
    match of_status(status, 0) {
        Next::Stop(Error::Remote { .. }) if code == Code::InvalidArgument => {
            Next::Again(Failed::Reason { reason: ROW_INVALID.to_owned(), message })
        }
        next => next,
    }
}

/// What follows from a chunk that the server refused on the stream. Rows that it cannot read may have been changed on their
/// way, so they are sent again before that is believed.
pub(super) fn of_error(error: &AppendError) -> Next {
    match of_reason(error.reason(), &error.message) {
        Next::Stop(Error::Refused { reason, message }) if error.reason() == Reason::RowInvalid => {
            Next::Again(Failed::Reason { reason, message })
        }
        next => next,
    }
}

/// The end, when nothing was better the last time: rows that the server can never read are refused, not put off.
pub(super) fn last_word(failed: Failed, attempts: u32) -> Error {
    match failed {
        Failed::Reason { reason, message } if reason == ROW_INVALID => Error::Refused { reason, message },
        failed => Error::Remote { failed, attempts },
    }
}

fn of_reason(reason: Reason, message: &str) -> Next {
    let name = reason.as_str_name().trim_start_matches("REASON_").to_owned();
    let message = message.to_owned();
    match reason {
        Reason::Fenced => Next::Stop(Error::Fenced { message }),
        Reason::FingerprintMismatch | Reason::PrefixMismatch | Reason::RowInvalid => {
            Next::Stop(Error::Refused { reason: name, message })
        }
        Reason::Unspecified
        | Reason::OffsetGap
        | Reason::ChunkCorrupt
        | Reason::SessionFinalized
        | Reason::SessionUnknown
        | Reason::Incomplete
        | Reason::StorageFull
        | Reason::Draining
        | Reason::Backpressure => Next::Again(Failed::Reason { reason: name, message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Misfit;

    #[test]
    fn rows_that_cannot_be_read_are_sent_again_and_other_verdicts_stand() {
        let error = |reason: Reason| AppendError { reason: reason.into(), ..AppendError::default() };
        let is_final = |reason| matches!(of_error(&error(reason)), Next::Stop(_));
        assert_eq!(
            [Reason::RowInvalid, Reason::ChunkCorrupt, Reason::FingerprintMismatch, Reason::Fenced]
                .map(is_final),
            [false, false, true, true]
        );
        assert!(matches!(of_reason(Reason::RowInvalid, "of Open"), Next::Stop(_)));
        let unread = || Status::invalid_argument("no field 7");
        assert!(matches!(of_stream(unread()), Next::Again(failed) if failed.bounded(3).is_some()));
        assert!(matches!(of_status(unread(), 0), Next::Stop(_)));
        assert!(matches!(of_stream(Status::permission_denied("no")), Next::Stop(_)));
        let mut elsewhere = Status::unavailable("HTTP/1.1 502");
        elsewhere.set_source(std::sync::Arc::new(Misfit::OtherProtocol));
        assert!(matches!(of_status(elsewhere, 0), Next::Again(Failed::Misfit(_))));
    }

    #[test]
    fn rows_that_were_never_readable_are_refused_in_the_end_and_other_failures_are_the_servers() {
        let of = |reason: &str| Failed::Reason { reason: reason.to_owned(), message: String::new() };
        let refused = last_word(of(ROW_INVALID), 3);
        assert!(matches!(refused, Error::Refused { reason, .. } if reason == "ROW_INVALID"));
        let remote = last_word(of("CHUNK_CORRUPT"), 3);
        assert!(matches!(remote, Error::Remote { attempts: 3, .. }));
    }
}
