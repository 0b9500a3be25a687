//! `StreamEmbedding`: what stock clients get from a real server, and what they are told when they ask for what is not there.

use std::{fs, path::Path, sync::Arc};

use brine::{
    file::Dataset,
    limits::serving::{STREAMS_MAX, STREAMS_OF_PEER_MAX},
    proto::{
        embedding::{
            RowChunk, StreamEmbeddingRequest, embedding_stream_service_client::EmbeddingStreamServiceClient,
        },
        embedding_json::{
            self, embedding_stream_service_client::EmbeddingStreamServiceClient as PublishedClient,
            row_chunk::ChunkData,
        },
    },
    server::Config,
    service::{
        self,
        stream::{Options, Tables},
    },
    store::Catalogue,
};
use tokio::sync::oneshot;
use tonic::{
    Code, Response, Status, Streaming,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};
use tonic_types::StatusExt as _;

use super::tables;

struct Serving {
    url: String,
    _stop: oneshot::Sender<()>,
}

async fn serving(folder: &Path, options: Options) -> Serving {
    let catalogue = Arc::new(Catalogue::open(&[folder.to_owned()]).unwrap());
    let bound = Config::new("127.0.0.1:0").bind().await.unwrap();
    let url = format!("http://{}", bound.address());
    let (stop, stopped) = oneshot::channel();
    let routes = service::serving(&Tables::new(catalogue, options));
    tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        bound.run(routes, stopped).await.unwrap();
    });
    Serving { url, _stop: stop }
}

impl Serving {
    async fn channel(&self) -> Channel {
        Endpoint::from_shared(self.url.clone()).unwrap().connect().await.unwrap()
    }

    async fn ask(&self, request: StreamEmbeddingRequest) -> Result<Response<Streaming<RowChunk>>, Status> {
        EmbeddingStreamServiceClient::new(self.channel().await).stream_embedding(request).await
    }

    /// Every chunk of the answer.
    async fn chunks(&self, request: StreamEmbeddingRequest) -> Result<Vec<RowChunk>, Status> {
        collect(self.ask(request).await?.into_inner()).await
    }
}

async fn collect<M>(mut stream: Streaming<M>) -> Result<Vec<M>, Status> {
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

fn sizes(chunks: &[RowChunk]) -> Vec<usize> {
    chunks.iter().map(|chunk| chunk.rows.len()).collect()
}

fn ids(chunks: &[RowChunk]) -> Vec<&str> {
    chunks.iter().flat_map(|chunk| &chunk.rows).map(|row| row.id.as_str()).collect()
}

fn all() -> StreamEmbeddingRequest {
    StreamEmbeddingRequest::default()
}

fn after(id: &str) -> StreamEmbeddingRequest {
    StreamEmbeddingRequest { last_processed_uuid: id.to_owned(), ..all() }
}

#[tokio::test]
async fn every_row_comes_once_in_file_order_in_chunks_of_the_asked_size() {
    let folder = tempfile::tempdir().unwrap();
    // Batches of the file end inside chunks.
    tables::write_in_batches(folder.path(), "recruit", 2_050, 700);
    let server = serving(folder.path(), Options::default()).await;
    let chunks = server.chunks(all()).await.unwrap();
    assert_eq!(sizes(&chunks), [300, 300, 300, 300, 300, 300, 250]);
    let rows = ids(&chunks);
    let expected: Vec<String> = (0..2_050).map(|row| tables::text("id", row)).collect();
    assert_eq!(rows, expected);
    assert!(chunks.iter().flat_map(|chunk| &chunk.rows).all(|row| row.vector.len() == 384));
    assert!(chunks.iter().all(|chunk| chunk.header.is_none() && chunk.total_rows == 0), "an old client's");
    for (chunk_size, last) in [(100, 50), (1_000, 50)] {
        let chunks = server.chunks(StreamEmbeddingRequest { chunk_size, ..all() }).await.unwrap();
        let (end, before) = sizes(&chunks).split_last().map(|(end, before)| (*end, before.to_vec())).unwrap();
        assert!(before.iter().all(|rows| *rows == chunk_size as usize), "{chunk_size}");
        assert_eq!(end, last);
    }
    for chunk_size in [99, 1_001, -1] {
        let refused = server.chunks(StreamEmbeddingRequest { chunk_size, ..all() }).await.unwrap_err();
        let text = format!("Invalid chunk_size: {chunk_size}. Must be between 100 and 1000");
        assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, text.as_str()));
    }
}

