//! One message, opened apart from all others: counted, checked, hashed and decoded as far as is needed.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::Row;
use crate::{
    digest::{RowHasher, key_hash},
    identifier,
    limits::{client as limits, wire::ChunkLimits},
    schema::{Domain, KeyFormat},
    wire::{self, About, ServedDecoder},
};

/// Opens the messages of one pull.
#[derive(Debug)]
pub(super) struct Opener {
    domain: &'static Domain,
    /// Known from the first row on, which says what dimension vectors have.
    rows: Option<(ServedDecoder, RowHasher)>,
    /// Rows are written, and not only checked.
    keeps_rows: bool,
}

/// What one message held.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) about: About,
    /// The rows' keys.
    pub(super) keys: Vec<[u8; 16]>,
    /// The last row's id.
    pub(super) last_id: String,
    /// The first row whose id is none, and that id.
    pub(super) bad_id: Option<(u64, String)>,
    /// What the rows add up to, where the message says that they stand.
    pub(super) digest: u128,
    /// The rows, if they are kept.
    pub(super) batch: Option<RecordBatch>,
}

impl Opener {
    pub(super) fn new(domain: &'static Domain, keeps_rows: bool) -> Self {
        Self { domain, rows: None, keeps_rows }
    }

    /// Learns the dimension from `message`, if it has a row.
    pub(super) fn learn(&mut self, message: &Bytes) -> Result<(), wire::Error> {
        if self.rows.is_none() {
            let message_bytes_max = limits::PULL_MESSAGE_BYTES_MAX;
            let bounds = ChunkLimits { message_bytes_max, ..ChunkLimits::default() };
            let decoder = ServedDecoder::for_message(self.domain, message, bounds)?;
            let hashed = |decoder: ServedDecoder| -> Result<_, wire::Error> {
                let hasher = RowHasher::new(decoder.schema())?;
                Ok((decoder, hasher))
            };
            self.rows = decoder.map(hashed).transpose()?;
        }
        Ok(())
    }

    /// The schema of the rows, once a row is known.
    pub(super) fn schema(&self) -> Option<&SchemaRef> {
        self.rows.as_ref().map(|(decoder, _)| decoder.schema())
    }

    /// Opens one message. As long as no row is known, it has none.
    pub(super) fn open(&self, message: &Bytes) -> Result<Opened, wire::Error> {
        let Some((decoder, hasher)) = &self.rows else {
            let about = ServedDecoder::peek(self.domain, message)?;
            return Ok(Opened { about, ..Opened::default() });
        };
        let mut opened = Opened { about: decoder.about(message)?, ..Opened::default() };
        let mut last_id = "";
        decoder.check(message, |id| {
            if opened.bad_id.is_none() && !self.is_id(id) {
                opened.bad_id = Some((opened.keys.len() as u64, id.to_owned()));
            }
            opened.keys.push(key_hash(id));
            last_id = id;
        })?;
        last_id.clone_into(&mut opened.last_id);
        if self.keeps_rows || opened.about.header.is_some() {
            let batch = decoder.decode(message)?;
            if let Some(header) = &opened.about.header {
                opened.digest = hasher.range_digest(&batch, 0..batch.num_rows(), header.first_row)?;
            }
            opened.batch = self.keeps_rows.then_some(batch);
        }
        Ok(opened)
    }

    fn is_id(&self, id: &str) -> bool {
        match self.domain.key_format {
            KeyFormat::Any => !id.is_empty(),
            KeyFormat::Uuid => identifier::parse(id).is_some(),
        }
    }

    /// The first and the last row of a message that was opened; none if it has no row.
    pub(super) fn ends(&self, message: &Bytes) -> Result<Option<(Row, Row)>, wire::Error> {
        let Some((decoder, _)) = &self.rows else { return Ok(None) };
        let batch = decoder.decode(message)?;
        let last = batch.num_rows().checked_sub(1);
        Ok(last.map(|last| (Row::of(&batch, 0), Row::of(&batch, last))))
    }
}
