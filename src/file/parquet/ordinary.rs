//! The columns that are neither vectors nor categories, by the library's column writers.
//!
//! A column writer holds a third of a megabyte before it has a row, most of it compressor. A table of many columns therefore
//! keeps the rows of its row group as they came, and encodes a few columns at a time when the group ends.

use std::{io, ops::Range, sync::Arc};

use arrow_array::{Array as _, RecordBatch};
use arrow_schema::{FieldRef, Schema};
use parquet::{
    arrow::{
        ArrowSchemaConverter,
        arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
    },
    bloom_filter::Sbbf,
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, RowGroupMetaData},
        page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
        properties::WriterPropertiesPtr,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::SchemaDescPtr,
};
use rayon::prelude::*;

use super::{Out, row_group::Chunk};

/// Columns whose writers are open at the same time.
const OPEN_COLUMNS: usize = 128;

/// Columns that one thread encodes at a time where there are more.
const PART_COLUMNS: usize = 32;

/// Rows of a group of so many columns, if its cells are small: each column of each group costs a kilobyte of footer and index.
const WIDE_ROWS: usize = 1_024;

/// Bytes of a small cell.
const SMALL_CELL_BYTES: usize = 16;

/// What an array takes beside its cells.
const ARRAY_BYTES: usize = 256;

/// The columns of a file.
pub(super) struct OrdinaryColumns {
    /// By their index in the Arrow schema.
    fields: Vec<(usize, FieldRef)>,
    descriptor: SchemaDescPtr,
    properties: WriterPropertiesPtr,
    parts: Vec<Part>,
}

/// Columns that are encoded together.
struct Part {
    columns: Range<usize>,
    factory: ArrowRowGroupWriterFactory,
}

/// The columns of a row group being written.
pub(super) enum OrdinaryChunks {
    Open(Vec<ArrowColumnWriter>),
    Waiting { batches: Vec<RecordBatch>, rows: usize, bytes: usize, small_bytes: usize },
}

impl OrdinaryColumns {
    pub(super) fn new(fields: Vec<(usize, FieldRef)>, properties: &WriterPropertiesPtr) -> Result<Self> {
        let descriptor = Arc::new(ArrowSchemaConverter::new().convert(&schema_of(&fields))?);
        let step = if fields.len() > OPEN_COLUMNS { PART_COLUMNS } else { OPEN_COLUMNS };
        let starts = (0..fields.len()).step_by(step);
        let parts = starts.map(|start| Part::new(&fields, start..fields.len().min(start + step), properties));
        let parts = parts.collect::<Result<_>>()?;
        Ok(Self { fields, descriptor, properties: Arc::clone(properties), parts })
    }

    /// Begins the columns of row group `ordinal`.
    pub(super) fn begin(&self, ordinal: usize) -> Result<OrdinaryChunks> {
        match self.parts.as_slice() {
            [] => Ok(OrdinaryChunks::Open(Vec::new())),
            [part] => Ok(OrdinaryChunks::Open(part.factory.create_column_writers(ordinal)?)),
            _ => {
                let small_bytes = self.fields.len() * WIDE_ROWS * SMALL_CELL_BYTES;
                Ok(OrdinaryChunks::Waiting { batches: Vec::new(), rows: 0, bytes: 0, small_bytes })
            }
        }
    }

    fn project(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns: Vec<usize> = self.fields.iter().map(|(column, _)| *column).collect();
        Ok(batch.project(&columns)?)
    }
}

fn schema_of(fields: &[(usize, FieldRef)]) -> Schema {
    Schema::new(fields.iter().map(|(_, field)| Arc::clone(field)).collect::<Vec<_>>())
}

impl Part {
    /// The library makes column writers only from a file writer: this one writes nowhere.
    fn new(
        fields: &[(usize, FieldRef)],
        columns: Range<usize>,
        properties: &WriterPropertiesPtr,
    ) -> Result<Self> {
        let schema = Arc::new(schema_of(&fields[columns.clone()]));
        let descriptor = ArrowSchemaConverter::new().convert(&schema)?;
        let nowhere =
            SerializedFileWriter::new(io::sink(), descriptor.root_schema_ptr(), Arc::clone(properties))?;
        Ok(Self { columns, factory: ArrowRowGroupWriterFactory::new(&nowhere, schema) })
    }

    /// The columns of this part, whole. `batches` have the ordinary columns only.
    fn encode(
        &self,
        fields: &[(usize, FieldRef)],
        batches: &[RecordBatch],
        ordinal: usize,
    ) -> Result<Vec<ArrowColumnChunk>> {
        let mut writers = self.factory.create_column_writers(ordinal)?;
        for batch in batches {
            let columns = fields[self.columns.clone()].iter().zip(self.columns.clone());
            write(columns.map(|((_, field), column)| (column, field)), batch, &mut writers)?;
        }
        writers.into_iter().map(ArrowColumnWriter::close).collect()
    }
}

