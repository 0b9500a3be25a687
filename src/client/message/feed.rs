//! A data set as a stream of somebody else's messages.

use std::{ops::Range, path::Path, sync::Arc};

use arrow_array::RecordBatch;
use http::uri::PathAndQuery;
use rayon::prelude::*;
use tokio::sync::mpsc;

use super::{Error, Source};
use crate::{
    client::push::{
        self, ChunkSize, Dialect, Nulls, Selection, Sizes,
        body::Item,
        feed::{batches, nulls, start},
    },
    columnar::schema as conventions,
    file::Dataset,
    limits::client as limits,
    wire::{self, Chunking, Contract, Encoded, Facts, Mapped, Planned},
};

/// An opened data set and the plan by which it is encoded.
#[derive(Clone)]
pub struct Feed {
    dataset: Arc<Dataset>,
    contract: Contract,
    planned: Planned,
    chunking: Chunking,
    /// The rows that are sent.
    range: Range<u64>,
}

impl Feed {
    /// Maps the data set and plans its columns for some of its rows.
    pub fn open(path: &Path, source: &Source, size: ChunkSize, rows: &Selection) -> Result<Self, Error> {
        let contract = source.contract()?;
        let map = source.message_map()?;
        let dataset = Dataset::open(path)?;
        // Batches come from the Arrow file: a data set without one must not look empty.
        dataset.arrow()?;
        let held = dataset.rows();
        let missing = || push::Error::Selection { asked: format!("{rows:?}"), rows: held };
        let range = rows.of(held).ok_or_else(missing)?;
        let facts = facts(&dataset, range.end - range.start);
        let planned = contract.plan(dataset.schema(), &map, &facts)?;
        let chunk_rows = match (planned.repeated, contract.is_client_streaming()) {
            (false, false) => 1,
            // Messages of one row go to the connection as many at a time as rows of one message would.
            _ => Dialect::TypedV1.chunk_rows(size.rows, facts.dimension.unwrap_or_default()),
        };
        let chunking = Chunking { chunk_rows, message_bytes_max: size.message_bytes_max };
        Ok(Self { dataset: Arc::new(dataset), contract, planned, chunking, range })
    }

    /// The RPC.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Which column goes where.
    pub fn mapping(&self) -> Vec<Mapped> {
        self.planned.plan.mapping()
    }

    /// How rows travel.
    pub fn planned(&self) -> &Planned {
        &self.planned
    }

    /// Rows to send.
    pub fn rows(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// The first of them, in the data set.
    pub(super) fn first_row(&self) -> u64 {
        self.range.start
    }

    /// The content.
    pub fn fingerprint(&self) -> &str {
        &self.dataset.manifest().fingerprint
    }

    /// Null cells of the columns that are sent.
    pub fn nulls(&self) -> Result<Vec<Nulls>, Error> {
        let sent = self.mapping();
        let is_sent = |nulls: &Nulls| sent.iter().any(|mapped| mapped.column == nulls.column);
        Ok(nulls(&self.dataset, self.range.clone())?.into_iter().filter(is_sent).collect())
    }

    /// Looks at every cell and sends nothing: the first that does not fit is the error.
    pub fn check(&self) -> Result<(), Error> {
        let mut first_row = self.range.start;
        // Batches are parts of the mapped file: to hold all of them costs nothing.
        let batches = batches(&self.dataset, self.range.clone()).map(|batch| {
            let (batch, start) = (batch?, first_row);
            first_row += batch.num_rows() as u64;
            Ok((batch, start))
        });
        let batches = batches.collect::<Result<Vec<_>, push::Error>>()?;
        let misfit = batches.par_iter().map(|(batch, start)| self.check_batch(batch, *start));
        misfit.find_first(Result::is_err).unwrap_or(Ok(()))
    }

    fn check_batch(&self, batch: &RecordBatch, first_row: u64) -> Result<(), Error> {
        let Chunking { chunk_rows, message_bytes_max } = self.chunking;
        let cut = self.planned.plan.split(batch, 0..batch.num_rows(), chunk_rows, message_bytes_max);
        cut.map_err(|error| error.shifted(first_row))?;
        Ok(())
    }

    /// Encodes everything to nowhere.
    pub fn dry_run(&self) -> Result<Sizes, Error> {
        let first = self.planned.first.as_ref().map_or(0, |first| first.len() as u64);
        let mut sizes = Sizes { bytes: first, ..Sizes::default() };
        for encoded in self.encode() {
            let encoded: Encoded = encoded?;
            sizes.add(encoded.rows.end - encoded.rows.start, encoded.message().len() as u64);
        }
        Ok(sizes)
    }

    /// The RPC's path in requests.
    pub(super) fn path(&self) -> Result<PathAndQuery, Error> {
        let rpc = self.contract.name();
        PathAndQuery::from_maybe_shared(format!("/{rpc}")).map_err(|_| Error::Path { rpc })
    }

    /// Starts encoding on a thread of its own, which ends when the receiver is dropped.
    pub(super) fn start(&self) -> mpsc::Receiver<Item> {
        let feed = self.clone();
        start(move || feed.encode())
    }

    /// The chunks of the rows, which are named by their places in the data set.
    fn encode(&self) -> impl Iterator<Item = Result<Encoded, push::Error>> + use<> {
        let plan = Arc::new(self.planned.plan.clone());
        let (batches, first) = (batches(&self.dataset, self.range.clone()), self.range.start);
        let encoded = wire::encode_parallel(plan, batches, &self.chunking, limits::ENCODE_AHEAD);
        encoded.map(move |encoded| match encoded {
            Ok(Encoded { rows, framed }) => {
                Ok(Encoded { rows: rows.start + first..rows.end + first, framed })
            }
            Err(error) => Err(error.shifted(first)),
        })
    }
}

fn facts(dataset: &Dataset, rows: u64) -> Facts {
    let schema = dataset.schema();
    let table = dataset.name().to_owned();
    let source = dataset.manifest().source.as_ref().map(|source| source.file_name.clone());
    let vector = conventions::vector_index(schema).map(|index| schema.field(index).data_type());
    Facts {
        domain: schema.metadata().get(conventions::DOMAIN).cloned(),
        file: source.unwrap_or_else(|| table.clone()),
        table,
        dimension: vector.and_then(conventions::dimension),
        rows,
    }
}
