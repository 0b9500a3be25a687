//! Peers that vanish: senders in the middle of a stream, servers in the middle of one.

use std::{path::Path, sync::Arc, time::Duration};

use brine::{
    client::push::{self, Backoff, Dialect, Error, Failed, Options, Progress, Sizes},
    limits::wire::ChunkLimits,
    proto::embedding::{IngestDataRequest, embedding_stream_service_client::EmbeddingStreamServiceClient},
    store::{Discard, Provenance, Published, Run, Store},
};
use tokio::{io::AsyncReadExt as _, net::TcpListener, sync::mpsc};
use tokio_stream::{Stream, StreamExt as _};

use super::{
    bench::{Running, metadata, serving, some_recruits, storing},
    tables,
};

/// A discarding store that tells what becomes of its runs.
struct Told(mpsc::UnboundedSender<&'static str>);

struct ToldRun(Box<dyn Run>, mpsc::UnboundedSender<&'static str>);

impl Store for Told {
    fn begin(
        &self,
        domain: &'static brine::schema::Domain,
        dimension: usize,
        provenance: Provenance,
    ) -> Result<Box<dyn Run>, brine::store::Error> {
        let run = Discard::default().begin(domain, dimension, provenance)?;
        let _ = self.0.send("begin");
        Ok(Box::new(ToldRun(run, self.0.clone())))
    }
}

impl Run for ToldRun {
    fn append(&mut self, batch: arrow_array::RecordBatch) -> Result<(), brine::store::Error> {
        let _ = self.1.send("append");
        self.0.append(batch)
    }

    fn skip(&mut self, rows: u64) {
        self.0.skip(rows);
    }

    fn finish(self: Box<Self>) -> Result<Published, brine::store::Error> {
        let _ = self.1.send("finish");
        Ok(Published { version: 1, changed: true, table_rows: 0, run_rows: 0 })
    }
}

impl Drop for ToldRun {
    fn drop(&mut self) {
        let _ = self.1.send("drop");
    }
}

/// What is told until `last`, which is part of it.
async fn until(told: &mut mpsc::UnboundedReceiver<&'static str>, last: &str) -> Vec<&'static str> {
    let mut all = Vec::new();
    while all.last() != Some(&last) {
        let next = tokio::time::timeout(Duration::from_secs(20), told.recv()).await;
        all.push(next.unwrap_or_else(|_| panic!("no {last} after {all:?}")).unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_dies_between_messages_has_not_finished() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = serving(Arc::new(Told(tell)), ChunkLimits::default()).await;
    let url = server.url();
    // A runtime of its own: ending it ends its sockets, as the end of a process does.
    let sender = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (reached, mut reach) = mpsc::channel(1);
    sender.spawn(async move {
        let channel = tonic::transport::Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        let messages = vec![metadata("recruit", 384), some_recruits(0..9)];
        let messages = tokio_stream::iter(messages).chain(pending(reached));
        EmbeddingStreamServiceClient::new(channel).ingest_data_stream(messages).await
    });
    reach.recv().await;
    // Messages that were taken may not have left yet: the server says when the stream is there.
    until(&mut told, "begin").await;
    sender.shutdown_background();
    let fate = until(&mut told, "drop").await;
    assert!(!fate.contains(&"finish"), "{fate:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_dropped_has_not_finished() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = serving(Arc::new(Told(tell)), ChunkLimits::default()).await;
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 5_000);
    let options = options(&dataset, &server.url());
    tokio::select! {
        _ = push::push(&options, Arc::new(Slow)) => unreachable!("the last chunk takes longer"),
        _ = until(&mut told, "begin") => {}
    }
    let fate = until(&mut told, "drop").await;
    assert!(!fate.contains(&"finish"), "{fate:?}");
}

/// Holds the stream for a moment at each chunk.
struct Slow;

impl Progress for Slow {
    fn metadata(&self, _: &str, _: usize, _: u64) {}
    fn chunk(&self, _: &Sizes) {
        std::thread::sleep(Duration::from_millis(100));
    }
    fn completed(&self, _: &Sizes) {}
    fn failed(&self, _: &Failed) {}
    fn retrying(&self, _: u32, _: u32, _: Duration) {}
    fn gave_up(&self, _: u32, _: &Failed) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_stream_leaves_the_table_as_it_was() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    server.ingest(vec![metadata("recruit", 384), some_recruits(0..5)]).await.unwrap();
    let before = tables::manifest(&to.path().join("recruit"));
    for _ in 0..20 {
        cancel_between_messages(&server).await;
    }
    // Another run goes through all the same, and holds nothing of the others.
    server.ingest(vec![metadata("recruit", 384), some_recruits(0..5)]).await.unwrap();
    assert_eq!(tables::manifest(&to.path().join("recruit")), before);
}

/// Three messages, then the request is dropped.
async fn cancel_between_messages(server: &Running) {
    let (reached, mut reach) = mpsc::channel(1);
    let messages = vec![metadata("recruit", 384), some_recruits(0..9), some_recruits(9..20)];
    let messages = tokio_stream::iter(messages).chain(pending(reached));
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.ingest_data_stream(messages).await });
    reach.recv().await;
    call.abort();
    let _ = call.await;
}

/// Never yields, and tells when it is first asked.
fn pending(reached: mpsc::Sender<()>) -> impl Stream<Item = IngestDataRequest> {
    struct Pending(mpsc::Sender<()>);
    impl Stream for Pending {
        type Item = IngestDataRequest;
        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<IngestDataRequest>> {
            let _ = self.0.try_send(());
            std::task::Poll::Pending
        }
    }
    Pending(reached)
}

fn options(dataset: &Path, url: &str) -> Options {
    let backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };
    let dialect = Dialect::TypedV1;
    Options { dialect, backoff, ..Options::new(dataset, url.parse().unwrap()) }
}

/// Takes one connection, reads a little of it and closes it; then none.
async fn dying() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 1_024]).await;
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_middle_is_unavailable() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 20_000);
    let url = dying().await;
    let error = push::push(&options(&dataset, &url), Arc::new(push::Silent)).await.unwrap_err();
    let Error::Remote { failed, attempts: 3 } = error else { panic!("{error:?}") };
    assert!(failed.is_unreachable(), "{failed:?}");
}
