//! Our client against our server, and against one that fails on purpose.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use brine::{
    client::push::{
        self, Backoff, ChunkRows, ChunkSize, Dialect, Error, Failed, Options, Progress, Report, Silent, Sizes,
    },
    limits::wire::ChunkLimits,
    proto::embedding::{
        IngestDataRequest, IngestDataResponse, StreamEmbeddingRequest,
        embedding_stream_service_server::{EmbeddingStreamService, EmbeddingStreamServiceServer},
    },
    store::Discard,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status, Streaming};

use super::{
    bench::{discarding, serving, storing},
    tables,
};

fn options(dataset: &Path, url: &str) -> Options {
    let backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };
    let dialect = Dialect::TypedV1;
    Options { dialect, backoff, ..Options::new(dataset, url.parse().unwrap()) }
}

async fn push(options: &Options) -> Result<Report, Error> {
    push::push(options, Arc::new(Silent)).await
}

fn status_of(error: &Error) -> (Code, String, u32) {
    match error {
        Error::Remote { failed, attempts } => (failed.code(), failed.to_string(), *attempts),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_domains_arrive_as_they_were() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = storing(to.path()).await;
    for domain in ["recruit", "candidate", "skill_embedding_dic"] {
        let dataset = tables::write(from.path(), domain, 2_345);
        let report = push(&options(&dataset, &server.url())).await.unwrap();
        assert_eq!((report.sent.rows, report.attempts), (2_345, 1), "{report:?}");
        assert!(report.message.contains("version"), "{}", report.message);
        let (sent, stored) = (tables::manifest(&dataset), tables::manifest(&to.path().join(domain)));
        assert_eq!((sent.d, sent.k, sent.rows), (stored.d, stored.k, stored.rows), "{domain}");
        assert_eq!(sent.fingerprint, stored.fingerprint, "{domain}");
        assert_eq!(stored.source.unwrap().file_name, format!("{domain}.pkl"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_push_again_makes_no_new_version() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = storing(to.path()).await;
    let dataset = tables::write(from.path(), "recruit", 1_500);
    let options = options(&dataset, &server.url());
    push(&options).await.unwrap();
    let first = tables::manifest(&to.path().join("recruit"));
    let report = push(&options).await.unwrap();
    assert!(report.message.contains("nothing changed"), "{}", report.message);
    assert_eq!(tables::manifest(&to.path().join("recruit")), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_at_once_both_arrive() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = storing(to.path()).await;
    let datasets = ["recruit", "candidate"].map(|domain| tables::write(from.path(), domain, 3_000));
    let [one, two] = [&datasets[0], &datasets[1]].map(|dataset| options(dataset, &server.url()));
    let (one, two, again) = tokio::join!(push(&one), push(&two), push(&one));
    one.unwrap();
    two.unwrap();
    again.unwrap();
    for dataset in &datasets {
        let stored = tables::manifest(&to.path().join(dataset.file_name().unwrap()));
        assert_eq!(tables::manifest(dataset).fingerprint, stored.fingerprint);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_are_of_the_size_asked_for() {
    let from = tempfile::tempdir().unwrap();
    let server = discarding().await;
    let dataset = tables::write(from.path(), "recruit", 2_000);
    let sizes = [(ChunkRows::Default, 2), (ChunkRows::Fixed(100), 20), (ChunkRows::Auto(100.0), 4)];
    for (rows, chunks) in sizes {
        let chunk_size = ChunkSize { rows, ..ChunkSize::default() };
        let options = Options { chunks: chunk_size, ..options(&dataset, &server.url()) };
        let sent = push(&options).await.unwrap().sent;
        assert_eq!((sent.rows, sent.chunks), (2_000, chunks), "{rows:?}");
        assert!(sent.largest <= chunk_size.message_bytes_max as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn null_cells_are_counted_and_arrive_as_nulls() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = storing(to.path()).await;
    let dataset = tables::write(from.path(), "recruit", 190);
    let report = push(&options(&dataset, &server.url())).await.unwrap();
    let english = report.nulls.iter().find(|nulls| nulls.column == "english_level").unwrap();
    assert_eq!(english.cells, 10);
    assert_eq!(tables::nulls(&to.path().join("recruit"), "english_level"), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_large_for_the_server_is_said_so() {
    let from = tempfile::tempdir().unwrap();
    let limits = ChunkLimits { message_bytes_max: 1 << 20, ..ChunkLimits::default() };
    let server = serving(Arc::new(Discard::default()), limits).await;
    let dataset = tables::write(from.path(), "recruit", 3_000);
    let error = push(&options(&dataset, &server.url())).await.unwrap_err();
    let (code, text, attempts) = status_of(&error);
    assert_eq!((code, attempts), (Code::ResourceExhausted, 3));
    assert_eq!(text, "Batch Server resource exhausted");
    let Error::Remote { failed, .. } = error else { unreachable!() };
    assert!(failed.details().contains("limit of 1048576 bytes"), "{}", failed.details());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_another_dimension_is_not_tried_again() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = storing(to.path()).await;
    let dataset = tables::write_with(from.path(), "recruit", 10, 384);
    push(&options(&dataset, &server.url())).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let dataset = tables::write_with(other.path(), "recruit", 10, 768);
    let error = push(&options(&dataset, &server.url())).await.unwrap_err();
    let (code, text, attempts) = status_of(&error);
    assert_eq!((code, attempts), (Code::FailedPrecondition, 1), "{text}");
    assert!(text.contains("holds vectors of dimension 384"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listening_is_unavailable() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 10);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = push(&options(&dataset, &url)).await.unwrap_err();
    let (code, text, attempts) = status_of(&error);
    assert_eq!((code, attempts), (Code::Unavailable, 3));
    assert!(text.starts_with("Batch Server unavailable"), "{text}");
}

/// Answers the first calls with a status after a few messages, then takes everything.
struct Failing {
    failures: AtomicU32,
    status: Status,
    /// Messages taken before failing.
    after: usize,
    answer: fn(i32, i32) -> IngestDataResponse,
}

#[tonic::async_trait]
impl EmbeddingStreamService for Failing {
    type StreamEmbeddingStream = tokio_stream::Empty<Result<brine::proto::embedding::RowChunk, Status>>;

    async fn stream_embedding(
        &self,
        _: Request<StreamEmbeddingRequest>,
    ) -> Result<Response<Self::StreamEmbeddingStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn ingest_data_stream(
        &self,
        request: Request<Streaming<IngestDataRequest>>,
    ) -> Result<Response<IngestDataResponse>, Status> {
        let fails = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        let (mut messages, mut taken, mut rows, mut chunks) = (request.into_inner(), 0, 0, 0);
        while let Some(message) = messages.message().await? {
            taken += 1;
            if fails && taken > self.after {
                return Err(self.status.clone());
            }
            if let Some(brine::proto::embedding::ingest_data_request::ChunkData::RecruitChunk(chunk)) =
                message.chunk_data
            {
                rows += i32::try_from(chunk.rows.len()).unwrap();
                chunks += 1;
            }
        }
        Ok(Response::new((self.answer)(rows, chunks)))
    }
}

fn success(rows: i32, chunks: i32) -> IngestDataResponse {
    let (status, message) = ("success".to_owned(), "OK".to_owned());
    IngestDataResponse {
        status,
        message,
        total_rows_received: rows,
        total_chunks_received: chunks,
        outcome: None,
    }
}

fn failing(failures: u32, status: Status) -> Failing {
    Failing { failures: AtomicU32::new(failures), status, after: 1, answer: success }
}

/// Pushes 1,000 rows in ten chunks to a stock tonic server with the default settings.
async fn push_to(fake: Failing) -> Result<Report, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = EmbeddingStreamServiceServer::new(fake);
    let serve = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(serve.serve_with_incoming(TcpListenerStream::new(listener)));
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 1_000);
    let chunks = ChunkSize { rows: ChunkRows::Fixed(100), ..ChunkSize::default() };
    push(&Options { chunks, ..options(&dataset, &url) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_are_tried_again_from_the_first_row() {
    for code in [Code::Unavailable, Code::Aborted, Code::ResourceExhausted, Code::Unknown] {
        let report = push_to(failing(2, Status::new(code, "later"))).await.unwrap();
        assert_eq!((report.attempts, report.sent.rows, report.sent.chunks), (3, 1_000, 10), "{code:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_attempts_are_all() {
    let error = push_to(failing(3, Status::unavailable("gone"))).await.unwrap_err();
    assert_eq!(status_of(&error), (Code::Unavailable, "Batch Server unavailable".to_owned(), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_internal_error_twice_is_final() {
    let error = push_to(failing(9, Status::internal("row 7"))).await.unwrap_err();
    assert_eq!(status_of(&error), (Code::Internal, "Unknown gRPC error: INTERNAL, row 7".to_owned(), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_not_tried_again() {
    let codes = [
        (Status::invalid_argument("bad row"), "Invalid argument: bad row"),
        (Status::unauthenticated("who"), "Unknown gRPC error: UNAUTHENTICATED, who"),
        (Status::permission_denied("no"), "Unknown gRPC error: PERMISSION_DENIED, no"),
        (Status::unimplemented("what"), "Unknown gRPC error: UNIMPLEMENTED, what; try --dialect auto"),
    ];
    for (status, text) in codes {
        let code = status.code();
        let error = push_to(failing(9, status)).await.unwrap_err();
        assert_eq!(status_of(&error), (code, text.to_owned(), 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_only_with_the_right_counts() {
    let wrong: [fn(i32, i32) -> IngestDataResponse; 3] = [
        |rows, chunks| success(rows - 1, chunks),
        |rows, chunks| success(rows, chunks + 1),
        |rows, chunks| IngestDataResponse { status: "failed".to_owned(), ..success(rows, chunks) },
    ];
    for answer in wrong {
        let error = push_to(Failing { answer, ..failing(0, Status::ok("")) }).await.unwrap_err();
        let Error::Remote { failed: Failed::Counts { .. } | Failed::Answer { .. }, attempts: 1 } = error
        else {
            panic!("{error:?}")
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_a_server_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 100);
    let options = Options { deadline: Duration::from_millis(300), ..options(&dataset, &url) };
    let (code, text, attempts) = status_of(&push(&options).await.unwrap_err());
    assert_eq!((code, text.as_str(), attempts), (Code::DeadlineExceeded, "Request timeout", 1));
    // One stream may take less than everything: then there is time for others.
    let timeout = Some(Duration::from_millis(100));
    let options = Options { deadline: Duration::from_mins(10), timeout, attempts: 4, ..options };
    let (code, text, attempts) = status_of(&push(&options).await.unwrap_err());
    assert_eq!((code, text.as_str(), attempts), (Code::DeadlineExceeded, "Request timeout", 4));
    held.abort();
}

/// Replaces the data set when the first attempt fails.
struct Replacing(Mutex<Option<tempfile::TempDir>>);

impl Progress for Replacing {
    fn metadata(&self, _: &str, _: usize, _: u64) {}
    fn chunk(&self, _: &Sizes) {}
    fn completed(&self, _: &Sizes) {}
    fn failed(&self, _: &Failed) {
        let folder = self.0.lock().unwrap().take().unwrap();
        tables::write(folder.path(), "recruit", 11);
        *self.0.lock().unwrap() = Some(folder);
    }
    fn retrying(&self, _: u32, _: u32, _: Duration) {}
    fn gave_up(&self, _: u32, _: &Failed) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_changed_between_attempts_is_not_mixed_with_itself() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 10);
    let options = options(&dataset, "http://127.0.0.1:1");
    let progress = Arc::new(Replacing(Mutex::new(Some(from))));
    let error = push::push(&options, Arc::clone(&progress) as Arc<dyn Progress>).await.unwrap_err();
    let changed = match &error {
        Error::Changed => true,
        Error::File(error) => matches!(**error, brine::file::Error::Changed { .. }),
        _ => false,
    };
    assert!(changed, "{error:?}");
}
