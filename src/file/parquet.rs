//! Parquet files: row groups bounded by bytes, zstd for ordinary columns, dictionaries for text and categories, vectors
//! as they are, a page index, a bloom filter on the key, and the metadata by which other readers learn the types.
//!
//! # Layout
//!
//! ```text
//! PAR1 │ pages of the first vector column, written as they come │ pages of the other columns │ bloom filter │ … next row group
//!      │ column indexes │ offset indexes │ footer │ PAR1
//! ```
//!
//! Columns of vectors are written by `vector_column`, at memory speed, and categories by `category_column`, in their order;
//! everything else by the library's column writers. Their pages wait in memory until the row group is full. The first vector column goes straight to the file, so the
//! writer holds little and the disk is busy all the time. Column chunks need no order within a row group: the footer
//! says where each is.

mod category_column;
mod fixed;
mod footer;
mod hint;
mod ordinary;
mod page;
mod pages;
mod properties;
mod row_group;
mod source;
mod structs;
mod thrift;
mod vector_column;

use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::{
    arrow::{ArrowSchemaConverter, encode_arrow_schema},
    file::{
        metadata::{FileMetaData, KeyValue, ParquetMetaDataBuilder, ParquetMetaDataWriter},
        writer::TrackedWrite,
    },
    schema::types::SchemaDescPtr,
};

use self::row_group::{Layout, RowGroup, Written};
pub use self::{
    source::ParquetSource,
    thrift::{ThriftFault, ThriftWhy},
};
use super::{
    atomic::{AtomicFile, Synced},
    dataset::{DatasetOptions, VectorEncoding},
    error::{self, Error},
};

/// Footer metadata: the fingerprint of the rows.
pub const FINGERPRINT: &str = "brine.fingerprint";
/// Metadata key that pandas and pyarrow look for.
const PANDAS: &str = "pandas";
/// Metadata key that pandas looks for from 2.1 on.
const PANDAS_ATTRS: &str = "PANDAS_ATTRS";

/// Rows handed to the column writers at a time, so that a huge batch is still cut at row groups.
const SLICE_ROWS: usize = 4_096;

/// How a Parquet file is written.
#[derive(Debug, Clone)]
pub struct ParquetOptions {
    /// Bytes after which a row group ends.
    pub row_group_bytes: usize,
    /// How vectors are stored.
    pub vector_encoding: VectorEncoding,
    /// The `pandas` metadata, as JSON.
    pub pandas_metadata: Option<String>,
    /// The attributes of a frame, as JSON.
    pub pandas_attrs: Option<String>,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        let DatasetOptions { row_group_bytes, vector_encoding, pandas_metadata, pandas_attrs, .. } =
            DatasetOptions::default();
        Self { row_group_bytes, vector_encoding, pandas_metadata, pandas_attrs }
    }
}

/// Writes a Parquet file.
pub struct ParquetSink {
    path: PathBuf,
    out: Out,
    file: Arc<Mutex<AtomicFile>>,
    schema: SchemaRef,
    descriptor: SchemaDescPtr,
    layout: Layout,
    group: Option<RowGroup>,
    written: Written,
    rows: u64,
    /// For each column whether a row of it is missing.
    has_missing: Vec<bool>,
    options: ParquetOptions,
}

/// Where pages go: counts what it passes on, as the footer needs.
pub(crate) type Out = TrackedWrite<SharedFile>;

/// The file, shared because the library's footer writer keeps what it writes to.
#[derive(Debug, Clone)]
pub(crate) struct SharedFile(Arc<Mutex<AtomicFile>>);

impl SharedFile {
    fn with<T>(&self, act: impl FnOnce(&mut AtomicFile) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|file| file.write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|file| file.write_all(bytes))
    }

    /// Nothing: the file flushes when it is full or ends, and pages are no place to wait.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for ParquetSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetSink").field("path", &self.path).finish_non_exhaustive()
    }
}

