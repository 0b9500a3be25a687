//! Writing a data set from batches that come one by one, each with dictionaries of its own, such as those off the wire.
//!
//! Everything but the Arrow file is written as the rows come. That file wants one dictionary for a column and batches of
//! thousands of rows: for it the rows wait on the disk until the last of them is there.

use std::{path::Path, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, DictionaryArray, RecordBatch, StringArray, cast::AsArray as _, types::Int32Type,
};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;

use super::{DatasetOptions, DatasetWriter};
use crate::file::{
    BatchSpool, Error, Manifest,
    categories::{Categories, numbered_schema},
    error,
};

/// Rows of a batch of the Arrow file.
const BATCH_ROWS: usize = 8_192;
/// Bytes of a batch of several: far below what the offsets of a column of texts reach.
const BATCH_BYTES: usize = 256 << 20;

/// Writes a data set of batches with dictionaries of their own. `finish` makes it visible; dropping the writer leaves
/// nothing.
pub struct GatheredWriter {
    writer: DatasetWriter,
    schema: SchemaRef,
    numbered: SchemaRef,
    /// One for each category column.
    categories: Vec<Option<Categories>>,
    spool: BatchSpool,
}

impl GatheredWriter {
    /// Begins data set `name` in `folder`, which is made if it is missing.
    pub fn create(
        folder: &Path,
        name: &str,
        schema: SchemaRef,
        options: DatasetOptions,
    ) -> Result<Self, Error> {
        let writer = DatasetWriter::create(folder, name, Arc::clone(&schema), options)?;
        let (categories, numbered) = (Categories::of_schema(&schema), numbered_schema(&schema));
        let spool = BatchSpool::create(folder, &numbered)?;
        Ok(Self { writer, schema, numbered, categories, spool })
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.writer.rows()
    }

    /// Adds rows. After an error the writer can only be dropped.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write_ahead(batch, None)?;
        let numbered = self.number(batch).map_err(error::arrow(self.writer.path()))?;
        self.spool.write(&numbered)
    }

    /// The batch with numbers in place of categories.
    fn number(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().zip(&mut self.categories);
        let columns = columns.map(|(column, categories)| match categories {
            Some(categories) => categories.encode(column),
            None => Ok(Arc::clone(column)),
        });
        RecordBatch::try_new(Arc::clone(&self.numbered), columns.collect::<Result<_, _>>()?)
    }

    /// Makes the data set visible.
    pub fn finish(self) -> Result<Manifest, Error> {
        let Self { mut writer, schema, numbered, categories, spool } = self;
        let path = writer.path();
        let dictionaries: Vec<_> =
            categories.iter().map(|held| held.as_ref().map(|held| Arc::new(held.dictionary()))).collect();
        for group in grouped(spool.into_batches()?) {
            let group = concat_batches(&numbered, &group).map_err(error::arrow(&path))?;
            let batch = in_words(&group, &schema, &dictionaries).map_err(error::arrow(&path))?;
            writer.write(&batch)?;
        }
        writer.finish()
    }
}

/// Neighbours together, as many as make a batch.
fn grouped(batches: Vec<RecordBatch>) -> Vec<Vec<RecordBatch>> {
    let mut groups: Vec<Vec<RecordBatch>> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for batch in batches {
        rows += batch.num_rows();
        bytes += bytes_of(&batch);
        match groups.last_mut() {
            Some(group) if rows <= BATCH_ROWS && bytes <= BATCH_BYTES => group.push(batch),
            _ => {
                (rows, bytes) = (batch.num_rows(), bytes_of(&batch));
                groups.push(vec![batch]);
            }
        }
    }
    groups
}

/// Bytes of the cells: the buffers are slices of one large mapping.
fn bytes_of(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size());
    // A column that cannot say is in a batch of its own.
    columns.map(|bytes| bytes.unwrap_or(BATCH_BYTES)).sum()
}

/// The batch with categories in place of their numbers.
fn in_words(
    batch: &RecordBatch,
    schema: &SchemaRef,
    dictionaries: &[Option<Arc<StringArray>>],
) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(dictionaries);
    let columns = columns.map(|(column, dictionary)| -> Result<ArrayRef, ArrowError> {
        let Some(values) = dictionary else { return Ok(Arc::clone(column)) };
        let numbers = column.as_primitive::<Int32Type>().clone();
        Ok(Arc::new(DictionaryArray::try_new(numbers, Arc::clone(values) as ArrayRef)?))
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}
