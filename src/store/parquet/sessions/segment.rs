//! The rows of one group as an Arrow file: written once, read when the session is published.
//!
//! Its digest is XXH3, as those of rows are: it is to find torn and rotten files, and a BLAKE3 of each cost a tenth of the
//! processor time of a durable stream.
//!
//! Categories stand there as plain texts, because every chunk brings a dictionary of its own and a file has one.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch, builder::StringDictionaryBuilder, cast::AsArray as _, types::Int32Type,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    super::{super::Error, spool::arrow_error},
    log::{At, Segment, Sum, damaged, io},
};
use crate::{
    failpoint,
    file::{
        arrow_ipc::{ArrowSink, ArrowSource},
        atomic::{AtomicFile, sync_folder},
        map::{Access, Contents},
    },
};

/// A segment that is being written.
pub(super) struct SegmentWriter {
    sink: ArrowSink,
    schema: SchemaRef,
    file: String,
    first: u64,
}

impl SegmentWriter {
    /// Begins the segment of an epoch whose first row is `first`.
    pub(super) fn create(folder: &Path, epoch: u64, first: u64, schema: &SchemaRef) -> Result<Self, Error> {
        let (file, schema) = (format!("rows-{epoch}-{first}.arrow"), plain(schema));
        let sink = ArrowSink::create(AtomicFile::create(folder, &file)?.with_xxh3(), Arc::clone(&schema))?;
        Ok(Self { sink, schema, file, first })
    }

    /// Adds rows.
    pub(super) fn write(&mut self, batch: &RecordBatch, domain: &str) -> Result<(), Error> {
        let columns = batch.columns().iter().map(texts).collect::<Result<_, _>>();
        let plain = columns.and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns));
        let plain = plain.map_err(arrow_error(domain))?;
        Ok(self.sink.write(&plain)?)
    }

    /// Ends the segment and gives it its name; durable when it returns.
    pub(super) fn finish(self, folder: &Path, end: At) -> Result<Segment, Error> {
        failpoint::hit("segment.before_sync");
        let mut synced = self.sink.finish("")?;
        failpoint::hit("segment.after_sync");
        synced.publish()?;
        failpoint::hit("segment.after_rename");
        sync_folder(folder)?;
        failpoint::hit("segment.after_folder_sync");
        let sum = Sum::Xxh3(synced.xxh3.unwrap_or_default());
        Ok(Segment { file: self.file, first: self.first, end, bytes: synced.length, sum })
    }
}

impl Segment {
    /// Refuses a segment that is not as long as it was written.
    pub(super) fn check_size(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(&self.file);
        let found = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            metadata => Some(metadata.map_err(io(&path))?.len()),
        };
        if found == Some(self.bytes) {
            Ok(())
        } else {
            Err(damaged(&path, "it has another size than when it was written"))
        }
    }

    /// Refuses a segment whose bytes are not those that were written.
    pub(super) fn check_digest(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(&self.file);
        let contents = Contents::open(&path, Access::Map)?;
        let is_whole = match &self.sum {
            Sum::Xxh3(sum) => xxh3_128(&contents) == *sum,
            Sum::Blake3(sum) => crate::file::digest_of(&contents).to_hex().as_str() == sum,
        };
        if is_whole { Ok(()) } else { Err(damaged(&path, "it holds other bytes than were written")) }
    }

    /// The rows, in the columns of `schema`.
    pub(super) fn read(
        &self,
        folder: &Path,
        schema: &SchemaRef,
        domain: &str,
    ) -> Result<Vec<RecordBatch>, Error> {
        self.check_digest(folder)?;
        let source = ArrowSource::open(Contents::open(&folder.join(&self.file), Access::Map)?)?;
        let packed = source.batches().map(|batch| {
            let batch = batch?;
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| coded(column, field)).collect();
            RecordBatch::try_new(Arc::clone(schema), columns).map_err(arrow_error(domain))
        });
        packed.collect()
    }
}

fn is_coded(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Dictionary(..))
}

/// The schema with texts in place of categories.
fn plain(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        if is_coded(field) {
            Arc::new(Field::new(field.name(), DataType::Utf8, field.is_nullable()))
        } else {
            Arc::clone(field)
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn texts(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.as_any_dictionary_opt() {
        Some(coded) => arrow_select::take::take(coded.values(), coded.keys(), None),
        None => Ok(Arc::clone(column)),
    }
}

fn coded(column: &ArrayRef, field: &Field) -> ArrayRef {
    if !is_coded(field) {
        return Arc::clone(column);
    }
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    for text in column.as_string::<i32>() {
        builder.append_option(text);
    }
    Arc::new(builder.finish())
}
