//! Sessions end to end: our client against our server over ways that break, and messages of clients that err.

use std::{path::Path, sync::Arc, time::Duration};

use brine::{
    client::push::{
        self, Backoff, ChunkRows, ChunkSize, Dialect, Error, Guarantee, Options, Report, Selection,
        SessionOptions, Silent,
    },
    columnar::schema::of_domain,
    digest::{RowHasher, fingerprint},
    limits::wire::ChunkLimits,
    proto::embedding::{
        ChunkHeader, IngestDataRequest, IngestOutcome, SessionHello, SessionState,
        session::v1::{
            AppendAck, AppendRequest, CommitRequest, OpenRequest, Reason, append_ack, append_request,
            ingest_session_service_client::IngestSessionServiceClient,
        },
    },
    schema,
    session::Mode,
    store::Discard,
    wire::ChunkDecoder,
};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Channel};
use tonic_types::StatusExt as _;

use super::{
    bench::{Running, metadata, serving, some_recruits, storing},
    proxy::{Cut, Proxy},
    tables,
};

fn options(dataset: &Path, url: &str) -> Options {
    let backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };
    let rows = ChunkRows::Fixed(100);
    let chunks = ChunkSize { rows, ..ChunkSize::default() };
    Options { backoff, chunks, ..Options::new(dataset, url.parse().unwrap()) }
}

async fn push(options: &Options) -> Result<Report, Error> {
    push::push(options, Arc::new(Silent)).await
}