impl ParquetSink {
    /// Begins the file with `schema`.
    pub fn create(file: AtomicFile, schema: SchemaRef, options: ParquetOptions) -> Result<Self, Error> {
        let path = file.target().to_owned();
        let descriptor = ArrowSchemaConverter::new().convert(&schema).map_err(error::parquet(&path))?;
        let layout = Layout::new(&schema, &descriptor, &options).map_err(error::parquet(&path))?;
        let file = Arc::new(Mutex::new(file));
        let mut out = TrackedWrite::new(SharedFile(Arc::clone(&file)));
        out.write_all(b"PAR1").map_err(error::io(&path, "write"))?;
        let descriptor = Arc::new(descriptor);
        let (group, written, rows) = (None, Written::default(), 0);
        let has_missing = vec![false; schema.fields().len()];
        Ok(Self { path, out, file, schema, descriptor, layout, group, written, rows, has_missing, options })
    }

    /// Writes rows; a row group ends when it is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        for (has_missing, column) in self.has_missing.iter_mut().zip(batch.columns()) {
            *has_missing |= column.null_count() > 0;
        }
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = SLICE_ROWS.min(batch.num_rows() - start);
            self.write_slice(&batch.slice(start, rows))?;
            start += rows;
        }
        Ok(())
    }

    fn write_slice(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.add(batch).map_err(error::parquet(&self.path))
    }

    fn add(&mut self, batch: &RecordBatch) -> parquet::errors::Result<()> {
        let mut group = match self.group.take() {
            Some(group) => group,
            None => self.layout.begin(&self.out, self.written.count())?,
        };
        group.write(batch, &self.layout, &mut self.out)?;
        self.rows += batch.num_rows() as u64;
        if !group.is_full(self.options.row_group_bytes) {
            self.group = Some(group);
            return Ok(());
        }
        group.finish(&self.layout, &self.descriptor, &mut self.out, &mut self.written)
    }

    /// Ends the file and waits until it is on the disk.
    ///
    /// # Panics
    ///
    /// Never: the footer's writer is gone when the file is taken back.
    pub fn finish(mut self, fingerprint: &str) -> Result<Synced, Error> {
        let path = self.path.clone();
        self.end(fingerprint).map_err(error::parquet(&path))?;
        let Self { file, out, .. } = self;
        drop(out);
        let file = Arc::into_inner(file).expect("the footer is written and its writer gone");
        file.into_inner().unwrap_or_else(PoisonError::into_inner).sync()
    }

    fn end(&mut self, fingerprint: &str) -> parquet::errors::Result<()> {
        if let Some(group) = self.group.take() {
            group.finish(&self.layout, &self.descriptor, &mut self.out, &mut self.written)?;
        }
        let about = FileMetaData::new(
            1,
            self.rows as i64,
            Some(concat!("brine version ", env!("CARGO_PKG_VERSION")).to_owned()),
            Some(self.key_values(fingerprint)),
            Arc::clone(&self.descriptor),
            None,
        );
        let metadata = ParquetMetaDataBuilder::new(about);
        let metadata = std::mem::take(&mut self.written).into_metadata(metadata).build();
        let spent = TrackedWrite::new(SharedFile(Arc::clone(&self.file)));
        let out = std::mem::replace(&mut self.out, spent);
        ParquetMetaDataWriter::new_with_tracked(out, &metadata).finish()
    }

    fn key_values(&self, fingerprint: &str) -> Vec<KeyValue> {
        let ParquetOptions { pandas_metadata, pandas_attrs, .. } = &self.options;
        let pandas = [(PANDAS, pandas_metadata), (PANDAS_ATTRS, pandas_attrs)];
        let pandas = pandas.into_iter().filter_map(|(key, json)| Some((key.to_owned(), json.clone()?)));
        // Where a file holds an Arrow schema, pyarrow takes the metadata of that and leaves the file's own alone.
        let mut schema = hint::told(&self.schema, &self.has_missing);
        schema.metadata.extend(pandas.clone());
        let arrow = KeyValue::new("ARROW:schema".to_owned(), encode_arrow_schema(&schema));
        let fingerprint = KeyValue::new(FINGERPRINT.to_owned(), fingerprint.to_owned());
        let pandas = pandas.map(|(key, json)| KeyValue::new(key, json));
        [arrow, fingerprint].into_iter().chain(pandas).collect()
    }
}

#[cfg(test)]
mod tests;
