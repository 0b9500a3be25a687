//! What stands on the wire below gRPC: the frames that the client sends.

use std::{sync::Arc, time::Duration};

use brine::client::push::{self, Dialect, Error, Options};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tonic::Code;

use super::{
    raw::{ACK, DATA, END_STREAM, PING, PREFACE, SETTINGS, WINDOW_UPDATE, frame},
    tables,
};

/// An HTTP/2 server that opens all windows, takes everything and never answers. Gives kind and flags of each frame.
async fn listen(mut socket: TcpStream) -> std::io::Result<Vec<(u8, u8)>> {
    socket.read_exact(&mut [0; PREFACE.len()]).await?;
    // SETTINGS_INITIAL_WINDOW_SIZE.
    socket.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff])).await?;
    socket.write_all(&frame(WINDOW_UPDATE, 0, 0, &0x7000_0000_u32.to_be_bytes())).await?;
    let mut frames = Vec::new();
    let mut head = [0; 9];
    // Until the client has gone.
    while socket.read_exact(&mut head).await.is_ok() {
        let [a, b, c, kind, flags, ..] = head;
        socket.read_exact(&mut vec![0; u32::from_be_bytes([0, a, b, c]) as usize]).await?;
        frames.push((kind, flags));
        if kind == SETTINGS && flags & ACK == 0 {
            socket.write_all(&frame(SETTINGS, ACK, 0, &[])).await?;
        }
    }
    Ok(frames)
}

/// Servers with the defaults of gRPC's libraries end a connection that pings too often.
#[tokio::test(flavor = "multi_thread")]
async fn the_client_never_pings_neither_while_it_sends_nor_while_it_waits() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write(from.path(), "recruit", 3_000);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move { listen(listener.accept().await?.0).await });
    let deadline = Duration::from_secs(3);
    let options =
        Options { deadline, dialect: Dialect::TypedV1, ..Options::new(&dataset, url.parse().unwrap()) };
    let error = push::push(&options, Arc::new(push::Silent)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Remote { failed, .. } if failed.code() == Code::DeadlineExceeded),
        "{error:?}"
    );
    let frames = heard.await.unwrap().unwrap();
    assert!(frames.contains(&(DATA, END_STREAM)), "the whole stream was taken: {frames:?}");
    assert!(!frames.iter().any(|(kind, _)| *kind == PING), "{frames:?}");
}
