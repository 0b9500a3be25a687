//! Reads Parquet files back, from a map.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    basic::Compression,
    file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
};

use super::{fixed, footer, hint, pages::Pages};
use crate::{
    file::{
        error::{self, Damage, Error},
        guard,
        map::Contents,
    },
    limits::{
        Limits,
        files::{FIXED_BATCH_BYTES_MAX, PARQUET_ROWS_OF_BYTE_MAX},
    },
};

/// An open Parquet file.
#[derive(Debug, Clone)]
pub struct ParquetSource {
    contents: Contents,
    metadata: ArrowReaderMetadata,
    /// Rows of a batch at most.
    batch_rows_max: usize,
}

impl ParquetSource {
    /// Reads the footer.
    pub fn open(contents: Contents) -> Result<Self, Error> {
        let path = contents.path().to_owned();
        let footer = footer::checked(&contents).map_err(|damage| error::damaged(&path, damage))?;
        let metadata = guarded(&path, || {
            let options = ArrowReaderOptions::new();
            let metadata = Arc::new(ParquetMetaDataReader::decode_metadata(footer)?);
            let loaded = ArrowReaderMetadata::try_new(metadata, options.clone())?;
            let schema = Arc::new(hint::meant(&without_footer_keys(loaded.schema())));
            ArrowReaderMetadata::try_new(Arc::clone(loaded.metadata()), options.with_schema(schema))
        })?;
        codecs(metadata.metadata(), &path)?;
        let (found, limit) =
            (claimed_rows(metadata.metadata()), rows_max(metadata.metadata(), contents.len()));
        if found > limit {
            return Err(error::damaged(&path, Damage::TooManyRows { found, limit }));
        }
        let found = fixed::row_bytes(metadata.schema());
        if found > FIXED_BATCH_BYTES_MAX {
            let (what, limit) = ("the vectors of one row", FIXED_BATCH_BYTES_MAX);
            return Err(error::damaged(&path, Damage::TooLarge { what, found, limit }));
        }
        let batch_rows_max = (FIXED_BATCH_BYTES_MAX / found.max(1)) as usize;
        Ok(Self { contents, metadata, batch_rows_max })
    }

    /// The Arrow schema.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// The footer.
    pub fn metadata(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// The fingerprint in the footer.
    pub fn fingerprint(&self) -> Option<&str> {
        let pairs = self.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == super::FINGERPRINT)?.value.as_deref()
    }

    /// Every row, in batches of `batch_rows`, or fewer where the vectors are long; only the columns with these indexes, if any are named.
    pub fn batches(&self, batch_rows: usize, columns: Option<&[usize]>) -> Result<Batches, Error> {
        let path = self.contents.path().to_owned();
        let pages = Pages::new(self.contents.to_bytes());
        let reader = guarded(&path, || {
            let metadata = self.metadata.clone();
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(pages.clone(), metadata);
            let mask = columns.map_or_else(ProjectionMask::all, |columns| {
                ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied())
            });
            builder.with_batch_size(batch_rows.min(self.batch_rows_max)).with_projection(mask).build()
        })?;
        let schema = columns.map(|columns| self.schema().project(columns).map(Arc::new)).transpose();
        let schema = schema.map_err(error::arrow(&path))?.unwrap_or_else(|| Arc::clone(self.schema()));
        Ok(Batches { path, schema, pages, reader: Some(Box::new(reader)) })
    }

    /// Says that the file is still the one that was opened.
    pub fn recheck(&self) -> Result<(), Error> {
        self.contents.recheck()
    }

    /// The bytes of the file.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }
}

/// Rows of all row groups, which are what the library counts to: where there is no column, nothing else ends them.
fn claimed_rows(metadata: &ParquetMetaData) -> u64 {
    let rows = metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(u64::MAX));
    rows.fold(0, u64::saturating_add)
}

/// Rows that a file of `bytes` may have. Runs of one value take next to nothing, so where there are columns the bound only
/// keeps out what nobody writes.
fn rows_max(metadata: &ParquetMetaData, bytes: usize) -> u64 {
    let without_columns = Limits::default().rows_max(bytes);
    match metadata.file_metadata().schema_descr().num_columns() {
        0 => without_columns,
        _ => without_columns.max((bytes as u64).saturating_mul(PARQUET_ROWS_OF_BYTE_MAX)),
    }
}

/// The reader adds every key of the footer to the schema's metadata; those that are no part of it go again.
fn without_footer_keys(schema: &SchemaRef) -> Schema {
    let mut schema = Schema::clone(schema);
    for key in [super::FINGERPRINT, super::PANDAS, super::PANDAS_ATTRS] {
        schema.metadata.remove(key);
    }
    schema
}

/// Batches of a Parquet file; after an error there are no more.
pub struct Batches {
    path: PathBuf,
    schema: SchemaRef,
    pages: Pages,
    reader: Option<Box<dyn Iterator<Item = Result<RecordBatch, arrow_schema::ArrowError>> + Send>>,
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.take()?;
        let next = guarded(&self.path, || {
            let batch = reader.next().transpose()?;
            batch.map(|batch| batch.with_schema(Arc::clone(&self.schema))).transpose()
        });
        if matches!(next, Ok(Some(_))) {
            self.reader = Some(reader);
        }
        next.map_err(|error| self.named(error)).transpose()
    }
}

impl Batches {
    /// What is wrong with a page header, if that ended the reading.
    fn named(&self, error: Error) -> Error {
        self.pages.refused().map_or(error, |damage| error::damaged(&self.path, damage))
    }
}

/// Turns errors and panics of the library, both of which damaged files can cause, into one error.
fn guarded<T, E: std::fmt::Display>(path: &Path, read: impl FnOnce() -> Result<T, E>) -> Result<T, Error> {
    let reason = match guard::guarded(read) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(source)) => source.to_string(),
        Err(_) => "the Parquet reader gave up on its contents".to_owned(),
    };
    Err(error::damaged(path, Damage::Structure { reason }))
}
/// Refuses columns that are compressed in a way that the library is not built for here.
fn codecs(metadata: &ParquetMetaData, path: &Path) -> Result<(), Error> {
    use Compression::{SNAPPY, UNCOMPRESSED, ZSTD};
    let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let unread = chunks
        .map(ColumnChunkMetaData::compression)
        .find(|codec| !matches!(codec, UNCOMPRESSED | SNAPPY | ZSTD(_)));
    unread.map_or(Ok(()), |codec| {
        let codec = codec.to_string().split('(').next().unwrap_or_default().to_owned();
        let remedy = "with zstd, with snappy or uncompressed";
        Err(Error::Codec { path: path.to_owned(), codec, remedy })
    })
}
