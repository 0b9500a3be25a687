//! The rows of an unfinished run: in memory, or on the disk under no name.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{
    MetadataVersion,
    reader::StreamDecoder,
    writer::{IpcWriteOptions, StreamWriter},
};
use arrow_schema::{ArrowError, SchemaRef};

use super::{
    super::Error,
    memory::{Memory, Taken},
};
use crate::file::{
    map::{Access, Contents},
    spool::unnamed,
};

/// Buffers start at multiples of this in the file, so that they are read where they lie.
const ALIGNMENT: usize = 64;

/// Takes the batches of a run: in memory while there is some, else on the disk under no name.
pub(super) struct Spool {
    folder: PathBuf,
    domain: String,
    schema: SchemaRef,
    held: Vec<RecordBatch>,
    taken: Taken,
    disk: Option<StreamWriter<BufWriter<File>>>,
}

impl Spool {
    /// An empty spool. What goes to the disk goes to `folder`, and nothing of it remains when the process ends.
    pub(super) fn new(folder: &Path, domain: &str, schema: &SchemaRef, memory: &Arc<Memory>) -> Self {
        Self {
            folder: folder.to_owned(),
            domain: domain.to_owned(),
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
        disk.write(&batch).map_err(arrow_error(&self.domain))?;
        self.disk = Some(disk);
        Ok(())
    }

    /// Begins the file with what was in memory.
    fn spill(&mut self) -> Result<StreamWriter<BufWriter<File>>, Error> {
        let failed = |source| Error::Io { path: self.folder.clone(), source };
        let file = unnamed(&self.folder).map_err(failed)?;
        let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5);
        let mut writer = options
            .and_then(|options| {
                StreamWriter::try_new_with_options(BufWriter::new(file), &self.schema, options)
            })
            .map_err(arrow_error(&self.domain))?;
        for batch in self.held.drain(..) {
            writer.write(&batch).map_err(arrow_error(&self.domain))?;
        }
        self.taken = self.taken.emptied();
        Ok(writer)
    }

    /// The batches as they were written, and the memory they hold.
    pub(super) fn into_batches(self) -> Result<(Vec<RecordBatch>, Taken), Error> {
        let Some(mut writer) = self.disk else { return Ok((self.held, self.taken)) };
        let failed = arrow_error(&self.domain);
        let flushed = writer.finish().and_then(|()| writer.into_inner());
        let file = flushed.and_then(|mut buffered| {
            buffered.flush()?;
            buffered.into_inner().map_err(|error| error.into_error().into())
        });
        let contents = Contents::of_file(file.map_err(failed)?, &self.folder, Access::Map)?;
        let batches = decode(contents.to_bytes().into()).map_err(arrow_error(&self.domain))?;
        Ok((batches, self.taken))
    }
}

fn decode(mut bytes: Buffer) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    while let Some(batch) = decoder.decode(&mut bytes)? {
        batches.push(batch);
    }
    decoder.finish()?;
    Ok(batches)
}

pub(super) fn arrow_error(domain: &str) -> impl FnOnce(ArrowError) -> Error + use<> {
    let domain = domain.to_owned();
    |source| Error::Arrow { domain, source }
}
