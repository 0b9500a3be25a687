//! How far a session is, as it stands on the wire.

use crate::{
    proto::embedding::{IngestOutcome, SessionState},
    session::{Phase, Session},
};

/// How far `session` is.
pub(in crate::service) fn outcome(session: &Session, duplicate_rows_skipped: u64) -> IngestOutcome {
    let (state, dataset_version) = match session.phase() {
        Phase::Open => (SessionState::Open, 0),
        Phase::Finalized { version } => (SessionState::Finalized, version),
        Phase::Aborted => (SessionState::Aborted, 0),
    };
    let durable = session.durable();
    IngestOutcome {
        state: state.into(),
        committed_rows: durable.rows,
        duplicate_rows_skipped,
        prefix_digest: durable.digest.to_le_bytes().to_vec(),
        epoch: session.epoch(),
        dataset_version,
    }
}
