//! Bounds of connections, and peers that misbehave on them.

use std::{net::SocketAddr, sync::atomic::Ordering::SeqCst, time::Duration};

use brine::server::Config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};
use tonic::{Code, transport::Endpoint};

use super::{
    super::raw::{ACK, DATA, END_STREAM, GOAWAY, HEADERS, PING, Raw, message},
    Server, call, eventually,
};

/// Waits until the peer closes, and gives what it said before.
pub(super) async fn until_closed(mut socket: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let closed = time::timeout(Duration::from_secs(30), socket.read_to_end(&mut said)).await;
    // A reset closes too.
    let _ = closed.expect("the connection is closed");
    said
}

async fn socket(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_cut() {
    let server = Server::start(|config| config.patience.first_byte = Duration::from_millis(100)).await;
    assert!(until_closed(socket(server.address).await).await.is_empty());
    call(&server.connect().await, "Echo", &[]).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_never_comes_to_a_call_is_cut() {
    let server = Server::start(|config| config.patience.first_request = Duration::from_millis(100)).await;
    let mut half = socket(server.address).await;
    half.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    until_closed(half).await;
    let mut greeted = socket(server.address).await;
    greeted.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    assert!(!until_closed(greeted).await.is_empty(), "it is told");
}

/// One message of `Echo` on a stream of its own, and the end of its answer.
async fn echo(raw: &mut Raw, stream: u32) {
    raw.begin(stream, "/probe.v1.Probe/Echo").await;
    raw.send(DATA, END_STREAM, stream, &message(b"hello")).await;
    raw.widen(stream, 1 << 20).await;
    let ended = |kind, flags, of| (kind, flags & END_STREAM, of) == (HEADERS, END_STREAM, stream);
    raw.until(|frame| ended(frame.kind, frame.flags, frame.stream)).await;
}

/// The published clients ping each 10 or 30 seconds, also without calls: 40 pings are seven minutes of that. Servers with the
/// defaults of gRPC's libraries end such a connection at the third.
#[tokio::test]
async fn a_client_may_ping_without_calls() {
    let server = Server::plain().await;
    let mut raw = Raw::connect(server.address).await;
    echo(&mut raw, 1).await;
    for number in 0..40_u64 {
        let payload = number.to_be_bytes();
        raw.send(PING, 0, 0, &payload).await;
        let answer = raw.until(|frame| {
            assert_ne!(frame.kind, GOAWAY, "at ping {number}");
            (frame.kind, frame.flags) == (PING, ACK)
        });
        assert_eq!(answer.await.payload, payload);
    }
    echo(&mut raw, 3).await;
}

#[tokio::test]
async fn what_is_not_http2_is_cut() {
    let server = Server::plain().await;
    let mut other = socket(server.address).await;
    other.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until_closed(other).await;
    call(&server.connect().await, "Echo", &[]).await.unwrap();
}

#[tokio::test]
async fn one_connection_too_many_is_refused_and_the_others_live() {
    let server = Server::start(|config| config.connections_max = 2).await;
    let (first, second) = (server.connect().await, server.connect().await);
    call(&first, "Echo", &[]).await.unwrap();
    call(&second, "Echo", &[]).await.unwrap();
    assert!(until_closed(socket(server.address).await).await.is_empty());
    call(&first, "Echo", &[]).await.unwrap();
    drop(second);
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    for _ in 0..3_000 {
        if let Ok(third) = endpoint.connect().await
            && call(&third, "Echo", &[]).await.is_ok()
        {
            return;
        }
        time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place of the second is never free");
}

#[tokio::test]
async fn a_peer_that_only_connects_cannot_take_every_connection() {
    let server = Server::plain().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(socket(server.address).await);
    }
    // Those beyond its share are refused; and a peer that was there before goes on.
    let closed = time::timeout(Duration::from_secs(30), idle[99].read(&mut [0])).await;
    assert!(matches!(closed.expect("it is closed"), Ok(0) | Err(_)));
    assert!(idle[0].try_read(&mut [0]).is_err(), "the first ones may still speak");
}

#[tokio::test]
async fn the_thirty_third_call_of_a_connection_waits_and_others_are_served() {
    let server = Server::plain().await;
    let channel = server.connect().await;
    // The client learns the bound with the first answer.
    call(&channel, "Echo", &[]).await.unwrap();
    let holding = || server.probe.holding.load(SeqCst);
    let calls: Vec<_> = (0..33)
        .map(|_| {
            let channel = channel.clone();
            tokio::spawn(async move { call(&channel, "Hold", &[]).await })
        })
        .collect();
    eventually("32 calls are held", || holding() == 32).await;
    call(&server.connect().await, "Echo", &[]).await.unwrap();
    assert_eq!(holding(), 32);
    server.probe.releases.add_permits(1);
    eventually("the last one takes the place", || holding() == 32).await;
    server.probe.releases.add_permits(32);
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn headers_beyond_the_bound_are_refused_and_the_connection_lives() {
    let server = Server::plain().await;
    let channel = server.connect().await;
    call(&channel, "Echo", &[("x-note", &"n".repeat(8 << 10))]).await.unwrap();
    let refused = call(&channel, "Echo", &[("x-note", &"n".repeat(17 << 10))]).await;
    assert!(refused.is_err());
    call(&channel, "Echo", &[]).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_asked_to_go_finishes_its_calls() {
    let server = Server::start(|config| config.patience.connection_age = Duration::from_millis(200)).await;
    let channel = server.connect().await;
    let held = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel, "Hold", &[]).await }
    });
    eventually("the call is held", || server.probe.holding.load(SeqCst) == 1).await;
    let mut raw = socket(server.address).await;
    // A connection of the same age shows when it is over.
    raw.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    until_closed(raw).await;
    server.probe.releases.add_permits(1);
    held.await.unwrap().unwrap();
    // The channel makes a new one.
    let again = call(&channel, "Echo", &[]).await;
    assert!(again.is_ok() || again.unwrap_err().code() == Code::Unavailable);
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let said = |config: Config| async move { config.bind().await.unwrap_err().to_string() };
    let none = Config { connections_max: 0, ..Config::new("127.0.0.1:0") };
    assert!(said(none).await.contains("--connections-max"));
    let none = Config { calls_max: 0, ..Config::new("127.0.0.1:0") };
    assert!(said(none).await.contains("--max-calls"));
    let open = Config::new("0.0.0.0:0");
    assert!(said(open).await.contains("--insecure"));
    let taken = Server::start(|config| config.admin = Some("0".to_owned())).await;
    let admin = Some(taken.admin.unwrap().to_string());
    let said = said(Config { admin, ..Config::new("127.0.0.1:0") }).await;
    assert!(said.contains("is already in use: choose another --admin"), "{said}");
}
