//! Batches to bytes: exact lengths first, then one write into one allocation of that size.
//!
//! Lengths of nested messages stand before them, so each row is looked at twice: once to add up its length, once to
//! write it. Both passes look at cells through [`Cell`], so they cannot disagree.

use std::ops::Range;

use arrow_array::RecordBatch;
use bytes::Bytes;
use prost::Message as _;

use super::{
    ChunkPlan, Error,
    plan::{FieldPlan, Missing, Shape},
    scalar::{Scalar, Unfit},
    spare::Spare,
    split::Cut,
    varint::{delimited_len, put_delimited, put_varint, varint_len},
};
use crate::{
    columnar::cells::{Cells, Column},
    proto::embedding::{IngestDataRequest, IngestMetadata},
};

impl ChunkPlan {
    /// Bytes of the message that [`ChunkPlan::encode`] makes of `rows`.
    pub fn encoded_len(&self, batch: &RecordBatch, rows: Range<usize>) -> Result<usize, Error> {
        let columns = self.bind(batch)?;
        let mut chunk_len = 0;
        for row in rows {
            chunk_len += delimited_len(self.rows_key, self.row_len(&columns, row)?);
        }
        Ok(self.message_len(chunk_len))
    }

    /// One encoded `IngestDataRequest` that carries `rows`: byte for byte what prost makes of the same message.
    pub fn encode(&self, batch: &RecordBatch, rows: Range<usize>) -> Result<Bytes, Error> {
        let columns = self.bind(batch)?;
        let row_lens = rows.clone().map(|row| self.row_len(&columns, row)).collect::<Result<Vec<_>, _>>()?;
        self.framed(batch, &Cut { rows, row_lens }, &Envelope::default(), &Spare::default())
            .map(|framed| framed.slice(GRPC_PREFIX_BYTES..))
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
        let chunk_len = cut.row_lens.iter().map(|len| delimited_len(self.rows_key, *len)).sum();
        let request_len = self.message_len(chunk_len) + envelope.behind.len();
        let message_len = checked_len(envelope.message_len(request_len))?;
        let mut out = spare.take(GRPC_PREFIX_BYTES + message_len);
        out.push(0);
        out.extend_from_slice(&(message_len as u32).to_be_bytes());
        if let Some(key) = envelope.outer_key {
            put_delimited(key, request_len, &mut out);
        }
        put_delimited(self.chunk_key, chunk_len, &mut out);
        for (row, row_len) in cut.rows.clone().zip(&cut.row_lens) {
            put_delimited(self.rows_key, *row_len, &mut out);
            self.put_row(&columns, row, &mut out)?;
        }
        out.extend_from_slice(envelope.behind);
        debug_assert_eq!(out.len(), GRPC_PREFIX_BYTES + message_len, "the two passes agree");
        Ok(spare.lend(out))
    }

    /// Bytes of a message whose chunk takes `chunk_len`.
    pub(super) fn message_len(&self, chunk_len: usize) -> usize {
        delimited_len(self.chunk_key, chunk_len)
    }

    /// Bytes of one row's message, without its key and length.
    #[inline]
    pub(super) fn row_len(&self, columns: &[Column], row: usize) -> Result<usize, Error> {
        let mut len = 0;
        for (field, column) in self.fields.iter().zip(columns) {
            len += field.len(field.cell(column, row)?)?;
        }
        Ok(len)
    }

    #[inline]
    fn put_row(&self, columns: &[Column], row: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        for (field, column) in self.fields.iter().zip(columns) {
            field.put(field.cell(column, row)?, out)?;
        }
        Ok(())
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

/// What a field has to say of one row.
enum Cell<'a> {
    Absent,
    Bytes(&'a [u8]),
    Word(u64),
    Items(Items<'a>),
}

/// The items of a list, and the row it stands in.
struct Items<'a> {
    column: &'a Column,
    range: Range<usize>,
    row: usize,
}

impl FieldPlan {
    /// The value at `row`; absent also if it is the empty value of a field that cannot tell the two apart.
    #[inline]
    fn cell<'a>(&'a self, column: &'a Column, row: usize) -> Result<Cell<'a>, Error> {
        let cell = match (column.resolve(row), &self.missing) {
            (Some((cells, at)), _) => self.value(cells, at, row)?,
            (None, Missing::Refused) => return Err(self.null(row)),
            (None, Missing::Absent) => return Ok(Cell::Absent),
            (None, Missing::Bytes(bytes)) => Cell::Bytes(bytes),
            (None, Missing::Word(word)) => Cell::Word(*word),
        };
        Ok(if !self.presence && cell.is_empty() { Cell::Absent } else { cell })
    }

    #[inline]
    fn value<'a>(&self, cells: &'a Cells, at: usize, row: usize) -> Result<Cell<'a>, Error> {
        Ok(match (&self.shape, cells) {
            (Shape::Scalar(scalar), cells) => Cell::Word(self.word(scalar, cells, at, row)?),
            (_, Cells::Bytes(values)) => Cell::Bytes(values.value(at)),
            (_, Cells::List(spans, column)) => Cell::Items(Items { column, range: spans.range(at), row }),
            // The plan lets no other pair through.
            _ => Cell::Absent,
        })
    }

