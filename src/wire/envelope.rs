//! The outermost message of a stream: its metadata, and which chunk it carries.

use prost::Message as _;

use super::{
    Error, Metadata,
    layout::chunk_name,
    scan::{Found, Scan, Value},
};
use crate::proto::embedding::ChunkHeader;

/// Number of the request's metadata field.
const METADATA: u32 = 1;
/// Number of the request's header field.
pub(super) const HEADER: u32 = 100;

/// One request, its rows not looked at.
#[derive(Debug)]
pub(super) struct Envelope<'m> {
    pub(super) metadata: Option<Metadata>,
    /// What the chunk says of itself.
    pub(super) header: Option<ChunkHeader>,
    /// The chunk that counts: the last kind on the wire, as in any oneof.
    pub(super) chunk: Option<Chunk<'m>>,
}

/// The pieces of one chunk. A message field that stands on the wire twice is one message in two pieces, unless another
/// kind stands between them. The pieces are found again when they are read, so that many of them cost nothing.
#[derive(Debug, Clone)]
pub(super) struct Chunk<'m> {
    pub(super) number: u32,
    pub(super) name: &'static str,
    /// The message from the first piece that counts.
    from: Scan<'m>,
}

impl<'m> Envelope<'m> {
    pub(super) fn scan(message: &'m [u8]) -> Result<Self, Error> {
        let mut scan = Scan::new(message, 0);
        let mut envelope = Self { metadata: None, header: None, chunk: None };
        loop {
            let before = scan.clone();
            let Some(found) = scan.next()? else { return Ok(envelope) };
            envelope.take(&found, before)?;
        }
    }

    fn take(&mut self, found: &Found<'m>, from: Scan<'m>) -> Result<(), Error> {
        match (found.number, chunk_name(found.number)) {
            (METADATA, _) => self.metadata.get_or_insert_default().merge(bytes(found, "metadata")?)?,
            (HEADER, _) => self.header.get_or_insert_default().merge(bytes(found, "header")?)?,
            (number, Some(name)) => {
                bytes(found, name)?;
                if self.chunk.as_ref().is_none_or(|chunk| chunk.number != number) {
                    self.chunk = Some(Chunk { number, name, from });
                }
            }
            // Fields that we do not know are a newer sender's.
            _ => {}
        }
        Ok(())
    }
}

pub(super) fn bytes<'m>(found: &Found<'m>, field: &str) -> Result<&'m [u8], Error> {
    match found.value {
        Value::Bytes(bytes) => Ok(bytes),
        other => Err(Error::WireType { field: field.to_owned(), row: 0, wire_type: other.wire() as u8 }),
    }
}

/// The rows of a chunk, each as the bytes of its message and where they begin.
#[derive(Debug, Clone)]
pub(super) struct Rows<'m> {
    request: Scan<'m>,
    chunk: u32,
    piece: Scan<'m>,
    /// Number of the chunk's field that carries rows.
    field: u32,
    count: u64,
}

impl<'m> Chunk<'m> {
    /// The rows, in field `rows` of the chunk.
    pub(super) fn rows(&self, rows: u32) -> Rows<'m> {
        Rows {
            request: self.from.clone(),
            chunk: self.number,
            piece: Scan::new(&[], 0),
            field: rows,
            count: 0,
        }
    }
}

impl<'m> Rows<'m> {
    /// The rows in field `field` of `message` itself.
    pub(super) fn of_message(message: &'m [u8], field: u32) -> Self {
        Self { request: Scan::new(&[], 0), chunk: 0, piece: Scan::new(message, 0), field, count: 0 }
    }

    /// The next row; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Scan<'m>>, Error> {
        while let Some(found) = self.next_field()? {
            if found.number == self.field {
                let row = self.count;
                self.count += 1;
                let bytes = bytes(&found, "rows").map_err(|error| error.shifted(row))?;
                return Ok(Some(Scan::new(bytes, found.offset)));
            }
        }
        Ok(None)
    }

    fn next_field(&mut self) -> Result<Option<Found<'m>>, Error> {
        while self.piece.is_empty() {
            match self.request.next()? {
                None => return Ok(None),
                Some(Found { number, value: Value::Bytes(bytes), offset }) if number == self.chunk => {
                    self.piece = Scan::new(bytes, offset);
                }
                Some(_) => {}
            }
        }
        self.piece.next()
    }
}