fn same(dataset: &Path, stored: &Path) {
    let (sent, stored) = (tables::manifest(dataset), tables::manifest(stored));
    assert_eq!(
        (sent.d, sent.k, sent.rows, sent.fingerprint),
        (stored.d, stored.k, stored.rows, stored.fingerprint)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn three_domains_arrive_once_and_only_once() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = storing(to.path()).await;
    for domain in ["recruit", "candidate", "skill_embedding_dic"] {
        let dataset = tables::write(from.path(), domain, 2_345);
        let report = push(&options(&dataset, &server.url())).await.unwrap();
        assert_eq!((report.guarantee, report.attempts), (Guarantee::ExactlyOnce, 1));
        assert_eq!(report.session.unwrap().version, 1);
        same(&dataset, &to.path().join(domain));
        // Again: nothing is sent.
        let again = push(&options(&dataset, &server.url())).await.unwrap();
        let session = again.session.unwrap();
        assert_eq!((again.sent.rows, session.resumed_at, session.version), (0, 2_345, 1));
        // As a new run: sent, and nothing changed.
        let session = SessionOptions { salt: push::new_salt(), ..SessionOptions::default() };
        let new_run = push(&Options { session, ..options(&dataset, &server.url()) }).await.unwrap();
        assert_eq!((new_run.sent.rows, new_run.session.unwrap().version), (2_345, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_breaks_anywhere_loses_and_doubles_nothing() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 1_500);
    let whole = push::dry_run(&feed(&dataset), &SessionOptions::default()).unwrap().bytes;
    let positions = (1..12).map(|part| part * whole / 10).chain([1, 30, 90, 200, 400, 900, 5_000]);
    for position in positions {
        let to = tempfile::tempdir().unwrap();
        let server = storing(to.path()).await;
        // The first stream breaks on its way there, the second on its way back.
        let proxy =
            Proxy::new(server.address, vec![Cut::Sent(position), Cut::Received(position % 700)]).await;
        let report = push(&options(&dataset, &proxy.url())).await.unwrap();
        assert_eq!(report.guarantee, Guarantee::ExactlyOnce, "{position}");
        same(&dataset, &to.path().join("recruit"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_are_asked_for_and_nothing_is_sent_again() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", 500);
    let server = storing(to.path()).await;
    let sent = push(&options(&dataset, &server.url())).await.unwrap();
    for received in (0..600).step_by(37) {
        let proxy = Proxy::new(server.address, vec![Cut::Received(received)]).await;
        let report = push(&options(&dataset, &proxy.url())).await.unwrap();
        assert_eq!((report.sent.rows, report.session.unwrap().version), (0, 1));
        assert!(proxy.sent() < sent.sent.bytes / 10, "rows went over the wire again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_gone_on_with() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", 3_000);
    let first = storing(to.path()).await;
    let whole = push::dry_run(&feed(&dataset), &SessionOptions::default()).unwrap().bytes;
    let proxy = Proxy::new(first.address, vec![Cut::Sent(whole / 2)]).await;
    let once = Options { attempts: 1, deadline: Duration::ZERO, ..options(&dataset, &proxy.url()) };
    assert!(push(&once).await.is_err());
    drop(first);
    let second = reopened(to.path()).await;
    let report = push(&options(&dataset, &second.url())).await.unwrap();
    let session = report.session.unwrap();
    assert_eq!(session.resumed_at + report.sent.rows, 3_000, "only what was missing is sent");
    same(&dataset, &to.path().join("recruit"));
}

/// The store again, once the server before has let go of it.
async fn reopened(folder: &Path) -> Running {
    for _ in 0..200 {
        if let Ok(store) = brine::store::ParquetStore::open(folder) {
            return serving(Arc::new(store), ChunkLimits::default()).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the store is still held")
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_make_the_whole_in_any_order() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", 5_432);
    let server = storing(to.path()).await;
    for index in [3, 1, 2] {
        let rows = Selection::Shard { index, of: 3 };
        let report = push(&Options { rows, ..options(&dataset, &server.url()) }).await.unwrap();
        assert_eq!(report.sent.rows, report.session.unwrap().rows);
    }
    let (sent, stored) = (tables::manifest(&dataset), tables::manifest(&to.path().join("recruit")));
    assert_eq!((sent.rows, sent.k), (stored.rows, stored.k));
    // A part that no checkpoint bounds, sent again: the rows are there.
    let rows = Selection::Rows(17..2_301);
    let report = push(&Options { rows, ..options(&dataset, &server.url()) }).await.unwrap();
    assert!(report.message.contains("changed nothing"), "{}", report.message);
    let beyond = Options { rows: Selection::Rows(0..5_433), ..options(&dataset, &server.url()) };
    assert!(matches!(push(&beyond).await, Err(Error::Selection { rows: 5_432, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_committed_session_shows_what_it_has_when_its_stream_breaks() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", 2_000);
    let server = storing(to.path()).await;
    let session = SessionOptions { mode: Mode::Committed, ..SessionOptions::default() };
    let report = push(&Options { session, ..options(&dataset, &server.url()) }).await.unwrap();
    assert_eq!(report.session.unwrap().version, 1);
    same(&dataset, &to.path().join("recruit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_counts_has_sessions_too() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 1_234);
    let server = serving(Arc::new(Discard::default()), ChunkLimits::default()).await;
    let report = push(&options(&dataset, &server.url())).await.unwrap();
    assert_eq!((report.sent.rows, report.session.unwrap().rows), (1_234, 1_234));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_takes_no_more_than_the_server_permits() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", 400);
    let limits = ChunkLimits { rows_max: 30, message_bytes_max: 20_000 };
    let store = Arc::new(brine::store::ParquetStore::open(to.path()).unwrap());
    let server = serving(store, limits).await;
    let report = push(&options(&dataset, &server.url())).await.unwrap();
    assert!(report.sent.largest <= 20_000, "{report:?}");
    same(&dataset, &to.path().join("recruit"));
}

fn feed(dataset: &Path) -> push::Feed {
    push::Feed::open(dataset, options(dataset, "http://localhost").chunks, Dialect::Session).unwrap()
}

/// A hand-made session of the recruits with the keys of `0..rows`.
struct Hand {
    client: IngestSessionServiceClient<Channel>,
    hello: SessionHello,
    hasher: RowHasher,
    decoder: ChunkDecoder,
}

impl Hand {
    async fn new(server: &Running, rows: u32) -> Self {
        let domain = schema::find("recruit").unwrap();
        let table = of_domain(domain, 384);
        let hasher = RowHasher::new(&table).unwrap();
        let decoder = ChunkDecoder::new(domain, 384, ChunkLimits::default()).unwrap();
        let channel = tonic::transport::Endpoint::from_shared(server.url()).unwrap().connect().await.unwrap();
        let mut hand = Self {
            client: IngestSessionServiceClient::new(channel),
            hello: SessionHello { protocol_version: 1, session_id: vec![7; 16], ..SessionHello::default() },
            hasher,
            decoder,
        };
        let digest = hand.digest(0..rows);
        hand.hello.total_rows = u64::from(rows);
        hand.hello.fingerprint = fingerprint(&table, u64::from(rows), digest);
        hand
    }

    fn digest(&self, keys: std::ops::Range<u32>) -> u128 {
        let message = some_recruits(keys.clone()).encode_to_vec().into();
        let (_, batch) = self.decoder.decode(&message).unwrap().chunk.unwrap();
        self.hasher.range_digest(&batch, 0..batch.num_rows(), u64::from(keys.start)).unwrap()
    }

    async fn open(&mut self) -> IngestOutcome {
        let request = OpenRequest {
            hello: Some(self.hello.clone()),
            domain: "recruit".to_owned(),
            vector_dimension: 384,
            ..OpenRequest::default()
        };
        let at = self.client.open(request).await.unwrap().into_inner().at.unwrap();
        self.hello.epoch = at.epoch;
        at
    }

    fn chunk(&self, keys: std::ops::Range<u32>) -> IngestDataRequest {
        let header = ChunkHeader {
            first_row: u64::from(keys.start),
            row_count: keys.end - keys.start,
            range_digest: self.digest(keys.clone()).to_le_bytes().to_vec(),
        };
        IngestDataRequest { header: Some(header), ..some_recruits(keys) }
    }

    fn corrupt(&self, keys: std::ops::Range<u32>) -> IngestDataRequest {
        let mut chunk = self.chunk(keys);
        chunk.header.as_mut().unwrap().range_digest[3] ^= 1;
        chunk
    }

    async fn append(&mut self) -> Appending {
        let (requests, receiver) = mpsc::channel(16);
        requests.send(of(append_request::Kind::Start(self.hello.clone()))).await.unwrap();
        let acks = self.client.append(ReceiverStream::new(receiver)).await.unwrap().into_inner();
        let mut appending = Appending { requests: Some(requests), acks };
        // What is there already is said at once.
        appending.next().await.unwrap();
        appending
    }

    async fn commit(&mut self) -> Result<IngestOutcome, Status> {
        let SessionHello { session_id, epoch, total_rows, fingerprint, .. } = self.hello.clone();
        let committed =
            self.client.commit(CommitRequest { session_id, epoch, total_rows, fingerprint }).await;
        committed.map(|committed| committed.into_inner().at.unwrap())
    }
}

struct Appending {
    requests: Option<mpsc::Sender<AppendRequest>>,
    acks: Streaming<AppendAck>,
}

fn of(kind: append_request::Kind) -> AppendRequest {
    AppendRequest { kind: Some(kind) }
}

impl Appending {
    async fn send(&mut self, chunk: IngestDataRequest) {
        self.requests.as_ref().unwrap().send(of(append_request::Kind::Chunk(chunk))).await.unwrap();
    }

    async fn next(&mut self) -> Result<append_ack::Kind, Status> {
        let ack = tokio::time::timeout(Duration::from_secs(20), self.acks.message()).await.unwrap()?;
        Ok(ack.expect("the stream goes on").kind.unwrap())
    }

    /// The reason of a refused chunk, and the row that is expected.
    async fn refusal(&mut self, chunk: IngestDataRequest) -> (Reason, u64) {
        self.send(chunk).await;
        loop {
            match self.next().await.unwrap() {
                append_ack::Kind::Error(error) => return (error.reason(), error.expected_row),
                append_ack::Kind::Committed(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Ends the stream; what is durable then.
    async fn end(mut self) -> IngestOutcome {
        self.requests = None;
        let mut last = None;
        while let Some(ack) = self.acks.message().await.unwrap() {
            if let Some(append_ack::Kind::Committed(outcome)) = ack.kind {
                last = Some(outcome);
            }
        }
        last.unwrap()
    }
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.domain, "embedding.session");
    info.reason
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_out_of_place_are_told_and_the_stream_goes_on() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    let mut hand = Hand::new(&server, 20).await;
    assert_eq!(hand.open().await.committed_rows, 0);
    let mut stream = hand.append().await;
    assert_eq!(stream.refusal(hand.chunk(5..9)).await, (Reason::OffsetGap, 0));
    stream.send(hand.chunk(0..8)).await;
    stream.send(hand.chunk(2..6)).await;
    assert_eq!(stream.refusal(hand.chunk(6..12)).await, (Reason::OffsetGap, 8));
    assert_eq!(stream.refusal(hand.corrupt(8..12)).await, (Reason::ChunkCorrupt, 8));
    let mut short = hand.chunk(8..12);
    short.header.as_mut().unwrap().row_count = 3;
    assert_eq!(stream.refusal(short).await, (Reason::ChunkCorrupt, 8));
    assert_eq!(stream.refusal(some_recruits(8..12)).await, (Reason::RowInvalid, 8));
    assert_eq!(stream.refusal(hand.chunk(18..22)).await, (Reason::RowInvalid, 8));
    stream.send(hand.chunk(8..20)).await;
    let outcome = stream.end().await;
    assert_eq!((outcome.committed_rows, outcome.duplicate_rows_skipped), (20, 4));
    assert_eq!(hand.commit().await.unwrap().state(), SessionState::Finalized);
    assert_eq!(tables::manifest(&to.path().join("recruit")).rows, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_refused_chunk_is_durable_when_the_refusal_is_told() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    let mut hand = Hand::new(&server, 20).await;
    hand.open().await;
    let mut stream = hand.append().await;
    stream.send(hand.chunk(0..8)).await;
    assert_eq!(stream.refusal(hand.corrupt(8..12)).await, (Reason::ChunkCorrupt, 8));
    // A new epoch ends the old stream: what that has not made durable is lost with it.
    assert_eq!(hand.open().await.committed_rows, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_come_while_the_stream_runs() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    let mut hand = Hand::new(&server, 20).await;
    hand.open().await;
    let mut stream = hand.append().await;
    stream.send(hand.chunk(0..8)).await;
    // Without a flush, after the interval.
    let append_ack::Kind::Committed(outcome) = stream.next().await.unwrap() else {
        panic!("no acknowledgement")
    };
    assert_eq!(outcome.committed_rows, 8);
    let digest = hand.digest(0..8).to_le_bytes().to_vec();
    assert_eq!((outcome.prefix_digest, outcome.epoch), (digest, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_cannot_be_kept_is_told_to_a_client_that_only_waits() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    let mut hand = Hand::new(&server, 20).await;
    hand.open().await;
    let mut stream = hand.append().await;
    // What stands where the segment should be named makes its renaming fail.
    let session = std::fs::read_dir(to.path().join("_sessions")).unwrap().next().unwrap().unwrap().path();
    let in_the_way = session.join("rows-1-0.arrow");
    std::fs::create_dir(&in_the_way).unwrap();
    stream.send(hand.chunk(0..20)).await;
    assert_eq!(stream.next().await.unwrap_err().code(), tonic::Code::Internal);
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(hand.open().await.committed_rows, 0);
    let mut stream = hand.append().await;
    stream.send(hand.chunk(0..20)).await;
    assert_eq!(stream.end().await.committed_rows, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newer_of_two_attempts_wins() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    let (mut old, mut new) = (Hand::new(&server, 20).await, Hand::new(&server, 20).await);
    old.open().await;
    let mut stream = old.append().await;
    stream.send(old.chunk(0..8)).await;
    stream.next().await.unwrap();
    assert_eq!(new.open().await.committed_rows, 8);
    assert_eq!(stream.refusal(old.chunk(8..20)).await.0, Reason::Fenced);
    assert_eq!(reason(&old.commit().await.unwrap_err()), "FENCED");
    let mut stream = new.append().await;
    stream.send(new.chunk(8..20)).await;
    assert_eq!(stream.end().await.committed_rows, 20);
    new.commit().await.unwrap();
    // The epoch that was fenced hears that everything is there.
    assert_eq!(old.commit().await.unwrap().state(), SessionState::Finalized);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_sessions_that_are_not_there_are_answered() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    let mut hand = Hand::new(&server, 20).await;
    let refused = hand.commit().await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::NotFound, "SESSION_UNKNOWN".to_owned()));
    hand.open().await;
    let refused = hand.commit().await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "INCOMPLETE".to_owned()));
    hand.hello.total_rows = 21;
    let refused = hand.commit().await.unwrap_err();
    assert_eq!(reason(&refused), "FINGERPRINT_MISMATCH");
    hand.hello.session_id = vec![1; 3];
    assert_eq!(hand.commit().await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_the_original_service_can_be_part_of_a_session() {
    let to = tempfile::tempdir().unwrap();
    let server = storing(to.path()).await;
    let hand = Hand::new(&server, 20).await;
    let mut first = metadata("recruit", 384);
    first.metadata.as_mut().unwrap().session = Some(hand.hello.clone());
    let broken = server.ingest(vec![first.clone(), hand.chunk(0..8)]).await.unwrap_err();
    assert_eq!((broken.code(), reason(&broken)), (Code::FailedPrecondition, "INCOMPLETE".to_owned()));
    assert_eq!(broken.get_details_error_info().unwrap().metadata["committed_rows"], "8");
    let whole = vec![first, hand.chunk(0..8), hand.chunk(8..20)];
    let response = server.ingest(whole).await.unwrap();
    let outcome = response.outcome.clone().unwrap();
    assert_eq!((response.total_rows_received, response.total_chunks_received), (20, 2));
    assert_eq!(
        (outcome.state(), outcome.duplicate_rows_skipped, outcome.epoch),
        (SessionState::Finalized, 8, 2)
    );
    assert_eq!(tables::manifest(&to.path().join("recruit")).rows, 20);
}
