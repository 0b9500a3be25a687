//! `StreamEmbedding`: rows of a served table from a checkpoint on, in chunks, as fast as the reader takes them.
//!
//! The request is read (`request`) and placed in a table of the catalogue (this file); the answer's `body` has chunks
//! encoded on the cores ahead of the reader, within bounds, and hands them to the connection without copying. A stream
//! that ends well has delivered the last row; any other end can be resumed behind the last row that arrived.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    limits::{serving as limits, wire::SEND_BYTES_MAX},
    store::{
        self, Catalogue,
        catalogue::{Served, Snapshot},
    },
    wire,
};

mod body;
mod face;
mod request;

pub(super) use face::answer;
pub(super) use request::Form;

use super::{seats::Seats, turns::Turns};
use request::{Asked, Checkpoint};

/// What all streams of a server share.
#[derive(Clone)]
pub struct Tables {
    catalogue: Arc<Catalogue>,
    options: Options,
    seats: Seats,
    ahead: Arc<Semaphore>,
    turns: Turns,
}

/// How tables are served.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// An unknown checkpoint is an error for every request, not only for those that ask for that.
    pub strict_checkpoint: bool,
    /// Encoded bytes of a message at most.
    pub message_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict_checkpoint: false, message_bytes_max: SEND_BYTES_MAX }
    }
}

/// Why rows are not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Invalid chunk_size: {0}. Must be between {min} and {max}", min = limits::CHUNK_ROWS_MIN, max = limits::CHUNK_ROWS_MAX)]
    ChunkSize(i32),
    #[error("unknown domain {0:?}")]
    UnknownDomain(String),
    #[error("this server does not serve {domain}; it serves {}", served.join(", "))]
    NotServed { domain: String, served: Vec<String> },
    #[error("start_row and last_processed_uuid both say where to begin: send one of them")]
    TwoPlaces,
    #[error("start_row {start_row} lies beyond the table's {rows} rows")]
    BeyondEnd { start_row: u64, rows: u64 },
    #[error("the checkpoint {0:?} is no row of the table")]
    CheckpointUnknown(String),
    #[error("the checkpoint {id:?} is row {first} and row {last} of the table: resume by start_row")]
    CheckpointAmbiguous { id: String, first: u64, last: u64 },
    #[error("the table is not the one that was asked for: its fingerprint is {found}")]
    Fingerprint { found: String },
    #[error(
        "{} streams are being served already, or {} to you: try again later",
        limits::STREAMS_MAX,
        limits::STREAMS_OF_PEER_MAX
    )]
    Busy,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Wire(#[from] wire::Error),
    #[error(transparent)]
    Digest(#[from] crate::digest::Error),
    #[error("a chunk could not be compressed")]
    Compress(#[source] std::io::Error),
    #[error("a worker was lost")]
    WorkerLost,
}

/// Characters of a peer's text that go into a status or the log.
const SHOWN_CHARS: usize = 64;

/// Where an answer begins.
#[derive(Debug)]
struct Placed {
    snapshot: Snapshot,
    first_row: u64,
    /// The checkpoint was unknown and the stream begins with the first row.
    restarted: bool,
}

/// What a peer sent, as long as a status can hold it.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

impl Tables {
    /// Serves the tables of `catalogue`.
    pub fn new(catalogue: Arc<Catalogue>, options: Options) -> Self {
        let seats = Seats::new(limits::STREAMS_MAX, limits::STREAMS_OF_PEER_MAX);
        let ahead = Arc::new(Semaphore::new(limits::AHEAD_BYTES_MAX));
        Self { catalogue, options, seats, ahead, turns: Turns::default() }
    }

    /// Whether a table is there and what it was, or was replaced as a whole: one that is not must not take the others from
    /// their readers, and whoever asks for it is told. Touches the disk.
    pub fn check(&self) -> Result<(), store::Error> {
        let mut checked = self.catalogue.tables().iter().map(|table| table.snapshot().map(drop));
        let Some(first) = checked.next() else { return Ok(()) };
        first.or_else(|error| if checked.any(|other| other.is_ok()) { Ok(()) } else { Err(error) })
    }

    /// Finds the rows that were asked for. Touches the disk.
    fn place(&self, asked: &Asked) -> Result<Placed, Refused> {
        let snapshot = self.table(&asked.domain)?.snapshot()?;
        if let Some(expected) = &asked.fingerprint
            && expected != snapshot.fingerprint()
        {
            return Err(Refused::Fingerprint { found: snapshot.fingerprint().to_owned() });
        }
        let (first_row, restarted) = match &asked.from {
            Checkpoint::Row(row) if *row > snapshot.rows() => {
                return Err(Refused::BeyondEnd { start_row: *row, rows: snapshot.rows() });
            }
            Checkpoint::Row(row) => (*row, false),
            Checkpoint::After(id) => self.after(id, asked.strict, &snapshot)?,
        };
        Ok(Placed { snapshot, first_row, restarted })
    }

    fn table(&self, domain: &str) -> Result<&Served, Refused> {
        self.catalogue.table(domain).ok_or_else(|| {
            if crate::schema::find(domain).is_none() {
                return Refused::UnknownDomain(shown(domain));
            }
            let served = self.catalogue.tables().iter().map(|table| table.domain().name.clone());
            Refused::NotServed { domain: domain.to_owned(), served: served.collect() }
        })
    }

    /// The row behind the first one called `id`: of several, the rows between them would be lost behind a later one.
    fn after(&self, id: &str, strict: bool, snapshot: &Snapshot) -> Result<(u64, bool), Refused> {
        let strict = strict || self.options.strict_checkpoint;
        match snapshot.rows_of(id)? {
            Some((first, last)) if strict && first != last => {
                Err(Refused::CheckpointAmbiguous { id: shown(id), first, last })
            }
            Some((first, _)) => Ok((first + 1, false)),
            None if strict => Err(Refused::CheckpointUnknown(shown(id))),
            None => Ok((0, true)),
        }
    }
}
