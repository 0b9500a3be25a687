//! What every call goes through, but for who may make it.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use tonic::Code;
use tonic_types::StatusExt as _;

use super::{Server, call, eventually, stream};

#[tokio::test]
async fn a_call_has_the_name_that_its_client_gave_or_a_new_one() {
    let server = Server::plain().await;
    let channel = server.connect().await;
    let given = call(&channel, "Echo", &[("x-request-id", "order-17")]).await.unwrap();
    assert_eq!(given.metadata().get("x-request-id").unwrap(), "order-17");
    let first = call(&channel, "Echo", &[]).await.unwrap();
    let second = call(&channel, "Echo", &[("x-request-id", &"x".repeat(1_000))]).await.unwrap();
    let id =
        |response: &tonic::Response<bytes::Bytes>| response.metadata().get("x-request-id").unwrap().clone();
    assert_ne!(id(&first), id(&second), "what is too long is replaced");
    let refused = call(&channel, "Refuse", &[("x-request-id", "order-18")]).await.unwrap_err();
    assert_eq!(refused.metadata().get("x-request-id").unwrap(), "order-18");
}

#[tokio::test]
async fn a_panic_ends_its_own_call_and_no_other() {
    let server = Server::plain().await;
    let channel = server.connect().await;
    let held = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel, "Hold", &[]).await }
    });
    eventually("the call is held", || server.probe.holding.load(SeqCst) == 1).await;
    let handler = call(&channel, "Panic", &[]).await.unwrap_err();
    assert_eq!(
        (handler.code(), handler.message()),
        (Code::Internal, "internal error of the server; its log says more")
    );
    let mut later = stream(&channel, "PanicLater", &[]).await.unwrap();
    assert_eq!(later.message().await.unwrap().unwrap().len(), 1 << 16);
    assert_eq!(later.message().await.unwrap_err().code(), Code::Internal);
    server.probe.releases.add_permits(1);
    held.await.unwrap().unwrap();
    call(&channel, "Echo", &[]).await.unwrap();
}

#[tokio::test]
async fn a_deadline_ends_a_stream_in_its_middle_and_what_holds_its_messages() {
    let server = Server::plain().await;
    let channel = server.connect().await;
    let mut silent = stream(&channel, "Silent", &[("grpc-timeout", "300m")]).await.unwrap();
    silent.message().await.unwrap().unwrap();
    let ended = silent.message().await.unwrap_err();
    assert_eq!(
        (ended.code(), ended.message()),
        (Code::DeadlineExceeded, "the deadline of the call was exceeded")
    );
    eventually("the body is gone", || server.probe.bodies.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn the_servers_own_deadline_ends_handlers_and_streams() {
    let server = Server::start(|config| config.deadline_max = Duration::from_millis(200)).await;
    let channel = server.connect().await;
    let held = call(&channel, "Hold", &[("grpc-timeout", "1H")]).await.unwrap_err();
    assert_eq!(
        (held.code(), held.message()),
        (Code::DeadlineExceeded, "the call took longer than this server permits")
    );
    assert_eq!(server.probe.holding.load(SeqCst), 0, "the handler is gone");
    let mut silent = stream(&channel, "Silent", &[]).await.unwrap();
    silent.message().await.unwrap().unwrap();
    assert_eq!(silent.message().await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn one_call_too_many_is_turned_away_and_told_when_to_come_back() {
    let server = Server::start(|config| config.calls_max = 1).await;
    let channel = server.connect().await;
    let mut running = stream(&channel, "Silent", &[]).await.unwrap();
    running.message().await.unwrap().unwrap();
    let shed = call(&channel, "Echo", &[]).await.unwrap_err();
    assert_eq!(
        (shed.code(), shed.message()),
        (Code::ResourceExhausted, "1 calls are running already: try again later")
    );
    let details = shed.get_error_details();
    assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(1)));
    assert_eq!(details.error_info().unwrap().reason, "TOO_MANY_CALLS");
    super::watching::check(&channel, "").await.unwrap();
    drop(running);
    eventually("the place is free", || server.probe.bodies.load(SeqCst) == 0).await;
    call(&channel, "Echo", &[]).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_calls_too_often_is_told_when_to_come_back() {
    let server = Server::start(|config| config.calls_per_second = 1).await;
    let channel = server.connect().await;
    let calls = (0..50).map(|_| {
        let channel = channel.clone();
        tokio::spawn(async move { call(&channel, "Echo", &[]).await })
    });
    let mut refused = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        refused.extend(call.await.unwrap().err());
    }
    assert!(refused.len() > 10, "{} of 50", refused.len());
    let details = refused[0].get_error_details();
    assert_eq!(refused[0].code(), Code::ResourceExhausted);
    assert_eq!(details.error_info().unwrap().reason, "RATE_LIMITED");
    assert!(details.retry_info().unwrap().retry_delay.unwrap() <= Duration::from_secs(1));
}

#[tokio::test]
async fn a_response_that_nobody_reads_is_ended_and_others_of_its_connection_go_on() {
    let server = Server::start(|config| config.patience.stall = Duration::from_millis(300)).await;
    let channel = server.connect().await;
    let held = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel, "Hold", &[]).await }
    });
    let mut silent = stream(&channel, "Silent", &[]).await.unwrap();
    silent.message().await.unwrap().unwrap();
    let mut unread = stream(&channel, "Endless", &[]).await.unwrap();
    unread.message().await.unwrap().unwrap();
    eventually("the response is gone", || server.probe.bodies.load(SeqCst) == 1).await;
    let mut ended = Ok(());
    while ended.is_ok() {
        ended = unread
            .message()
            .await
            .map(|message| assert!(message.is_some(), "it never says that it is whole"));
    }
    assert_eq!(ended.unwrap_err().code(), Code::Cancelled);
    server.probe.releases.add_permits(1);
    held.await.unwrap().unwrap();
    assert_eq!(server.probe.bodies.load(SeqCst), 1, "a stream that has nothing to say is no stall");
}

#[tokio::test]
async fn a_connection_on_which_nobody_reads_anything_is_closed() {
    let server = Server::start(|config| config.patience.stall = Duration::from_millis(300)).await;
    let channel = server.connect().await;
    let mut unread = stream(&channel, "Endless", &[]).await.unwrap();
    unread.message().await.unwrap().unwrap();
    eventually("the response is gone", || server.probe.bodies.load(SeqCst) == 0).await;
    let mut ended = Ok(());
    while ended.is_ok() {
        ended = unread.message().await.map(drop);
    }
    // The client comes again on a new one.
    let fresh = server.connect().await;
    call(&fresh, "Echo", &[]).await.unwrap();
}

#[tokio::test]
async fn a_method_that_is_not_there_is_unimplemented() {
    let server = Server::plain().await;
    let channel = server.connect().await;
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/nobody.v1.Nothing/Do");
    let status = client.unary(super::message(&[]), path, brine::proto::raw::Raw).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}
