//! The dialects of servers: which path, which messages, and when an answer counts as success.
//!
//! A dialect is data and a few small matches. Whoever may use several begins with the newest and asks
//! [`Dialect::older_for`] after a failure.

use std::{fmt, sync::Arc};

use http::uri::PathAndQuery;
use tonic::{Code, Status};

use super::{ChunkRows, Error, Failed, Sizes};
use crate::{
    limits::client as limits,
    proto::{embedding, embedding_json},
    schema::Domain,
    wire::{self, ChunkPlan, JsonPlan},
};

/// How a server of `IngestDataStream` wants its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The same messages with positions, acknowledged while they stream, in package `embedding.session.v1`.
    #[default]
    Session,
    /// Typed messages of package `embedding`.
    TypedV1,
    /// JSON text in package `com.alpha.backend.grpc`, as the published Java server takes it.
    JsonV1,
}

/// The plan of a dialect's chunks. Which one it is, is asked once for each stream and not for each row.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    Typed(Arc<ChunkPlan>),
    Json(Arc<JsonPlan>),
}

/// What a server answered at the end, whichever its dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    is_success: bool,
    /// What it calls success or failure.
    status: String,
    message: String,
    /// Rows it counted, where the dialect has a field for that.
    rows: Option<i32>,
    chunks: i32,
}

