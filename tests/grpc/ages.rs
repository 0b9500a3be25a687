//! Connections that reach their age: a pull that lasts longer goes on over the next one, and a response that is written
//! arrives whole.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use brine::{
    client::{
        pull::{self, Options, Output, Silent},
        push::Backoff,
    },
    proto::embedding::StreamEmbeddingRequest,
    schema,
    server::Config,
    service::{
        self,
        stream::{self, Tables},
    },
    store::Catalogue,
};

use prost::Message as _;

use super::{
    proxy::Proxy,
    raw::{DATA, END_STREAM, HEADERS, PING, Raw, message},
    tables,
};

const ROWS: usize = 12_000;

/// Serves `folder` over connections of 200 ms, which then have `grace` to end.
async fn serving(folder: &Path, grace: Duration) -> SocketAddr {
    let mut config = Config::new("127.0.0.1:0");
    config.patience.connection_age = Duration::from_millis(200);
    config.patience.connection_grace = grace;
    let bound = config.bind().await.unwrap();
    let address = bound.address();
    let catalogue = Arc::new(Catalogue::open(&[folder.to_owned()]).unwrap());
    let routes = service::serving(&Tables::new(catalogue, stream::Options::default()));
    tokio::spawn(bound.run(routes, std::future::pending()));
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_pulled_whole_over_connections_that_reach_their_age() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", ROWS);
    let address = serving(from.path(), Duration::from_millis(200)).await;
    // Too slow for what a connection may last.
    let proxy = Proxy::slow(address).await;
    let options = Options {
        backoff: Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) },
        output: Some(Output { folder: to.path().to_owned(), name: "copy".to_owned(), overwrite: false }),
        ..Options::new(proxy.url().parse().unwrap(), schema::find("recruit").unwrap())
    };
    let report = pull::pull(&options, Arc::new(Silent)).await.unwrap();
    assert!(report.attempts >= 3, "{} connections were enough", report.attempts);
    assert_eq!((report.received.rows, report.repeated_ids, report.verified), (ROWS as u64, 0, true));
    let copy = tables::manifest(&to.path().join("copy"));
    assert_eq!(copy.fingerprint, tables::manifest(&dataset).fingerprint);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_of_a_response_arrives_however_much_its_reader_has_to_say() {
    let from = tempfile::tempdir().unwrap();
    tables::write(from.path(), "recruit", 2_000);
    let mut raw = Raw::connect(serving(from.path(), Duration::from_secs(20)).await).await;
    raw.begin(1, "/embedding.EmbeddingStreamService/StreamEmbedding").await;
    raw.send(DATA, END_STREAM, 1, &message(&StreamEmbeddingRequest::default().encode_to_vec())).await;
    raw.widen(1, 1 << 30).await;
    // What a reader says to a socket that is closed already has the rest of the response thrown away.
    let mut read = 0;
    loop {
        let frame = raw.next().await.unwrap_or_else(|| panic!("cut off behind {read} bytes"));
        match (frame.kind, frame.flags & END_STREAM) {
            (DATA, _) => read += frame.payload.len(),
            (HEADERS, END_STREAM) => break,
            _ => continue,
        }
        raw.send(PING, 0, 0, &[7; 8]).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(read > 2_000 * 384 * size_of::<f32>(), "{read} bytes");
}