#[tokio::test]
async fn a_checkpoint_is_the_place_behind_its_row() {
    let folder = tempfile::tempdir().unwrap();
    tables::write(folder.path(), "recruit", 500);
    let server = serving(folder.path(), Options::default()).await;
    for row in [0, 123, 498, 499] {
        let chunks = server.chunks(after(&tables::text("id", row))).await.unwrap();
        let expected: Vec<String> = (row + 1..500).map(|row| tables::text("id", row)).collect();
        assert_eq!(ids(&chunks), expected, "{row}");
    }
    let unknown = server.ask(after("c0ca96e7-85df-50df-a64e-d934cd02a170")).await.unwrap();
    assert_eq!(unknown.metadata().get("x-checkpoint").unwrap(), "unknown");
    assert_eq!(collect(unknown.into_inner()).await.unwrap().len(), 2);
    let known = server.ask(after(&tables::text("id", 0))).await.unwrap();
    assert!(known.metadata().get("x-checkpoint").is_none());
}

#[tokio::test]
async fn strict_requests_and_servers_refuse_an_unknown_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    tables::write(folder.path(), "recruit", 10);
    let lenient = serving(folder.path(), Options::default()).await;
    let strict = serving(folder.path(), Options { strict_checkpoint: true, ..Options::default() }).await;
    let request = StreamEmbeddingRequest { strict_checkpoint: true, ..after("nobody") };
    for refused in [lenient.chunks(request).await, strict.chunks(after("nobody")).await] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(refused.get_details_error_info().unwrap().reason, "CHECKPOINT_UNKNOWN");
    }
}

#[tokio::test]
async fn of_an_id_that_comes_twice_no_row_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    tables::write_twice(folder.path(), "recruit", 20);
    let server = serving(folder.path(), Options::default()).await;
    let chunks = server.chunks(after(&tables::text("id", 5))).await.unwrap();
    assert_eq!(sizes(&chunks), [34], "behind the first of them");
    let request = StreamEmbeddingRequest { strict_checkpoint: true, ..after(&tables::text("id", 5)) };
    let refused = server.chunks(request).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "CHECKPOINT_AMBIGUOUS");
}

#[tokio::test]
async fn clients_that_know_more_ask_by_row_and_get_what_proves_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let place = tables::write(folder.path(), "recruit", 650);
    let fingerprint = Dataset::open(&place).unwrap().manifest().fingerprint.clone();
    let server = serving(folder.path(), Options::default()).await;
    let request = StreamEmbeddingRequest {
        start_row: 50,
        expected_fingerprint: fingerprint.clone(),
        domain: "recruit".to_owned(),
        ..all()
    };
    let chunks = server.chunks(request.clone()).await.unwrap();
    let headers: Vec<_> = chunks.iter().map(|chunk| chunk.header.as_ref().unwrap()).collect();
    let places: Vec<_> = headers.iter().map(|header| (header.first_row, header.row_count)).collect();
    assert_eq!(places, [(50, 300), (350, 300)]);
    assert!(headers.iter().all(|header| header.range_digest.len() == 16));
    assert_eq!((chunks[0].total_rows, chunks[0].fingerprint.as_str()), (650, fingerprint.as_str()));
    assert_eq!((chunks[1].total_rows, chunks[1].fingerprint.as_str()), (0, ""));
    let at_end = StreamEmbeddingRequest { start_row: 650, ..request.clone() };
    assert_eq!(server.chunks(at_end).await.unwrap(), []);
    let beyond = StreamEmbeddingRequest { start_row: 651, ..request.clone() };
    assert_eq!(server.chunks(beyond).await.unwrap_err().code(), Code::OutOfRange);
    let other = StreamEmbeddingRequest { expected_fingerprint: "rows-v1:00".to_owned(), ..request };
    let refused = server.chunks(other).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "FINGERPRINT_MISMATCH");
}

