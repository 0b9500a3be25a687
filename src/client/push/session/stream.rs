//! One `Append`: chunks behind a window, acknowledgements beside them.

use std::sync::Arc;

use http::uri::PathAndQuery;
use tokio::sync::mpsc;
use tonic::{Request, Streaming, body::Body, client::Grpc};

use super::{
    super::{
        Failed, Sizes,
        attempt::Spliced,
        body::{Item, Outcome, Outgoing},
    },
    Next, Sending,
    call::{At, Call},
    verdict::{of_error, of_status, of_stream},
    window::Window,
};
use crate::{
    failpoint,
    limits::server::UNACKNOWLEDGED_BYTES_MAX,
    proto::{
        embedding::session::v1::{AppendAck, append_ack::Kind},
        raw::SendRaw,
    },
    wire::append_start,
};

const APPEND_PATH: PathAndQuery =
    PathAndQuery::from_static("/embedding.session.v1.IngestSessionService/Append");

/// Ends the task when the stream ends, however that comes.
struct Aborted(tokio::task::JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends the rows that the server does not have, until they all are durable there.
pub(super) async fn send(sending: &mut Sending<'_>, call: &mut Call, at: &At) -> Result<(), Next> {
    let (feed, identity) = (sending.feed, &sending.identity);
    sending.push.progress.metadata(feed.domain_name(), feed.dimension(), identity.rows());
    let window = Arc::new(Window::new(window_bytes(at)));
    let plan = identity.plan(feed, at.outcome.committed_rows)?;
    let (items, receiver) = mpsc::channel(1);
    let encoded = feed.start_appending(plan, at.outcome.committed_rows, &at.limits);
    let _pump = Aborted(tokio::spawn(pump(encoded, items, Arc::clone(&window), at.outcome.committed_rows)));
    let start = append_start(identity.announce(at.outcome.epoch, Some(&at.outcome)));
    let body = Outgoing::new(start, receiver, Arc::clone(&sending.push.progress));
    let outcome = body.outcome();
    let _awaited = outcome.awaited();
    let ended = follow(sending, call, Body::new(body), &window).await;
    let sent = outcome.sent();
    sending.sent = sum(sending.sent, sent);
    match ended {
        Err(Next::Again(failed)) => Err(blame(failed, &outcome)),
        ended => ended,
    }
}

/// Our own error goes before the failure that it caused.
fn blame(failed: Failed, outcome: &Outcome) -> Next {
    outcome.take_error().map_or(Next::Again(failed), Next::Stop)
}

fn sum(mut sum: Sizes, more: Sizes) -> Sizes {
    sum.rows += more.rows;
    sum.chunks += more.chunks;
    sum.bytes += more.bytes;
    sum.largest = sum.largest.max(more.largest);
    sum
}

fn window_bytes(at: &At) -> u64 {
    let ours = UNACKNOWLEDGED_BYTES_MAX as u64;
    Some(at.limits.max_inflight_bytes).filter(|theirs| *theirs > 0).map_or(ours, |theirs| theirs.min(ours))
}

/// Hands chunks on as the window has room; their rows are counted from the stream's first, which is the session's `first`.
async fn pump(mut encoded: mpsc::Receiver<Item>, items: mpsc::Sender<Item>, window: Arc<Window>, first: u64) {
    while let Some(item) = encoded.recv().await {
        if let Item::Chunk(chunk) = &item {
            window.enter(first + chunk.rows.end, chunk.framed.len() as u64).await;
        }
        if items.send(item).await.is_err() {
            return;
        }
        failpoint::hit("client.after_chunk");
    }
}

/// Reads acknowledgements until everything is durable.
async fn follow(sending: &mut Sending<'_>, call: &mut Call, body: Body, window: &Window) -> Result<(), Next> {
    let mut acks = begin(call, body).await?;
    while let Some(ack) = acks.message().await.map_err(of_stream)? {
        match ack.kind {
            Some(Kind::Committed(outcome)) => {
                window.acknowledge(outcome.committed_rows);
                sending.note(outcome.committed_rows);
                failpoint::hit("client.after_acknowledgement");
            }
            Some(Kind::Error(error)) => return Err(of_error(&error)),
            Some(Kind::Draining(_)) => return Err(Next::Again(draining())),
            // How fast to send is told by the window alone here.
            Some(Kind::Pace(_)) | None => {}
        }
    }
    if sending.acknowledged == sending.identity.rows() {
        return Ok(());
    }
    Err(Next::Again(Failed::unfinished(sending.acknowledged)))
}

fn draining() -> Failed {
    Failed::Reason { reason: "DRAINING".to_owned(), message: "the server is stopping".to_owned() }
}

async fn begin(call: &Call, body: Body) -> Result<Streaming<AppendAck>, Next> {
    let mut grpc = Grpc::new(Spliced { channel: call.channel.clone(), body: Some(body) });
    grpc.ready().await.map_err(|status| of_status(status, 0))?;
    let request = Request::new(tokio_stream::empty());
    let answer = grpc.streaming(request, APPEND_PATH, SendRaw::<AppendAck>::default()).await;
    answer.map(tonic::Response::into_inner).map_err(|status| of_status(status, 0))
}
