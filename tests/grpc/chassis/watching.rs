//! What those who watch servers see: health, reflection, metrics, readiness.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_stream::StreamExt as _;
use tonic::{Code, Request, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

use super::{Server, call, stream};

pub(super) async fn check(channel: &Channel, service: &str) -> Result<ServingStatus, Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(channel.clone()).check(request).await?;
    Ok(answer.into_inner().status())
}

pub(super) async fn watch(
    channel: &Channel,
    service: &str,
) -> impl tokio_stream::Stream<Item = ServingStatus> + Unpin + use<> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let answers = HealthClient::new(channel.clone()).watch(request).await.unwrap().into_inner();
    answers.map(|answer| answer.unwrap().status())
}

/// The services that reflection lists.
pub(super) async fn services(channel: Channel, token: Option<&str>) -> Result<Vec<String>, Status> {
    use v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let message = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut request = Request::new(tokio_stream::once(message));
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut answers =
        ServerReflectionClient::new(channel).server_reflection_info(request).await?.into_inner();
    match answers.message().await?.unwrap().message_response {
        Some(MessageResponse::ListServicesResponse(list)) => {
            Ok(list.service.into_iter().map(|service| service.name).collect())
        }
        other => panic!("{other:?}"),
    }
}

async fn services_v1alpha(channel: Channel) -> Vec<String> {
    use v1alpha::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let message = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let request = tokio_stream::once(message);
    let answers = ServerReflectionClient::new(channel).server_reflection_info(request).await;
    match answers.unwrap().into_inner().message().await.unwrap().unwrap().message_response {
        Some(MessageResponse::ListServicesResponse(list)) => {
            list.service.into_iter().map(|service| service.name).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// The status line and the body of a page.
pub(super) async fn page(address: SocketAddr, path: &str) -> (String, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn health_is_known_of_every_service_and_of_the_whole() {
    let server = Server::plain().await;
    let channel = server.connect().await;
    for name in ["", "probe.v1.Probe"] {
        assert_eq!(check(&channel, name).await.unwrap(), ServingStatus::Serving, "{name}");
    }
    assert_eq!(check(&channel, "nobody").await.unwrap_err().code(), Code::NotFound);
    server.health.not_serving("probe.v1.Probe");
    assert_eq!(check(&channel, "probe.v1.Probe").await.unwrap(), ServingStatus::NotServing);
}

#[tokio::test]
async fn the_whole_serves_as_long_as_one_of_its_services_does() {
    let server = Server::start(|config| config.admin = Some("0".to_owned())).await;
    let (channel, admin) = (server.connect().await, server.admin.unwrap());
    let mut whole = watch(&channel, "").await;
    assert_eq!(whole.next().await, Some(ServingStatus::Serving));
    server.health.serving("other");
    server.health.not_serving("probe.v1.Probe");
    assert_eq!(check(&channel, "").await.unwrap(), ServingStatus::Serving, "the other one does");
    assert_eq!(page(admin, "/ready").await.0, "HTTP/1.1 200 OK");
    server.health.not_serving("other");
    assert_eq!(whole.next().await, Some(ServingStatus::NotServing));
    assert_eq!(page(admin, "/ready").await.0, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(page(admin, "/live").await.0, "HTTP/1.1 200 OK", "starting it anew would mend nothing");
    server.health.serving("probe.v1.Probe");
    assert_eq!(whole.next().await, Some(ServingStatus::Serving));
}

#[tokio::test]
async fn whoever_watches_sees_every_change_and_unknown_names_become_known() {
    let mut server = Server::plain().await;
    let channel = server.connect().await;
    let mut probe = watch(&channel, "probe.v1.Probe").await;
    let mut later = watch(&channel, "later").await;
    assert_eq!(probe.next().await, Some(ServingStatus::Serving));
    assert_eq!(later.next().await, Some(ServingStatus::ServiceUnknown));
    server.health.not_serving("probe.v1.Probe");
    assert_eq!(probe.next().await, Some(ServingStatus::NotServing));
    server.health.serving("probe.v1.Probe");
    assert_eq!(probe.next().await, Some(ServingStatus::Serving));
    server.health.serving("later");
    assert_eq!(later.next().await, Some(ServingStatus::Serving), "told once, and not for changes of others");
    server.stop();
    assert_eq!(later.next().await, Some(ServingStatus::NotServing));
    assert_eq!(later.next().await, None, "a server that stops waits for nobody who watches");
}

#[tokio::test]
async fn reflection_lists_every_service_in_both_versions() {
    let server = Server::plain().await;
    let mut listed = services(server.connect().await, None).await.unwrap();
    listed.sort();
    let all = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "probe.v1.Probe",
    ];
    assert_eq!(listed, all);
    let mut listed = services_v1alpha(server.connect().await).await;
    listed.sort();
    assert_eq!(listed, all);
}

#[tokio::test]
async fn metrics_count_calls_by_method_and_code_and_strangers_make_up_no_names() {
    let server = Server::start(|config| config.admin = Some("0".to_owned())).await;
    let admin = server.admin.unwrap();
    assert!(admin.ip().is_loopback());
    let channel = server.connect().await;
    call(&channel, "Echo", &[]).await.unwrap();
    call(&channel, "Refuse", &[]).await.unwrap_err();
    call(&channel, "Panic", &[]).await.unwrap_err();
    call(&channel, "MadeUp", &[]).await.unwrap();
    let _running = stream(&channel, "Silent", &[]).await.unwrap();
    let (status, page) = page(admin, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    for line in [
        r#"brine_grpc_requests_total{method="/probe.v1.Probe/Echo",code="OK"}"#,
        r#"brine_grpc_requests_total{method="/probe.v1.Probe/Refuse",code="INVALID_ARGUMENT"}"#,
        r#"brine_grpc_requests_total{method="/probe.v1.Probe/Panic",code="INTERNAL"}"#,
        r#"brine_grpc_requests_total{method="unknown",code="OK"}"#,
        r#"brine_grpc_request_seconds_bucket{method="/probe.v1.Probe/Echo",le="1"}"#,
        r#"brine_grpc_sent_bytes_total{method="/probe.v1.Probe/Echo"}"#,
        r#"brine_grpc_received_bytes_total{method="/probe.v1.Probe/Echo"}"#,
        "# TYPE brine_grpc_calls_running gauge",
        "# HELP brine_connections_open Connections that are open.",
        "brine_panics_total",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("MadeUp"));
    let sent = page
        .lines()
        .find_map(|line| line.strip_prefix(r#"brine_grpc_sent_bytes_total{method="/probe.v1.Probe/Echo"} "#));
    assert!(sent.unwrap().parse::<u64>().unwrap() >= 5 + (1 << 16));
}

#[tokio::test]
async fn a_server_is_live_and_ready_until_it_will_stop() {
    let mut server = Server::start(|config| {
        config.admin = Some("127.0.0.1:0".to_owned());
        config.patience.lame_duck = std::time::Duration::from_mins(10);
        config.drain = std::time::Duration::from_mins(10);
    })
    .await;
    let admin = server.admin.unwrap();
    // Connected, so that there is somebody to wait for.
    let channel = server.connect().await;
    call(&channel, "Echo", &[]).await.unwrap();
    assert_eq!(page(admin, "/live").await.0, "HTTP/1.1 200 OK");
    assert_eq!(page(admin, "/ready").await, ("HTTP/1.1 200 OK".to_owned(), "ready\n".to_owned()));
    assert_eq!(page(admin, "/other").await.0, "HTTP/1.1 404 Not Found");
    let mut health = watch(&channel, "").await;
    assert_eq!(health.next().await, Some(ServingStatus::Serving));
    server.stop();
    assert_eq!(health.next().await, Some(ServingStatus::NotServing));
    assert_eq!(page(admin, "/ready").await.0, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(page(admin, "/live").await.0, "HTTP/1.1 200 OK");
    call(&channel, "Echo", &[]).await.expect("who does not know yet is served");
    server.health.serving("probe.v1.Probe");
    assert_eq!(check(&channel, "probe.v1.Probe").await.unwrap(), ServingStatus::NotServing, "for good");
}
