//! A data set as a stream of encoded messages.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use arrow_array::{Array as _, RecordBatch};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    ChunkSize, Dialect, Error, Guarantee, Nulls, Report, Sizes, attempt::Sent, body::Item, dialect::Plan,
};
use crate::{
    columnar::schema as conventions,
    file::Dataset,
    limits::client as limits,
    schema::{self, Domain},
    wire::{self, Chunking, Encoded},
};

/// An opened data set and the plan by which it is encoded.
#[derive(Clone)]
pub struct Feed {
    path: PathBuf,
    dataset: Arc<Dataset>,
    dialect: Dialect,
    domain: &'static Domain,
    dimension: usize,
    plan: Plan,
    chunking: Chunking,
}

impl Feed {
    /// Maps the data set and checks that its rows fit the messages of its domain in `dialect`.
    pub fn open(path: &Path, size: ChunkSize, dialect: Dialect) -> Result<Self, Error> {
        let dataset = Dataset::open(path)?;
        check_keys(&dataset, dialect)?;
        // Batches come from the Arrow file: a data set without one must not look empty.
        dataset.arrow()?;
        let schema = dataset.schema();
        let name = schema.metadata().get(conventions::DOMAIN).ok_or(Error::NoDomain)?;
        let domain = schema::find(name).ok_or_else(|| Error::UnknownDomain(name.clone()))?;
        let vector = conventions::vector_index(schema).ok_or(Error::NoVector)?;
        let dimension = conventions::dimension(schema.field(vector).data_type()).ok_or(Error::NoVector)?;
        let plan = dialect.plan(domain, schema)?;
        let chunking = Chunking {
            chunk_rows: dialect.chunk_rows(size.rows, dimension),
            message_bytes_max: size.message_bytes_max,
        };
        let (path, dataset) = (path.to_owned(), Arc::new(dataset));
        Ok(Self { path, dataset, dialect, domain, dimension, plan, chunking })
    }

    /// The dialect it is sent in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Fields of the dialect that the data set lacks: they are sent empty.
    pub fn unfilled(&self) -> &[String] {
        self.plan.unfilled()
    }

    /// What the dialect calls the domain.
    pub(super) fn domain_name(&self) -> &str {
        self.dialect.domain_name(self.domain)
    }

    /// The domain sent.
    pub fn domain(&self) -> &'static Domain {
        self.domain
    }

    /// Elements of a vector.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Rows to send.
    pub fn rows(&self) -> u64 {
        self.dataset.rows()
    }

    /// Encodes everything to nowhere.
    pub fn dry_run(&self) -> Result<Sizes, Error> {
        let mut sizes = Sizes { bytes: self.metadata().len() as u64, ..Sizes::default() };
        for encoded in self.encode() {
            let encoded: Encoded = encoded?;
            sizes.add(encoded.rows.end - encoded.rows.start, encoded.message().len() as u64);
        }
        Ok(sizes)
    }

    /// Null cells that the wire carries as something else.
    pub fn nulls(&self) -> Result<Vec<Nulls>, Error> {
        let schema = self.dataset.schema();
        let mut counts = vec![0_u64; schema.fields().len()];
        for batch in batches(&self.dataset) {
            for (count, column) in counts.iter_mut().zip(batch?.columns()) {
                *count += column.logical_null_count() as u64;
            }
        }
        let replaced = |name: &str, cells| cells > 0 && self.plan.replaces_null(name);
        let named =
            schema.fields().iter().zip(counts).filter(|(field, cells)| replaced(field.name(), *cells));
        Ok(named.map(|(field, cells)| Nulls { column: field.name().clone(), cells }).collect())
    }

    /// Refuses a data set that was replaced since it was opened: a retry must send what the first attempt sent.
    pub(super) fn check_unchanged(&self) -> Result<(), Error> {
        self.dataset.recheck()?;
        let now = Dataset::open(&self.path)?;
        if now.manifest().fingerprint == self.dataset.manifest().fingerprint {
            Ok(())
        } else {
            Err(Error::Changed)
        }
    }

    /// The first message.
    pub(super) fn metadata(&self) -> Bytes {
        let source = self.dataset.manifest().source.as_ref().map(|source| source.file_name.clone());
        let stem = || self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let file_name = source.or_else(stem).unwrap_or_default();
        // The same bytes in both packages.
        wire::metadata(self.domain_name(), &file_name, i32::try_from(self.dimension).unwrap_or(i32::MAX))
    }

    /// Starts encoding on a thread of its own, which ends when the receiver is dropped.
    pub(super) fn start(&self) -> mpsc::Receiver<Item> {
        let (items, receiver) = mpsc::channel(limits::QUEUE);
        let feed = self.clone();
        thread::spawn(move || feed.send(&items));
        receiver
    }

    fn send(&self, items: &mpsc::Sender<Item>) {
        for encoded in self.encode() {
            let item = encoded.map_or_else(Item::Failed, Item::Chunk);
            let last = matches!(item, Item::Failed(_));
            if items.blocking_send(item).is_err() || last {
                return;
            }
        }
        // Nobody listens any more if this fails.
        let _ = items.blocking_send(Item::End);
    }

    fn encode(&self) -> Box<dyn Iterator<Item = Result<Encoded, Error>>> {
        match &self.plan {
            Plan::Typed(plan) => Box::new(self.encode_by(plan)),
            Plan::Json(plan) => Box::new(self.encode_by(plan)),
        }
    }

    fn encode_by<P: wire::Plan>(
        &self,
        plan: &Arc<P>,
    ) -> impl Iterator<Item = Result<Encoded, Error>> + use<P> {
        let (plan, batches) = (Arc::clone(plan), batches(&self.dataset));
        wire::encode_parallel(plan, batches, &self.chunking, limits::ENCODE_AHEAD)
    }

    pub(super) fn report(
        &self,
        sent: Sent,
        attempts: u32,
        elapsed: std::time::Duration,
    ) -> Result<Report, Error> {
        let Sent { sizes, send, message } = sent;
        Ok(Report {
            domain: self.domain.name.clone(),
            dialect: self.dialect,
            unfilled: self.unfilled().to_vec(),
            sent: sizes,
            elapsed,
            send,
            attempts,
            guarantee: Guarantee::AtLeastOnce,
            nulls: self.nulls()?,
            message,
            fingerprint: self.dataset.manifest().fingerprint.clone(),
        })
    }
}

/// Old servers write a chunk in one statement that may not meet a key twice, and nobody told them which row counts.
fn check_keys(dataset: &Dataset, dialect: Dialect) -> Result<(), Error> {
    match dataset.manifest().repeated_keys {
        0 => Ok(()),
        rows => Err(Error::RepeatedKeys { rows, dialect }),
    }
}

fn batches(dataset: &Arc<Dataset>) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send + use<> {
    let dataset = Arc::clone(dataset);
    (0..dataset.batch_count()).map(move |index| dataset.batch(index).map_err(Error::from))
}
