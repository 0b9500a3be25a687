//! Batches to bytes: exact lengths first, then one write into one allocation of that size.
//!
//! Lengths of nested messages stand before them, so each row is looked at twice: once to add up its length, once to
//! write it. Fields of common types have loops of their own (`lane`); other cells are looked at one by one through
//! [`Cell`](field::Cell), in both passes alike, so that they cannot disagree. The lengths of messages inside rows are kept
//! from the first pass to the second.

mod field;
mod inner;
mod lane;
mod rows;
mod run;

use std::ops::Range;

use arrow_array::RecordBatch;
use bytes::Bytes;
use prost::Message as _;

use super::{
    ChunkPlan, Error,
    plan::{Choice, FieldPlan},
    spare::Spare,
    split::Cut,
    varint::{delimited_len, put_delimited},
};
use crate::{
    columnar::cells::Column,
    proto::embedding::{IngestDataRequest, IngestMetadata},
};

use lane::lane;
pub(super) use rows::{Measured, Rows};

/// The lengths of messages and of packed runs inside rows that take a pass to know, in the order in which they are
/// written.
pub(super) type InnerLens = Vec<usize>;

/// The next length that was noted. Both passes see the same cells, so there is one.
fn noted(lens: &mut std::slice::Iter<'_, usize>) -> usize {
    lens.next().copied().unwrap_or_default()
}

impl ChunkPlan {
    /// Bytes of the message that [`ChunkPlan::encode`] makes of `rows`.
    pub fn encoded_len(&self, batch: &RecordBatch, rows: Range<usize>) -> Result<usize, Error> {
        let columns = self.bind(batch)?;
        let measured = Measured::of(self.rows(&columns), rows.clone());
        let (mut shares, mut inner_lens) = (0, InnerLens::new());
        for row in rows {
            shares += self.wrap.share(measured.len(row, &mut inner_lens)?);
            inner_lens.clear();
        }
        Ok(self.wrap.chunk_len(shares))
    }

    /// One encoded request that carries `rows`: byte for byte what prost makes of the same message. Where a message
    /// carries one row, the requests of all `rows`, each but the first behind the prefix of gRPC.
    pub fn encode(&self, batch: &RecordBatch, rows: Range<usize>) -> Result<Bytes, Error> {
        let columns = self.bind(batch)?;
        let measured = Measured::of(self.rows(&columns), rows.clone());
        let mut inner_lens = InnerLens::new();
        let row_lens = rows.clone().map(|row| measured.len(row, &mut inner_lens));
        let row_lens = row_lens.collect::<Result<Vec<_>, _>>()?;
        let cut = Cut { rows, row_lens, inner_lens };
        self.framed(batch, &cut, &Envelope::default(), &Spare::default())
            .map(|framed| framed.slice(GRPC_PREFIX_BYTES.min(framed.len())..))
    }

    /// The message of one chunk behind the prefix that gRPC puts before it (not compressed, and its length), so that it
    /// goes to the connection in one piece.
    pub(super) fn framed(
        &self,
        batch: &RecordBatch,
        cut: &Cut,
        envelope: &Envelope<'_>,
        spare: &Spare,
    ) -> Result<Bytes, Error> {
        let columns = self.bind(batch)?;
        let written = self.rows(&columns);
        let shares = cut.row_lens.iter().map(|len| self.wrap.share(*len)).sum();
        let framed_len = self.framed_len(cut, shares, envelope)?;
        let mut out = spare.take(framed_len);
        let mut inner_lens = cut.inner_lens.iter();
        let rows = cut.rows.clone().zip(&cut.row_lens);
        if let Some(rows_key) = self.wrap.rows_key() {
            self.put_before(shares, envelope, &mut out);
            for (row, row_len) in rows {
                put_delimited(rows_key, *row_len, &mut out);
                written.put(row, &mut inner_lens, &mut out)?;
            }
            self.put_behind(envelope, &mut out);
        } else {
            for (row, row_len) in rows {
                self.put_before(*row_len, envelope, &mut out);
                written.put(row, &mut inner_lens, &mut out)?;
                self.put_behind(envelope, &mut out);
            }
        }
        debug_assert_eq!(out.len(), framed_len, "the two passes agree");
        debug_assert_eq!(inner_lens.next(), None, "the two passes see the same messages");
        Ok(spare.lend(out))
    }

