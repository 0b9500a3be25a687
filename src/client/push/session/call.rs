//! The calls about a session as a whole, on one connection.

use tokio::time;
use tonic::{Request, Response, Status};

use super::{
    super::{Failed, Feed},
    Identity, Next,
    verdict::{of_status, of_unreached},
};
use crate::{
    client::{Target, connection::Connection},
    limits::client as limits,
    proto::embedding::{
        IngestOutcome, SessionState,
        session::v1::{
            CommitRequest, Limits, OpenRequest, ingest_session_service_client::IngestSessionServiceClient,
        },
    },
};

/// A connection to a server that may keep sessions.
pub(super) struct Call {
    pub(super) channel: Connection,
    client: IngestSessionServiceClient<Connection>,
}

/// Where a session stands, and what the server takes.
pub(super) struct At {
    pub(super) outcome: IngestOutcome,
    pub(super) limits: Limits,
}

impl At {
    /// The version that holds the rows, if the session is over.
    pub(super) fn finalized(&self) -> Option<u64> {
        (self.outcome.state() == SessionState::Finalized).then_some(self.outcome.dataset_version)
    }
}

impl Call {
    pub(super) async fn connect(target: &Target) -> Result<Self, Next> {
        let channel = target.connect_watched().await.map_err(|error| of_unreached(target, error))?;
        Ok(Self { client: IngestSessionServiceClient::new(channel.clone()), channel })
    }

    /// Opens the session, which fences whoever holds it.
    pub(super) async fn open(&mut self, identity: &Identity, feed: &Feed) -> Result<At, Next> {
        let request = OpenRequest {
            hello: Some(identity.announce(0, None)),
            domain: feed.domain().name.clone(),
            target: String::new(),
            vector_dimension: u32::try_from(feed.dimension()).unwrap_or(u32::MAX),
            file_name: feed.file_name(),
        };
        let opened = answered(limits::SESSION_CALL, self.client.open(Request::new(request))).await?;
        let (Some(outcome), limits) = (opened.at, opened.limits.unwrap_or_default()) else {
            return Err(Next::Again(Failed::unfinished(0)));
        };
        Ok(At { outcome, limits })
    }

    /// Makes all rows visible; the version that holds them, and the server's words.
    pub(super) async fn commit(&mut self, identity: &Identity, epoch: u64) -> Result<(u64, String), Next> {
        let hello = &identity.hello;
        let request = CommitRequest {
            session_id: hello.session.as_bytes().to_vec(),
            epoch,
            total_rows: hello.total_rows,
            fingerprint: hello.fingerprint.clone(),
        };
        // Merging with a large table takes its time, and the connection is watched.
        let committed = answered(limits::SESSION_COMMIT, self.client.commit(Request::new(request))).await?;
        let outcome = committed.at.unwrap_or_default();
        if outcome.state() != SessionState::Finalized {
            return Err(Next::Again(Failed::unfinished(outcome.committed_rows)));
        }
        Ok((outcome.dataset_version, committed.message))
    }
}

async fn answered<T>(
    patience: std::time::Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Next> {
    let answer = time::timeout(patience, call).await;
    let answer =
        answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("the server did not answer in time")));
    answer.map(Response::into_inner).map_err(|status| of_status(status, 0))
}
