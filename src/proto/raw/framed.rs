//! Calls whose request body is made of encoded messages as they are: nothing is copied on the way to the socket.
//!
//! tonic's own encoder writes every message into a buffer behind its five-byte prefix, which copies each byte once more
//! and faults in a fresh buffer for each message. Here the prefix is a frame of its own and the message is the next; a
//! gRPC message may be spread over frames as one likes, and h2 writes large frames from where they are. On loopback, with
//! both ends in one process, that is about a twentieth less processor time for a gigabyte, and a buffer of a whole message
//! less for each call.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Version, header};
use http_body::Frame;
use prost::Message;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming, body::Body, codec::Decoder, transport::Channel};
use tonic_prost::ProstDecoder;
use tower_service::Service as _;

/// Bytes of a message we take as an answer: answers are small.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Streams encoded `messages` to `path`, such as `/package.Service/Method`, and returns the one answer. A failing stream
/// cancels the call.
pub async fn client_streaming<M, S>(
    channel: Channel,
    path: &'static str,
    messages: Request<S>,
) -> Result<Response<M>, Status>
where
    M: Message + Default + 'static,
    S: Stream<Item = Result<Bytes, Status>> + Send + 'static,
{
    let (mut metadata, mut answers, extensions) =
        streaming::<M, S>(channel, path, messages).await?.into_parts();
    let answer = answers.message().await?.ok_or_else(|| Status::internal("the answer is missing"))?;
    if let Some(trailers) = answers.trailers().await? {
        metadata.as_mut().extend(trailers.into_headers());
    }
    Ok(Response::from_parts(metadata, answer, extensions))
}

/// Streams encoded `messages` to `path` and returns the answers as they come.
pub async fn streaming<M, S>(
    mut channel: Channel,
    path: &'static str,
    messages: Request<S>,
) -> Result<Response<Streaming<M>>, Status>
where
    M: Message + Default + 'static,
    S: Stream<Item = Result<Bytes, Status>> + Send + 'static,
{
    poll_fn(|context| channel.poll_ready(context)).await.map_err(|error| Status::from_error(error.into()))?;
    let response = channel.call(request(path, messages)).await;
    let response = response.map_err(|error| Status::from_error(error.into()))?;
    answers(response, ProstDecoder::default())
}

fn request<S>(path: &'static str, messages: Request<S>) -> http::Request<Body>
where
    S: Stream<Item = Result<Bytes, Status>> + Send + 'static,
{
    let (metadata, extensions, messages) = messages.into_parts();
    let mut request = http::Request::new(Body::new(Framed { messages: Box::pin(messages), message: None }));
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = http::Uri::from_static(path);
    *request.extensions_mut() = extensions;
    *request.headers_mut() = metadata.into_headers();
    request.headers_mut().insert(header::TE, HeaderValue::from_static("trailers"));
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request
}

fn answers<M>(
    response: http::Response<Body>,
    decoder: impl Decoder<Item = M, Error = Status> + Send + 'static,
) -> Result<Response<Streaming<M>>, Status> {
    let http_status = response.status();
    let streaming = match Status::from_header_map(response.headers()) {
        // The status in the headers is the whole answer.
        Some(status) if status.code() != tonic::Code::Ok => return Err(status),
        Some(_) => response.map(|body| Streaming::new_empty(decoder, body)),
        None => response
            .map(|body| Streaming::new_response(decoder, body, http_status, None, Some(ANSWER_BYTES_MAX))),
    };
    let (parts, streaming) = streaming.into_parts();
    let metadata = tonic::metadata::MetadataMap::from_headers(parts.headers);
    Ok(Response::from_parts(metadata, streaming, parts.extensions))
}

/// A body of encoded messages, each behind its prefix.
struct Framed<S> {
    messages: Pin<Box<S>>,
    /// The message whose prefix was sent.
    message: Option<Bytes>,
}

impl<S: Stream<Item = Result<Bytes, Status>>> http_body::Body for Framed<S> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        let Some(message) = ready!(self.messages.as_mut().poll_next(context)?) else {
            return Poll::Ready(None);
        };
        let prefix = prefix(message.len())?;
        self.message = Some(message).filter(|message| !message.is_empty());
        Poll::Ready(Some(Ok(Frame::data(prefix))))
    }
}

/// What stands before a message of `length` bytes: no compression, and the length with its highest byte first.
fn prefix(length: usize) -> Result<Bytes, Status> {
    let length =
        u32::try_from(length).map_err(|_| Status::resource_exhausted("a message of 4 GiB or more"))?;
    let [a, b, c, d] = length.to_be_bytes();
    Ok(Bytes::copy_from_slice(&[0, a, b, c, d]))
}
