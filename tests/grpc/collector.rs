//! Spans of calls reach an OpenTelemetry collector, as children of the caller's.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request,
    body::Body,
    server::NamedService,
    transport::{Endpoint, Server},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::programs;

/// Keeps the bytes of what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<u8>>>);

impl NamedService for Collector {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl tower_service::Service<http::Request<Body>> for Collector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let sent = Arc::clone(&self.0);
        Box::pin(async move {
            let bytes = request.into_body().collect().await.unwrap().to_bytes();
            sent.lock().unwrap().extend_from_slice(&bytes);
            // A refusal is an answer too: what was sent has arrived.
            Ok(tonic::Status::unimplemented("it only listens").into_http())
        })
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_span_of_a_call_is_sent_as_a_child_of_the_callers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = Collector::default();
    let serving = Server::builder().add_service(collector.clone());
    tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
    let mut server = programs::Server::start(&["--discard", "--otlp", &endpoint]);
    let channel = Endpoint::from_shared(server.url()).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let mut request = Request::new(HealthCheckRequest::default());
    let metadata = request.metadata_mut();
    metadata
        .insert("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap());
    metadata.insert("x-request-id", "told-to-the-collector".parse().unwrap());
    client.check(request).await.unwrap();
    drop(client);
    assert_eq!(tokio::task::spawn_blocking(move || server.stop()).await.unwrap(), Some(0));
    let sent = collector.0.lock().unwrap();
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    assert!(holds(&sent, &trace) && holds(&sent, &0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()));
    assert!(holds(&sent, b"told-to-the-collector") && holds(&sent, b"/grpc.health.v1.Health/Check"));
}
