//! What a request asks for, whichever published form it has.

use prost::Message as _;
use tonic::Status;

use super::Refused;
use crate::{
    limits::serving as limits,
    proto::{
        embedding::StreamEmbeddingRequest,
        embedding_json::{self, StreamEmbeddingRequest as DomainsRequest},
    },
    schema,
    wire::Revision,
};

/// The package whose path the request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Form {
    /// `embedding`.
    Typed,
    /// `com.alpha.backend.grpc`, of which there are revisions with and without domains.
    Published,
}

/// A request, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) revision: Revision,
    /// A domain's name or alias.
    pub(super) domain: String,
    pub(super) from: Checkpoint,
    pub(super) chunk_rows: usize,
    pub(super) fingerprint: Option<String>,
    pub(super) strict: bool,
    /// The client knows more than the original contract.
    pub(super) extended: bool,
}

/// Where to begin.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Checkpoint {
    /// With this row.
    Row(u64),
    /// Behind the row of this id.
    After(String),
}

/// The domain of requests that name none: the original contract knows no other.
const ORIGINAL: &str = "recruit";

impl Asked {
    /// Reads the encoded request of `form`.
    pub(super) fn read(form: Form, message: &[u8]) -> Result<Self, Status> {
        let malformed = |error| Status::invalid_argument(format!("the request is malformed: {error}"));
        let asked = match form {
            Form::Typed => StreamEmbeddingRequest::decode(message).map_err(malformed)?.try_into(),
            // The older revision has the id where the newer one has the domain, and no domain is called like an id.
            Form::Published => match DomainsRequest::decode(message) {
                Ok(request) if schema::find(&request.domain).is_some() || is_newer(&request) => {
                    request.try_into()
                }
                _ => StreamEmbeddingRequest::decode(message).map_err(malformed)?.try_into(),
            },
        };
        asked.map_err(|refused: Refused| super::super::status::of_refused(&refused))
    }
}

/// Whether a request has fields that the older revision has not, or has of another type.
fn is_newer(request: &DomainsRequest) -> bool {
    !request.domain.is_empty() && (request.chunk_size.is_some() || request.last_processed_uuid.is_some())
}

impl TryFrom<StreamEmbeddingRequest> for Asked {
    type Error = Refused;

    fn try_from(request: StreamEmbeddingRequest) -> Result<Self, Refused> {
        let StreamEmbeddingRequest {
            last_processed_uuid,
            chunk_size,
            domain,
            start_row,
            expected_fingerprint,
            strict_checkpoint,
        } = request;
        let from = match (last_processed_uuid.is_empty(), start_row) {
            (true, row) => Checkpoint::Row(row),
            (false, 0) => Checkpoint::After(last_processed_uuid),
            (false, _) => return Err(Refused::TwoPlaces),
        };
        let extended =
            !domain.is_empty() || start_row > 0 || !expected_fingerprint.is_empty() || strict_checkpoint;
        Ok(Self {
            revision: Revision::Typed,
            domain: if domain.is_empty() { ORIGINAL.to_owned() } else { domain },
            from,
            chunk_rows: chunk_rows(chunk_size)?,
            fingerprint: Some(expected_fingerprint).filter(|expected| !expected.is_empty()),
            strict: strict_checkpoint,
            extended,
        })
    }
}

impl TryFrom<embedding_json::StreamEmbeddingRequest> for Asked {
    type Error = Refused;

    fn try_from(request: DomainsRequest) -> Result<Self, Refused> {
        let id = request.last_processed_uuid.filter(|id| !id.is_empty());
        Ok(Self {
            revision: Revision::Domains,
            domain: request.domain,
            from: id.map_or(Checkpoint::Row(0), Checkpoint::After),
            chunk_rows: chunk_rows(request.chunk_size.unwrap_or(0))?,
            fingerprint: None,
            strict: false,
            extended: false,
        })
    }
}

fn chunk_rows(asked: i32) -> Result<usize, Refused> {
    match usize::try_from(asked) {
        Ok(0) => Ok(limits::CHUNK_ROWS_DEFAULT),
        Ok(rows) if (limits::CHUNK_ROWS_MIN..=limits::CHUNK_ROWS_MAX).contains(&rows) => Ok(rows),
        _ => Err(Refused::ChunkSize(asked)),
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn typed(request: &StreamEmbeddingRequest) -> Result<Asked, Status> {
        Asked::read(Form::Typed, &request.encode_to_vec())
    }

    #[test]
    fn chunks_have_100_to_1000_rows_and_300_unless_asked() {
        let rows = |chunk_size| {
            let asked = typed(&StreamEmbeddingRequest { chunk_size, ..Default::default() });
            asked.map(|asked| asked.chunk_rows).map_err(|status| (status.code(), status.message().to_owned()))
        };
        assert_eq!([0, 100, 1000].map(rows), [Ok(300), Ok(100), Ok(1000)]);
        for refused in [99, 1001, -1, i32::MIN, i32::MAX] {
            let text = format!("Invalid chunk_size: {refused}. Must be between 100 and 1000");
            assert_eq!(rows(refused), Err((Code::InvalidArgument, text)));
        }
    }

    #[test]
    fn the_revisions_of_one_path_are_told_apart() {
        let domains = DomainsRequest {
            domain: "skill_dic".to_owned(),
            last_processed_uuid: Some("rust".to_owned()),
            chunk_size: Some(200),
        };
        let asked = Asked::read(Form::Published, &domains.encode_to_vec()).unwrap();
        assert_eq!((asked.revision, asked.domain.as_str()), (Revision::Domains, "skill_dic"));
        assert_eq!((asked.from, asked.chunk_rows), (Checkpoint::After("rust".to_owned()), 200));
        let id = "c0ca96e7-85df-50df-a64e-d934cd02a170".to_owned();
        let older =
            StreamEmbeddingRequest { last_processed_uuid: id.clone(), chunk_size: 500, ..Default::default() };
        let asked = Asked::read(Form::Published, &older.encode_to_vec()).unwrap();
        assert_eq!((asked.revision, asked.domain.as_str()), (Revision::Typed, "recruit"));
        assert_eq!((asked.from, asked.chunk_rows), (Checkpoint::After(id), 500));
        let misspelt = DomainsRequest { domain: "skils".to_owned(), chunk_size: Some(300), ..domains };
        assert_eq!(Asked::read(Form::Published, &misspelt.encode_to_vec()).unwrap().domain, "skils");
        let asked = Asked::read(Form::Published, &[]).unwrap();
        assert_eq!((asked.revision, asked.from), (Revision::Typed, Checkpoint::Row(0)));
    }

    #[test]
    fn only_clients_that_know_more_get_more() {
        assert!(!typed(&StreamEmbeddingRequest::default()).unwrap().extended);
        let named = StreamEmbeddingRequest { domain: "candidate".to_owned(), ..Default::default() };
        assert!(typed(&named).unwrap().extended);
        let twice = StreamEmbeddingRequest {
            last_processed_uuid: "x".to_owned(),
            start_row: 1,
            ..Default::default()
        };
        assert_eq!(typed(&twice).unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(Asked::read(Form::Typed, &[0xff]).unwrap_err().code(), Code::InvalidArgument);
    }
}