impl Dialect {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::TypedV1 => "typed-v1",
            Self::JsonV1 => "json-v1",
        }
    }

    /// The dialect to try instead, after a push in this one failed with `error`. Only a server that said at once that it
    /// does not know the method has taken nothing yet and will not know it later either; a server that cannot be reached
    /// or is slow may know it very well.
    pub fn older_for(self, error: &Error) -> Option<Self> {
        let Error::Remote { failed: Failed::Status { status, .. }, attempts: 1 } = error else { return None };
        match self {
            _ if status.code() != Code::Unimplemented => None,
            Self::Session => Some(Self::TypedV1),
            Self::TypedV1 => Some(Self::JsonV1),
            Self::JsonV1 => None,
        }
    }

    /// The same error, with what to do if it is that the server does not know this dialect.
    pub(super) fn hinted(self, mut error: Error) -> Error {
        if let Error::Remote { failed: Failed::Status { status, .. }, .. } = &mut error
            && status.code() == Code::Unimplemented
        {
            let without = if self == Self::Session { " without --require exactly-once" } else { "" };
            **status = Status::unimplemented(format!("{}; try --dialect auto{without}", status.message()));
        }
        error
    }

    /// The method that takes the stream.
    pub(super) fn path(self) -> PathAndQuery {
        PathAndQuery::from_static(match self {
            Self::Session | Self::TypedV1 => "/embedding.EmbeddingStreamService/IngestDataStream",
            Self::JsonV1 => "/com.alpha.backend.grpc.EmbeddingStreamService/IngestDataStream",
        })
    }

    /// What the server calls the domain.
    pub(super) fn domain_name(self, domain: &Domain) -> &str {
        match (self, &domain.json) {
            (Self::JsonV1, Some(json)) => &json.domain,
            _ => &domain.name,
        }
    }

    pub(super) fn plan(self, domain: &Domain, schema: &arrow_schema::Schema) -> Result<Plan, wire::Error> {
        Ok(match self {
            Self::Session | Self::TypedV1 => Plan::Typed(Arc::new(ChunkPlan::for_domain(domain, schema)?)),
            Self::JsonV1 => Plan::Json(Arc::new(JsonPlan::for_domain(domain, schema)?)),
        })
    }

    /// Rows of a chunk: typed 1,000 at 384 dimensions, 500 at 768, and as many as fill the same bytes at others.
    pub(in crate::client) fn chunk_rows(self, rows: ChunkRows, dimension: usize) -> usize {
        match (rows, self) {
            (ChunkRows::Default, Self::Session | Self::TypedV1) => {
                (limits::CHUNK_FLOATS / dimension.max(1)).clamp(1, limits::CHUNK_ROWS)
            }
            (ChunkRows::Default, Self::JsonV1) => limits::JSON_CHUNK_ROWS,
            (ChunkRows::Fixed(rows), _) => rows,
            (ChunkRows::Auto(bandwidth), _) => {
                let floats = dimension.saturating_mul(self.row_floats());
                wire::optimal_chunk_rows(bandwidth, floats, limits::LATENCY_MS)
            }
        }
    }

    /// Floats of four bytes that one element of a vector takes.
    fn row_floats(self) -> usize {
        match self {
            Self::Session | Self::TypedV1 => 1,
            Self::JsonV1 => limits::JSON_FLOATS,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Plan {
    /// Fields of the messages that no column fills.
    pub(super) fn unfilled(&self) -> &[String] {
        match self {
            Self::Typed(plan) => plan.unfilled(),
            Self::Json(plan) => plan.unfilled(),
        }
    }

    /// Whether a null of `column` becomes something else on the way.
    pub(super) fn replaces_null(&self, column: &str) -> bool {
        match self {
            Self::Typed(_) => true,
            Self::Json(plan) => plan.fills(column),
        }
    }
}

impl Answer {
    /// Success is what the server counted, not that it answered.
    pub(super) fn confirm(self, sent: &Sizes) -> Result<String, Failed> {
        if !self.is_success {
            return Err(Failed::Answer { status: self.status, message: self.message });
        }
        // The answer's counts are 32 bits wide; our server saturates them.
        let equal = |received: i32, sent: u64| i32::try_from(sent).unwrap_or(i32::MAX) == received;
        if equal(self.chunks, sent.chunks) && self.rows.is_none_or(|rows| equal(rows, sent.rows)) {
            return Ok(self.message);
        }
        Err(Failed::Counts {
            rows_sent: sent.rows,
            chunks_sent: sent.chunks,
            rows_received: self.rows,
            chunks_received: self.chunks,
        })
    }
}

impl From<embedding::IngestDataResponse> for Answer {
    fn from(answer: embedding::IngestDataResponse) -> Self {
        Self {
            is_success: answer.status == "success",
            status: answer.status,
            message: answer.message,
            rows: Some(answer.total_rows_received),
            chunks: answer.total_chunks_received,
        }
    }
}

impl From<embedding_json::IngestDataResponse> for Answer {
    fn from(answer: embedding_json::IngestDataResponse) -> Self {
        Self {
            is_success: answer.success,
            status: format!("success={}", answer.success),
            message: answer.message,
            rows: None,
            chunks: answer.received_chunks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: Code, attempts: u32) -> Error {
        let status = Box::new(Status::new(code, "x"));
        Error::Remote { failed: Failed::Status { status, chunks: 0 }, attempts }
    }

    #[test]
    fn only_an_unknown_method_at_once_leads_to_an_older_dialect() {
        for code in (0..=16).map(Code::from_i32) {
            let older = Dialect::TypedV1.older_for(&failed(code, 1));
            assert_eq!(older.is_some(), code == Code::Unimplemented, "{code:?}");
        }
        assert_eq!(Dialect::TypedV1.older_for(&failed(Code::Unimplemented, 1)), Some(Dialect::JsonV1));
        let later = Dialect::TypedV1.older_for(&failed(Code::Unimplemented, 2));
        assert_eq!(later, None, "an earlier attempt may have been taken");
        assert_eq!(Dialect::JsonV1.older_for(&failed(Code::Unimplemented, 1)), None);
        assert_eq!(Dialect::Session.older_for(&failed(Code::Unimplemented, 1)), Some(Dialect::TypedV1));
        assert_eq!(Dialect::TypedV1.older_for(&Error::Changed), None);
    }

    #[test]
    fn chunks_are_of_the_published_sizes() {
        let rows = |dialect: Dialect, rows, dimension| dialect.chunk_rows(rows, dimension);
        let sizes = [(384, 1_000), (768, 500), (1_536, 250), (4, 1_000), (1_000_000, 1)];
        for (dimension, typed) in sizes {
            assert_eq!(rows(Dialect::TypedV1, ChunkRows::Default, dimension), typed, "{dimension}");
            assert_eq!(rows(Dialect::JsonV1, ChunkRows::Default, dimension), 100, "{dimension}");
        }
        assert_eq!(rows(Dialect::TypedV1, ChunkRows::Auto(100.0), 384), 643);
        assert_eq!(rows(Dialect::JsonV1, ChunkRows::Auto(100.0), 384), 256);
        for dialect in [Dialect::TypedV1, Dialect::JsonV1] {
            assert_eq!(rows(dialect, ChunkRows::Fixed(7), 384), 7);
        }
    }

    #[test]
    fn an_answer_without_a_count_of_rows_is_judged_by_its_chunks() {
        let sent = Sizes { rows: 7, chunks: 2, ..Sizes::default() };
        let answer = |success, received_chunks| {
            let message = "m".to_owned();
            Answer::from(embedding_json::IngestDataResponse { success, received_chunks, message })
                .confirm(&sent)
        };
        assert_eq!(answer(true, 2).unwrap(), "m");
        assert!(matches!(
            answer(true, 1),
            Err(Failed::Counts { rows_received: None, chunks_received: 1, .. })
        ));
        assert!(matches!(answer(false, 2), Err(Failed::Answer { status, .. }) if status == "success=false"));
    }
}