#[tokio::test]
async fn each_domain_is_served_by_its_name_or_alias_and_others_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    tables::write(folder.path(), "candidate", 30);
    tables::write(folder.path(), "skill_embedding_dic", 40);
    let server = serving(folder.path(), Options::default()).await;
    let of = |domain: &str| StreamEmbeddingRequest { domain: domain.to_owned(), ..all() };
    let candidates = server.chunks(of("candidate")).await.unwrap();
    assert_eq!((candidates[0].candidate_rows.len(), candidates[0].rows.len()), (30, 0));
    for name in ["skill_embedding_dic", "skill_dic"] {
        assert_eq!(server.chunks(of(name)).await.unwrap()[0].skill_rows.len(), 40);
    }
    let absent = server.chunks(all()).await.unwrap_err();
    assert_eq!(absent.code(), Code::NotFound);
    assert!(absent.message().contains("it serves candidate, skill_embedding_dic"), "{absent}");
    assert_eq!(server.chunks(of("nonsense")).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_published_package_is_served_beside() {
    let folder = tempfile::tempdir().unwrap();
    tables::write(folder.path(), "recruit", 130);
    tables::write(folder.path(), "skill_embedding_dic", 5);
    let server = serving(folder.path(), Options::default()).await;
    let mut client = PublishedClient::new(server.channel().await);
    let request = embedding_json::StreamEmbeddingRequest {
        domain: "recruit".to_owned(),
        last_processed_uuid: Some(tables::text("id", 9)),
        chunk_size: Some(100),
    };
    let chunks = collect(client.stream_embedding(request).await.unwrap().into_inner()).await.unwrap();
    let rows = chunks.iter().filter_map(|chunk| match &chunk.chunk_data {
        Some(ChunkData::Recruit(chunk)) => Some(&chunk.rows),
        _ => None,
    });
    let rows: Vec<_> = rows.collect();
    let sizes: Vec<_> = rows.iter().map(|rows| rows.len()).collect();
    assert_eq!(sizes, [100, 20]);
    assert_eq!(rows[0][0].id, tables::text("id", 10));
    assert_eq!(rows[0][0].skills_vector.len(), 384);
    assert_eq!(rows[0][0].position, "");
    let skills =
        embedding_json::StreamEmbeddingRequest { domain: "skill_dic".to_owned(), ..Default::default() };
    let chunks = collect(client.stream_embedding(skills).await.unwrap().into_inner()).await.unwrap();
    assert!(matches!(&chunks[0].chunk_data, Some(ChunkData::SkillDic(chunk)) if chunk.rows.len() == 5));
}

#[tokio::test]
async fn what_is_gone_is_not_found_and_what_is_replaced_is_served_anew() {
    let folder = tempfile::tempdir().unwrap();
    let place = tables::write(folder.path(), "recruit", 10);
    let server = serving(folder.path(), Options::default()).await;
    assert_eq!(sizes(&server.chunks(all()).await.unwrap()), [10]);
    tables::write(folder.path(), "recruit", 25);
    assert_eq!(sizes(&server.chunks(all()).await.unwrap()), [25]);
    let arrow = Dataset::open(&place).unwrap().arrow().unwrap().contents().path().to_owned();
    for lost in [arrow, place.with_extension("json")] {
        fs::remove_file(lost).unwrap();
        let missing = server.chunks(all()).await.unwrap_err();
        assert_eq!(missing.code(), Code::NotFound, "{missing}");
        assert!(missing.message().starts_with("Data file not found: recruit"), "{missing}");
    }
}

#[tokio::test]
async fn a_stream_goes_on_over_the_data_set_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    tables::write(folder.path(), "recruit", 5_000);
    let server = serving(folder.path(), Options::default()).await;
    let mut stream = server.ask(all()).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    tables::write(folder.path(), "recruit", 10);
    let rest = collect(stream).await.unwrap();
    assert_eq!(first.rows.len() + sizes(&rest).iter().sum::<usize>(), 5_000);
}

#[tokio::test]
async fn rows_too_long_for_a_message_are_told_and_long_chunks_come_in_several() {
    let folder = tempfile::tempdir().unwrap();
    tables::write(folder.path(), "recruit", 400);
    let small = Options { message_bytes_max: 100_000, ..Options::default() };
    let chunks = serving(folder.path(), small).await.chunks(all()).await.unwrap();
    assert!(chunks.len() > 4 && sizes(&chunks).iter().sum::<usize>() == 400);
    let tiny = Options { message_bytes_max: 1_000, ..Options::default() };
    let refused = serving(folder.path(), tiny).await.chunks(all()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("row 0"), "{refused}");
}

