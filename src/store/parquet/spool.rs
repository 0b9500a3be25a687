//! The rows of an unfinished run: in memory, or on the disk under no name.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

use super::{
    super::Error,
    memory::{Memory, Taken},
};
use crate::file::BatchSpool;

/// Takes the batches of a run: in memory while there is some, else on the disk under no name.
pub(super) struct Spool {
    folder: PathBuf,
    schema: SchemaRef,
    held: Vec<RecordBatch>,
    taken: Taken,
    disk: Option<BatchSpool>,
}

impl Spool {
    /// An empty spool. What goes to the disk goes to `folder`, and nothing of it remains when the process ends.
    pub(super) fn new(folder: &Path, schema: &SchemaRef, memory: &Arc<Memory>) -> Self {
        Self {
            folder: folder.to_owned(),
            schema: Arc::clone(schema),
            held: Vec::new(),
            taken: Taken::none(memory),
            disk: None,
        }
    }

    /// Adds a batch.
    pub(super) fn write(&mut self, batch: RecordBatch) -> Result<(), Error> {
        if self.disk.is_none() && self.taken.grow(batch.get_array_memory_size()) {
            self.held.push(batch);
            return Ok(());
        }
        let mut disk = match self.disk.take() {
            Some(disk) => disk,
            None => self.spill()?,
        };
        disk.write(&batch)?;
        self.disk = Some(disk);
        Ok(())
    }

    /// Begins the file with what was in memory.
    fn spill(&mut self) -> Result<BatchSpool, Error> {
        let mut disk = BatchSpool::create(&self.folder, &self.schema)?;
        for batch in self.held.drain(..) {
            disk.write(&batch)?;
        }
        self.taken = self.taken.emptied();
        Ok(disk)
    }

    /// The batches as they were written, and the memory they hold.
    pub(super) fn into_batches(self) -> Result<(Vec<RecordBatch>, Taken), Error> {
        let batches = match self.disk {
            Some(disk) => disk.into_batches()?,
            None => self.held,
        };
        Ok((batches, self.taken))
    }
}

pub(super) fn arrow_error(domain: &str) -> impl FnOnce(ArrowError) -> Error + use<> {
    let domain = domain.to_owned();
    |source| Error::Arrow { domain, source }
}
