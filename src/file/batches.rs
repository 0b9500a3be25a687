//! Batches that wait on the disk, in a file under no name.

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

use super::{
    error::{self, Error},
    map::{Access, Contents},
    spool::unnamed,
};

/// Buffers start at multiples of this in the file, so that they are read where they lie.
const ALIGNMENT: usize = 64;

/// Takes batches and gives them back; nothing of it remains when the process ends.
pub(crate) struct BatchSpool {
    folder: PathBuf,
    writer: StreamWriter<BufWriter<File>>,
}

impl BatchSpool {
    /// An empty spool in `folder` for batches of `schema`, in which no column has a dictionary.
    pub(crate) fn create(folder: &Path, schema: &Schema) -> Result<Self, Error> {
        let file = unnamed(folder).map_err(error::io(folder, "create a temporary file in"))?;
        let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5);
        let writer = options
            .and_then(|options| StreamWriter::try_new_with_options(BufWriter::new(file), schema, options));
        Ok(Self { folder: folder.to_owned(), writer: writer.map_err(error::arrow(folder))? })
    }

    /// Adds a batch.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write(batch).map_err(error::arrow(&self.folder))
    }

    /// The batches as they were written; they lie in a mapping of the file.
    pub(crate) fn into_batches(self) -> Result<Vec<RecordBatch>, Error> {
        let Self { folder, mut writer } = self;
        let flushed = writer.finish().and_then(|()| writer.into_inner());
        let file = flushed.and_then(|mut buffered| {
            buffered.flush()?;
            buffered.into_inner().map_err(|error| error.into_error().into())
        });
        let contents = Contents::of_file(file.map_err(error::arrow(&folder))?, &folder, Access::Map)?;
        decode(contents.to_bytes().into()).map_err(error::arrow(&folder))
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
