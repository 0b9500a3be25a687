//! A data set as a stream of encoded messages.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use arrow_array::{Array as _, RecordBatch};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{ChunkRows, ChunkSize, Error, Guarantee, Nulls, Report, Sizes, attempt::Sent, body::Item};
use crate::{
    columnar::schema as conventions,
    file::Dataset,
    limits::client as limits,
    schema::{self, Domain},
    wire::{self, ChunkPlan, Chunking, Encoded},
};

/// An opened data set and the plan by which it is encoded.
#[derive(Clone)]
pub struct Feed {
    path: PathBuf,
    dataset: Arc<Dataset>,
    domain: &'static Domain,
    dimension: usize,
    plan: Arc<ChunkPlan>,
    chunking: Chunking,
}

impl Feed {
    /// Maps the data set and checks that its rows fit the messages of its domain.
    pub fn open(path: &Path, size: ChunkSize) -> Result<Self, Error> {
        let dataset = Dataset::open(path)?;
        // Batches come from the Arrow file: a data set without one must not look empty.
        dataset.arrow()?;
        let schema = dataset.schema();
        let name = schema.metadata().get(conventions::DOMAIN).ok_or(Error::NoDomain)?;
        let domain = schema::find(name).ok_or_else(|| Error::UnknownDomain(name.clone()))?;
        let vector = conventions::vector_index(schema).ok_or(Error::NoVector)?;
        let dimension = conventions::dimension(schema.field(vector).data_type()).ok_or(Error::NoVector)?;
        let plan = Arc::new(ChunkPlan::for_domain(domain, schema)?);
        let chunking = Chunking {
            chunk_rows: chunk_rows(size.rows, dimension),
            message_bytes_max: size.message_bytes_max,
        };
        Ok(Self { path: path.to_owned(), dataset: Arc::new(dataset), domain, dimension, plan, chunking })
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
        nulls(&self.dataset)
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
        wire::metadata(&self.domain.name, &file_name, i32::try_from(self.dimension).unwrap_or(i32::MAX))
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

    fn encode(&self) -> impl Iterator<Item = Result<Encoded, Error>> {
        wire::encode_parallel(
            Arc::clone(&self.plan),
            batches(&self.dataset),
            &self.chunking,
            limits::ENCODE_AHEAD,
        )
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

/// Null cells by column, where there are any.
pub(in crate::client) fn nulls(dataset: &Arc<Dataset>) -> Result<Vec<Nulls>, Error> {
    let schema = dataset.schema();
    let mut counts = vec![0_u64; schema.fields().len()];
    for batch in batches(dataset) {
        for (count, column) in counts.iter_mut().zip(batch?.columns()) {
            *count += column.logical_null_count() as u64;
        }
    }
    let named = schema.fields().iter().zip(counts).filter(|(_, cells)| *cells > 0);
    Ok(named.map(|(field, cells)| Nulls { column: field.name().clone(), cells }).collect())
}

/// The batches of a data set, in order.
pub(in crate::client) fn batches(
    dataset: &Arc<Dataset>,
) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send + use<> {
    let dataset = Arc::clone(dataset);
    (0..dataset.batch_count()).map(move |index| dataset.batch(index).map_err(Error::from))
}

/// Rows of a chunk: 1,000 at 384 dimensions, 500 at 768, and as many as fill the same bytes at others.
pub(in crate::client) fn chunk_rows(rows: ChunkRows, dimension: usize) -> usize {
    match rows {
        ChunkRows::Default => (limits::CHUNK_FLOATS / dimension.max(1)).clamp(1, limits::CHUNK_ROWS),
        ChunkRows::Fixed(rows) => rows,
        ChunkRows::Auto(bandwidth) => wire::optimal_chunk_rows(bandwidth, dimension, limits::LATENCY_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::{ChunkRows, chunk_rows};

    #[test]
    fn chunks_are_of_the_published_sizes() {
        let sizes = [(384, 1_000), (768, 500), (1_536, 250), (4, 1_000), (1_000_000, 1)];
        for (dimension, rows) in sizes {
            assert_eq!(chunk_rows(ChunkRows::Default, dimension), rows, "{dimension}");
        }
        assert_eq!(chunk_rows(ChunkRows::Auto(100.0), 384), 643);
        assert_eq!(chunk_rows(ChunkRows::Fixed(7), 384), 7);
    }
}
