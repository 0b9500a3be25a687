//! Somebody else's service, known by its descriptors only: what arrives is what the table holds, each row once.

use std::{
    convert::Infallible,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, DurationMicrosecondArray, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, StructArray, TimestampMillisecondArray, UInt32Array,
    builder::{Int32Builder, MapBuilder, StringBuilder},
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};
use brine::{
    file::{DatasetOptions, DatasetWriter},
    proto::raw::Raw,
    server::{Chassis, Config},
};
use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use serde_json::json;
use tokio_stream::StreamExt as _;
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    server::{ClientStreamingService, Grpc, NamedService, UnaryService},
};

use super::tables;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the service saw.
#[derive(Debug, Default)]
struct Seen {
    calls: usize,
    messages: Vec<Bytes>,
}

/// Takes everything, down to one that refuses the call of this number.
#[derive(Clone)]
struct Foreign {
    seen: Arc<Mutex<Seen>>,
    reply: MessageDescriptor,
    refuses: Option<usize>,
    /// Answers a stream after so many messages.
    hasty: Option<usize>,
}

impl NamedService for Foreign {
    const NAME: &'static str = "jobs.v1.Jobs";
}

/// The same under its other name.
#[derive(Clone)]
struct Everything(Foreign);

impl NamedService for Everything {
    const NAME: &'static str = "jobs.v1.Everything";
}

impl tower_service::Service<http::Request<Body>> for Foreign {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(Raw);
            Ok(if request.uri().path().ends_with("/Put") {
                grpc.unary(service, request).await
            } else {
                grpc.client_streaming(service, request).await
            })
        })
    }
}

impl tower_service::Service<http::Request<Body>> for Everything {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        tower_service::Service::call(&mut self.0, request)
    }
}

impl Foreign {
    /// Counts a call, and what the service says to it.
    fn begin(&self) -> Result<(), Status> {
        let mut seen = self.seen.lock().unwrap();
        seen.calls += 1;
        if self.refuses == Some(seen.calls) { Err(Status::resource_exhausted("enough")) } else { Ok(()) }
    }

    fn reply(&self) -> Response<Bytes> {
        let messages = self.seen.lock().unwrap().messages.len();
        let mut reply = DynamicMessage::new(self.reply.clone());
        reply.set_field_by_name("rows", Value::I64(messages as i64));
        reply.set_field_by_name("seen", Value::List(vec![Value::String("all".to_owned())]));
        Response::new(reply.encode_to_vec().into())
    }
}

impl UnaryService<Bytes> for Foreign {
    type Response = Bytes;
    type Future = Answer<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            service.begin()?;
            service.seen.lock().unwrap().messages.push(request.into_inner());
            Ok(service.reply())
        })
    }
}

impl ClientStreamingService<Bytes> for Foreign {
    type Response = Bytes;
    type Future = Answer<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut messages = request.into_inner();
            while let Some(message) = messages.next().await {
                service.seen.lock().unwrap().messages.push(message?);
                if service.hasty == Some(service.seen.lock().unwrap().messages.len()) {
                    break;
                }
            }
            service.begin()?;
            Ok(service.reply())
        })
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/messages").join(name)
}

