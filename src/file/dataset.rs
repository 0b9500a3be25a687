//! Data sets: a table as Parquet, Arrow, id index and manifest, written and replaced as one.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{Error, Manifest, SourceInfo, map::Access};

/// Which of the two table files to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Parquet.
    Parquet,
    /// Arrow.
    Arrow,
}

/// How vectors are stored in Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VectorEncoding {
    /// As they are: embeddings hardly compress.
    #[default]
    Plain,
    /// Bytes of like significance together, then zstd.
    ByteStreamSplit,
}

/// How a data set is written.
#[derive(Debug, Clone)]
pub struct DatasetOptions {
    /// Replace a data set of the same name.
    pub overwrite: bool,
    /// Write one of the two table files.
    pub only: Option<Only>,
    /// Bytes of a Parquet row group.
    pub row_group_bytes: usize,
    /// How vectors are stored in Parquet.
    pub vector_encoding: VectorEncoding,
    /// Most rows of a batch in the Arrow file.
    pub batch_rows: usize,
    /// Where the rows come from.
    pub source: Option<SourceInfo>,
    /// The `pandas` metadata of the Parquet file, as JSON.
    pub pandas_metadata: Option<String>,
}

/// Writes a data set. Dropping it leaves nothing.
#[derive(Debug)]
pub struct DatasetWriter;

impl DatasetWriter {
    /// Begins data set `name` in `folder`.
    pub fn create(_folder: &Path, _name: &str, _schema: SchemaRef, _options: DatasetOptions) -> Result<Self, Error> {
        todo!()
    }
    /// Adds rows.
    pub fn write(&mut self, _batch: &RecordBatch) -> Result<(), Error> {
        todo!()
    }
    /// Makes the data set visible.
    pub fn finish(self) -> Result<Manifest, Error> {
        todo!()
    }
}

/// An open data set.
#[derive(Debug, Clone)]
pub struct Dataset;

impl Dataset {
    /// Opens `DIR/NAME`, one of its files, or the only data set of a folder.
    pub fn open(_path: impl AsRef<Path>) -> Result<Self, Error> {
        todo!()
    }
    /// The same, with or without mapping.
    pub fn open_with(_path: impl AsRef<Path>, _access: Access) -> Result<Self, Error> {
        todo!()
    }
    /// What the data set holds.
    pub fn manifest(&self) -> &Manifest {
        todo!()
    }
    /// The Arrow schema.
    pub fn schema(&self) -> SchemaRef {
        todo!()
    }
    /// Number of batches in the Arrow file.
    pub fn batch_count(&self) -> usize {
        todo!()
    }
    /// One batch, straight from the map.
    pub fn batch(&self, _index: usize) -> Result<RecordBatch, Error> {
        todo!()
    }
    /// Number of rows.
    pub fn rows(&self) -> u64 {
        todo!()
    }
}
