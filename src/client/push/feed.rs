//! A data set as a stream of encoded messages.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use arrow_array::{Array as _, RecordBatch};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    ChunkSize, Dialect, Error, Guarantee, Nulls, Report, Selection, Sizes, attempt::Sent, body::Item,
    dialect::Plan,
};
use crate::{
    columnar::schema as conventions,
    file::Dataset,
    limits::client as limits,
    proto::embedding::session::v1::Limits,
    schema::{self, Domain},
    wire::{self, AppendPlan, ChunkPlan, Chunking, Encoded},
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
    /// The rows that are sent.
    range: Range<u64>,
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
        let (path, range, dataset) = (path.to_owned(), 0..dataset.rows(), Arc::new(dataset));
        Ok(Self { path, dataset, dialect, domain, dimension, plan, chunking, range })
    }

    /// The same, of some rows only.
    pub fn select(mut self, rows: &Selection) -> Result<Self, Error> {
        let held = self.dataset.rows();
        let missing = || Error::Selection { asked: format!("{rows:?}"), rows: held };
        self.range = rows.of(held).ok_or_else(missing)?;
        Ok(self)
    }

    pub(super) fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The rows that are sent.
    pub(super) fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The plan of typed chunks.
    pub(super) fn chunk_plan(&self) -> Result<Arc<ChunkPlan>, Error> {
        match &self.plan {
            Plan::Typed(plan) => Ok(Arc::clone(plan)),
            Plan::Json(_) => Ok(Arc::new(ChunkPlan::for_domain(self.domain, self.dataset.schema())?)),
        }
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
        self.range.end - self.range.start
    }

    /// Encodes everything to nowhere.
    pub(super) fn dry_run(&self) -> Result<Sizes, Error> {
        let mut sizes = Sizes { bytes: self.metadata().len() as u64, ..Sizes::default() };
        for encoded in self.encode() {
            let encoded: Encoded = encoded?;
            sizes.add(encoded.rows.end - encoded.rows.start, encoded.message().len() as u64);
        }
        Ok(sizes)
    }

    /// Null cells that the wire carries as something else.
    pub fn nulls(&self) -> Result<Vec<Nulls>, Error> {
        let named = nulls(&self.dataset, self.range())?;
        Ok(named.into_iter().filter(|nulls| self.plan.replaces_null(&nulls.column)).collect())
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
        let file_name = self.file_name();
        // The same bytes in both packages.
        wire::metadata(self.domain_name(), &file_name, i32::try_from(self.dimension).unwrap_or(i32::MAX))
    }

    /// The name of the source, for the receiver's records.
    pub(super) fn file_name(&self) -> String {
        let source = self.dataset.manifest().source.as_ref().map(|source| source.file_name.clone());
        let stem = || self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        source.or_else(stem).unwrap_or_default()
    }

    /// Starts encoding on a thread of its own, which ends when the receiver is dropped.
    pub(super) fn start(&self) -> mpsc::Receiver<Item> {
        let feed = self.clone();
        start(move || feed.encode())
    }

    /// The same for the rows of a session that begins with ours, of which the receiver has `committed_rows`. How large
    /// chunks are is bounded by what it takes.
    pub(super) fn start_appending(
        &self,
        plan: AppendPlan,
        committed_rows: u64,
        receiver: &Limits,
    ) -> mpsc::Receiver<Item> {
        let (feed, receiver) = (self.clone(), *receiver);
        start(move || feed.encode_appending(plan, committed_rows, &receiver))
    }

    /// The chunks of a session's rows.
    pub(super) fn encode_appending(
        &self,
        plan: AppendPlan,
        committed_rows: u64,
        receiver: &Limits,
    ) -> impl Iterator<Item = Result<Encoded, Error>> + use<> {
        let mut chunking = self.chunking;
        let bound = |ours: usize, theirs: u64| match usize::try_from(theirs) {
            Ok(0) | Err(_) => ours,
            Ok(theirs) => ours.min(theirs),
        };
        chunking.message_bytes_max = bound(chunking.message_bytes_max, receiver.max_chunk_bytes);
        chunking.chunk_rows = bound(chunking.chunk_rows, u64::from(receiver.max_chunk_rows));
        let rows = self.range.start + committed_rows..self.range.end;
        let first = rows.start;
        wire::encode_parallel(Arc::new(plan), self.batches(rows), &chunking, limits::ENCODE_AHEAD)
            .map(move |encoded: Result<Encoded, Error>| encoded.map_err(|error| error.shifted(first)))
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
        let (plan, batches) = (Arc::clone(plan), self.batches(self.range()));
        let first = self.range.start;
        wire::encode_parallel(plan, batches, &self.chunking, limits::ENCODE_AHEAD)
            .map(move |encoded: Result<Encoded, Error>| encoded.map_err(|error| error.shifted(first)))
    }

    /// Batches of these rows of the data set.
    pub(super) fn batches(
        &self,
        rows: Range<u64>,
    ) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send + use<> {
        batches(&self.dataset, rows)
    }

    /// What a whole stream did.
    pub(super) fn report(
        &self,
        sent: Sent,
        attempts: u32,
        elapsed: std::time::Duration,
    ) -> Result<Report, Error> {
        let Sent { sizes, send, message } = sent;
        Ok(Report { elapsed, attempts, ..self.report_of(sizes, send, message)? })
    }

    /// What one attempt did.
    pub(super) fn report_of(
        &self,
        sizes: Sizes,
        send: std::time::Duration,
        message: String,
    ) -> Result<Report, Error> {
        Ok(Report {
            domain: self.domain.name.clone(),
            dialect: self.dialect,
            unfilled: self.unfilled().to_vec(),
            sent: sizes,
            elapsed: send,
            send,
            attempts: 1,
            guarantee: Guarantee::AtLeastOnce,
            nulls: self.nulls()?,
            message,
            fingerprint: self.dataset.manifest().fingerprint.clone(),
            first_row: self.range.start,
            session: None,
        })
    }
}

