//! A way between client and server that breaks or is slow: connections are cut after so many bytes in one direction, or let so
//! many bytes pass at a time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket, TcpStream,
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

/// What passes at a time, with a pause behind it.
#[derive(Debug, Clone, Copy)]
struct Pace {
    bytes: usize,
    pause: Option<Duration>,
}

const AT_ONCE: Pace = Pace { bytes: 64 << 10, pause: None };

/// A proxy that cuts the first connections, as many as there are `cuts`, and lets later ones live.
pub(super) struct Proxy {
    address: SocketAddr,
    /// Bytes that went to the server.
    sent: Arc<AtomicU64>,
}

impl Proxy {
    pub(super) async fn new(server: SocketAddr, cuts: Vec<Cut>) -> Self {
        Self::paced(server, cuts, AT_ONCE).await
    }

    /// One that cuts nothing and lets six megabytes a second pass, with little between the ends.
    pub(super) async fn slow(server: SocketAddr) -> Self {
        Self::paced(server, vec![], Pace { pause: Some(Duration::from_millis(10)), ..AT_ONCE }).await
    }

    async fn paced(server: SocketAddr, cuts: Vec<Cut>, pace: Pace) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, sent) = (listener.local_addr().unwrap(), Arc::default());
        let counted = Arc::clone(&sent);
        tokio::spawn(async move {
            let mut cuts = cuts.into_iter();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = connect(server, pace).await else { continue };
                tokio::spawn(pass((client, server), cuts.next(), pace, Arc::clone(&counted)));
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

async fn connect(server: SocketAddr, pace: Pace) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if pace.pause.is_some() {
        socket.set_recv_buffer_size(pace.bytes as u32)?;
    }
    socket.connect(server).await
}

/// Both directions end when one does, without a word to anybody.
async fn pass((client, server): (TcpStream, TcpStream), cut: Option<Cut>, pace: Pace, sent: Arc<AtomicU64>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (up, down) = match cut {
        Some(Cut::Sent(bytes)) => (bytes, u64::MAX),
        Some(Cut::Received(bytes)) => (u64::MAX, bytes),
        None => (u64::MAX, u64::MAX),
    };
    tokio::select! {
        () = copy((from_client, to_server), up, AT_ONCE, sent) => {}
        () = copy((from_server, to_client), down, pace, Arc::default()) => {}
    }
}

async fn copy(
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
    mut left: u64,
    pace: Pace,
    count: Arc<AtomicU64>,
) {
    let mut buffer = vec![0; pace.bytes];
    while left > 0 {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let passed = read.min(usize::try_from(left).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..passed]).await.is_err() {
            return;
        }
        left -= passed as u64;
        count.fetch_add(passed as u64, Ordering::Relaxed);
        if let Some(pause) = pace.pause {
            tokio::time::sleep(pause).await;
        }
    }
}
