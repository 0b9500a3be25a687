//! The published services as tonic's router takes them: both halves of `embedding.EmbeddingStreamService`, and its
//! namesake in the package of the published Java server.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tonic::{Status, body::Body, server::NamedService};

use super::{
    ingest::{self, Ingest},
    stream::{self, Form, Tables},
};

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

/// `embedding.EmbeddingStreamService`, with the halves that the server has.
#[derive(Clone)]
pub struct EmbeddingService {
    ingest: Option<Ingest>,
    tables: Option<Tables>,
}

/// `com.alpha.backend.grpc.EmbeddingStreamService`, its serving half.
#[derive(Clone)]
pub struct PublishedService {
    tables: Tables,
}

impl EmbeddingService {
    /// Takes rows.
    pub fn ingesting(ingest: Ingest) -> Self {
        Self { ingest: Some(ingest), tables: None }
    }

    /// Serves rows.
    pub fn serving(tables: Tables) -> Self {
        Self { ingest: None, tables: Some(tables) }
    }
}

impl PublishedService {
    /// Serves rows.
    pub fn new(tables: Tables) -> Self {
        Self { tables }
    }
}

impl NamedService for EmbeddingService {
    const NAME: &'static str = "embedding.EmbeddingStreamService";
}

impl NamedService for PublishedService {
    const NAME: &'static str = "com.alpha.backend.grpc.EmbeddingStreamService";
}

impl tower_service::Service<http::Request<Body>> for EmbeddingService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        match (method::<Self>(&request), &self.ingest, &self.tables) {
            ("IngestDataStream", Some(ingest), _) => {
                let answer = ingest::answer(ingest.clone(), request);
                Box::pin(async { Ok(answer.await) })
            }
            ("StreamEmbedding", _, Some(tables)) => {
                let answer = stream::answer(tables.clone(), Form::Typed, request);
                Box::pin(async { Ok(answer.await) })
            }
            (method, ..) => not_here(method),
        }
    }
}

impl tower_service::Service<http::Request<Body>> for PublishedService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        match method::<Self>(&request) {
            "StreamEmbedding" => {
                let answer = stream::answer(self.tables.clone(), Form::Published, request);
                Box::pin(async { Ok(answer.await) })
            }
            method => not_here(method),
        }
    }
}

/// The method of `/service/method`.
fn method<S: NamedService>(request: &http::Request<Body>) -> &str {
    let path = request.uri().path().strip_prefix('/').unwrap_or_default();
    path.strip_prefix(S::NAME).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default()
}

fn not_here(method: &str) -> Answer {
    let method = method.chars().take(64).collect::<String>();
    let status = Status::unimplemented(format!("{method} is not served here"));
    Box::pin(async { Ok(status.into_http()) })
}
