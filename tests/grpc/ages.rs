//! A pull that lasts longer than any connection may: it goes on over the next one.

use std::{sync::Arc, time::Duration};

use brine::{
    client::{
        pull::{self, Options, Output, Silent},
        push::Backoff,
    },
    schema,
    server::Config,
    service::{
        self,
        stream::{self, Tables},
    },
    store::Catalogue,
};

use super::{proxy::Proxy, tables};

const ROWS: usize = 12_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_pulled_whole_over_connections_that_reach_their_age() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write(from.path(), "recruit", ROWS);
    let mut config = Config::new("127.0.0.1:0");
    config.patience.connection_age = Duration::from_millis(200);
    config.patience.connection_grace = Duration::from_millis(200);
    let bound = config.bind().await.unwrap();
    let address = bound.address();
    let catalogue = Arc::new(Catalogue::open(&[from.path().to_owned()]).unwrap());
    let routes = service::serving(&Tables::new(catalogue, stream::Options::default()));
    tokio::spawn(bound.run(routes, std::future::pending()));
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
