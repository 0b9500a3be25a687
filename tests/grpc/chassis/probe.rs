//! A service whose methods do what the chassis must bear.

use std::{
    convert::Infallible,
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Frame;
use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto};
use tokio::sync::Semaphore;
use tonic::{Status, body::Body, server::NamedService};

/// The methods; each takes one message.
const METHODS: &[&str] = &["Echo", "Hold", "Refuse", "Panic", "PanicLater", "Endless", "Silent"];

/// What the tests see of it.
#[derive(Clone)]
pub(super) struct Probe {
    /// Each permit lets one `Hold` go.
    pub(super) releases: Arc<Semaphore>,
    /// Handlers of `Hold` that wait.
    pub(super) holding: Arc<AtomicUsize>,
    /// Bodies of responses that exist.
    pub(super) bodies: Arc<AtomicUsize>,
    /// How often the server said that it will stop.
    pub(super) drains: Arc<Semaphore>,
}

impl Default for Probe {
    fn default() -> Self {
        let none = || Arc::new(Semaphore::new(0));
        Self { releases: none(), holding: Arc::default(), bodies: Arc::default(), drains: none() }
    }
}

/// What reflection and metrics know of it.
pub(super) fn descriptors() -> &'static [u8] {
    let method = |name: &&str| MethodDescriptorProto { name: Some((*name).to_owned()), ..Default::default() };
    let service = ServiceDescriptorProto {
        name: Some("Probe".to_owned()),
        method: METHODS.iter().map(method).collect(),
        ..Default::default()
    };
    let file = FileDescriptorProto {
        name: Some("probe.proto".to_owned()),
        package: Some("probe.v1".to_owned()),
        service: vec![service],
        ..Default::default()
    };
    FileDescriptorSet { file: vec![file] }.encode_to_vec().leak()
}

impl NamedService for Probe {
    const NAME: &'static str = "probe.v1.Probe";
}

impl tower_service::Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let probe = self.clone();
        Box::pin(async move { Ok(probe.answer(request).await) })
    }
}

impl Probe {
    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        match request.uri().path().rsplit('/').next().unwrap() {
            "Hold" => {
                let holding = Counted::one(&self.holding);
                self.releases.acquire().await.unwrap().forget();
                drop(holding);
                self.response(Then::End, 1)
            }
            "Refuse" => Status::invalid_argument("line one\nline two").into_http(),
            "Panic" => panic!("in the handler"),
            "PanicLater" => self.response(Then::Panic, 1),
            "Endless" => self.response(Then::End, usize::MAX),
            "Silent" => self.response(Then::Silence, 1),
            "Echo" if request.headers().contains_key("authorization") => {
                Status::internal("a token came through").into_http()
            }
            _ => self.response(Then::End, 1),
        }
    }

    fn response(&self, then: Then, messages: usize) -> http::Response<Body> {
        let body = Messages { left: messages, then, _counted: Counted::one(&self.bodies) };
        http::Response::builder().header("content-type", "application/grpc").body(Body::new(body)).unwrap()
    }
}

/// One of a number, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one(of: &Arc<AtomicUsize>) -> Self {
        of.fetch_add(1, SeqCst);
        Self(Arc::clone(of))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[derive(Clone, Copy)]
enum Then {
    End,
    Panic,
    Silence,
}

/// Messages of 64 KiB, then something.
struct Messages {
    left: usize,
    then: Then,
    _counted: Counted,
}

impl http_body::Body for Messages {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.left > 0 {
            self.left -= 1;
            let mut framed = vec![0_u8; 5 + (1 << 16)];
            framed[1..5].copy_from_slice(&(1_u32 << 16).to_be_bytes());
            return Poll::Ready(Some(Ok(Frame::data(framed.into()))));
        }
        match self.then {
            Then::End => {
                let mut trailers = http::HeaderMap::new();
                Status::ok("").add_header(&mut trailers).unwrap();
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Then::Panic => panic!("in the body"),
            Then::Silence => Box::pin(pending()).as_mut().poll(context),
        }
    }
}
