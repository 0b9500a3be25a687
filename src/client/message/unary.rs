//! One call for each chunk, in order, each after the answer to the one before.

use bytes::Bytes;
use tokio::time;
use tonic::{Request, Status, client::Grpc};

use super::{Call, Error, Failed, Sent};
use crate::{
    client::connection::Connection,
    client::push::{
        self, Sizes,
        attempt::{of_transport, within},
        body::Item,
    },
    proto::raw::Raw,
    wire::{self, Encoded},
};

pub(super) async fn send(call: Call<'_>) -> Result<Sent, Error> {
    let mut items = call.feed.start();
    let mut grpc = Grpc::new(call.channel.clone());
    let mut sent = Sent { sizes: Sizes::default(), answer: None };
    loop {
        match items.recv().await {
            Some(Item::Chunk(chunk)) => {
                let answer = answer(&call, &mut grpc, chunk.message()).await;
                let answer = answer.map_err(|status| blame(status, &chunk, &call))?;
                sent.sizes.add(chunk.rows.end - chunk.rows.start, chunk.message().len() as u64);
                call.confirm(sent.sizes);
                sent.answer = Some(call.feed.contract().answer(&answer)?);
                call.progress.chunk(&sent.sizes);
            }
            Some(Item::Failed(error)) => return Err(Error::Local(error)),
            Some(Item::End) => break,
            // The thread that encodes is gone without a word: that must not look like the end of the table.
            None => return Err(Error::Local(push::Error::from(wire::Error::WorkerLost))),
        }
    }
    call.progress.completed(&sent.sizes);
    Ok(sent)
}

async fn answer(call: &Call<'_>, grpc: &mut Grpc<Connection>, message: Bytes) -> Result<Bytes, Status> {
    let mut request = Request::new(message);
    request.set_timeout(call.deadline.saturating_duration_since(time::Instant::now()));
    let answered = within(call.deadline, async {
        grpc.ready().await?;
        grpc.unary(request, call.path.clone(), Raw).await
    });
    answered.await.map(tonic::Response::into_inner)
}

fn blame(status: Status, chunk: &Encoded, call: &Call<'_>) -> Error {
    let (confirmed, rows) = (call.confirmed.standing().sizes.rows, call.feed.rows());
    let outcome = format!(
        "rows confirmed: {confirmed} of {rows}; whether the server took rows {}..{} is not known; nothing is sent again",
        chunk.rows.start, chunk.rows.end
    );
    Error::Remote { failed: Failed::of(of_transport(status)), outcome }
}
