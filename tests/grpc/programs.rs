//! The program itself: what it prints and the exit codes it ends with.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::tables;

fn brine(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brine"));
    command.args(arguments).env_remove("BRINE_TO").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    brine(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A Batch Server of its own process, ended by SIGTERM when dropped.
pub(super) struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub(super) fn start(sink: &[&str]) -> Self {
        let mut command = brine(&["batch-server", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(sink).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, address }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks the server to stop, and waits for its exit code.
    pub(super) fn stop(&mut self) -> Option<i32> {
        let id = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_stream_prints_the_lines_of_the_published_client_and_one_object() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", 1_150);
    let mut server = Server::start(&["--store", path(to.path())]);
    let url = server.url();
    let arguments = ["stream", path(&dataset), "--to", &url, "--chunk-rows", "50", "--json"];
    let output = run(&[arguments.as_slice(), &["--dialect", "typed-v1"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lines = [
        "Sent metadata: domain=recruit, vector_dim=384",
        "Sent 10 chunks (500 rows)",
        "Sent 20 chunks (1000 rows)",
        "Completed: sent 23 chunks (1150 rows)",
    ];
    assert_eq!(stderr(&output).lines().collect::<Vec<_>>(), lines);
    let report = json(&output);
    assert_eq!(
        (&report["rows"], &report["chunks"], &report["attempts"]),
        (&1_150.into(), &23.into(), &1.into())
    );
    assert_eq!(report["guarantee"], "at-least-once");
    assert_eq!(report["nulls_sent_as_empty"]["english_level"], 61);
    for field in ["bytes", "seconds", "send_seconds"] {
        assert!(report[field].as_f64().is_some_and(|number| number > 0.0), "{field}");
    }
    let stored = tables::manifest(&to.path().join("recruit"));
    assert_eq!(stored.fingerprint, report["fingerprint"].as_str().unwrap());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn people_are_told_what_is_guaranteed() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "skill_dic", 10);
    let server = Server::start(&["--discard"]);
    let to = tempfile::tempdir().unwrap();
    let keeping = Server::start(&["--store", path(to.path())]);
    let said = |server: &Server, dialect| {
        let output = run(&["stream", path(&dataset), "--to", &server.url(), "--quiet", "--dialect", dialect]);
        assert_eq!(stderr(&output), "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(said(&server, "typed-v1").contains("guarantee: at least once"));
    assert!(said(&keeping, "auto").contains("guarantee: exactly once, by row position, in the storage"));
    let counted = said(&server, "auto");
    assert!(counted.contains("counted exactly once") && counted.contains("keeps none"), "{counted}");
}

#[test]
fn a_session_goes_on_by_itself_and_leaves_a_receipt() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", 2_500);
    let receipt = from.path().join("receipt.json");
    let mut server = Server::start(&["--store", path(to.path())]);
    let url = server.url();
    let first = ["stream", path(&dataset), "--to", &url, "--rows", "0..1250", "--receipt", path(&receipt)];
    assert_eq!(run(&first).status.code(), Some(0));
    let read = || -> serde_json::Value { serde_json::from_slice(&std::fs::read(&receipt).unwrap()).unwrap() };
    assert_eq!(read()["rows_acknowledged"], serde_json::json!([[0, 1_250]]));
    assert_eq!((&read()["complete"], &read()["guarantee"]), (&true.into(), &"exactly-once".into()));
    let second = ["stream", path(&dataset), "--to", &url, "--shard", "2/2", "--receipt", path(&receipt)];
    assert_eq!(run(&second).status.code(), Some(0));
    assert_eq!(read()["rows_acknowledged"], serde_json::json!([[1_250, 2_500]]));
    let stored = tables::manifest(&to.path().join("recruit"));
    assert_eq!((stored.rows, stored.k), (2_500, tables::manifest(&dataset).k));
    assert_eq!(server.stop(), Some(0));
    // Nobody is there: the receipt says that nothing is acknowledged.
    let output = run(&[second.as_slice(), &["--new-run", "--deadline", "1"]].concat());
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!((&read()["complete"], &read()["rows_acknowledged"]), (&false.into(), &serde_json::json!([])));
    assert!(read()["error"].as_str().unwrap().contains("unavailable"), "{}", read());
}

#[test]
fn a_row_that_does_not_fit_is_named_by_its_place_in_the_data_set() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 2_000);
    for dialect in ["session", "typed-v1", "json-v1"] {
        let arguments =
            ["stream", path(&dataset), "--dry-run", "--rows", "1234..1300", "--max-message", "900"];
        let output = run(&[arguments.as_slice(), &["--dialect", dialect]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains("row 1234"), "{dialect}: {}", stderr(&output));
    }
}

#[test]
fn exactly_once_is_not_promised_by_halves() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 10);
    let typed = ["stream", path(&dataset), "--dry-run", "--dialect", "typed-v1"];
    let output = run(&[typed.as_slice(), &["--require", "exactly-once"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("at least once"), "{}", stderr(&output));
    let output = run(&[typed.as_slice(), &["--mode", "committed"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_dry_run_sends_nothing() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "candidate", 1_000);
    let output = run(&["stream", path(&dataset), "--dry-run", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sizes = json(&output);
    assert_eq!((&sizes["rows"], &sizes["chunks"]), (&1_000.into(), &2.into()));
    assert!(sizes["largest_message_bytes"].as_u64().unwrap() * 2 >= sizes["bytes"].as_u64().unwrap() - 100);
}

#[test]
fn a_dry_run_is_of_the_dialect_asked_for() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 190);
    let sizes =
        |dialect| json(&run(&["stream", path(&dataset), "--dry-run", "--json", "--dialect", dialect]));
    let (auto, typed, text) = (sizes("auto"), sizes("typed-v1"), sizes("json-v1"));
    assert_eq!((&auto["dialect"], &auto["rows"]), (&"session".into(), &typed["rows"]));
    let around = auto["bytes"].as_u64().unwrap() - typed["bytes"].as_u64().unwrap();
    assert!(around < 300, "a header and a hello take {around} bytes more");
    assert_eq!((&typed["dialect"], &typed["chunks"]), (&"typed-v1".into(), &1.into()));
    assert_eq!((&text["dialect"], &text["chunks"]), (&"json-v1".into(), &2.into()));
    assert_eq!(typed["fields_sent_empty"], serde_json::json!([]));
    assert_eq!(text["fields_sent_empty"][1], "published_at");
    assert_eq!(text["nulls_sent_as_empty"], serde_json::json!({}));
    assert!(text["bytes"].as_u64() > typed["bytes"].as_u64());
}

#[test]
fn a_server_without_the_dialect_asked_for_is_4() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 10);
    let server = Server::start(&["--discard"]);
    let output = run(&["stream", path(&dataset), "--to", &server.url(), "--dialect", "json-v1"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let method = "/com.alpha.backend.grpc.EmbeddingStreamService/IngestDataStream";
    let told = [
        "Fields of json-v1 that the data set lacks, sent empty: position, published_at, skills, long_description, description_lang",
        "Sent metadata: domain=recruit, vector_dim=384",
        &format!("gRPC error: code=UNIMPLEMENTED, details=the server does not know {method}"),
        &format!("error: stream {} to {}/", dataset.display(), server.url()),
        &format!(
            "caused by: Unknown gRPC error: UNIMPLEMENTED, the server does not know {method}; try --dialect auto"
        ),
    ];
    let said = stderr(&output);
    // How much was sent before the answer came is the connection's affair.
    assert_eq!(said.lines().filter(|line| !line.starts_with("Completed")).collect::<Vec<_>>(), told);
}

#[test]
fn a_key_that_comes_twice_is_3_and_the_remedy_is_told() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write_twice(from.path(), "recruit", 10);
    for arguments in [["--to", "http://127.0.0.1:1"].as_slice(), &["--dry-run"]] {
        let output = run(&[&["stream", path(&dataset), "--dialect", "typed-v1"], arguments].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains("--on-bad-row skip"), "{}", stderr(&output));
    }
}

#[test]
fn wrong_usage_is_2() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 1);
    let dataset = path(&dataset);
    let wrong: [&[&str]; 20] = [
        &[],
        &["stream", dataset],
        &["stream", dataset, "--to", "ftp://localhost:1"],
        &["stream", dataset, "--to", "localhost:1"],
        &["stream", dataset, "--dry-run", "--chunk-rows", "0"],
        &["stream", dataset, "--dry-run", "--bandwidth", "-1"],
        &["stream", dataset, "--dry-run", "--dialect", "json"],
        &["stream", dataset, "--dry-run", "--attempts", "0"],
        &["stream", dataset, "--dry-run", "--attempts", "1001"],
        &["stream", dataset, "--dry-run", "--retry-delay=-1"],
        &["stream", dataset, "--dry-run", "--retry-delay", "soon"],
        &["stream", dataset, "--dry-run", "--timeout", "0"],
        &["stream", dataset, "--dry-run", "--deadline", "1e18"],
        &["stream", dataset, "--dry-run", "--rows", "0..2"],
        &["stream", dataset, "--dry-run", "--rows", "1..1"],
        &["stream", dataset, "--dry-run", "--shard", "0/2"],
        &["stream", dataset, "--dry-run", "--shard", "3/2"],
        &["stream", dataset, "--dry-run", "--shard", "1/2", "--rows", "0..1"],
        &["batch-server"],
        &["batch-server", "--discard", "--store", "x"],
    ];
    for arguments in wrong {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_data_set_that_is_not_there_is_3() {
    let output = run(&["stream", "/nowhere/recruit", "--to", "http://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("/nowhere"), "{}", stderr(&output));
}

#[test]
fn a_damaged_data_set_is_3() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 100);
    let arrow = dataset.with_extension("arrow");
    let bytes = std::fs::read(&arrow).unwrap();
    std::fs::write(&arrow, &bytes[..bytes.len() / 2]).unwrap();
    let output = run(&["stream", path(&dataset), "--to", "http://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("recruit.arrow"), "{}", stderr(&output));
}

#[test]
fn a_refusal_is_4() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 2_000);
    let server = Server::start(&["--discard", "--max-rows", "100"]);
    let url = server.url();
    let arguments = ["stream", path(&dataset), "--to", &url, "--deadline", "1.5"];
    let output = run(&[arguments.as_slice(), &["--dialect", "typed-v1"]].concat());
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("Batch Server resource exhausted"), "{}", stderr(&output));
    assert!(stderr(&output).contains("more than 100 rows"), "{}", stderr(&output));
}

#[test]
fn nobody_there_is_5() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 1);
    let output = run(&["stream", path(&dataset), "--to", "http://127.0.0.1:1", "--deadline", "1.5"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("gRPC error: code=UNAVAILABLE, details="), "{}", stderr(&output));
    assert!(stderr(&output).contains("Batch Server unavailable"), "{}", stderr(&output));
}

/// Answers every connection with `bytes` and ends it; the address, and how many there were.
fn answering(bytes: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, met) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&met);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            // A greeting that is not taken whole would have the answer lost with a reset.
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(bytes);
            let _ = socket.shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut socket, &mut std::io::sink());
        }
    });
    (address, met)
}

