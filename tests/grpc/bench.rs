//! What the tests stand on: a real server on a free port, and streams of messages into it.

use std::{net::SocketAddr, path::Path, sync::Arc};

use brine::{
    limits::wire::ChunkLimits,
    proto::embedding::{
        CandidateRow, CandidateRowChunk, IngestDataRequest, IngestDataResponse, IngestMetadata, RecruitRow,
        RecruitRowChunk, SkillEmbeddingDicRow, SkillEmbeddingDicRowChunk,
        embedding_stream_service_client::EmbeddingStreamServiceClient, ingest_data_request::ChunkData,
    },
    server::Config,
    service::{
        ingest::{Ingest, IngestService},
        session::SessionService,
    },
    store::{Discard, ParquetStore, Store},
};
use tokio::sync::oneshot;
use tonic::{
    Status,
    service::Routes,
    transport::{Channel, Endpoint},
};

/// A server that runs until it is dropped.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

pub(super) async fn discarding() -> Running {
    serving(Arc::new(Discard::default()), ChunkLimits::default()).await
}

pub(super) async fn storing(folder: &Path) -> Running {
    serving(Arc::new(ParquetStore::open(folder).unwrap()), ChunkLimits::default()).await
}

pub(super) async fn serving(store: Arc<dyn Store>, limits: ChunkLimits) -> Running {
    serving_on("127.0.0.1:0", store, limits).await
}

pub(super) async fn serving_on(listen: &str, store: Arc<dyn Store>, limits: ChunkLimits) -> Running {
    let bound = Config::new(listen).bind().await.unwrap();
    let address = bound.address();
    let (stop, stopped) = oneshot::channel();
    let ingest = Ingest::new(store, limits);
    let routes = Routes::new(IngestService::new(ingest.clone())).add_service(SessionService::new(ingest));
    tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        bound.run(routes, stopped).await.unwrap();
    });
    Running { address, _stop: stop }
}

impl Running {
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) async fn client(&self) -> EmbeddingStreamServiceClient<Channel> {
        let channel = Endpoint::from_shared(self.url()).unwrap().connect().await.unwrap();
        EmbeddingStreamServiceClient::new(channel)
    }

    /// Sends `messages` from tonic's own client.
    pub(super) async fn ingest(
        &self,
        messages: Vec<IngestDataRequest>,
    ) -> Result<IngestDataResponse, Status> {
        let mut client = self.client().await;
        client.ingest_data_stream(tokio_stream::iter(messages)).await.map(tonic::Response::into_inner)
    }
}

pub(super) fn metadata(domain: &str, dimension: i32) -> IngestDataRequest {
    let (domain, file_name) = (domain.to_owned(), "test.pkl".to_owned());
    IngestDataRequest {
        metadata: Some(IngestMetadata { domain, file_name, vector_dimension: dimension, session: None }),
        ..Default::default()
    }
}

pub(super) fn recruit(key: u32, dimension: usize) -> RecruitRow {
    RecruitRow {
        id: format!("00000000-0000-7000-8000-{key:012}"),
        company_name: format!("Ünternehmen {key}"),
        exp_years: i32::try_from(key % 11).unwrap(),
        english_level: ["", "Basic", "Fluent"][key as usize % 3].to_owned(),
        primary_keyword: ["Rust", "Java"][key as usize % 2].to_owned(),
        vector: vector(key, dimension),
    }
}

pub(super) fn vector(key: u32, dimension: usize) -> Vec<f32> {
    (0..dimension).map(|index| f32::from(u16::try_from((key as usize + index) % 1000).unwrap())).collect()
}

pub(super) fn recruits(rows: Vec<RecruitRow>) -> IngestDataRequest {
    chunk(ChunkData::RecruitChunk(RecruitRowChunk { rows }))
}

/// Recruits with the keys of `range`, at 384 dimensions.
pub(super) fn some_recruits(range: std::ops::Range<u32>) -> IngestDataRequest {
    recruits(range.map(|key| recruit(key, 384)).collect())
}

pub(super) fn candidates(range: std::ops::Range<u32>) -> IngestDataRequest {
    let rows = range.map(|key| CandidateRow {
        candidate_id: format!("00000000-0000-7000-8000-{key:012}"),
        position_category: "Backend".to_owned(),
        experience_years: 3,
        original_resume: "résumé ".repeat(key as usize % 5),
        skills: (0..key % 4).map(|skill| format!("skill {skill}")).collect(),
        vector: vector(key, 768),
    });
    chunk(ChunkData::CandidateChunk(CandidateRowChunk { rows: rows.collect() }))
}

pub(super) fn skills(range: std::ops::Range<u32>) -> IngestDataRequest {
    let rows = range.map(|key| SkillEmbeddingDicRow {
        skill: format!("skill {key}"),
        position_category: "Data".to_owned(),
        vector: vector(key, 768),
    });
    chunk(ChunkData::SkillEmbeddingDicChunk(SkillEmbeddingDicRowChunk { rows: rows.collect() }))
}

fn chunk(chunk: ChunkData) -> IngestDataRequest {
    IngestDataRequest { chunk_data: Some(chunk), ..Default::default() }
}
