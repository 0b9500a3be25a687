//! The store that keeps nothing: it counts rows, for measuring the way to a store without one.

use arrow_array::RecordBatch;

use super::{Error, Provenance, Published, Run, Sessions, Store};
use crate::schema::Domain;

mod sessions;

/// Counts rows and forgets them.
#[derive(Debug, Default)]
pub struct Discard {
    sessions: sessions::Counted,
}

#[derive(Debug, Default)]
struct Count {
    rows: u64,
}

impl Store for Discard {
    fn begin(&self, _: &'static Domain, _: usize, _: Provenance) -> Result<Box<dyn Run>, Error> {
        Ok(Box::new(Count::default()))
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(&self.sessions)
    }
}

impl Run for Count {
    fn append(&mut self, batch: RecordBatch) -> Result<(), Error> {
        self.skip(batch.num_rows() as u64);
        Ok(())
    }

    fn counts_only(&self) -> bool {
        true
    }

    fn skip(&mut self, rows: u64) {
        self.rows += rows;
    }

    fn finish(self: Box<Self>) -> Result<Published, Error> {
        Ok(Published { version: 0, changed: false, table_rows: 0, run_rows: self.rows })
    }
}
