//! Who may call.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use brine::server::Config;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Server, call, watching};

fn write(path: &Path, tokens: &str) {
    fs::write(path, tokens).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn guarded(path: &Path) -> Server {
    write(path, "first-token\n");
    let file = path.to_owned();
    Server::start(|config| config.token_file = Some(file)).await
}

fn refusal(answer: Result<tonic::Response<bytes::Bytes>, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), status.message().to_owned())
}

#[tokio::test]
async fn a_call_needs_a_token_by_either_header_and_a_refusal_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(&folder.path().join("tokens")).await;
    let channel = server.connect().await;
    let (code, said) = refusal(call(&channel, "Echo", &[]).await);
    assert_eq!(code, Code::Unauthenticated);
    assert_eq!(said, "a token is needed: send it as `authorization: Bearer TOKEN` or as `api-key: TOKEN`");
    let (code, said) = refusal(call(&channel, "Echo", &[("authorization", "Bearer wrong-token")]).await);
    assert_eq!((code, said.as_str()), (Code::Unauthenticated, "the token is not valid"));
    let (code, said) = refusal(call(&channel, "Echo", &[("authorization", "Basic first-token")]).await);
    assert_eq!(code, Code::Unauthenticated);
    assert!(said.contains("Bearer TOKEN"), "{said}");
    assert_eq!(refusal(call(&channel, "Echo", &[("api-key", "first-toke")]).await).0, Code::Unauthenticated);
    call(&channel, "Echo", &[("authorization", "Bearer first-token")]).await.unwrap();
    call(&channel, "Echo", &[("authorization", "bearer first-token")]).await.unwrap();
    call(&channel, "Echo", &[("api-key", "first-token")]).await.unwrap();
}

#[tokio::test]
async fn health_is_open_and_reflection_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(&folder.path().join("tokens")).await;
    let channel = server.connect().await;
    watching::check(&channel, "probe.v1.Probe").await.unwrap();
    assert_eq!(watching::services(channel.clone(), None).await.unwrap_err().code(), Code::Unauthenticated);
    assert!(!watching::services(channel, Some("first-token")).await.unwrap().is_empty());
}

#[tokio::test]
async fn tokens_change_while_the_server_runs_and_a_bad_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    let server = guarded(&path).await;
    let channel = server.connect().await;
    let (old, new) = ([("api-key", "first-token")], [("api-key", "second-token")]);
    assert!(call(&channel, "Echo", &new).await.is_err());
    write(&path, "first-token\nsecond-token\n");
    server.reload.now().unwrap();
    call(&channel, "Echo", &old).await.unwrap();
    call(&channel, "Echo", &new).await.unwrap();
    write(&path, "second-token\n");
    server.reload.now().unwrap();
    assert!(call(&channel, "Echo", &old).await.is_err());
    write(&path, "");
    assert!(server.reload.now().is_err());
    call(&channel, "Echo", &new).await.unwrap();
}

#[tokio::test]
async fn guessing_is_slowed_down_and_who_had_a_good_token_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = guarded(&folder.path().join("tokens")).await;
    let good = server.connect().await;
    call(&good, "Echo", &[("api-key", "first-token")]).await.unwrap();
    let guessing = server.connect().await;
    let guesses = (0..500).map(|_| {
        let guessing = guessing.clone();
        tokio::spawn(async move { call(&guessing, "Echo", &[("api-key", "guess")]).await.unwrap_err() })
    });
    let mut slowed = Vec::new();
    for guess in guesses.collect::<Vec<_>>() {
        let status = guess.await.unwrap();
        call(&good, "Echo", &[("api-key", "first-token")]).await.unwrap();
        match status.code() {
            Code::ResourceExhausted => slowed.push(status),
            code => assert_eq!(code, Code::Unauthenticated),
        }
    }
    assert!(!slowed.is_empty(), "500 guesses at once and all of them were answered");
    let details = slowed[0].get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "AUTH_THROTTLED");
    assert!(details.retry_info().is_some());
}

#[tokio::test]
async fn a_file_of_tokens_that_others_can_read_keeps_the_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    fs::write(&path, "token").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    let config = Config { token_file: Some(path), ..Config::new("127.0.0.1:0") };
    let said = config.bind().await.unwrap_err().to_string();
    assert!(said.ends_with("other users can read it (mode 0604): `chmod 600` it"), "{said}");
    let config = Config { token_file: Some(folder.path().join("none")), ..Config::new("127.0.0.1:0") };
    assert!(config.bind().await.unwrap_err().to_string().ends_with("none: cannot be read"));
}
