//! Counts and times calls, and logs those that fail: the one place that sees every answer.

use std::{
    collections::HashSet,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use http_body::Frame;
use metrics::{counter, gauge, histogram};
use tonic::{Code, Status};
use tracing::{Span, debug, error, info};

use super::body::{Polled, Watch, ask, watched};
use crate::server::{metrics as names, quoted::quoted};

/// What methods there are. Others have one name together, or strangers could make up any number of them.
#[derive(Debug, Clone)]
pub(super) struct Accounts {
    methods: Arc<HashSet<Arc<str>>>,
}

const UNKNOWN: &str = "unknown";

/// A failure that is said elsewhere, because a peer could cause any number of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unlogged;

pub(super) async fn account(State(accounts): State<Accounts>, request: Request, next: Next) -> Response {
    let mut call = Account::open(accounts.label(request.uri().path()));
    let method = Arc::clone(&call.method);
    let response = next.run(request.map(|body| counting(body, method))).await;
    call.logged = response.extensions().get::<Unlogged>().is_none();
    // A call that fails before its first message has its status here.
    if let Some(status) = Status::from_header_map(response.headers()) {
        call.status = Some(status);
    }
    watched(response, call)
}

/// A call until it is over, which is when this is dropped.
struct Account {
    method: Arc<str>,
    begun: Instant,
    sent_bytes: u64,
    status: Option<Status>,
    logged: bool,
    span: Span,
}

// === impl Accounts ===

impl Accounts {
    pub(super) fn new(methods: HashSet<String>) -> Self {
        let methods = methods.into_iter().map(Arc::from).chain([Arc::from(UNKNOWN)]);
        Self { methods: Arc::new(methods.collect()) }
    }

    fn label(&self, path: &str) -> Arc<str> {
        let known = self.methods.get(path).or_else(|| self.methods.get(UNKNOWN));
        known.map_or_else(|| Arc::from(UNKNOWN), Arc::clone)
    }
}

// === impl Account ===

impl Account {
    fn open(method: Arc<str>) -> Self {
        gauge!(names::RUNNING).increment(1);
        Self {
            method,
            begun: Instant::now(),
            sent_bytes: 0,
            status: None,
            logged: true,
            span: Span::current(),
        }
    }

    fn see(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.sent_bytes += data.len() as u64;
        } else if let Some(trailers) = frame.trailers_ref() {
            self.status = Some(status(trailers));
        }
    }

    fn log(&self, code: Code, message: &str) {
        let milliseconds = self.begun.elapsed().as_millis() as u64;
        if code == Code::Ok {
            debug!(milliseconds, "call done");
        } else if self.status.is_none() {
            info!(milliseconds, "the caller went away before the call had ended");
        } else if self.logged {
            let why = if message.is_empty() { code.description() } else { message };
            error!(code = name(code), milliseconds, "call failed: {}", quoted(why));
        }
    }
}

impl Watch for Account {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        let polled = ask(inner, context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => self.see(frame),
            Poll::Ready(Some(Err(error))) => self.status = Some(Status::internal(error.to_string())),
            Poll::Ready(None) if self.status.is_none() => {
                self.status = Some(Status::unknown("the response ended without a status"));
            }
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let gone = Status::cancelled("");
        let status = self.status.as_ref().unwrap_or(&gone);
        let (code, method) = (status.code(), &self.method);
        gauge!(names::RUNNING).decrement(1);
        counter!(names::REQUESTS, "method" => Arc::clone(method), "code" => name(code)).increment(1);
        histogram!(names::SECONDS, "method" => Arc::clone(method)).record(self.begun.elapsed());
        counter!(names::SENT, "method" => Arc::clone(method)).increment(self.sent_bytes);
        self.span.in_scope(|| self.log(code, status.message()));
    }
}

fn status(trailers: &HeaderMap) -> Status {
    Status::from_header_map(trailers)
        .unwrap_or_else(|| Status::unknown("the response ended without a status"))
}

/// The body of a request, counted when all of it that anybody read has passed.
fn counting(body: Body, method: Arc<str>) -> Body {
    watched(Response::new(body), Received { method, bytes: 0 }).into_body()
}

struct Received {
    method: Arc<str>,
    bytes: u64,
}

impl Watch for Received {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        let polled = ask(inner, context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        counter!(names::RECEIVED, "method" => Arc::clone(&self.method)).increment(self.bytes);
    }
}

/// The code as the specification writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
