//! Servers that know one dialect or two, what reaches them, and when the client goes from one to the other.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use arrow_array::{Array as _, FixedSizeListArray, Float32Array, RecordBatch, cast::AsArray as _};
use brine::{
    client::push::{
        self, Backoff, ChunkRows, ChunkSize, Dialect, Error, Failed, Feed, Options, Report, Silent,
    },
    file::Dataset,
    proto::{embedding, embedding_json},
};
use embedding::embedding_stream_service_server as typed;
use embedding_json::{embedding_stream_service_server as json, ingest_data_request::Request as JsonRequest};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status, Streaming, service::Routes};

use super::tables;

/// One message as a server saw it.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Metadata { domain: String, file_name: String, dimension: i32 },
    Rows(usize),
    Both,
}

/// What a server answers to its calls in turn: an error after so many messages, or counts that are off by so much.
#[derive(Debug, Clone)]
enum Turn {
    Fails { after: usize, status: Status },
    Miscounts(i32),
    Refuses,
}

/// What all calls of one service saw, and what they are told.
#[derive(Debug, Clone, Default)]
struct Script {
    turns: Arc<Mutex<VecDeque<Turn>>>,
    calls: Arc<Mutex<Vec<Vec<Seen>>>>,
    texts: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn of(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { turns: Arc::new(Mutex::new(turns.into_iter().collect())), ..Self::default() }
    }

    fn failing(codes: impl IntoIterator<Item = Code>) -> Self {
        Self::of(
            codes.into_iter().map(|code| Turn::Fails { after: 1, status: Status::new(code, "scripted") }),
        )
    }

    fn calls(&self) -> Vec<Vec<Seen>> {
        self.calls.lock().unwrap().clone()
    }

    /// Every row object received by the last call that was allowed to end.
    fn rows(&self) -> Vec<Value> {
        let texts = self.texts.lock().unwrap();
        texts.iter().flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap()).collect()
    }

    /// Takes a whole stream; the miscount of its answer, or none if it is refused.
    async fn take<M>(
        &self,
        mut messages: Streaming<M>,
        see: impl Fn(M) -> (Seen, Option<String>),
    ) -> Result<(i32, i32, bool), Status> {
        let turn = self.turns.lock().unwrap().pop_front();
        let call = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(Vec::new());
            calls.len() - 1
        };
        self.texts.lock().unwrap().clear();
        let mut taken = 0;
        while let Some(message) = messages.message().await? {
            let (seen, text) = see(message);
            self.calls.lock().unwrap()[call].push(seen);
            self.texts.lock().unwrap().extend(text);
            taken += 1;
            match &turn {
                Some(Turn::Fails { after, status }) if taken > *after => return Err(status.clone()),
                _ => {}
            }
        }
        let rows = |seen: &Seen| if let Seen::Rows(rows) = seen { *rows } else { 0 };
        let counts: Vec<usize> =
            self.calls.lock().unwrap()[call].iter().map(rows).filter(|n| *n > 0).collect();
        let off = if let Some(Turn::Miscounts(off)) = turn { off } else { 0 };
        let (rows, chunks) = (counts.iter().sum::<usize>() as i32, counts.len() as i32 + off);
        Ok((rows, chunks, !matches!(turn, Some(Turn::Refuses))))
    }
}

struct Typed(Script);
struct Json(Script);

#[tonic::async_trait]
impl typed::EmbeddingStreamService for Typed {
    type StreamEmbeddingStream = tokio_stream::Empty<Result<embedding::RowChunk, Status>>;

    async fn stream_embedding(
        &self,
        _: Request<embedding::StreamEmbeddingRequest>,
    ) -> Result<Response<Self::StreamEmbeddingStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn ingest_data_stream(
        &self,
        request: Request<Streaming<embedding::IngestDataRequest>>,
    ) -> Result<Response<embedding::IngestDataResponse>, Status> {
        let see = |message: embedding::IngestDataRequest| {
            use embedding::ingest_data_request::ChunkData;
            let seen = match (message.metadata, message.chunk_data) {
                (Some(_), Some(_)) | (None, None) => Seen::Both,
                (Some(metadata), None) => Seen::Metadata {
                    domain: metadata.domain,
                    file_name: metadata.file_name,
                    dimension: metadata.vector_dimension,
                },
                (None, Some(ChunkData::RecruitChunk(chunk))) => Seen::Rows(chunk.rows.len()),
                (None, Some(ChunkData::CandidateChunk(chunk))) => Seen::Rows(chunk.rows.len()),
                (None, Some(ChunkData::SkillEmbeddingDicChunk(chunk))) => Seen::Rows(chunk.rows.len()),
            };
            (seen, None)
        };
        let (rows, chunks, is_success) = self.0.take(request.into_inner(), see).await?;
        let status = if is_success { "success" } else { "failed" }.to_owned();
        let message = "OK".to_owned();
        Ok(Response::new(embedding::IngestDataResponse {
            status,
            message,
            total_rows_received: rows,
            total_chunks_received: chunks,
            outcome: None,
        }))
    }
}

