//! Messages are cut wherever frames end, and what does not end well is told.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body::Frame;
use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt as _;

use super::Messages;
use crate::{
    limits::server::{INGEST_BYTES_MAX, INGEST_STREAM_BYTES_MAX},
    server::Backlog,
};

/// A body of these frames; `whole` says whether the peer ended it or a reset did.
struct Frames {
    frames: VecDeque<Bytes>,
    whole: bool,
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.frames.pop_front().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.whole && self.frames.is_empty()
    }
}

fn framed(messages: &[&[u8]]) -> Bytes {
    let mut bytes = BytesMut::new();
    for message in messages {
        bytes.put_u8(0);
        bytes.put_u32(u32::try_from(message.len()).unwrap());
        bytes.put_slice(message);
    }
    bytes.freeze()
}

async fn read(frames: Vec<Bytes>, whole: bool, limit: usize) -> (Vec<Bytes>, Option<Code>) {
    let body = Body::new(Frames { frames: frames.into(), whole });
    let mut messages = Messages::new(body, Arc::new(Semaphore::new(1 << 20)), limit);
    let mut read = Vec::new();
    loop {
        match messages.next().await {
            Ok(Some(message)) => read.push(message.bytes.clone()),
            Ok(None) => return (read, None),
            Err(status) => return (read, Some(status.code())),
        }
    }
}

#[tokio::test]
async fn messages_are_cut_wherever_the_frames_end() {
    let messages: [&[u8]; 4] = [b"brine", b"", b"x", &[7; 300]];
    let bytes = framed(&messages);
    for size in 1..bytes.len() {
        let frames = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
        assert_eq!(
            read(frames, true, 300).await,
            (messages.map(Bytes::copy_from_slice).to_vec(), None),
            "{size}"
        );
    }
}

#[tokio::test]
async fn a_reset_is_not_an_end() {
    let frames = vec![framed(&[b"brine"])];
    assert_eq!(read(frames, false, 9).await, (vec![Bytes::from_static(b"brine")], Some(Code::Cancelled)));
}

#[tokio::test]
async fn a_message_cut_short_too_long_or_compressed_is_refused() {
    let whole = framed(&[b"brine"]);
    for length in 1..whole.len() {
        assert_eq!(read(vec![whole.slice(..length)], true, 9).await.1, Some(Code::Internal), "{length}");
    }
    assert_eq!(read(vec![whole.clone()], true, 4).await.1, Some(Code::ResourceExhausted));
    let claimed = Bytes::from_static(&[0, 255, 255, 255, 255]);
    assert_eq!(read(vec![claimed], true, 9).await.1, Some(Code::ResourceExhausted));
    let compressed = Bytes::from_static(&[1, 0, 0, 0, 0]);
    assert_eq!(read(vec![compressed], true, 9).await.1, Some(Code::Internal));
}

#[tokio::test]
async fn a_message_that_does_not_arrive_is_given_up() {
    let mut slow = Messages::new(Body::new(announcing()), Arc::new(Semaphore::new(300)), 300);
    slow.pace = Duration::from_millis(10);
    let given_up = slow.next().await.unwrap_err();
    assert_eq!(given_up.code(), Code::Aborted);
    assert_eq!(given_up.get_details_error_info().unwrap().reason, "SLOW_SENDER");
}

#[tokio::test]
async fn what_is_only_announced_takes_nothing_from_others() {
    let budget = Arc::new(Semaphore::new(300));
    let mut slow = Messages::new(Body::new(announcing()), Arc::clone(&budget), 300);
    let reading = slow.next();
    tokio::pin!(reading);
    assert!(is_pending(reading.as_mut()).await);
    let frames = vec![framed(&[&[7; 300]])];
    let body = Body::new(Frames { frames: frames.into(), whole: true });
    let mut other = Messages::new(body, budget, 300);
    assert_eq!(other.next().await.unwrap().unwrap().bytes.len(), 300);
}

#[tokio::test]
async fn a_stream_waits_with_its_own_share_while_others_go_on() {
    let budget = Arc::new(Semaphore::new(INGEST_BYTES_MAX));
    let message = framed(&[&vec![7; INGEST_STREAM_BYTES_MAX / 2]]);
    let stream = || {
        let frames = VecDeque::from(vec![message.clone(); 3]);
        Messages::new(Body::new(Frames { frames, whole: true }), Arc::clone(&budget), INGEST_STREAM_BYTES_MAX)
    };
    let (mut full, mut other) = (stream(), stream());
    let (first, second) = (full.next().await.unwrap(), full.next().await.unwrap());
    let third = full.next();
    tokio::pin!(third);
    assert!(is_pending(third.as_mut()).await, "its share is taken");
    assert!(other.next().await.unwrap().is_some());
    drop(first);
    assert!(third.await.unwrap().is_some());
    assert!(second.is_some());
}

/// A body that announces a message of 300 bytes and sends one of them.
fn announcing() -> impl http_body::Body<Data = Bytes, Error = Status> + Send {
    let mut announced = framed(&[&[7; 300]]);
    Waiting { first: Some(announced.split_to(6)) }
}

struct Waiting {
    first: Option<Bytes>,
}

impl http_body::Body for Waiting {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.first.take().map_or(Poll::Pending, |data| Poll::Ready(Some(Ok(Frame::data(data)))))
    }
}

async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_sender_without_window_is_not_slow_while_the_server_holds_another_stream() {
    let backlog = Backlog::default();
    let room = || Arc::new(Semaphore::new(300));
    let frames = vec![framed(&[&[7; 300]])];
    let held = Body::new(Frames { frames: frames.into(), whole: true });
    let mut held = Messages::new(held, room(), 300).with_backlog(backlog.clone());
    // It has its message, and does not come back for the next one.
    held.next().await.unwrap().unwrap();
    let mut starved = Messages::new(Body::new(announcing()), room(), 300).with_backlog(backlog);
    starved.pace = Duration::from_millis(50);
    let mut alone = Messages::new(Body::new(announcing()), room(), 300);
    alone.pace = starved.pace;
    let reading = starved.next();
    tokio::pin!(reading);
    for _ in 0..3 {
        // Each of these waits a whole interval out.
        let mut slow = Messages::new(Body::new(announcing()), room(), 300);
        slow.pace = 2 * alone.pace;
        tokio::select! {
            biased;
            given_up = slow.next() => assert_eq!(given_up.unwrap_err().code(), Code::Aborted),
            early = &mut reading => panic!("given up: {:?}", early.map(|_| ())),
        }
    }
    assert_eq!(alone.next().await.unwrap_err().code(), Code::Aborted, "another connection's");
    assert!(held.next().await.unwrap().is_none());
    drop(held);
    assert_eq!(reading.await.unwrap_err().code(), Code::Aborted, "nobody else holds anything");
}
