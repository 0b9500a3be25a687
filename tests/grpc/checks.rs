//! What the server refuses, each with its code and words, from tonic's own client.

use brine::{
    limits::wire::ChunkLimits,
    proto::embedding::{IngestDataRequest, IngestDataResponse},
    store::Discard,
};
use tonic::Code;

use super::bench::{
    candidates, discarding, metadata, recruit, recruits, serving, skills, some_recruits, storing,
};

async fn refused(messages: Vec<IngestDataRequest>, code: Code, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    // Both ways to take a chunk: counted only, and decoded.
    for server in [discarding().await, storing(folder.path()).await] {
        let status = server.ingest(messages.clone()).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(words), "{words:?} in {:?}", status.message());
    }
}

fn answer(rows: i32, chunks: i32) -> (String, i32, i32) {
    ("success".to_owned(), rows, chunks)
}

fn counts(answer: IngestDataResponse) -> (String, i32, i32) {
    (answer.status, answer.total_rows_received, answer.total_chunks_received)
}

#[tokio::test]
async fn three_domains_are_counted() {
    let server = discarding().await;
    let streams = [
        (vec![metadata("recruit", 384), some_recruits(0..10), some_recruits(10..15)], answer(15, 2)),
        (vec![metadata("candidate", 768), candidates(0..7)], answer(7, 1)),
        (vec![metadata("skill_embedding_dic", 768), skills(0..3)], answer(3, 1)),
        (vec![metadata("skill_dic", 768), skills(0..3)], answer(3, 1)),
        (vec![metadata("recruit", 384)], answer(0, 0)),
    ];
    for (messages, expected) in streams {
        assert_eq!(counts(server.ingest(messages).await.unwrap()), expected);
    }
}

#[tokio::test]
async fn the_first_message_may_carry_a_chunk_and_later_ones_the_same_metadata() {
    let server = discarding().await;
    let both = IngestDataRequest { chunk_data: some_recruits(0..4).chunk_data, ..metadata("recruit", 384) };
    let messages = vec![both.clone(), metadata("recruit", 384), both];
    assert_eq!(counts(server.ingest(messages).await.unwrap()), answer(8, 2));
}

#[tokio::test]
async fn metadata_comes_first() {
    refused(vec![some_recruits(0..1)], Code::InvalidArgument, "first message carries no metadata").await;
    refused(vec![], Code::InvalidArgument, "first message carries no metadata").await;
}

#[tokio::test]
async fn metadata_does_not_change() {
    let messages = vec![metadata("recruit", 384), some_recruits(0..1), metadata("recruit", 768)];
    refused(messages, Code::InvalidArgument, "other metadata").await;
}

#[tokio::test]
async fn the_domain_is_known() {
    refused(vec![metadata("recruits", 384)], Code::InvalidArgument, "unknown domain \"recruits\"").await;
}

#[tokio::test]
async fn the_dimension_is_one_of_the_domain() {
    for dimension in [0, -1, 385, i32::MAX] {
        refused(vec![metadata("recruit", dimension)], Code::InvalidArgument, "vector_dimension").await;
    }
}

#[tokio::test]
async fn a_stream_carries_one_kind() {
    let messages = vec![metadata("recruit", 384), some_recruits(0..1), candidates(0..1)];
    refused(messages, Code::InvalidArgument, "candidate_chunk").await;
}

#[tokio::test]
async fn every_vector_has_the_dimension() {
    for wrong in [383, 385, 0, 768] {
        let messages = vec![metadata("recruit", 384), recruits(vec![recruit(0, 384), recruit(1, wrong)])];
        refused(messages, Code::InvalidArgument, "expected 384").await;
    }
}

#[tokio::test]
async fn a_message_has_a_number_of_rows_at_most() {
    // At one dimension less than the smallest vector the rows would be counted first all the same.
    let rows = (0..16_385).map(|key| recruit(key, 0)).collect();
    let messages = vec![metadata("recruit", 384), recruits(rows)];
    refused(messages, Code::ResourceExhausted, "16384 rows").await;
}

#[tokio::test]
async fn a_message_has_a_size_at_most() {
    let limits = ChunkLimits { message_bytes_max: 100_000, ..ChunkLimits::default() };
    let server = serving(std::sync::Arc::new(Discard::default()), limits).await;
    let status = server.ingest(vec![metadata("recruit", 384), some_recruits(0..100)]).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.message().contains("100000 bytes"), "{status:?}");
    // The connection and the server live on.
    let answer = server.ingest(vec![metadata("recruit", 384), some_recruits(0..10)]).await.unwrap();
    assert_eq!(counts(answer), self::answer(10, 1));
}

#[tokio::test]
async fn the_other_half_of_the_service_is_unimplemented() {
    let server = discarding().await;
    let mut client = server.client().await;
    let status = client.stream_embedding(brine::proto::embedding::StreamEmbeddingRequest::default()).await;
    assert_eq!(status.unwrap_err().code(), Code::Unimplemented);
}