    /// Bytes of a chunk's message, or of its messages, each behind the prefix of gRPC.
    fn framed_len(&self, cut: &Cut, shares: usize, envelope: &Envelope<'_>) -> Result<usize, Error> {
        let framed = |held| {
            let message_len = checked_len(envelope.message_len(self.request_len(held, envelope)))?;
            Ok(GRPC_PREFIX_BYTES + message_len)
        };
        match self.wrap.rows_key() {
            Some(_) => framed(shares),
            None => cut.row_lens.iter().map(|row_len| framed(*row_len)).sum(),
        }
    }

    /// Bytes of a request whose innermost message holds `held` bytes of rows.
    fn request_len(&self, held: usize, envelope: &Envelope<'_>) -> usize {
        self.wrap.len_from(0, held) + envelope.behind.len()
    }

    /// Appends what stands before `held` bytes of rows in a message, the prefix first.
    fn put_before(&self, held: usize, envelope: &Envelope<'_>, out: &mut Vec<u8>) {
        let request_len = self.request_len(held, envelope);
        out.push(0);
        out.extend_from_slice(&(envelope.message_len(request_len) as u32).to_be_bytes());
        if let Some(key) = envelope.outer_key {
            put_delimited(key, request_len, out);
        }
        self.wrap.put_before(held, out);
    }

    /// Appends what stands behind the rows.
    fn put_behind(&self, envelope: &Envelope<'_>, out: &mut Vec<u8>) {
        self.wrap.put_behind(out);
        out.extend_from_slice(envelope.behind);
    }

    /// The rows of a batch with these columns.
    pub(super) fn rows<'a>(&'a self, columns: &'a [Column]) -> Rows<'a> {
        let lanes = self.fields.iter().zip(columns).map(|(field, column)| lane(field, column)).collect();
        Rows { plan: self, columns, lanes }
    }
}

/// What stands around the chunk in its message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Envelope<'a> {
    /// Key of the field of an outer message that carries the request.
    pub(super) outer_key: Option<u32>,
    /// Encoded fields of the request behind the chunk.
    pub(super) behind: &'a [u8],
}

impl Envelope<'_> {
    fn message_len(&self, request_len: usize) -> usize {
        self.outer_key.map_or(request_len, |key| delimited_len(key, request_len))
    }
}

fn checked_len(bytes: usize) -> Result<usize, Error> {
    if bytes > MESSAGE_BYTES_MAX {
        return Err(Error::MessageTooLong { bytes, message_bytes_max: MESSAGE_BYTES_MAX });
    }
    Ok(bytes)
}

/// Bytes that gRPC puts before each message.
pub(super) const GRPC_PREFIX_BYTES: usize = 5;

/// The most that any protobuf message may take.
pub(super) const MESSAGE_BYTES_MAX: usize = i32::MAX as usize;

/// Of two fields of a oneof a receiver keeps the last: the other would be lost.
fn check_choices(
    choices: &[Choice],
    fields: &[FieldPlan],
    row: usize,
    is_there: impl Fn(usize, &FieldPlan) -> Result<bool, Error>,
) -> Result<(), Error> {
    for choice in choices {
        let mut present = Vec::new();
        for &index in &choice.members {
            if is_there(index, &fields[index])? {
                present.push(fields[index].name.clone());
            }
        }
        if present.len() > 1 {
            return Err(Error::Choice { row: row as u64, oneof: choice.oneof.clone(), columns: present });
        }
    }
    Ok(())
}

/// The first message of a stream: metadata alone.
pub fn metadata(domain: &str, file_name: &str, vector_dimension: i32) -> Bytes {
    let metadata = IngestMetadata {
        domain: domain.to_owned(),
        file_name: file_name.to_owned(),
        vector_dimension,
        session: None,
    };
    IngestDataRequest { metadata: Some(metadata), ..IngestDataRequest::default() }.encode_to_vec().into()
}
