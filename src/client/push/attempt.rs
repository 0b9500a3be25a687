//! One stream: connect, send everything, compare the answer's counts.

use std::{
    error::Error as StdError,
    future::Future,
    iter,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::uri::PathAndQuery;
use tokio::time;
use tonic::{
    Code, Request, Status, TimeoutExpired,
    body::Body,
    client::Grpc,
    transport::{self, Channel, channel::ResponseFuture},
};

use super::{
    Failed, Feed, Progress, Sizes,
    body::{Outcome, Outgoing},
};
use crate::{client::Target, proto::embedding::IngestDataResponse, proto::raw::SendRaw};

const INGEST_PATH: PathAndQuery =
    PathAndQuery::from_static("/embedding.EmbeddingStreamService/IngestDataStream");

/// A stream that the server confirmed.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) sizes: Sizes,
    pub(super) send: Duration,
    pub(super) message: String,
}

/// Whose fault a failed stream was.
#[derive(Debug)]
pub(super) enum Error {
    /// Ours: the data set could not be read or encoded.
    Local(super::Error),
    /// The server's, or the way's.
    Remote(Failed),
}

/// A channel that sends our body in place of the one tonic built, which would copy every message.
pub(in crate::client) struct Spliced {
    pub(in crate::client) channel: Channel,
    pub(in crate::client) body: Option<Body>,
}

impl tower_service::Service<http::Request<Body>> for Spliced {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        if let Some(body) = self.body.take() {
            *request.body_mut() = body;
        }
        self.channel.call(request)
    }
}

/// Sends the whole feed once.
pub(super) async fn run(
    feed: &Feed,
    target: &Target,
    deadline: time::Instant,
    progress: &Arc<dyn Progress>,
) -> Result<Sent, Error> {
    let channel = connect(target, deadline).await.map_err(Error::Remote)?;
    let began = Instant::now();
    progress.metadata(&feed.domain().name, feed.dimension(), feed.rows());
    let metadata = feed.metadata();
    let metadata_bytes = metadata.len() as u64;
    let body = Outgoing::new(metadata, feed.start(), Arc::clone(progress));
    let outcome = body.outcome();
    let _awaited = outcome.awaited();
    let answer = call(channel, Body::new(body), deadline).await;
    let mut sizes = outcome.sent();
    sizes.bytes += metadata_bytes;
    match answer {
        Ok(answer) => confirm(answer, &sizes).map(|message| Sent { sizes, send: began.elapsed(), message }),
        Err(status) => Err(blame(status, &outcome)),
    }
}

async fn connect(target: &Target, deadline: time::Instant) -> Result<Channel, Failed> {
    match time::timeout_at(deadline, target.connect()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(source)) => Err(Failed::Connect { target: target.to_string(), source: Arc::new(source) }),
        Err(_) => Err(Failed::Status { status: Box::new(overdue()), chunks: 0 }),
    }
}

async fn call(channel: Channel, body: Body, deadline: time::Instant) -> Result<IngestDataResponse, Status> {
    let mut grpc = Grpc::new(Spliced { channel, body: Some(body) });
    let mut request = Request::new(tokio_stream::empty());
    request.set_timeout(deadline.saturating_duration_since(time::Instant::now()));
    let answered = within(deadline, async {
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        grpc.client_streaming(request, INGEST_PATH, SendRaw::<IngestDataResponse>::default()).await
    });
    answered.await.map(tonic::Response::into_inner)
}

pub(in crate::client) async fn within<T>(
    deadline: time::Instant,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    time::timeout_at(deadline, call).await.unwrap_or_else(|_| Err(overdue()))
}

fn overdue() -> Status {
    Status::deadline_exceeded("the deadline of the whole push has passed")
}

/// Our own error goes before the status that it caused.
fn blame(status: Status, outcome: &Outcome) -> Error {
    if let Some(error) = outcome.take_error() {
        return Error::Local(error);
    }
    let status = Box::new(of_transport(status));
    Error::Remote(Failed::Status { status, chunks: outcome.sent().chunks })
}

/// A status that the transport made up, because the connection broke, is the server's absence, not its answer.
pub(in crate::client) fn of_transport(status: Status) -> Status {
    let causes = || iter::successors(StdError::source(&status), |&cause| cause.source());
    // The channel reads the deadline from the request's header and may notice it first.
    if causes().any(<dyn StdError>::is::<TimeoutExpired>) {
        return overdue();
    }
    let made_up = causes().next().is_some();
    if made_up && matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled) {
        return Status::unavailable(format!("the connection broke: {}", status.message()));
    }
    status
}

/// Success is what the server counted, not that it answered.
fn confirm(answer: IngestDataResponse, sent: &Sizes) -> Result<String, Error> {
    let IngestDataResponse { status, message, total_rows_received, total_chunks_received } = answer;
    if status != "success" {
        return Err(Error::Remote(Failed::Answer { status, message }));
    }
    // The answer's counts are 32 bits wide; our server saturates them.
    let equal = |received: i32, sent: u64| i32::try_from(sent).unwrap_or(i32::MAX) == received;
    if equal(total_rows_received, sent.rows) && equal(total_chunks_received, sent.chunks) {
        return Ok(message);
    }
    Err(Error::Remote(Failed::Counts {
        rows_sent: sent.rows,
        chunks_sent: sent.chunks,
        rows_received: total_rows_received,
        chunks_received: total_chunks_received,
    }))
}
