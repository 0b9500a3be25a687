//! The gRPC service as tonic's router takes it.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    server::{ClientStreamingService, Grpc, NamedService},
};
use tonic_prost::ProstCodec;

use super::Ingest;
use crate::proto::embedding::{IngestDataRequest, IngestDataResponse};

const INGEST_PATH: &str = "/embedding.EmbeddingStreamService/IngestDataStream";

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// `embedding.EmbeddingStreamService` with its receiving half; the serving half is answered as unimplemented.
#[derive(Clone)]
pub struct IngestService {
    ingest: Ingest,
}

/// One call. The request's body is taken past tonic's reader.
struct Call {
    ingest: Ingest,
    body: Option<Body>,
}

impl IngestService {
    /// Serves `ingest`.
    pub fn new(ingest: Ingest) -> Self {
        Self { ingest }
    }
}

impl NamedService for IngestService {
    const NAME: &'static str = "embedding.EmbeddingStreamService";
}

impl tower_service::Service<http::Request<Body>> for IngestService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != INGEST_PATH {
            return Box::pin(async {
                Ok(Status::unimplemented("only IngestDataStream is served here").into_http())
            });
        }
        let (parts, body) = request.into_parts();
        let call = Call { ingest: self.ingest.clone(), body: Some(body) };
        let request = http::Request::from_parts(parts, Body::empty());
        let codec = ProstCodec::<IngestDataResponse, IngestDataRequest>::default();
        Box::pin(async move { Ok(Grpc::new(codec).client_streaming(call, request).await) })
    }
}

impl ClientStreamingService<IngestDataRequest> for Call {
    type Response = IngestDataResponse;
    type Future = Answer<Result<Response<IngestDataResponse>, Status>>;

    fn call(&mut self, _: Request<Streaming<IngestDataRequest>>) -> Self::Future {
        let receive = self.ingest.clone().receive(self.body.take().unwrap_or_default());
        Box::pin(async move { receive.await.map(Response::new) })
    }
}
