//! One call that takes everything in a stream and answers once.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time;
use tonic::{Request, Status, body::Body, client::Grpc};

use super::{Call, Error, Failed, Sent};
use crate::{
    client::push::{
        attempt::{Spliced, of_transport, within},
        body::{Outcome, Outgoing},
    },
    proto::raw::Raw,
};

pub(super) async fn send(call: Call<'_>) -> Result<Sent, Error> {
    let first = call.feed.planned().first.clone();
    let first_bytes = first.as_ref().map_or(0, |first| first.len() as u64);
    let body = Outgoing::after(first, call.feed.start(), Arc::clone(&call.progress));
    let outcome = body.outcome();
    let _awaited = outcome.awaited();
    let answer = answer(&call, Body::new(body)).await.map_err(|status| blame(status, &outcome, &call))?;
    let mut sizes = outcome.sent();
    sizes.bytes += first_bytes;
    if sizes.rows != call.feed.rows() {
        return Err(early(&answer, sizes.rows, &call));
    }
    call.confirm(sizes);
    Ok(Sent { sizes, answer: Some(call.feed.contract().answer(&answer)?) })
}

async fn answer(call: &Call<'_>, body: Body) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(Spliced { channel: call.channel.clone(), body: Some(body) });
    let mut request = Request::new(tokio_stream::empty());
    request.set_timeout(call.deadline.saturating_duration_since(time::Instant::now()));
    let answered = within(call.deadline, async {
        grpc.ready().await?;
        grpc.client_streaming(request, call.path.clone(), Raw).await
    });
    answered.await.map(tonic::Response::into_inner)
}

/// Our own error goes before the status that it caused.
fn blame(status: Status, outcome: &Outcome, call: &Call<'_>) -> Error {
    if let Some(error) = outcome.take_error() {
        return Error::Local(error);
    }
    let (handed, rows) = (outcome.sent().rows, call.feed.rows());
    let outcome = format!(
        "rows confirmed: 0 of {rows}; {handed} were handed to the connection, and what the server kept of them is not known; nothing is sent again"
    );
    Error::Remote { failed: Failed::of(of_transport(status)), outcome }
}

/// A server that answers before it has everything has not taken everything.
fn early(answer: &Bytes, handed: u64, call: &Call<'_>) -> Error {
    let said =
        call.feed.contract().answer(answer).map_or_else(|error| error.to_string(), |json| json.to_string());
    let status = Status::aborted(format!("the server answered {said} before the stream had ended"));
    let rows = call.feed.rows();
    let outcome =
        format!("rows confirmed: 0 of {rows}; {handed} were handed to the connection; nothing is sent again");
    Error::Remote { failed: Failed::Status { status: Box::new(status) }, outcome }
}