    #[inline]
    fn len(&self, cell: Cell<'_>) -> Result<usize, Error> {
        let key_len = varint_len(u64::from(self.key));
        match (cell, &self.shape) {
            (Cell::Bytes(bytes), _) => Ok(delimited_len(self.key, bytes.len())),
            (Cell::Word(word), Shape::Scalar(scalar)) => Ok(key_len + scalar.word_len(word)),
            (Cell::Items(items), Shape::Packed { scalar, copied }) => {
                Ok(delimited_len(self.key, self.run_len(scalar, *copied, &items)?))
            }
            (Cell::Items(items), Shape::Many(scalar)) => {
                Ok(items.range.len() * key_len + self.run_len(scalar, false, &items)?)
            }
            (Cell::Items(items), _) => {
                let lens = items
                    .range
                    .clone()
                    .map(|at| Ok(delimited_len(self.key, self.item_bytes(&items, at)?.len())));
                lens.sum()
            }
            _ => Ok(0),
        }
    }

    #[inline]
    fn put(&self, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        match (cell, &self.shape) {
            (Cell::Bytes(bytes), _) => self.put_bytes(bytes, out),
            (Cell::Word(word), Shape::Scalar(scalar)) => self.put_scalar(scalar, word, out),
            (Cell::Items(items), Shape::Packed { scalar, copied }) => {
                put_delimited(self.key, self.run_len(scalar, *copied, &items)?, out);
                self.put_run(scalar, *copied, &items, out)?;
            }
            (Cell::Items(items), Shape::Many(scalar)) => {
                for at in items.range.clone() {
                    self.put_scalar(scalar, self.item_word(scalar, &items, at)?, out);
                }
            }
            (Cell::Items(items), _) => {
                for at in items.range.clone() {
                    self.put_bytes(self.item_bytes(&items, at)?, out);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn put_bytes(&self, bytes: &[u8], out: &mut Vec<u8>) {
        put_delimited(self.key, bytes.len(), out);
        out.extend_from_slice(bytes);
    }

    fn put_scalar(&self, scalar: &Scalar, word: u64, out: &mut Vec<u8>) {
        put_varint(u64::from(self.key), out);
        scalar.put_word(word, out);
    }

    /// Bytes of a run of scalars, without keys.
    fn run_len(&self, scalar: &Scalar, copied: bool, items: &Items<'_>) -> Result<usize, Error> {
        if let Some(run) = self.copied_run(copied, items)? {
            return Ok(run.len());
        }
        items.range.clone().map(|at| Ok(scalar.word_len(self.item_word(scalar, items, at)?))).sum()
    }

    fn put_run(
        &self,
        scalar: &Scalar,
        copied: bool,
        items: &Items<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if let Some(run) = self.copied_run(copied, items)? {
            out.extend_from_slice(run);
            return Ok(());
        }
        for at in items.range.clone() {
            scalar.put_word(self.item_word(scalar, items, at)?, out);
        }
        Ok(())
    }

    /// The bytes of the items, if they are what goes on the wire.
    #[inline]
    fn copied_run<'a>(&self, copied: bool, items: &Items<'a>) -> Result<Option<&'a [u8]>, Error> {
        let Cells::Fixed(values) = items.column.cells() else { return Ok(None) };
        if !copied {
            return Ok(None);
        }
        if !items.column.all_valid(items.range.clone()) {
            return Err(self.null(items.row));
        }
        Ok(Some(values.bytes(items.range.clone())))
    }

    fn item_word(&self, scalar: &Scalar, items: &Items<'_>, at: usize) -> Result<u64, Error> {
        let (cells, at) = items.column.resolve(at).ok_or_else(|| self.null(items.row))?;
        self.word(scalar, cells, at, items.row)
    }

    fn item_bytes<'a>(&self, items: &Items<'a>, at: usize) -> Result<&'a [u8], Error> {
        match items.column.resolve(at) {
            Some((Cells::Bytes(values), at)) => Ok(values.value(at)),
            _ => Err(self.null(items.row)),
        }
    }

    #[inline]
    fn word(&self, scalar: &Scalar, cells: &Cells, at: usize, row: usize) -> Result<u64, Error> {
        scalar.word(cells, at).map_err(|unfit| self.unfit(scalar, unfit, row))
    }

    #[cold]
    fn unfit(&self, scalar: &Scalar, unfit: Unfit, row: usize) -> Error {
        let (column, row) = (self.name.clone(), row as u64);
        match unfit {
            Unfit::Overflow(value) => Error::Overflow { column, row, value, kind: scalar.name() },
            Unfit::EnumName(value) => Error::EnumName { column, row, value },
        }
    }

    #[cold]
    fn null(&self, row: usize) -> Error {
        Error::Null { column: self.name.clone(), row: row as u64 }
    }
}

impl Cell<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Word(word) => *word == 0,
            Self::Items(items) => items.range.is_empty(),
        }
    }
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