#[tokio::test]
async fn a_folder_without_tables_or_with_two_of_a_domain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Catalogue::open(&[folder.path().to_owned()]).unwrap_err();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    let places = [&first, &second].map(|folder| {
        fs::create_dir(folder).unwrap();
        tables::write(folder, "recruit", 3)
    });
    let refused = Catalogue::open(&places).unwrap_err().to_string();
    assert!(refused.contains("both hold recruit"), "{refused}");
}

/// What a `Watch` of the service's health says next.
async fn next_health(watch: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    watch.message().await.unwrap().unwrap().status()
}

#[tokio::test]
async fn a_service_whose_data_is_gone_says_so_and_serves_again_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = tables::write(folder.path(), "recruit", 10);
    let server = serving(folder.path(), Options::default()).await;
    let mut client = HealthClient::new(server.channel().await);
    let service = "embedding.EmbeddingStreamService".to_owned();
    let mut watch = client.watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    assert_eq!(next_health(&mut watch).await, ServingStatus::Serving);
    let (manifest, aside) = (place.with_extension("json"), folder.path().join("aside"));
    fs::rename(&manifest, &aside).unwrap();
    assert_eq!(next_health(&mut watch).await, ServingStatus::NotServing);
    fs::rename(&aside, &manifest).unwrap();
    assert_eq!(next_health(&mut watch).await, ServingStatus::Serving);
}

#[tokio::test]
async fn a_table_that_is_gone_does_not_take_the_others_from_their_readers() {
    let folder = tempfile::tempdir().unwrap();
    let [gone, there] = ["candidate", "recruit"].map(|domain| tables::write(folder.path(), domain, 10));
    let catalogue = Arc::new(Catalogue::open(&[folder.path().to_owned()]).unwrap());
    let served = Tables::new(catalogue, Options::default());
    fs::remove_file(gone.with_extension("json")).unwrap();
    assert!(served.check().is_ok());
    fs::remove_file(there.with_extension("json")).unwrap();
    assert!(served.check().is_err());
}

#[tokio::test]
async fn a_table_that_was_opened_while_it_was_replaced_is_served_under_its_plain_name_too() {
    let folder = tempfile::tempdir().unwrap();
    let place = tables::write(folder.path(), "recruit", 10);
    let generation = tables::manifest(&place).generation;
    let (plain, named) =
        (place.with_extension("arrow"), folder.path().join(format!("recruit.g{generation}.arrow")));
    // What stands between the commit and the tidying of a replacement.
    fs::rename(&plain, &named).unwrap();
    let server = serving(folder.path(), Options::default()).await;
    assert_eq!(sizes(&server.chunks(all()).await.unwrap()), [10]);
    fs::rename(&named, &plain).unwrap();
    assert_eq!(sizes(&server.chunks(all()).await.unwrap()), [10]);
}

/// Calls of `peer` that nobody reads; `count` are made, each in its turn.
async fn unread(server: &Serving, peer: [u8; 4], count: usize) -> Vec<Result<Streaming<RowChunk>, Status>> {
    let mut calls = Vec::new();
    let mut channel = None;
    for call in 0..count {
        // A connection carries 32 calls.
        if call % 32 == 0 {
            let endpoint =
                Endpoint::from_shared(server.url.clone()).unwrap().local_address(Some(peer.into()));
            channel = Some(endpoint.connect().await.unwrap());
        }
        let mut client = EmbeddingStreamServiceClient::new(channel.clone().unwrap());
        calls.push(client.stream_embedding(all()).await.map(Response::into_inner));
    }
    calls
}

#[tokio::test]
async fn one_peer_cannot_take_every_stream() {
    let folder = tempfile::tempdir().unwrap();
    // More than the windows of a connection hold.
    tables::write(folder.path(), "recruit", 5_000);
    let server = serving(folder.path(), Options::default()).await;
    let mut greedy = unread(&server, [127, 0, 0, 1], STREAMS_OF_PEER_MAX + 1).await;
    let refused = greedy.pop().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(refused.get_details_retry_info().is_some());
    assert!(greedy.iter().all(Result::is_ok));
    let others = STREAMS_MAX - STREAMS_OF_PEER_MAX;
    let mut other = unread(&server, [127, 0, 0, 2], others + 1).await;
    assert_eq!(other.pop().unwrap().unwrap_err().code(), Code::ResourceExhausted, "one too many of all");
    assert!(other.iter().all(Result::is_ok), "what one peer must leave is another's");
}
