//! A table's first version, begun while its rows arrive, in the hope that nothing has to be merged.
//!
//! As long as no key repeats and nobody else publishes, a run into an empty table is the next version as it comes: the
//! Parquet file, the digests and the id index are made from the rows at once, and only the Arrow file is left for the
//! end. When the hope fails the draft is dropped, its files with it, and the run is merged from its spool.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    super::{Error, Provenance},
    Table, merge,
};
use crate::{digest::Summed, file::DatasetWriter};

/// Files under construction; dropping it removes them.
pub(super) struct Draft {
    writer: DatasetWriter,
    _turn: Turn,
}

/// The right to be the one draft of a table: of several first runs one at most can use what it wrote.
struct Turn(Arc<Table>);

/// Whether a run of the table has a draft.
#[derive(Debug, Default)]
pub(super) struct Drafting(AtomicBool);

impl Draft {
    /// Begins a draft, unless the table has one.
    pub(super) fn begin(
        table: &Arc<Table>,
        schema: &SchemaRef,
        provenance: &Provenance,
    ) -> Result<Option<Self>, Error> {
        if table.drafting.0.swap(true, Ordering::AcqRel) {
            return Ok(None);
        }
        let turn = Turn(Arc::clone(table));
        let writer = merge::create(table, schema, provenance)?;
        Ok(Some(Self { writer, _turn: turn }))
    }

    /// Adds rows, none of which has the key of another.
    pub(super) fn write(&mut self, batch: &RecordBatch, summed: Option<&Summed>) -> Result<(), Error> {
        self.writer.write_ahead(batch, summed).map_err(Error::from)
    }

    /// The writer that has all the rows ahead.
    pub(super) fn into_writer(self) -> DatasetWriter {
        self.writer
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.drafting.0.store(false, Ordering::Release);
    }
}
