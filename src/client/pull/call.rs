//! One attempt: connect, ask, and hand what comes to the intake.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message as _;
use tokio::{
    sync::{Semaphore, mpsc},
    task, time,
};
use tonic::{Code, Request, Response, Status, Streaming, client::Grpc, transport};

use super::{
    Error, Failed, Options, Progress, Start,
    intake::{Intake, Item},
};
use crate::{
    client::{
        Misfit,
        push::{attempt::of_transport, innermost},
        target::is_distrust,
    },
    limits::client as limits,
    proto::raw::Raw,
};

const PATH: &str = "/embedding.EmbeddingStreamService/StreamEmbedding";

/// The answer's metadata in which a server of ours says that it does not know a checkpoint.
const CHECKPOINT: &str = "x-checkpoint";

/// One attempt, over.
pub(super) struct Attempt {
    pub(super) intake: Box<Intake>,
    pub(super) end: Result<(), End>,
    /// From the request to the first chunk.
    pub(super) to_first_chunk: Option<Duration>,
}

/// Why an attempt did not bring everything.
pub(super) enum End {
    /// What came is not what it should be, or could not be kept.
    Local(Error),
    /// The server, or the way to it.
    Remote(Failed),
}

impl From<Failed> for End {
    fn from(failed: Failed) -> Self {
        Self::Remote(failed)
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

/// Asks for what is missing, and takes what comes.
pub(super) async fn run(options: &Options, mut intake: Box<Intake>, progress: &Arc<dyn Progress>) -> Attempt {
    let request = intake.request().encode_to_vec().into();
    let began = Instant::now();
    let answer = match ask(options, request).await {
        Ok(answer) => answer,
        Err(failed) => return Attempt { intake, end: Err(failed.into()), to_first_chunk: None },
    };
    if let Err(error) = check_checkpoint(&answer, options, &mut intake, progress) {
        return Attempt { intake, end: Err(error.into()), to_first_chunk: None };
    }
    let (items, queue) = mpsc::channel(limits::PULL_QUEUE);
    let worker = task::spawn_blocking(move || {
        let taken = intake.take_all(queue);
        (intake, taken)
    });
    let mut first = None;
    let received = forward(answer.into_inner(), items, options.silence, &mut first).await;
    // A panic of the thread goes on here.
    let (intake, taken) = worker.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let end = match (taken, received) {
        (Err(error), _) => Err(End::Local(error)),
        (Ok(()), Err(status)) => Err(End::Remote(Failed::of(&of_transport(status)))),
        (Ok(()), Ok(())) => intake.check_end().map_err(End::Remote),
    };
    Attempt { intake, end, to_first_chunk: first.map(|first| first - began) }
}

async fn ask(options: &Options, request: Bytes) -> Result<Response<Streaming<Bytes>>, Failed> {
    let channel = time::timeout(options.silence, options.target.connect_to_pull()).await;
    let channel =
        channel.map_err(|_| Failed::of(&silent(options.silence)))?.map_err(|error| unreached(&error))?;
    let mut grpc = Grpc::new(channel).max_decoding_message_size(limits::PULL_MESSAGE_BYTES_MAX);
    if let Some(compression) = options.compression {
        grpc = grpc.accept_compressed(compression.into());
    }
    let answer = async {
        grpc.ready().await?;
        grpc.server_streaming(Request::new(request), PathAndQuery::from_static(PATH), Raw).await
    };
    let answer = time::timeout(options.silence, answer).await;
    answer
        .unwrap_or_else(|_| Err(silent(options.silence)))
        .map_err(|status| Failed::of(&of_transport(status)))
}

fn unreached(error: &transport::Error) -> Failed {
    if let Some(misfit) = Misfit::among(error) {
        return misfit.into();
    }
    let code = if is_distrust(error) { Code::Unauthenticated } else { Code::Unavailable };
    Failed { code, details: innermost(error), reason: None, misfit: None }
}

fn silent(silence: Duration) -> Status {
    Status::deadline_exceeded(format!("the server was silent for {} s", silence.as_secs_f64()))
}

/// A server that does not know a checkpoint sends all rows: that is told, and must not happen to one that is taken up again.
fn check_checkpoint(
    answer: &Response<Streaming<Bytes>>,
    options: &Options,
    intake: &mut Intake,
    progress: &Arc<dyn Progress>,
) -> Result<(), Error> {
    let is_unknown = answer.metadata().get(CHECKPOINT).is_some_and(|said| said == "unknown");
    match &options.start {
        _ if intake.is_resuming() && is_unknown => return Err(intake.restarted()),
        Start::Behind { checkpoint, .. } if !intake.is_resuming() => {
            intake.note_checkpoint(is_unknown);
            if is_unknown {
                progress.unknown_checkpoint(checkpoint);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Hands messages on as they come; `first` is when the first one came.
async fn forward(
    mut answer: Streaming<Bytes>,
    items: mpsc::Sender<Item>,
    silence: Duration,
    first: &mut Option<Instant>,
) -> Result<(), Status> {
    let room = Arc::new(Semaphore::new(limits::PULL_QUEUE_BYTES));
    loop {
        let message = time::timeout(silence, answer.message()).await.map_err(|_| silent(silence))??;
        let Some(message) = message else { return Ok(()) };
        first.get_or_insert_with(Instant::now);
        let bytes = message.len().min(limits::PULL_QUEUE_BYTES) as u32;
        // The semaphore is never closed.
        let Ok(share) = Arc::clone(&room).acquire_many_owned(bytes).await else { return Ok(()) };
        if items.send(Item { message, share }).await.is_err() {
            // The intake has failed, and says why itself.
            return Ok(());
        }
    }
}
