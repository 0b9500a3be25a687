//! A sender that resets its stream, also with a code that says that nothing is wrong, has not finished.

use brine::proto::embedding::IngestDataRequest;
use prost::Message as _;

use super::{
    bench,
    raw::{DATA, RST_STREAM, Raw, message},
};

/// Begins a run of `messages` and resets it with `code`; returns when the server has seen that.
async fn reset(address: &str, messages: &[IngestDataRequest], code: u32) {
    let mut raw = Raw::connect(address).await;
    raw.begin(1, "/embedding.EmbeddingStreamService/IngestDataStream").await;
    for request in messages {
        raw.send(DATA, 0, 1, &message(&request.encode_to_vec())).await;
    }
    // The handler has them before the reset comes.
    raw.pong().await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    raw.send(RST_STREAM, 0, 1, &code.to_be_bytes()).await;
    raw.pong().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_reset_leaves_nothing_whatever_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let server = bench::storing(folder.path()).await;
    let run = [bench::metadata("recruit", 384), bench::some_recruits(0..10)];
    for code in [0, 8] {
        reset(&server.address.to_string(), &run, code).await;
        // Another run passes through the same threads and is published meanwhile.
        let skills = vec![bench::metadata("skill_embedding_dic", 768)];
        assert_eq!(server.ingest(skills).await.unwrap().status, "success");
        assert!(!folder.path().join("recruit.json").exists(), "code {code}");
    }
    assert_eq!(server.ingest(run.to_vec()).await.unwrap().total_rows_received, 10);
    assert!(folder.path().join("recruit.json").exists());
}