/// Null cells among these rows by column, where there are any.
pub(in crate::client) fn nulls(dataset: &Arc<Dataset>, rows: Range<u64>) -> Result<Vec<Nulls>, Error> {
    let schema = dataset.schema();
    let mut counts = vec![0_u64; schema.fields().len()];
    for batch in batches(dataset, rows) {
        for (count, column) in counts.iter_mut().zip(batch?.columns()) {
            *count += column.logical_null_count() as u64;
        }
    }
    let named = schema.fields().iter().zip(counts).filter(|(_, cells)| *cells > 0);
    Ok(named.map(|(field, cells)| Nulls { column: field.name().clone(), cells }).collect())
}

/// Batches of these rows of a data set, in order.
pub(in crate::client) fn batches(
    dataset: &Arc<Dataset>,
    rows: Range<u64>,
) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send + use<> {
    let dataset = Arc::clone(dataset);
    let first = if rows.is_empty() { None } else { dataset.locate(rows.start) };
    let (mut index, mut skipped) = first.unwrap_or_default();
    let mut missing = if first.is_some() { rows.end - rows.start } else { 0 };
    std::iter::from_fn(move || {
        if missing == 0 {
            return None;
        }
        let batch = dataset.recheck().and_then(|()| dataset.batch(index)).map_err(Error::from);
        let batch = batch.map(|batch| {
            let length = (batch.num_rows() - skipped).min(usize::try_from(missing).unwrap_or(usize::MAX));
            batch.slice(skipped, length)
        });
        // After an error nobody asks for more.
        missing -= batch.as_ref().map_or(missing, |batch| batch.num_rows() as u64);
        (index, skipped) = (index + 1, 0);
        Some(batch)
    })
}

/// Old servers write a chunk in one statement that may not meet a key twice, and nobody told them which row counts.
fn check_keys(dataset: &Dataset, dialect: Dialect) -> Result<(), Error> {
    match dataset.manifest().repeated_keys {
        0 => Ok(()),
        _ if dialect == Dialect::Session => Ok(()),
        rows => Err(Error::RepeatedKeys { rows, dialect }),
    }
}

/// Encodes on a thread of its own, which ends when the receiver is dropped. The iterator is made there: it need not be
/// sent.
pub(in crate::client) fn start<I>(encode: impl FnOnce() -> I + Send + 'static) -> mpsc::Receiver<Item>
where
    I: Iterator<Item = Result<Encoded, Error>>,
{
    let (items, receiver) = mpsc::channel(limits::QUEUE);
    thread::spawn(move || send(encode(), &items));
    receiver
}

fn send(encoded: impl Iterator<Item = Result<Encoded, Error>>, items: &mpsc::Sender<Item>) {
    for encoded in encoded {
        let item = encoded.map_or_else(Item::Failed, Item::Chunk);
        let last = matches!(item, Item::Failed(_));
        if items.blocking_send(item).is_err() || last {
            return;
        }
    }
    // Nobody listens any more if this fails.
    let _ = items.blocking_send(Item::End);
}
