//! The call as tonic's server takes it.

use std::{future::Future, pin::Pin};

use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    server::{ClientStreamingService, Grpc},
};
use tonic_prost::ProstCodec;

use super::Ingest;
use crate::{
    proto::embedding::{IngestDataRequest, IngestDataResponse},
    service::messages::Messages,
};

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// One call. The request's body is taken past tonic's reader.
struct Call {
    ingest: Ingest,
    messages: Option<Messages>,
}

/// Answers a call of `IngestDataStream`.
pub(in crate::service) async fn answer(ingest: Ingest, request: http::Request<Body>) -> http::Response<Body> {
    let (messages, request) = match ingest.messages(request) {
        Ok(opened) => opened,
        Err(status) => return status.into_http(),
    };
    let codec = ProstCodec::<IngestDataResponse, IngestDataRequest>::default();
    Grpc::new(codec).client_streaming(Call { ingest, messages: Some(messages) }, request).await
}

impl ClientStreamingService<IngestDataRequest> for Call {
    type Response = IngestDataResponse;
    type Future = Answer<Result<Response<IngestDataResponse>, Status>>;

    fn call(&mut self, request: Request<Streaming<IngestDataRequest>>) -> Self::Future {
        let remote = request.remote_addr();
        let (ingest, messages) = (self.ingest.clone(), self.messages.take());
        Box::pin(async move {
            let messages = messages.ok_or_else(|| Status::internal("the call was made twice"))?;
            ingest.receive(messages, remote).await.map(Response::new)
        })
    }
}
