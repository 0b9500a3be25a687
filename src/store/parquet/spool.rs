//! The rows of an unfinished run, on disk but under no name.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{
    MetadataVersion,
    reader::StreamDecoder,
    writer::{IpcWriteOptions, StreamWriter},
};
use arrow_schema::{ArrowError, Schema};

use super::super::Error;
use crate::file::{
    map::{Access, Contents},
    spool::unnamed,
};

/// Buffers start at multiples of this in the file, so that they are read where they lie.
const ALIGNMENT: usize = 64;

/// Takes the batches of a run.
pub(super) struct Spool {
    writer: StreamWriter<BufWriter<File>>,
    folder: PathBuf,
    domain: String,
}

impl Spool {
    /// An empty spool in `folder`. Nothing of it remains when the process ends.
    pub(super) fn create(folder: &Path, domain: &str, schema: &Schema) -> Result<Self, Error> {
        let failed = |source| Error::Io { path: folder.to_owned(), source };
        let file = unnamed(folder).map_err(failed)?;
        let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5);
        let writer = options
            .and_then(|options| StreamWriter::try_new_with_options(BufWriter::new(file), schema, options))
            .map_err(arrow_error(domain))?;
        Ok(Self { writer, folder: folder.to_owned(), domain: domain.to_owned() })
    }

    /// Adds a batch.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write(batch).map_err(arrow_error(&self.domain))
    }

    /// The batches as they were written, mapped.
    pub(super) fn into_batches(mut self) -> Result<Vec<RecordBatch>, Error> {
        let failed = arrow_error(&self.domain);
        let flushed = self.writer.finish().and_then(|()| self.writer.into_inner());
        let file = flushed.and_then(|mut buffered| {
            buffered.flush()?;
            buffered.into_inner().map_err(|error| error.into_error().into())
        });
        let contents = Contents::of_file(file.map_err(failed)?, &self.folder, Access::Map)?;
        decode(contents.to_bytes().into()).map_err(arrow_error(&self.domain))
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