#[tonic::async_trait]
impl json::EmbeddingStreamService for Json {
    type StreamEmbeddingStream = tokio_stream::Empty<Result<embedding_json::RowChunk, Status>>;

    async fn stream_embedding(
        &self,
        _: Request<embedding_json::StreamEmbeddingRequest>,
    ) -> Result<Response<Self::StreamEmbeddingStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn ingest_data_stream(
        &self,
        request: Request<Streaming<embedding_json::IngestDataRequest>>,
    ) -> Result<Response<embedding_json::IngestDataResponse>, Status> {
        let see = |message: embedding_json::IngestDataRequest| match message.request {
            None => (Seen::Both, None),
            Some(JsonRequest::Metadata(metadata)) => {
                let embedding_json::IngestMetadata { domain, file_name, vector_dimension } = metadata;
                (Seen::Metadata { domain, file_name, dimension: vector_dimension }, None)
            }
            Some(JsonRequest::DataChunk(text)) => {
                let text = String::from_utf8(text).unwrap();
                let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
                (Seen::Rows(rows.len()), Some(text))
            }
        };
        let (_, received_chunks, success) = self.0.take(request.into_inner(), see).await?;
        let message = "ingested".to_owned();
        Ok(Response::new(embedding_json::IngestDataResponse { success, received_chunks, message }))
    }
}

/// A stock tonic server with the services given.
async fn serving(typed: Option<&Script>, json: Option<&Script>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut routes = Routes::default();
    if let Some(script) = typed {
        routes = routes.add_service(typed::EmbeddingStreamServiceServer::new(Typed(script.clone())));
    }
    if let Some(script) = json {
        routes = routes.add_service(json::EmbeddingStreamServiceServer::new(Json(script.clone())));
    }
    let serve = tonic::transport::Server::builder().add_routes(routes);
    tokio::spawn(serve.serve_with_incoming(TcpListenerStream::new(listener)));
    url
}

fn options(dataset: &Path, url: &str, dialect: Dialect) -> Options {
    let backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };
    Options { backoff, dialect, ..Options::new(dataset, url.parse().unwrap()) }
}

async fn push(options: &Options) -> Result<Report, Error> {
    push::push(options, Arc::new(Silent)).await
}

async fn push_downgrading(options: &Options) -> Result<Report, Error> {
    push::push_downgrading(options, Arc::new(Silent)).await
}

fn code_of(error: &Error) -> (Code, u32) {
    match error {
        Error::Remote { failed, attempts } => (failed.code(), *attempts),
        other => panic!("{other:?}"),
    }
}

/// The rows of a data set as the objects that a json-v1 server should see, in the published keys.
fn expected(dataset: &Path, domain: &str) -> Vec<Value> {
    let dataset = Dataset::open(dataset).unwrap();
    let form = brine::schema::find(domain).unwrap().json.clone().unwrap();
    let batches = (0..dataset.batch_count()).map(|index| dataset.batch(index).unwrap());
    batches
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch.clone(), row)))
        .map(|(batch, row)| {
            let value =
                |column: &Option<String>| column.as_ref().map_or(Value::Null, |name| cell(&batch, name, row));
            form.keys.iter().map(|key| (key.name.clone(), value(&key.column))).collect()
        })
        .collect()
}

fn cell(batch: &RecordBatch, name: &str, row: usize) -> Value {
    let array = batch.column_by_name(name).unwrap();
    if array.is_null(row) {
        return if name == "position_category" && batch.num_columns() == 6 {
            "Unknown".into()
        } else {
            Value::Null
        };
    }
    if let Some(lists) = array.as_any().downcast_ref::<FixedSizeListArray>() {
        let floats = lists.value(row);
        let floats = floats.as_any().downcast_ref::<Float32Array>().unwrap();
        return floats.values().iter().map(|float| Value::from(float.to_bits())).collect();
    }
    if let Some(lists) = array.as_list_opt::<i32>() {
        return lists.value(row).as_string::<i32>().iter().map(Value::from).collect();
    }
    if let Some(keys) = array.as_dictionary_opt::<arrow_array::types::Int32Type>() {
        return keys.values().as_string::<i32>().value(keys.keys().value(row) as usize).into();
    }
    match array.as_primitive_opt::<arrow_array::types::Int32Type>() {
        Some(integers) => integers.value(row).into(),
        None => array.as_string::<i32>().value(row).into(),
    }
}

