//! Connections that are asked to go, and the calls that they still carry.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use brine::server::Config;
use tokio::time;

use super::{
    super::raw::{ACK, DATA, END_STREAM, Frame, GOAWAY, HEADERS, PING, RST_STREAM, Raw, message},
    Server, eventually,
};

async fn call(raw: &mut Raw, stream: u32, method: &str) {
    raw.begin(stream, &format!("/probe.v1.Probe/{method}")).await;
    raw.send(DATA, END_STREAM, stream, &message(b"hello")).await;
}

/// Waits for the wish that the connection goes, and gives what is to be sent back when it was heard.
async fn asked_to_go(raw: &mut Raw) -> Vec<u8> {
    let wish = raw.until(|frame| frame.kind == GOAWAY).await;
    assert_eq!(wish.payload[..4], (u32::MAX >> 1).to_be_bytes(), "calls under way are taken");
    raw.until(|frame| (frame.kind, frame.flags) == (PING, 0)).await.payload
}

/// Waits until a connection that only greets has come and was made to go.
async fn another_is_gone(server: &Server) {
    let mut raw = Raw::connect(server.address).await;
    while raw.next().await.is_some() {}
}

fn is_end_of(stream: u32) -> impl Fn(&Frame) -> bool {
    move |frame| {
        assert!((frame.kind, frame.stream) != (RST_STREAM, stream), "it is not reset");
        (frame.kind, frame.stream, frame.flags & END_STREAM) == (HEADERS, stream, END_STREAM)
    }
}

#[tokio::test]
async fn a_call_that_crosses_the_wish_to_go_is_finished() {
    let soon = Duration::from_millis(200);
    let causes: [fn(&mut Config, Duration); 2] = [
        |config, soon| config.patience.first_request = soon,
        |config, soon| config.patience.connection_age = soon,
    ];
    for cause in causes {
        let server = Server::start(|config| cause(config, soon)).await;
        let mut raw = Raw::connect(server.address).await;
        let heard = asked_to_go(&mut raw).await;
        call(&mut raw, 1, "Hold").await;
        eventually("the call is held", || server.probe.holding.load(SeqCst) == 1).await;
        another_is_gone(&server).await;
        raw.send(PING, ACK, 0, &heard).await;
        server.probe.releases.add_permits(1);
        raw.widen(1, 1 << 20).await;
        raw.until(is_end_of(1)).await;
    }
}

#[tokio::test]
async fn the_end_of_a_response_that_waits_for_its_reader_is_not_cut_off() {
    let server = Server::start(|config| config.patience.connection_age = Duration::from_millis(200)).await;
    let mut raw = Raw::connect(server.address).await;
    // Its answer is longer than the window by a few bytes.
    call(&mut raw, 1, "Echo").await;
    let heard = asked_to_go(&mut raw).await;
    raw.send(PING, ACK, 0, &heard).await;
    another_is_gone(&server).await;
    raw.widen(1, 1_000).await;
    raw.until(is_end_of(1)).await;
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_when_the_grace_is_over() {
    let server = Server::start(|config| {
        config.patience.connection_age = Duration::from_millis(200);
        config.patience.connection_grace = Duration::from_millis(300);
    })
    .await;
    let mut raw = Raw::connect(server.address).await;
    call(&mut raw, 1, "Hold").await;
    let heard = asked_to_go(&mut raw).await;
    raw.send(PING, ACK, 0, &heard).await;
    let gone = async { while raw.next().await.is_some() {} };
    // Before the server finds out that this client answers no pings.
    time::timeout(Duration::from_secs(25), gone).await.expect("the connection is cut");
    eventually("the handler is gone", || server.probe.holding.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn the_end_of_a_response_that_nobody_reads_is_given_up() {
    let server = Server::start(|config| config.patience.stall = Duration::from_millis(300)).await;
    let mut raw = Raw::connect(server.address).await;
    call(&mut raw, 1, "Hold").await;
    eventually("the call is held", || server.probe.holding.load(SeqCst) == 1).await;
    // The service has handed out everything and is gone; a few bytes wait for the window.
    call(&mut raw, 3, "Echo").await;
    raw.until(|frame| (frame.kind, frame.stream) == (RST_STREAM, 3)).await;
    raw.widen(1, 1 << 20).await;
    server.probe.releases.add_permits(1);
    raw.until(is_end_of(1)).await;
}
