//! A way between client and server that breaks: connections are cut after so many bytes in one direction.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Where connections break.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut {
    /// After so many bytes to the server.
    Sent(u64),
    /// After so many bytes from the server.
    Received(u64),
}

/// A proxy that cuts the first connections, as many as there are `cuts`, and lets later ones live.
pub(super) struct Proxy {
    address: SocketAddr,
    /// Bytes that went to the server.
    sent: Arc<AtomicU64>,
}

impl Proxy {
    pub(super) async fn new(server: SocketAddr, cuts: Vec<Cut>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, sent) = (listener.local_addr().unwrap(), Arc::default());
        let counted = Arc::clone(&sent);
        tokio::spawn(async move {
            let mut cuts = cuts.into_iter();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else { continue };
                tokio::spawn(pass(client, server, cuts.next(), Arc::clone(&counted)));
            }
        });
        Self { address, sent }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// Both directions end when one does, without a word to anybody.
async fn pass(client: TcpStream, server: TcpStream, cut: Option<Cut>, sent: Arc<AtomicU64>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (up, down) = match cut {
        Some(Cut::Sent(bytes)) => (bytes, u64::MAX),
        Some(Cut::Received(bytes)) => (u64::MAX, bytes),
        None => (u64::MAX, u64::MAX),
    };
    tokio::select! {
        () = copy(from_client, to_server, up, sent) => {}
        () = copy(from_server, to_client, down, Arc::default()) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut left: u64, count: Arc<AtomicU64>) {
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let passed = read.min(usize::try_from(left).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..passed]).await.is_err() {
            return;
        }
        left -= passed as u64;
        count.fetch_add(passed as u64, Ordering::Relaxed);
    }
}
