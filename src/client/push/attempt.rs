//! One stream: connect, send everything, compare the answer's counts.

use std::{
    error::Error as StdError,
    future::Future,
    iter,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use prost::Message;
use tokio::time;
use tonic::{Code, Request, Status, TimeoutExpired, body::Body, client::Grpc};

use super::{
    Dialect, Failed, Feed, Progress, Sizes,
    body::{Outcome, Outgoing},
    dialect::Answer,
};
use crate::{
    client::{
        Misfit, Target,
        connection::{Calling, Connection},
    },
    proto::{embedding, embedding_json, raw::SendRaw},
};

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
    pub(in crate::client) channel: Connection,
    pub(in crate::client) body: Option<Body>,
}

impl tower_service::Service<http::Request<Body>> for Spliced {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Calling;

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
    progress.metadata(feed.domain_name(), feed.dimension(), feed.rows());
    let metadata = feed.metadata();
    let metadata_bytes = metadata.len() as u64;
    let body = Outgoing::new(metadata, feed.start(), Arc::clone(progress));
    let outcome = body.outcome();
    let _awaited = outcome.awaited();
    let answer = match feed.dialect() {
        // Sessions have a stream of their own.
        Dialect::Session | Dialect::TypedV1 => {
            call::<embedding::IngestDataResponse>(channel, feed, Body::new(body), deadline).await
        }
        Dialect::JsonV1 => {
            call::<embedding_json::IngestDataResponse>(channel, feed, Body::new(body), deadline).await
        }
    };
    let mut sizes = outcome.sent();
    sizes.bytes += metadata_bytes;
    match answer {
        Ok(answer) => {
            let message = answer.confirm(&sizes).map_err(Error::Remote)?;
            Ok(Sent { sizes, send: began.elapsed(), message })
        }
        Err(status) => Err(blame(status, &outcome)),
    }
}

async fn connect(target: &Target, deadline: time::Instant) -> Result<Connection, Failed> {
    match time::timeout_at(deadline, target.connect()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(source)) => Err(Failed::unreached(target, source)),
        Err(_) => Err(Failed::Status { status: Box::new(overdue()), chunks: 0 }),
    }
}

/// Sends `body` and reads the answer, a message `M` of the dialect.
async fn call<M>(
    channel: Connection,
    feed: &Feed,
    body: Body,
    deadline: time::Instant,
) -> Result<Answer, Status>
where
    M: Message + Default + Into<Answer> + 'static,
{
    let mut grpc = Grpc::new(Spliced { channel, body: Some(body) });
    let mut request = Request::new(tokio_stream::empty());
    request.set_timeout(deadline.saturating_duration_since(time::Instant::now()));
    let answered = within(deadline, async {
        grpc.ready().await?;
        grpc.client_streaming(request, feed.dialect().path(), SendRaw::<M>::default()).await
    });
    answered.await.map(|answer| answer.into_inner().into())
}

pub(in crate::client) async fn within<T>(
    deadline: time::Instant,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    time::timeout_at(deadline, call).await.unwrap_or_else(|_| Err(overdue()))
}

fn overdue() -> Status {
    Status::deadline_exceeded("the server did not answer in the time that it had")
}

/// Our own error goes before the status that it caused.
fn blame(status: Status, outcome: &Outcome) -> Error {
    if let Some(error) = outcome.take_error() {
        return Error::Local(error);
    }
    Error::Remote(Failed::of(of_transport(status), outcome.sent().chunks))
}

/// A status that the transport made up, because the connection broke, is the server's absence, not its answer.
pub(in crate::client) fn of_transport(status: Status) -> Status {
    if Misfit::among(&status).is_some() {
        return status;
    }
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
