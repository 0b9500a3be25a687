//! How a server stops.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use brine::server::Drained;
use tokio::net::TcpStream;

use super::{Server, call, eventually};

/// A call that is held, and the server that was asked to stop while it is.
async fn stopping(server: &mut Server) -> tokio::task::JoinHandle<Result<(), tonic::Code>> {
    let channel = server.connect().await;
    let held =
        tokio::spawn(
            async move { call(&channel, "Hold", &[]).await.map(drop).map_err(|status| status.code()) },
        );
    eventually("the call is held", || server.probe.holding.load(SeqCst) == 1).await;
    server.stop();
    // The services are told while calls run.
    server.probe.drains.acquire().await.unwrap().forget();
    held
}

#[tokio::test]
async fn a_call_that_runs_is_finished_and_nobody_else_gets_in() {
    let mut server = Server::plain().await;
    let held = stopping(&mut server).await;
    let address = server.address;
    let closed = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), closed).await.expect("the port is closed");
    server.probe.releases.add_permits(1);
    held.await.unwrap().unwrap();
    assert_eq!(server.drained().await, Drained::Whole);
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_when_the_time_is_over() {
    let mut server = Server::start(|config| config.drain = Duration::from_millis(300)).await;
    let held = stopping(&mut server).await;
    let probe = server.probe.clone();
    assert_eq!(server.drained().await, Drained::CutShort);
    assert!(held.await.unwrap().is_err());
    eventually("the handler is gone", || probe.holding.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn connections_that_ask_for_nothing_do_not_keep_a_server() {
    let mut server = Server::plain().await;
    let idle = server.connect().await;
    call(&idle, "Echo", &[]).await.unwrap();
    let _silent = TcpStream::connect(server.address).await.unwrap();
    server.stop();
    assert_eq!(server.drained().await, Drained::Whole);
}
