//! Encoded messages over a real connection: they arrive as they were sent, by either way of sending.

use std::{convert::Infallible, net::SocketAddr};

use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::{StreamExt as _, wrappers::TcpListenerStream};
use tonic::{
    Code, Request, Response,
    body::Body,
    server::{ClientStreamingService, Grpc, NamedService},
    transport::{Channel, Server},
};

use super::*;
use crate::proto::embedding::IngestDataResponse;

const PATH: &str = "/test.Echo/Count";

/// Answers with the number and the bytes of the messages; refuses a stream that begins with "refuse".
#[derive(Clone)]
struct Count(mpsc::UnboundedSender<Bytes>);

impl NamedService for Count {
    const NAME: &'static str = "test.Echo";
}

impl tower_service::Service<http::Request<Body>> for Count {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut grpc =
                Grpc::new(ReceiveRaw::<IngestDataResponse>::default()).max_decoding_message_size(16 << 20);
            Ok(grpc.client_streaming(service, request).await)
        })
    }
}

impl ClientStreamingService<Bytes> for Count {
    type Response = IngestDataResponse;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Response<IngestDataResponse>, Status>> + Send>>;

    fn call(&mut self, request: Request<tonic::Streaming<Bytes>>) -> Self::Future {
        let seen = self.0.clone();
        Box::pin(async move {
            let mut answer = IngestDataResponse { status: "success".to_owned(), ..Default::default() };
            let mut messages = request.into_inner();
            while let Some(message) = messages.message().await? {
                if message == "refuse" {
                    return Err(Status::failed_precondition("refused"));
                }
                answer.total_chunks_received += 1;
                answer.total_rows_received += message.len() as i32;
                seen.send(message).expect("the test listens");
            }
            Ok(Response::new(answer))
        })
    }
}

async fn connect() -> (Channel, mpsc::UnboundedReceiver<Bytes>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let (sender, seen) = mpsc::unbounded_channel();
    let serving =
        Server::builder().add_service(Count(sender)).serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    (channel, seen)
}

fn messages() -> Vec<Bytes> {
    [0, 1, 5, 16_384, 3_000_000].into_iter().map(|len| (0..len).map(|i| i as u8).collect()).collect()
}

fn stream(
    messages: Vec<Bytes>,
) -> Request<impl tokio_stream::Stream<Item = Result<Bytes, Status>> + Send + 'static> {
    Request::new(tokio_stream::iter(messages.into_iter().map(Ok)))
}

#[tokio::test]
async fn framed_messages_arrive_as_they_were() {
    let (channel, mut seen) = connect().await;
    let answer: Response<IngestDataResponse> =
        client_streaming(channel, PATH, stream(messages())).await.unwrap();
    assert_eq!(answer.get_ref().total_chunks_received, 5);
    for message in messages() {
        assert_eq!(seen.recv().await.unwrap(), message);
    }
}

#[tokio::test]
async fn messages_of_the_codec_arrive_as_they_were() {
    let (channel, mut seen) = connect().await;
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let codec = SendRaw::<IngestDataResponse>::default();
    let request = Request::new(tokio_stream::iter(messages()));
    grpc.client_streaming(request, http::uri::PathAndQuery::from_static(PATH), codec).await.unwrap();
    for message in messages() {
        assert_eq!(seen.recv().await.unwrap(), message);
    }
}

#[tokio::test]
async fn the_servers_status_comes_back() {
    let (channel, _seen) = connect().await;
    let messages = stream(vec![Bytes::from_static(b"refuse")]);
    let status =
        client_streaming::<IngestDataResponse, _>(channel.clone(), PATH, messages).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "refused"));
    let unknown =
        client_streaming::<IngestDataResponse, _>(channel, "/test.Nobody/None", stream(vec![])).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_failing_stream_is_never_taken_for_its_end() {
    let (channel, _seen) = connect().await;
    let failing = tokio_stream::iter([Ok(Bytes::from_static(b"one"))])
        .chain(tokio_stream::once(Err(Status::aborted("no"))));
    assert!(client_streaming::<IngestDataResponse, _>(channel, PATH, Request::new(failing)).await.is_err());
}
