//! The calls about a session as a whole.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::{
    super::{
        ingest::{Ingest, Refusal},
        status,
    },
    append::Acknowledgements,
    hello::{announced, session_id},
    intake::{domain, sessions},
    outcome,
};
use crate::{
    limits::server as limits,
    proto::embedding::session::v1::{
        AbortRequest, AbortResponse, CommitRequest, CommitResponse, Limits, OpenRequest, OpenResponse,
        StatusRequest, StatusResponse, ingest_session_service_server::IngestSessionService,
    },
    schema,
    session::Refusal as State,
    store::{
        Provenance, Store,
        sessions::{Finish, Opening},
    },
};

/// Everything but `Append`.
#[derive(Clone)]
pub(super) struct Unary {
    ingest: Ingest,
}

impl Unary {
    pub(super) fn new(ingest: Ingest) -> Self {
        Self { ingest }
    }

    /// Asks the store, which may wait for the disk.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Store) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let store = Arc::clone(self.ingest.store());
        let answer = tokio::task::spawn_blocking(move || question(&*store)).await;
        let answer = answer.map_err(|panic| status::internal(&panic))?;
        answer.map(Response::new).map_err(|error| self.ingest.told(&error))
    }

    fn limits(&self) -> Limits {
        let chunk = self.ingest.limits();
        Limits {
            max_chunk_bytes: chunk.message_bytes_max as u64,
            max_chunk_rows: u32::try_from(chunk.rows_max).unwrap_or(u32::MAX),
            max_inflight_bytes: limits::UNACKNOWLEDGED_BYTES_MAX as u64,
            ack_interval_ms: limits::GROUP_INTERVAL.as_millis() as u32,
            idle_timeout_ms: limits::SESSION_SILENCE.as_millis() as u32,
        }
    }
}

fn opening(request: &OpenRequest) -> Result<Opening, Refusal> {
    let hello = announced(request.hello.as_ref())?.hello;
    let domain = domain(&request.domain)?;
    // A table of another name than its domain's would need a catalogue of them.
    let is_own = request.target.is_empty()
        || schema::find(&request.target).is_some_and(|target| target.name == domain.name);
    if !is_own {
        return Err(Refusal::UnknownDomain(request.target.clone()));
    }
    let dimension = super::super::ingest::dimension(domain, request.vector_dimension)?;
    let provenance = Provenance::named(&request.file_name);
    Ok(Opening { hello, domain, dimension, provenance })
}

#[async_trait]
impl IngestSessionService for Unary {
    type AppendStream = Acknowledgements;

    async fn open(&self, request: Request<OpenRequest>) -> Result<Response<OpenResponse>, Status> {
        let limits = self.limits();
        self.ask(move |store| {
            let session = sessions(store)?.open(opening(request.get_ref())?)?;
            Ok(OpenResponse { at: Some(outcome(&session, 0)), limits: Some(limits) })
        })
        .await
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        self.ask(move |store| {
            let id = session_id(&request.get_ref().session_id)?;
            let session = sessions(store)?.status(id)?.ok_or(State::SessionUnknown)?;
            Ok(StatusResponse { at: Some(outcome(&session, 0)) })
        })
        .await
    }

    /// Answered before it comes here: its messages must not be decoded by the library.
    async fn append(
        &self,
        _: Request<tonic::Streaming<crate::proto::embedding::session::v1::AppendRequest>>,
    ) -> Result<Response<Acknowledgements>, Status> {
        Err(Status::internal("Append is answered elsewhere"))
    }

    async fn commit(&self, request: Request<CommitRequest>) -> Result<Response<CommitResponse>, Status> {
        let CommitRequest { session_id: id, epoch, total_rows, fingerprint } = request.into_inner();
        self.ask(move |store| {
            let finish = Finish { session: session_id(&id)?, epoch, total_rows, fingerprint };
            let (session, published) = sessions(store)?.commit(&finish)?;
            Ok(CommitResponse { at: Some(outcome(&session, 0)), message: published.describe(total_rows) })
        })
        .await
    }

    async fn abort(&self, request: Request<AbortRequest>) -> Result<Response<AbortResponse>, Status> {
        let AbortRequest { session_id: id, epoch } = request.into_inner();
        self.ask(move |store| {
            let session = sessions(store)?.abort(session_id(&id)?, epoch)?;
            Ok(AbortResponse { at: Some(outcome(&session, 0)) })
        })
        .await
    }
}
