//! Chunks of a session: the same messages, each with a header that says where its rows stand and what they add up to.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use prost::Message as _;

use super::{
    ChunkPlan, Chunking, Error,
    encode::Envelope,
    envelope::HEADER,
    plan::Plan,
    spare::Spare,
    split::Cut,
    varint::{Wire, key, put_delimited},
};
use crate::{
    digest::RangeDigester,
    proto::embedding::{ChunkHeader, SessionHello, session::v1},
};

/// Number of the field of an `AppendRequest` that carries a chunk.
const CHUNK: u32 = 2;

/// Bytes that a header, its key and the outer message take at most.
const AROUND_BYTES_MAX: usize = 64;

/// How rows become chunks of a session.
#[derive(Debug, Clone)]
pub struct AppendPlan {
    plan: Arc<ChunkPlan>,
    digests: RangeDigester,
    /// Row of the data set that is the session's first.
    session_first: u64,
    /// Row of the data set that is the stream's first.
    stream_first: u64,
}

impl AppendPlan {
    /// Chunks of `plan` for a session whose first row is `session_first` of a data set with these digests, in a stream
    /// that begins with row `stream_first` of the data set.
    pub fn new(
        plan: Arc<ChunkPlan>,
        digests: RangeDigester,
        (session_first, stream_first): (u64, u64),
    ) -> Self {
        Self { plan, digests, session_first, stream_first }
    }
}

impl Plan for AppendPlan {
    /// Chunks begin at multiples of `chunk_rows` of the data set, wherever batches end: there digests are known, and a
    /// stream that goes on cuts the chunks that the one before it would have cut.
    fn cut(&self, batch: &RecordBatch, first_row: u64, bounds: Chunking) -> Result<Vec<Cut>, Error> {
        let bounds = Chunking {
            message_bytes_max: bounds.message_bytes_max.saturating_sub(AROUND_BYTES_MAX),
            ..bounds
        };
        let chunk_rows = bounds.chunk_rows.max(1);
        let (mut cuts, mut start) = (Vec::new(), 0);
        while start < batch.num_rows() {
            let place = (self.stream_first + first_row + start as u64) % chunk_rows as u64;
            let end = (start + chunk_rows - place as usize).min(batch.num_rows());
            cuts.extend(self.plan.cut_rows(batch, start..end, bounds)?);
            start = end;
        }
        Ok(cuts)
    }

    fn encode_framed(
        &self,
        batch: &RecordBatch,
        cut: &Cut,
        first_row: u64,
        spare: &Spare,
    ) -> Result<Bytes, Error> {
        let first_row = self.stream_first + first_row;
        let header = ChunkHeader {
            first_row: first_row + cut.rows.start as u64 - self.session_first,
            row_count: cut.rows.len() as u32,
            range_digest: self.digests.digest(batch, &cut.rows, first_row)?.to_le_bytes().to_vec(),
        };
        let (mut behind, header) = (Vec::with_capacity(AROUND_BYTES_MAX), header.encode_to_vec());
        put_delimited(key(HEADER, Wire::Bytes), header.len(), &mut behind);
        behind.extend_from_slice(&header);
        let outer_key = Some(key(CHUNK, Wire::Bytes));
        self.plan.framed(batch, cut, &Envelope { outer_key, behind: &behind }, spare)
    }
}

/// The first message of an `Append`, framed.
pub fn append_start(hello: SessionHello) -> Bytes {
    v1::AppendRequest { kind: Some(v1::append_request::Kind::Start(hello)) }.encode_to_vec().into()
}

/// What one `AppendRequest` is.
#[derive(Debug, Clone, PartialEq)]
pub enum Append {
    /// The session, once and first.
    Start(Box<SessionHello>),
    /// An encoded `IngestDataRequest`.
    Chunk(Bytes),
    /// Everything so far is to be made durable.
    Flush,
}

/// Opens an `AppendRequest`; the chunk in it is not looked at. `None` if it is of a kind that a newer client knows.
pub fn open_append(message: &Bytes) -> Result<Option<Append>, Error> {
    use super::scan::{Scan, Value};
    let (mut scan, mut last) = (Scan::new(message, 0), None);
    while let Some(found) = scan.next()? {
        match found.value {
            Value::Bytes(bytes) if found.number == CHUNK => {
                last = Some(Append::Chunk(message.slice_ref(bytes)));
            }
            Value::Bytes(bytes) if found.number == 1 => {
                last = Some(Append::Start(Box::new(SessionHello::decode(bytes).map_err(Error::Metadata)?)));
            }
            Value::Bytes(_) if found.number == 3 => last = Some(Append::Flush),
            _ => {}
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests;
