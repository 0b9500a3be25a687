//! A store that fails: what those who watch its health are told.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use brine::{
    limits::wire::ChunkLimits,
    schema::Domain,
    store::{Discard, Error, Provenance, Run, Store},
};
use tonic::{Code, Streaming, transport::Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};

use super::bench;

/// A store whose disk fails until it is well.
#[derive(Default)]
struct Ailing {
    well: AtomicBool,
    counted: Discard,
}

fn broken() -> Error {
    Error::Io { path: "store".into(), source: std::io::Error::from(std::io::ErrorKind::StorageFull) }
}

impl Store for Ailing {
    fn begin(
        &self,
        domain: &'static Domain,
        dimension: usize,
        from: Provenance,
    ) -> Result<Box<dyn Run>, Error> {
        self.probe()?;
        self.counted.begin(domain, dimension, from)
    }

    fn probe(&self) -> Result<(), Error> {
        if self.well.load(Ordering::SeqCst) { Ok(()) } else { Err(broken()) }
    }
}

async fn next(watch: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    watch.message().await.unwrap().unwrap().status()
}

#[tokio::test]
async fn a_store_that_failed_is_not_serving_until_it_is_well_again() {
    let store = Arc::new(Ailing::default());
    let server = bench::serving(Arc::<Ailing>::clone(&store), ChunkLimits::default()).await;
    let channel = Endpoint::from_shared(server.url()).unwrap().connect().await.unwrap();
    let service = "embedding.EmbeddingStreamService".to_owned();
    let mut watch =
        HealthClient::new(channel).watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    assert_eq!(next(&mut watch).await, ServingStatus::Serving);
    let refused = server.ingest(vec![bench::metadata("recruit", 384)]).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert_eq!(next(&mut watch).await, ServingStatus::NotServing);
    store.well.store(true, Ordering::SeqCst);
    assert_eq!(next(&mut watch).await, ServingStatus::Serving);
    assert_eq!(server.ingest(vec![bench::metadata("recruit", 384)]).await.unwrap().status, "success");
}
