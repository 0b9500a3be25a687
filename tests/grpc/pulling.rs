//! `brine pull` itself: what it prints and the exit codes it ends with.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use tonic::Code;

use super::{
    scripted::{Script, Serving, serve},
    tables,
};

fn brine(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brine"));
    command.args(arguments).env_remove("BRINE_FROM").stdin(Stdio::null());
    command
}

async fn run(arguments: &[&str]) -> Output {
    let mut command = brine(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn serving(folder: &Path, rows: usize, script: Script) -> Serving {
    serve(&tables::write_with(folder, "recruit", rows, 24), script).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_prints_the_lines_of_the_published_client() {
    let from = tempfile::tempdir().unwrap();
    let server = serving(from.path(), 1_150, Script { is_old: true, ..Script::default() }).await;
    let address = server.address.to_string();
    let output = run(&["pull", "--server", &address, "--chunk-size", "100"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lines = ["Received 10 chunks (1,000 rows)", "Stream completed successfully!"];
    assert_eq!(stderr(&output).lines().collect::<Vec<_>>(), lines);
    let text = stdout(&output);
    let expected = [
        "Total chunks received: 12\nTotal rows received: 1,150\n",
        "First row:\n  id: 00000000-0000-5000-8000-000000000000\n  company_name: null\n  exp_years: 0\n",
        "Last row:\n  id: 00000000-0000-5000-8000-000000001149\n  company_name: Ünternehmen\n  exp_years: 5\n",
        "  dimension: 24\n",
        "checked: dimensions and ids",
    ];
    assert!(expected.iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(server.requests()[0].domain, "recruit");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_object_and_the_default_is_300_rows_a_chunk() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = serving(from.path(), 1_150, Script::default()).await;
    let to = to.path().to_str().unwrap();
    let output = run(&["pull", "--from", &server.url(), "-q", "--json", "-o", to, "--name", "copy"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["rows"], &report["chunks"]), (&1_150.into(), &4.into()));
    assert_eq!(report["checkpoint"], "00000000-0000-5000-8000-000000001149");
    assert_eq!(report["last"]["id"], report["checkpoint"]);
    assert_eq!((&report["first"]["dimension"], &report["dimension"]), (&24.into(), &24.into()));
    assert_eq!((&report["total_rows"], &report["attempts"]), (&1_150.into(), &1.into()));
    assert_eq!(report["dataset_fingerprint"], report["fingerprint"]);
    for field in ["bytes", "seconds", "first_chunk_seconds"] {
        assert!(report[field].as_f64().is_some_and(|number| number > 0.0), "{field}");
    }
    assert_eq!(server.requests()[0].chunk_size, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_the_server_does_not_know_is_told_also_to_those_who_want_no_progress() {
    let from = tempfile::tempdir().unwrap();
    let server = serving(from.path(), 350, Script::default()).await;
    let output = run(&["pull", "--from", &server.url(), "-q", "--checkpoint", "nope"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "The server does not know checkpoint \"nope\": it sends all rows\n");
    let known = ["--checkpoint", "00000000-0000-5000-8000-000000000100"];
    let output = run(&[["pull", "--from", &server.url(), "-q"].as_slice(), &known].concat()).await;
    assert_eq!(stderr(&output), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_the_words_of_the_published_client_and_an_exit_code() {
    let from = tempfile::tempdir().unwrap();
    let refusing = (Code::PermissionDenied, "not you");
    let script = Script { breaks: vec![1], status: Some(refusing), ..Script::default() };
    let server = serving(from.path(), 1_150, script).await;
    let url = server.url();
    let refused = run(&["pull", "--from", &url]).await;
    assert_eq!(refused.status.code(), Some(4));
    let text = stderr(&refused);
    assert_eq!(text.matches("RPC failed: PERMISSION_DENIED - not you\n").count(), 1, "{text}");
    let size = run(&["pull", "--from", &url, "--chunk-size", "-5", "-q"]).await;
    assert_eq!(size.status.code(), Some(4));
    let text =
        "caused by: RPC failed: INVALID_ARGUMENT - Invalid chunk_size: -5. Must be between 100 and 1000";
    assert!(stderr(&size).contains(text), "{}", stderr(&size));
    drop(server);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap().to_string();
    drop(listener);
    let unreached = run(&["pull", "--from", &nobody, "-q", "--retry-delay", "0"]).await;
    assert_eq!(unreached.status.code(), Some(5));
    assert!(stderr(&unreached).contains("RPC failed: UNAVAILABLE - "), "{}", stderr(&unreached));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_waits_and_tries_again_as_often_as_it_is_told() {
    let from = tempfile::tempdir().unwrap();
    let script = Script { pause: Duration::from_mins(1), ..Script::default() };
    let server = serving(from.path(), 350, script).await;
    let url = server.url();
    let mut command = brine(&["pull", "--from", &url, "--timeout", "0.1"]);
    command.env("BRINE_ATTEMPTS", "2").env("BRINE_RETRY_DELAY", "0");
    let silent = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(silent.status.code(), Some(5), "{}", stderr(&silent));
    let failed = "RPC failed: DEADLINE_EXCEEDED - the server was silent for 0.1 s";
    let told = [
        failed,
        "attempt 2 of 2 goes on in 0.0 s",
        &format!("error: pull recruit from {url}/: given up after 2 attempts"),
        &format!("caused by: {failed}"),
    ];
    assert_eq!(stderr(&silent).lines().collect::<Vec<_>>(), told);
    assert_eq!(server.requests().len(), 2);
    let once = run(&["pull", "--from", &url, "--timeout", "0.1", "--attempts", "1"]).await;
    assert_eq!(stderr(&once), format!("error: pull recruit from {url}/\ncaused by: {failed}\n"));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pull_that_was_given_up_has_and_how_to_go_on_is_said() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = to.path().to_str().unwrap();
    let resume = "after 300 rows: go on with --checkpoint 00000000-0000-5000-8000-000000000299\n";
    for (more, said) in [(&[][..], resume), (&["-o", folder], "after 300 rows; nothing was written: run")] {
        let script = Script { breaks: vec![3], ..Script::default() };
        let server = serving(from.path(), 1_150, script).await;
        let url = server.url();
        let pull = ["pull", "--from", &url, "--chunk-size", "100", "--attempts", "1"];
        let broken = run(&[&pull[..], more].concat()).await;
        assert_eq!(broken.status.code(), Some(5));
        assert!(stderr(&broken).contains(said), "{}", stderr(&broken));
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    }
    let server = serving(from.path(), 1_150, Script::default()).await;
    let last = "00000000-0000-5000-8000-000000001149";
    let nothing = run(&["pull", "--from", &server.url(), "--checkpoint", last, "-o", folder]).await;
    assert_eq!(nothing.status.code(), Some(0), "{}", stderr(&nothing));
    assert_eq!(stdout(&nothing), format!("nothing new: no row stands behind {last}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_the_connection_and_says_nothing_is_given_up_in_time() {
    // TLS waits for the server's first word.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let silent = run(&["pull", "--from", &url, "--timeout", "0.1", "--attempts", "1"]).await;
    assert_eq!(silent.status.code(), Some(5), "{}", stderr(&silent));
    assert!(stderr(&silent).contains("the server was silent for 0.1 s"), "{}", stderr(&silent));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_pull_says_how_to_go_on_and_leaves_nothing() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pause = Duration::from_millis(30);
    let server = serving(from.path(), 14_000, Script { pause, ..Script::default() }).await;
    let (url, folder) = (server.url(), to.path().to_str().unwrap().to_owned());
    for (writing, said) in
        [(false, "go on with --checkpoint 00000000-0000-5000-8000-0000000"), (true, "nothing was written")]
    {
        let mut arguments = vec!["pull", "--from", &url, "--chunk-size", "100"];
        if writing {
            arguments.extend(["-o", &folder]);
        }
        let mut child = brine(&arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (pipe, id) = (child.stderr.take().unwrap(), rustix::process::Pid::from_child(&child));
        let text = tokio::task::spawn_blocking(move || {
            use std::io::{BufRead as _, BufReader, Read as _};
            let (mut lines, mut text) = (BufReader::new(pipe), String::new());
            lines.read_line(&mut text).unwrap();
            rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
            lines.read_to_string(&mut text).unwrap();
            text
        });
        let text = text.await.unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(6), "{text}");
        assert!(text.contains(said) && text.contains("interrupted after "), "{text}");
        assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 0, "{text}");
    }
}