/// The same objects with vectors as the bits of their floats.
fn in_bits(mut rows: Vec<Value>) -> Vec<Value> {
    for row in &mut rows {
        for (name, value) in row.as_object_mut().unwrap() {
            if name.ends_with("vector") {
                let bits = |float: &Value| Value::from((float.as_f64().unwrap() as f32).to_bits());
                *value = value.as_array().unwrap().iter().map(bits).collect();
            }
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_of_three_domains_reaches_a_json_server() {
    let from = tempfile::tempdir().unwrap();
    let script = Script::default();
    let url = serving(None, Some(&script)).await;
    for (domain, name) in
        [("recruit", "recruit"), ("candidate", "candidate"), ("skill_embedding_dic", "skill_dic")]
    {
        let dataset = tables::write(from.path(), domain, 250);
        let report = push(&options(&dataset, &url, Dialect::JsonV1)).await.unwrap();
        assert_eq!(
            (report.dialect, report.sent.rows, report.sent.chunks),
            (Dialect::JsonV1, 250, 3),
            "{domain}"
        );
        assert_eq!((report.domain.as_str(), report.message.as_str()), (domain, "ingested"));
        let metadata = Seen::Metadata {
            domain: name.to_owned(),
            file_name: format!("{domain}.pkl"),
            dimension: if domain == "recruit" { 384 } else { 768 },
        };
        let seen = [metadata, Seen::Rows(100), Seen::Rows(100), Seen::Rows(50)];
        assert_eq!(script.calls().last().unwrap(), &seen);
        assert_eq!(in_bits(script.rows()), expected(&dataset, domain), "{domain}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_data_set_lacks_and_what_was_replaced_is_said() {
    let from = tempfile::tempdir().unwrap();
    let url = serving(None, Some(&Script::default())).await;
    let recruit = tables::write(from.path(), "recruit", 190);
    let report = push(&options(&recruit, &url, Dialect::JsonV1)).await.unwrap();
    assert_eq!(
        report.unfilled,
        ["position", "published_at", "skills", "long_description", "description_lang"]
    );
    assert_eq!(report.nulls, [], "null is null there");
    let candidate = tables::write(from.path(), "candidate", 190);
    let report = push(&options(&candidate, &url, Dialect::JsonV1)).await.unwrap();
    let replaced: Vec<_> = report.nulls.iter().map(|nulls| (nulls.column.as_str(), nulls.cells)).collect();
    assert_eq!(replaced, [("position_category", 10)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_only_json_gets_json() {
    let from = tempfile::tempdir().unwrap();
    let script = Script::default();
    let url = serving(None, Some(&script)).await;
    let dataset = tables::write(from.path(), "recruit", 2_500);
    let report = push_downgrading(&options(&dataset, &url, Dialect::TypedV1)).await.unwrap();
    assert_eq!((report.dialect, report.attempts, report.sent.rows), (Dialect::JsonV1, 1, 2_500));
    assert_eq!(script.calls().len(), 1);
    let error = push(&options(&dataset, &url, Dialect::TypedV1)).await.unwrap_err();
    assert_eq!(code_of(&error), (Code::Unimplemented, 1), "asked for typed-v1, gets typed-v1");
    assert_eq!(script.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_which_dialect_it_found_and_what_is_sent_empty() {
    let from = tempfile::tempdir().unwrap();
    let url = serving(None, Some(&Script::default())).await;
    let dataset = tables::write(from.path(), "recruit", 190);
    let run = |more: &'static [&'static str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_brine"));
        command.args(["stream", dataset.to_str().unwrap(), "--to", &url]).args(more);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let output = run(&["--json"]).await.unwrap();
    let lines = "\
The server does not know typed-v1: trying json-v1
Fields of json-v1 that the data set lacks, sent empty: position, published_at, skills, long_description, description_lang
Sent metadata: domain=recruit, vector_dim=384
Completed: sent 2 chunks (190 rows)
";
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.ends_with(lines), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["dialect"], &report["rows"]), (&"json-v1".into(), &190.into()));
    assert_eq!((&report["attempts"], &report["guarantee"]), (&1.into(), &"at-least-once".into()));
    assert_eq!(report["fields_sent_empty"][0], "position");
    // What is sent otherwise than was asked for is no progress.
    let quiet = String::from_utf8(run(&["--quiet"]).await.unwrap().stderr).unwrap();
    let warned: Vec<_> = quiet.lines().map(|line| line.split_once(':').unwrap().0).collect();
    let expected = [
        "The server does not know session",
        "The server does not know typed-v1",
        "Fields of json-v1 that the data set lacks, sent empty",
    ];
    assert_eq!(warned, expected, "{quiet}");
    let text = String::from_utf8(run(&["--quiet", "--dialect", "json-v1"]).await.unwrap().stdout).unwrap();
    assert!(text.contains("in 2 chunks of json-v1"), "{text}");
    assert!(text.contains("sent empty: position, published_at"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_both_gets_the_typed_one() {
    let from = tempfile::tempdir().unwrap();
    let (typed, json) = (Script::default(), Script::default());
    let url = serving(Some(&typed), Some(&json)).await;
    let dataset = tables::write(from.path(), "recruit", 10);
    let report = push_downgrading(&options(&dataset, &url, Dialect::TypedV1)).await.unwrap();
    assert_eq!((report.dialect, typed.calls().len(), json.calls().len()), (Dialect::TypedV1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_unknown_method_leads_to_the_older_dialect() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 10);
    let codes = [Code::Unavailable, Code::DeadlineExceeded, Code::Internal, Code::NotFound, Code::Unknown];
    for code in codes {
        let (typed, json) = (Script::failing([code; 3]), Script::default());
        let url = serving(Some(&typed), Some(&json)).await;
        let error = push_downgrading(&options(&dataset, &url, Dialect::TypedV1)).await.unwrap_err();
        assert_eq!(code_of(&error).0, code);
        assert_eq!(json.calls().len(), 0, "{code:?}");
    }
    // Another server behind the same address, after the first may have taken rows.
    let (typed, json) = (Script::failing([Code::Unavailable, Code::Unimplemented]), Script::default());
    let url = serving(Some(&typed), Some(&json)).await;
    let error = push_downgrading(&options(&dataset, &url, Dialect::TypedV1)).await.unwrap_err();
    assert_eq!((code_of(&error), json.calls().len()), ((Code::Unimplemented, 2), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_stream_that_fails_is_repeated_whole() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 450);
    for code in [Code::Unavailable, Code::Aborted, Code::ResourceExhausted, Code::Unknown, Code::Internal] {
        let script = Script::failing([code]);
        let url = serving(None, Some(&script)).await;
        let report = push(&options(&dataset, &url, Dialect::JsonV1)).await.unwrap();
        assert_eq!((report.attempts, script.rows().len()), (2, 450), "{code:?}");
    }
    let script = Script::failing([Code::InvalidArgument]);
    let url = serving(None, Some(&script)).await;
    let error = push(&options(&dataset, &url, Dialect::JsonV1)).await.unwrap_err();
    assert_eq!((code_of(&error), script.calls().len()), ((Code::InvalidArgument, 1), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_answer_counts_only_with_success_and_the_right_number_of_chunks() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 450);
    for turn in [Turn::Miscounts(1), Turn::Miscounts(-1), Turn::Refuses] {
        let script = Script::of([turn.clone()]);
        let url = serving(None, Some(&script)).await;
        let error = push(&options(&dataset, &url, Dialect::JsonV1)).await.unwrap_err();
        let Error::Remote { failed, attempts: 1 } = &error else { panic!("{error:?}") };
        match turn {
            Turn::Refuses => assert!(matches!(failed, Failed::Answer { .. }), "{failed}"),
            _ => assert!(matches!(failed, Failed::Counts { rows_received: None, .. }), "{failed}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_goes_alone_and_first_and_once_in_each_stream() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 450);
    for dialect in [Dialect::TypedV1, Dialect::JsonV1] {
        let script = Script::failing([Code::Unavailable, Code::Unavailable]);
        let url = serving(Some(&script), Some(&script)).await;
        let chunks = ChunkSize { rows: ChunkRows::Fixed(50), ..ChunkSize::default() };
        push(&Options { chunks, ..options(&dataset, &url, dialect) }).await.unwrap();
        let calls = script.calls();
        assert_eq!(calls.len(), 3, "{dialect}");
        for call in &calls {
            assert!(matches!(call[0], Seen::Metadata { .. }), "{dialect}: {call:?}");
            assert!(call[1..].iter().all(|seen| *seen == Seen::Rows(50)), "{dialect}: {call:?}");
        }
        assert_eq!(calls[2].len(), 10, "{dialect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_with_a_key_twice_is_not_sent() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write_twice(from.path(), "recruit", 10);
    let script = Script::default();
    let url = serving(Some(&script), Some(&script)).await;
    for dialect in [Dialect::TypedV1, Dialect::JsonV1] {
        let error = push(&options(&dataset, &url, dialect)).await.unwrap_err();
        assert!(matches!(error, Error::RepeatedKeys { rows: 10, .. }), "{error:?}");
        assert!(error.to_string().contains("--on-bad-row skip"), "{error}");
        assert!(Feed::open(&dataset, ChunkSize::default(), dialect).is_err(), "nor tried");
    }
    assert_eq!(script.calls(), Vec::<Vec<Seen>>::new());
}
