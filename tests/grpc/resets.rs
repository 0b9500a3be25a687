//! A sender that resets its stream, also with a code that says that nothing is wrong, has not finished.

use brine::proto::embedding::IngestDataRequest;
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::bench;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block of literals.
fn headers(pairs: &[(&str, &str)]) -> Vec<u8> {
    let literal = |(name, value): &(&str, &str)| {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        [&[0, name.len() as u8], name, &[value.len() as u8], value].concat()
    };
    pairs.iter().flat_map(literal).collect()
}

fn message(request: &IngestDataRequest) -> Vec<u8> {
    let bytes = request.encode_to_vec();
    [&[0], &(bytes.len() as u32).to_be_bytes()[..], &bytes].concat()
}

/// Begins a run of `messages` and resets it with `code`; returns when the server has seen that.
async fn reset(address: &str, messages: &[IngestDataRequest], code: u32) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let call = headers(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/embedding.EmbeddingStreamService/IngestDataStream"),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]);
    socket.write_all(PREFACE).await.unwrap();
    socket.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    socket.write_all(&frame(HEADERS, END_HEADERS, 1, &call)).await.unwrap();
    for request in messages {
        socket.write_all(&frame(DATA, 0, 1, &message(request))).await.unwrap();
    }
    // The handler has them before the reset comes.
    pong(&mut socket).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    socket.write_all(&frame(RST_STREAM, 0, 1, &code.to_be_bytes())).await.unwrap();
    pong(&mut socket).await;
}

/// Waits until the server has read everything so far.
async fn pong(socket: &mut TcpStream) {
    socket.write_all(&frame(PING, 0, 0, &[7; 8])).await.unwrap();
    let mut head = [0; 9];
    loop {
        socket.read_exact(&mut head).await.unwrap();
        let [a, b, c, kind, flags, ..] = head;
        socket.read_exact(&mut vec![0; u32::from_be_bytes([0, a, b, c]) as usize]).await.unwrap();
        if (kind, flags) == (PING, 1) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_reset_leaves_nothing_whatever_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let server = bench::storing(folder.path()).await;
    let run = [bench::metadata("recruit", 384), bench::some_recruits(0..10)];
    for code in [0, 8] {
        reset(&server.address.to_string(), &run, code).await;
        // Another run passes through the same threads and is published meanwhile.
        let skills = vec![bench::metadata("skill_embedding_dic", 768)];
        assert_eq!(server.ingest(skills).await.unwrap().status, "success");
        assert!(!folder.path().join("recruit.json").exists(), "code {code}");
    }
    assert_eq!(server.ingest(run.to_vec()).await.unwrap().total_rows_received, 10);
    assert!(folder.path().join("recruit.json").exists());
}