fn pool() -> DescriptorPool {
    let mut compiler = protox::Compiler::new([fixture("")]).unwrap();
    compiler.include_imports(true).open_file(fixture("jobs.proto")).unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

/// The address of such a service, and what it sees.
async fn serving(refuses: Option<usize>, hasty: Option<usize>) -> (String, Arc<Mutex<Seen>>) {
    let reply = pool().get_message_by_name("jobs.v1.Reply").unwrap();
    let foreign = Foreign { seen: Arc::default(), reply, refuses, hasty };
    let seen = Arc::clone(&foreign.seen);
    let bound = Config::new("127.0.0.1:0").bind().await.unwrap();
    let url = format!("http://{}", bound.address());
    let chassis = Chassis::new().register(foreign.clone(), &[]).register(Everything(foreign), &[]);
    tokio::spawn(bound.run(chassis, std::future::pending()));
    (url, seen)
}

/// The messages that arrived, as JSON.
fn arrived(seen: &Mutex<Seen>, message: &str) -> Vec<serde_json::Value> {
    let message = pool().get_message_by_name(message).unwrap();
    let json = |bytes: &Bytes| {
        serde_json::to_value(DynamicMessage::decode(message.clone(), bytes.clone()).unwrap()).unwrap()
    };
    seen.lock().unwrap().messages.iter().map(json).collect()
}

/// `brine stream` of a data set to an RPC.
fn stream(dataset: &Path, url: &str, rpc: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brine"));
    command
        .arg("stream")
        .arg(dataset)
        .args(["--to", url, "--rpc", rpc, "--proto"])
        .arg(fixture("jobs.proto"));
    command.args(more).env_remove("BRINE_TO").stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_arrives_whole_in_one_stream() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write_with(from.path(), "recruit", 95, 3);
    let (url, seen) = serving(None, None).await;
    // English levels of these tables are no values of the enum.
    let rules = std::fs::read_to_string(fixture("jobs.toml")).unwrap();
    let rules = rules
        .replace("field = \"english\"\nnull = { default = \"none\" }", "field = \"note\"\nnull = \"empty\"");
    let file = from.path().join("my.toml");
    std::fs::write(&file, rules).unwrap();
    let more = ["--map", file.to_str().unwrap(), "--chunk-rows", "40", "--json"];
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Import", &more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["rows_confirmed"], &report["chunks"]), (&json!(95), &json!(3)));
    assert_eq!(report["answer"], json!({"rows": "4", "seen": ["all"]}));
    let messages = arrived(&seen, "jobs.v1.ImportRequest");
    let header =
        json!({"table": "recruit", "file": "recruit.pkl", "rows": "95", "dimension": 3, "origin": "tests"});
    assert_eq!(messages[0], json!({ "header": header }));
    assert_eq!(messages.len(), 4);
    assert!(messages[1..].iter().all(|message| message["batch"]["tenant"] == "acme"));
    let rows: Vec<_> =
        messages[1..].iter().flat_map(|message| message["batch"]["jobs"].as_array().unwrap()).collect();
    assert_eq!(rows.len(), 95);
    for (row, job) in rows.iter().enumerate() {
        assert_eq!(job["key"], format!("00000000-0000-5000-8000-{row:012}"));
        assert_eq!(job.get("company").is_none(), row % 19 == 0, "{job}");
        assert_eq!(job["years"].as_i64().unwrap_or_default(), row as i64 % 11);
        assert_eq!(job["embedding"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_takes_one_chunk_in_order() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let (url, seen) = serving(None, None).await;
    let rules = from.path().join("my.toml");
    let omitted = "omit = [\"address\", \"former\", \"counts\", \"at\", \"took\", \"maybe\", \"blob\", \"flags\"]\n\
        [[column]]\ncolumn = \"name\"\nfield = \"key\"\n[[column]]\ncolumn = \"id\"\nfield = \"years\"\n";
    std::fs::write(&rules, omitted).unwrap();
    let more = ["--map", rules.to_str().unwrap(), "--chunk-rows", "4", "--quiet"];
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Put", &more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("sent 10 rows to jobs.v1.Jobs/Put in 3 calls"), "{text}");
    assert!(text.contains("last answer: {\"rows\":\"3\",\"seen\":[\"all\"]}"), "{text}");
    let messages = arrived(&seen, "jobs.v1.Batch");
    let sizes: Vec<_> = messages.iter().map(|message| message["jobs"].as_array().unwrap().len()).collect();
    assert_eq!((sizes, seen.lock().unwrap().calls), (vec![4, 4, 2], 3));
    assert_eq!(messages[2]["jobs"], json!([{"key": "name 8", "years": 8}, {"key": "name 9", "years": 9}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_failing_call_is_the_last_and_rows_confirmed_are_said() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let (url, seen) = serving(Some(3), None).await;
    let rules = from.path().join("my.toml");
    let omitted = "omit = [\"id\", \"address\", \"former\", \"counts\", \"at\", \"took\", \"maybe\", \"blob\", \"flags\"]\n\
        [[column]]\ncolumn = \"name\"\nfield = \"key\"\n";
    std::fs::write(&rules, omitted).unwrap();
    let more = ["--map", rules.to_str().unwrap(), "--chunk-rows", "2"];
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Put", &more);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let said = "RESOURCE_EXHAUSTED: enough; rows confirmed: 4 of 10; whether the server took rows 4..6 is not known; nothing is sent again";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    assert_eq!(seen.lock().unwrap().calls, 3, "nothing is sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stream_confirms_nothing_and_is_not_repeated() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let more = ["--map", &everything_map(from.path()), "--quiet"];
    let (url, seen) = serving(Some(1), None).await;
    let output = stream(&dataset, &url, "jobs.v1.Everything/Import", &more);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("enough; rows confirmed: 0 of 10"), "{}", stderr(&output));
    assert_eq!(seen.lock().unwrap().calls, 1);
    let output = stream(&dataset, "http://127.0.0.1:1", "jobs.v1.Everything/Import", &more);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("nothing was sent"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_the_server_does_not_know_is_named_once() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let receipt = from.path().join("receipt.json");
    let map = everything_map(from.path());
    let more = ["--map", &map, "--quiet", "--receipt", receipt.to_str().unwrap()];
    // A server of something else, which knows none of these.
    let bound = Config::new("127.0.0.1:0").bind().await.unwrap();
    let url = format!("http://{}", bound.address());
    tokio::spawn(bound.run(Chassis::new(), std::future::pending()));
    let output = stream(&dataset, &url, "jobs.v1.Everything/Import", &more);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let told = "UNIMPLEMENTED: the server does not know /jobs.v1.Everything/Import; rows confirmed: 0 of 10";
    assert_eq!(stderr(&output).matches("UNIMPLEMENTED").count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    let receipt: serde_json::Value = serde_json::from_slice(&std::fs::read(&receipt).unwrap()).unwrap();
    let error = receipt["error"].as_str().unwrap();
    assert!(error.contains(told) && error.matches("UNIMPLEMENTED").count() == 1, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_end_confirms_nothing() {
    let from = tempfile::tempdir().unwrap();
    // More than the windows of a connection hold.
    let dataset = tables::write_with(from.path(), "recruit", 20_000, 768);
    let (url, _) = serving(None, Some(2)).await;
    let rules = std::fs::read_to_string(fixture("jobs.toml")).unwrap();
    let rules = rules
        .replace("field = \"english\"\nnull = { default = \"none\" }", "field = \"note\"\nnull = \"empty\"");
    let file = from.path().join("my.toml");
    std::fs::write(&file, rules).unwrap();
    let more = ["--map", file.to_str().unwrap(), "--quiet"];
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Import", &more);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("rows confirmed: 0 of 20000"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let (url, seen) = serving(None, None).await;
    // The enum has values for the first six rows.
    let rules = from.path().join("my.toml");
    let text = "omit = [\"name\", \"address\", \"former\", \"counts\", \"at\", \"took\", \"maybe\", \"blob\", \"flags\"]\n\
        [[column]]\ncolumn = \"id\"\nfield = \"english\"\n";
    std::fs::write(&rules, text).unwrap();
    let more = ["--map", rules.to_str().unwrap(), "--chunk-rows", "1"];
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Put", &more);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = "column \"id\", row 6: \"6\" is no value of field \"jobs.v1.English english = 4\"";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    let seen = seen.lock().unwrap();
    assert_eq!((seen.calls, seen.messages.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_table_arrive_and_rows_keep_their_numbers() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let rules = from.path().join("my.toml");
    let text = "omit = [\"name\", \"address\", \"former\", \"counts\", \"at\", \"took\", \"maybe\", \"blob\", \"flags\"]\n\
        [[column]]\ncolumn = \"id\"\nfield = \"english\"\n";
    std::fs::write(&rules, text).unwrap();
    let put = async |refuses, more: &[&str]| {
        let (url, seen) = serving(refuses, None).await;
        let more = [&["--map", rules.to_str().unwrap(), "--chunk-rows", "2"], more].concat();
        let output = stream(&dataset, &url, "jobs.v1.Jobs/Put", &more);
        let messages = arrived(&seen, "jobs.v1.Batch");
        let rows = messages.iter().map(|message| message["jobs"].as_array().unwrap().len()).sum::<usize>();
        (output.status.code(), stderr(&output), rows)
    };
    let (code, error, rows) = put(None, &["--rows", "1..6", "--quiet"]).await;
    assert_eq!((code, rows), (Some(0), 5), "{error}");
    let (code, error, rows) = put(None, &["--shard", "1/2", "--quiet"]).await;
    assert_eq!((code, rows), (Some(0), 5), "{error}");
    let (code, error, rows) = put(None, &["--rows", "4..9"]).await;
    assert_eq!((code, rows), (Some(3), 0), "{error}");
    assert!(error.contains("column \"id\", row 6: \"6\" is no value of field"), "{error}");
    let (code, error, rows) = put(Some(2), &["--rows", "1..6"]).await;
    assert_eq!((code, rows), (Some(4), 2), "{error}");
    let said = "rows confirmed: 2 of 5; whether the server took rows 3..5 is not known";
    assert!(error.contains(said), "{error}");
    let (code, error, rows) = put(None, &["--rows", "4..11"]).await;
    assert_eq!((code, rows), (Some(2), 0), "{error}");
    assert!(error.contains("the data set has 10 rows"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_counts_the_rows_that_are_sent() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let (url, seen) = serving(None, None).await;
    let rules = from.path().join("my.toml");
    let text = "rows = \"batch.jobs\"\n\
        omit = [\"id\", \"address\", \"former\", \"counts\", \"at\", \"took\", \"maybe\", \"blob\", \"flags\"]\n\
        [first]\nheader = { rows = \"{rows}\" }\n[[column]]\ncolumn = \"name\"\nfield = \"key\"\n";
    std::fs::write(&rules, text).unwrap();
    let more = ["--map", rules.to_str().unwrap(), "--quiet", "--rows", "2..5"];
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Import", &more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let messages = arrived(&seen, "jobs.v1.ImportRequest");
    assert_eq!(messages[0], json!({ "header": { "rows": "3" } }));
    let jobs = json!([{ "key": "name 2" }, { "key": "name 3" }, { "key": "name 4" }]);
    assert_eq!(messages[1]["batch"]["jobs"], jobs);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_sessions_and_dialects_promise_is_refused() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let (url, seen) = serving(None, None).await;
    for option in [
        ["--dialect", "session"],
        ["--dialect", "auto"],
        ["--require", "exactly-once"],
        ["--require", "at-least-once"],
        ["--mode", "pending"],
        ["--new-run=again", "--quiet"],
    ] {
        let output = stream(&dataset, &url, "jobs.v1.Everything/Import", &option);
        assert_eq!(output.status.code(), Some(2), "{option:?}: {}", stderr(&output));
        let name = option[0].split('=').next().unwrap();
        let error = stderr(&output);
        assert!(error.contains("cannot be used with") && error.contains(name), "{option:?}: {error}");
    }
    assert_eq!(seen.lock().unwrap().calls, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_which_rows_are_confirmed_and_no_others() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 10);
    let (rules, receipt) = (from.path().join("my.toml"), from.path().join("receipt.json"));
    let omitted = "omit = [\"id\", \"address\", \"former\", \"counts\", \"at\", \"took\", \"maybe\", \"blob\", \"flags\"]\n\
        [[column]]\ncolumn = \"name\"\nfield = \"key\"\n";
    std::fs::write(&rules, omitted).unwrap();
    let parts = ["--map", rules.to_str().unwrap(), "--chunk-rows", "2", "--rows", "3..9"];
    let written = ["--receipt", receipt.to_str().unwrap(), "--json"];
    let more = [parts.as_slice(), &written].concat();
    let read = || -> serde_json::Value { serde_json::from_slice(&std::fs::read(&receipt).unwrap()).unwrap() };

    // The third call fails: two chunks are confirmed.
    let (url, _) = serving(Some(3), None).await;
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Put", &more);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let partly = read();
    assert_eq!((&partly["complete"], &partly["rows_acknowledged"]), (&json!(false), &json!([[3, 7]])));
    assert_eq!((&partly["rows_confirmed"], &partly["chunks"]), (&json!(4), &json!(2)));
    let target = json!(format!("{url}/"));
    assert_eq!((&partly["rpc"], &partly["target"]), (&json!("jobs.v1.Jobs/Put"), &target));
    assert!(partly["error"].as_str().unwrap().contains("enough"), "{partly}");

    // All calls are answered: the receipt has what is printed, and the bytes are those of the messages.
    let (url, seen) = serving(None, None).await;
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Put", &more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (whole, printed) = (read(), serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap());
    assert_eq!((&whole["complete"], &whole["rows_acknowledged"]), (&json!(true), &json!([[3, 9]])));
    let bytes: usize = seen.lock().unwrap().messages.iter().map(Bytes::len).sum();
    assert_eq!((&whole["bytes"], &whole["error"]), (&json!(bytes), &json!(null)));
    for key in ["rows", "chunks", "answer", "fingerprint", "guarantee"] {
        assert_eq!(whole[key], printed[key], "{key}");
    }

    // A stream is confirmed whole or not at all.
    let (url, _) = serving(Some(1), None).await;
    let more = ["--map", &everything_map(from.path()), "--quiet", "--receipt", receipt.to_str().unwrap()];
    let output = stream(&dataset, &url, "jobs.v1.Everything/Import", &more);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let nothing = read();
    assert_eq!((&nothing["complete"], &nothing["rows_acknowledged"]), (&json!(false), &json!([])));
    assert_eq!((&nothing["rows_confirmed"], &nothing["bytes"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_be_a_row() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 300);
    let (url, seen) = serving(None, None).await;
    let rules = from.path().join("my.toml");
    let omitted = "rows = \".\"\nomit = [\"id\", \"address\", \"former\", \"counts\", \"at\", \"took\", \"maybe\", \"blob\", \"flags\"]\n\
        [every]\nnote = \"of {rows}\"\n[[column]]\ncolumn = \"name\"\nfield = \"key\"\n";
    std::fs::write(&rules, omitted).unwrap();
    let more = ["--map", rules.to_str().unwrap(), "--json"];
    let output = stream(&dataset, &url, "jobs.v1.Jobs/Add", &more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let messages = arrived(&seen, "jobs.v1.Job");
    let expected = (0..300).map(|row| json!({"key": format!("name {row}"), "note": "of 300"}));
    assert_eq!(messages, expected.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_every_kind_arrives() {
    let from = tempfile::tempdir().unwrap();
    let dataset = everything(from.path(), 3);
    let (url, seen) = serving(None, None).await;
    let output = stream(
        &dataset,
        &url,
        "jobs.v1.Everything/Import",
        &["--map", &everything_map(from.path()), "--quiet"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let rows = arrived(&seen, "jobs.v1.Everythings")[0]["rows"].clone();
    let first = json!({
        "address": {"street": "street 0"}, "former": [{"street": "street 0"}], "counts": {"a": 0},
        "at": "1970-01-01T00:00:00Z", "took": "0s", "blob": "AA==", "flags": [true]
    });
    let third = json!({
        "id": "2", "address": {"street": "street 2", "number": 2}, "former": [{"street": "street 2", "number": 2}],
        "counts": {"a": 2}, "at": "1970-01-01T00:00:03Z", "took": "0.000002s", "maybe": "2", "blob": "Ag==",
        "flags": [true]
    });
    assert_eq!((&rows[0], &rows[2]), (&first, &third));
    assert!(rows[1].get("maybe").is_none(), "{}", rows[1]);
}

fn everything_map(folder: &Path) -> String {
    let file = folder.join("everything.toml");
    std::fs::write(&file, "omit = [\"name\"]\n").unwrap();
    file.display().to_string()
}

/// A data set without a domain, with a column of every kind.
fn everything(folder: &Path, rows: usize) -> PathBuf {
    let numbers = || 0..rows as i64;
    let street: ArrayRef =
        Arc::new(numbers().map(|row| Some(format!("street {row}"))).collect::<StringArray>());
    let number: ArrayRef = Arc::new(UInt32Array::from_iter_values(0..rows as u32));
    let fields: Fields =
        vec![Field::new("street", DataType::Utf8, false), Field::new("number", DataType::UInt32, false)]
            .into();
    let addresses = Arc::new(StructArray::new(fields.clone(), vec![street, number], None));
    let item = Arc::new(Field::new("item", DataType::Struct(fields), false));
    let lengths = || OffsetBuffer::from_lengths(numbers().map(|_| 1));
    let former = ListArray::new(item, lengths(), Arc::clone(&addresses) as ArrayRef, None);
    let flag = Arc::new(Field::new("item", DataType::Boolean, false));
    let flags = ListArray::new(flag, lengths(), Arc::new(BooleanArray::from(vec![true; rows])), None);
    let mut counts = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for row in 0..rows {
        counts.keys().append_value("a");
        counts.values().append_value(row as i32);
        counts.append(true).unwrap();
    }
    let blobs: Vec<[u8; 1]> = numbers().map(|row| [row as u8]).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int32Array::from_iter_values(0..rows as i32))),
        ("name", Arc::new(numbers().map(|row| Some(format!("name {row}"))).collect::<StringArray>())),
        ("address", addresses),
        ("former", Arc::new(former)),
        ("counts", Arc::new(counts.finish())),
        ("at", Arc::new(TimestampMillisecondArray::from_iter_values(numbers().map(|row| row * 1_500)))),
        ("took", Arc::new(DurationMicrosecondArray::from_iter_values(numbers()))),
        (
            "maybe",
            Arc::new(numbers().map(|row| (row % 2 == 0 && row > 0).then_some(row)).collect::<Int64Array>()),
        ),
        ("blob", Arc::new(BinaryArray::from_iter_values(&blobs))),
        ("flags", Arc::new(flags)),
    ];
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), array.null_count() > 0));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, array)| array).collect())
            .unwrap();
    let mut writer =
        DatasetWriter::create(folder, "everything", Arc::clone(&schema), DatasetOptions::default()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    folder.join("everything")
}
