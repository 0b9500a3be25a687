//! `embedding.session.v1.IngestSessionService`: acknowledged, resumable, exactly-once ingest.
//!
//! The unary calls go to the store's sessions as they are (`unary`). `Append` has two halves, as `IngestDataStream` has
//! (`append`, async; `intake`, plain code), and a thread that makes groups of rows durable and acknowledges them while the
//! next ones arrive (`securing`). An `IngestDataStream` whose metadata names a session uses the same intake.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    server::{Grpc, NamedService, StreamingService},
};
use tonic_prost::ProstCodec;

use super::{ingest::Ingest, messages::Messages};
use crate::proto::embedding::session::v1::{
    AppendAck, AppendRequest, ingest_session_service_server::IngestSessionServiceServer,
};

mod append;
mod hello;
pub(super) mod intake;
mod outcome;
mod securing;
mod unary;

pub(super) use hello::{Announced, Unclear, announced};
pub(super) use outcome::outcome;

const APPEND_PATH: &str = "/embedding.session.v1.IngestSessionService/Append";

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The sessions of the store that `Ingest` fills.
#[derive(Clone)]
pub struct SessionService {
    ingest: Ingest,
    unary: IngestSessionServiceServer<unary::Unary>,
}

/// One `Append`. The request's body is taken past tonic's reader.
struct Call {
    ingest: Ingest,
    messages: Option<Messages>,
}

impl SessionService {
    /// Serves the sessions of `ingest`'s store, within the same bounds.
    pub fn new(ingest: Ingest) -> Self {
        let unary = IngestSessionServiceServer::new(unary::Unary::new(ingest.clone()));
        Self { ingest, unary }
    }
}

impl NamedService for SessionService {
    const NAME: &'static str = "embedding.session.v1.IngestSessionService";
}

impl tower_service::Service<http::Request<Body>> for SessionService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != APPEND_PATH {
            return Box::pin(tower_service::Service::call(&mut self.unary, request));
        }
        let (messages, request) = match self.ingest.messages(request) {
            Ok(opened) => opened,
            Err(status) => return Box::pin(async { Ok(status.into_http()) }),
        };
        let call = Call { ingest: self.ingest.clone(), messages: Some(messages) };
        let codec = ProstCodec::<AppendAck, AppendRequest>::default();
        Box::pin(async move { Ok(Grpc::new(codec).streaming(call, request).await) })
    }
}

impl StreamingService<AppendRequest> for Call {
    type Response = AppendAck;
    type ResponseStream = append::Acknowledgements;
    type Future = Answer<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<AppendRequest>>) -> Self::Future {
        let remote = request.remote_addr();
        let (ingest, messages) = (self.ingest.clone(), self.messages.take());
        Box::pin(async move {
            let messages = messages.ok_or_else(|| Status::internal("the call was made twice"))?;
            append::append(ingest, messages, remote).map(Response::new)
        })
    }
}