#[test]
fn a_server_of_another_protocol_is_5_at_once_and_says_what_to_do() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 1);
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/messages/jobs.proto");
    let clients: [&[&str]; 4] = [
        &["stream", path(&dataset), "--to"],
        &["stream", path(&dataset), "--dialect", "typed-v1", "--to"],
        &["stream", path(&dataset), "--proto", proto, "--rpc", "jobs.v1.Jobs/Import", "--map", "MAP", "--to"],
        &["pull", "--from"],
    ];
    let map = from.path().join("map.toml");
    let rules = std::fs::read_to_string(Path::new(proto).with_extension("toml")).unwrap();
    let enumeration = "field = \"english\"\nnull = { default = \"none\" }";
    std::fs::write(&map, rules.replace(enumeration, "field = \"note\"\nnull = \"empty\"")).unwrap();
    let servers: [(&str, &[u8], &str); 4] = [
        ("https", &[0, 0, 0, 4, 0, 0, 0, 0, 0], "the server does not speak TLS: use http://"),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server does not speak TLS: use http://"),
        ("http", &[21, 3, 3, 0, 2, 2, 22], "the server speaks TLS: use https://"),
        ("http", b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server does not speak plain HTTP/2"),
    ];
    for client in clients {
        for (scheme, bytes, told) in servers {
            let (address, met) = answering(bytes);
            let url = format!("{scheme}://{address}");
            let arguments = client.iter().map(|&part| if part == "MAP" { path(&map) } else { part });
            let arguments: Vec<&str> = arguments.chain([url.as_str()]).collect();
            let output = run(&arguments);
            assert_eq!(output.status.code(), Some(5), "{arguments:?}: {}", stderr(&output));
            assert!(stderr(&output).contains(told), "{arguments:?}: {}", stderr(&output));
            assert_eq!(met.load(Ordering::SeqCst), 1, "{arguments:?}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_server_that_closes_without_a_word_may_be_full_and_is_asked_again() {
    let (address, met) = answering(b"");
    let url = format!("http://{address}");
    let output = run(&["pull", "--from", &url, "--retry-delay", "0"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(met.load(Ordering::SeqCst) >= 3 && stderr(&output).contains("given up after 3 attempts"));
    let told = "closed the connection without a word: does it speak TLS (https://)";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
}

#[test]
fn an_interrupted_stream_is_6_and_says_how_to_go_on() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 10);
    // A server that takes the connection and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut command = brine(&["stream", path(&dataset), "--to", &url, "--dialect", "typed-v1"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let (_socket, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Sent metadata"));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(6));
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.last().unwrap().contains("run the same command again"), "{rest:?}");
}

#[test]
fn a_port_in_use_is_said_so() {
    let server = Server::start(&["--discard"]);
    let output = run(&["batch-server", "--discard", "--listen", &server.address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains(&format!("{} is already in use", server.address)),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_store_in_use_is_said_so() {
    let to = tempfile::tempdir().unwrap();
    let _server = Server::start(&["--store", path(to.path())]);
    let output = run(&["batch-server", "--store", path(to.path()), "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("in use by another process"), "{}", stderr(&output));
}

#[test]
fn other_machines_are_let_in_only_on_request() {
    let output = run(&["batch-server", "--discard", "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--insecure"), "{}", stderr(&output));
}

#[test]
fn options_come_from_variables_too() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 10);
    let server = Server::start(&["--discard"]);
    let output = brine(&["stream", path(&dataset)])
        .env("BRINE_TO", server.url())
        .env("BRINE_JSON", "1")
        .output()
        .unwrap();
    assert_eq!(json(&output)["rows"], 10, "{}", stderr(&output));
}

#[test]
fn options_of_a_listener_that_cannot_hold_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "token").unwrap();
    std::fs::set_permissions(&tokens, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let start = |options: &[&str]| {
        run(&[&["batch-server", "--discard", "--listen", "127.0.0.1:0"], options].concat())
    };
    for (options, code, said) in [
        (&["--token-file", path(&tokens)][..], 3, "chmod 600"),
        (&["--tls-cert", "server.pem"], 2, "--tls-key"),
        (&["--tls-cert", "none.pem", "--tls-key", "none.key"], 3, "none.pem: cannot be read"),
        (&["--tls-client-name", "loader"], 2, "--tls-client-ca"),
        (&["--log", "loud"], 2, "--log"),
        (&["--max-calls", "0"], 2, "--max-calls"),
        (&["--drain=-1"], 2, "--drain"),
    ] {
        let output = start(options);
        assert_eq!(output.status.code(), Some(code), "{options:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{options:?}: {}", stderr(&output));
    }
}

#[test]
fn a_call_that_fails_is_a_line_of_the_log_and_hang_up_reads_tokens_again() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "a-token-of-the-test").unwrap();
    std::fs::set_permissions(&tokens, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let arguments = ["--discard", "--log-format", "json", "--token-file", path(&tokens)];
    let mut command = brine(&["batch-server", "--listen", "127.0.0.1:0"]);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = format!("http://{}", line.trim().strip_prefix("listening on ").unwrap());
    let dataset = tables::write(folder.path(), "recruit", 10);
    assert_ne!(run(&["stream", path(&dataset), "--to", &url]).status.code(), Some(0));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::HUP).unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    let failed = log.find(|line| line["level"] == "ERROR").unwrap();
    assert_eq!(failed["code"], "UNAUTHENTICATED");
    assert!(failed["message"].as_str().unwrap().contains("a token is needed"), "{failed}");
    assert!(failed["span"]["request_id"].is_string() && failed["span"]["peer"].is_string(), "{failed}");
    assert!(failed["span"]["method"].as_str().unwrap().contains("IngestSessionService/"), "{failed}");
    log.find(|line| line["message"] == "certificates and tokens are read again").unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert!(log.all(|line| !line.to_string().contains("a-token-of-the-test")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