fn write<'a>(
    columns: impl Iterator<Item = (usize, &'a FieldRef)>,
    batch: &RecordBatch,
    writers: &mut [ArrowColumnWriter],
) -> Result<()> {
    let mut writers = writers.iter_mut();
    for (column, field) in columns {
        for leaf in compute_leaves(field, batch.column(column))? {
            let writer = writers.next().ok_or_else(|| ParquetError::General("too many columns".into()))?;
            writer.write(&leaf)?;
        }
    }
    Ok(())
}

impl OrdinaryChunks {
    /// Adds the rows of `batch`, which has all columns of the file.
    pub(super) fn write(&mut self, batch: &RecordBatch, columns: &OrdinaryColumns) -> Result<()> {
        match self {
            Self::Open(writers) => {
                write(columns.fields.iter().map(|(column, field)| (*column, field)), batch, writers)
            }
            Self::Waiting { batches, rows, bytes, .. } => {
                let batch = columns.project(batch)?;
                *rows += batch.num_rows();
                for column in batch.columns() {
                    *bytes += column.to_data().get_slice_memory_size()? + ARRAY_BYTES;
                }
                batches.push(batch);
                Ok(())
            }
        }
    }

    /// Bytes so far, as they will stand in the file or as they wait.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Open(writers) => writers.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum(),
            Self::Waiting { bytes, .. } => *bytes,
        }
    }

    /// Whether a group of so few rows would be more footer than rows.
    pub(super) fn wants_rows(&self) -> bool {
        matches!(self, Self::Waiting { rows, bytes, small_bytes, .. } if *rows < WIDE_ROWS && bytes < small_bytes)
    }

    /// Writes the columns, in the order of the file.
    pub(super) fn finish(
        self,
        columns: &OrdinaryColumns,
        out: &mut Out,
        ordinal: usize,
    ) -> Result<Vec<Chunk>> {
        if columns.parts.is_empty() {
            return Ok(Vec::new());
        }
        let number =
            i16::try_from(ordinal).map_err(|_| ParquetError::General("too many row groups".into()))?;
        let mut chunks = Vec::new();
        let on_close =
            |out: &mut Out, group: RowGroupMetaData, blooms: Vec<_>, columns: Vec<_>, offsets: Vec<_>| {
                chunks = close(out, group, blooms, columns, offsets)?;
                Ok(())
            };
        let (descriptor, properties) = (Arc::clone(&columns.descriptor), Arc::clone(&columns.properties));
        let mut group =
            SerializedRowGroupWriter::new(descriptor, properties, out, number, Some(Box::new(on_close)));
        match self {
            Self::Open(writers) => {
                for writer in writers {
                    writer.close()?.append_to_row_group(&mut group)?;
                }
            }
            Self::Waiting { batches, .. } => {
                columns.encode(&batches, ordinal, |chunk| chunk.append_to_row_group(&mut group))?;
            }
        }
        group.close()?;
        Ok(chunks)
    }
}

impl OrdinaryColumns {
    /// Encodes what waited, a part for each thread at a time, and hands the columns over in their order.
    fn encode(
        &self,
        batches: &[RecordBatch],
        ordinal: usize,
        mut each: impl FnMut(ArrowColumnChunk) -> Result<()>,
    ) -> Result<()> {
        for parts in self.parts.chunks(rayon::current_num_threads().max(1)) {
            let encoded = parts.par_iter().map(|part| part.encode(&self.fields, batches, ordinal));
            let encoded: Vec<_> = encoded.collect::<Result<_>>()?;
            encoded.into_iter().flatten().try_for_each(&mut each)?;
        }
        Ok(())
    }
}

/// Takes what the library knows of its chunks, and writes their bloom filters behind them.
fn close(
    out: &mut Out,
    group: RowGroupMetaData,
    blooms: Vec<Option<Sbbf>>,
    columns: Vec<Option<ColumnIndexMetaData>>,
    offsets: Vec<Option<OffsetIndexMetaData>>,
) -> Result<Vec<Chunk>> {
    let chunks =
        group.into_builder().take_columns().into_iter().zip(blooms).zip(columns.into_iter().zip(offsets));
    let chunks = chunks.map(|((metadata, bloom), (column_index, offset_index))| {
        let offset_index = offset_index.ok_or_else(|| ParquetError::General("no offset index".into()))?;
        let metadata = write_bloom(out, metadata, bloom)?;
        Ok(Chunk { metadata, column_index: column_index.unwrap_or(ColumnIndexMetaData::NONE), offset_index })
    });
    chunks.collect()
}

fn write_bloom(
    out: &mut Out,
    metadata: ColumnChunkMetaData,
    bloom: Option<Sbbf>,
) -> Result<ColumnChunkMetaData> {
    let Some(bloom) = bloom else { return Ok(metadata) };
    let start = out.bytes_written();
    bloom.write(&mut *out)?;
    let length = i32::try_from(out.bytes_written() - start)?;
    metadata
        .into_builder()
        .set_bloom_filter_offset(Some(start as i64))
        .set_bloom_filter_length(Some(length))
        .build()
}
