//! The call as HTTP: a request's one message in, headers and the body of chunks out.

use std::sync::Arc;

use http::{HeaderValue, header};
use tokio::sync::Semaphore;
use tonic::{Status, body::Body, transport::server::TcpConnectInfo};
use tracing::{Span, warn};

use super::{
    Form, Placed, Refused, Tables,
    body::{Chunks, Work},
    request::{Asked, Checkpoint},
};
use crate::{
    digest::{RangeDigester, RowHasher},
    limits::{server::PACE_INTERVAL, serving as limits},
    service::{coding::Coding, messages::Messages, seats::Slot, status},
    wire::{self, ServingPlan},
};

/// Response metadata that tells old clients what became of their checkpoint.
const CHECKPOINT: &str = "x-checkpoint";

/// Answers a request that came to `form`'s path.
pub(in crate::service) async fn answer(
    tables: Tables,
    form: Form,
    request: http::Request<Body>,
) -> http::Response<Body> {
    respond(tables, form, request).await.unwrap_or_else(Status::into_http)
}

async fn respond(
    tables: Tables,
    form: Form,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, Status> {
    let (parts, body) = request.into_parts();
    let received = Coding::of_request(&parts.headers)?;
    let coding = Coding::of_answer(&parts.headers);
    let asked = Asked::read(form, &message(body, received).await?)?;
    let connected = parts.extensions.get::<TcpConnectInfo>();
    let slot = tables.seats.take(connected.and_then(TcpConnectInfo::remote_addr));
    let slot = slot.ok_or_else(|| status::of_refused(&Refused::Busy))?;
    // What is logged on the way belongs to the call.
    let span = Span::current();
    let opened = tokio::task::spawn_blocking(move || span.in_scope(|| tables.open(&asked, coding, slot)));
    let (chunks, restarted) = opened
        .await
        .map_err(|panic| status::internal(&panic))?
        .map_err(|refused| status::of_refused(&refused))?;
    let mut response = http::Response::new(Body::new(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Coding::announce(coding, headers);
    if restarted {
        headers.insert(CHECKPOINT, HeaderValue::from_static("unknown"));
    }
    Ok(response)
}

/// The request's one message.
async fn message(body: Body, coding: Option<Coding>) -> Result<bytes::Bytes, Status> {
    let budget = Arc::new(Semaphore::new(2 * limits::REQUEST_BYTES_MAX));
    let mut messages = Messages::new(body, budget, limits::REQUEST_BYTES_MAX)
        .with_coding(coding)
        .with_silence(PACE_INTERVAL);
    let message = messages.next().await?;
    message.map(|message| message.bytes.clone()).ok_or_else(|| Status::internal("the request is missing"))
}

impl Tables {
    /// The answer to `asked`, and whether its checkpoint was unknown.
    fn open(&self, asked: &Asked, coding: Option<Coding>, slot: Slot) -> Result<(Chunks, bool), Refused> {
        let Placed { snapshot, first_row, restarted } = self.place(asked)?;
        if let (true, Checkpoint::After(id)) = (restarted, &asked.from) {
            warn!("checkpoint {:?} is unknown: starting from the beginning", super::shown(id));
        }
        let plan = ServingPlan::new(asked.revision, snapshot.domain(), snapshot.schema())?;
        let digester = || Ok(RangeDigester::new(RowHasher::new(snapshot.schema())?, snapshot.prefixes()));
        let digests: Result<_, wire::Error> = asked.extended.then(digester).transpose();
        let work = Work {
            plan,
            digests: digests?,
            coding,
            message_bytes_max: self.options.message_bytes_max,
            chunk_rows: asked.chunk_rows,
            rows: first_row..snapshot.rows(),
            cursor: snapshot.cursor(),
        };
        Ok((Chunks::new(work, Arc::clone(&self.ahead), self.turns.clone(), slot), restarted))
    }
}
