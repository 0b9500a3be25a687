//! One row group: vectors by `vector_column`, categories by `category_column`, everything else by the library's column
//! writers.

use std::{fmt, io, sync::Arc};

use arrow_array::{RecordBatch, cast::AsArray as _};
use arrow_schema::{FieldRef, Schema, SchemaRef};
use parquet::{
    arrow::{
        ArrowSchemaConverter,
        arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
    },
    bloom_filter::Sbbf,
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaDataBuilder, RowGroupMetaData},
        page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
        properties::WriterPropertiesPtr,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{SchemaDescPtr, SchemaDescriptor},
};

use super::{
    Out, ParquetOptions,
    category_column::{CategoryChunk, CategoryColumn},
    properties,
    vector_column::{VectorChunk, VectorColumn},
};
use crate::file::VectorEncoding;

/// Which column is written how.
pub(super) struct Layout {
    vectors: Vec<VectorColumn>,
    categories: Vec<CategoryColumn>,
    /// The other columns, by their index in the Arrow schema.
    ordinary: Vec<(usize, FieldRef)>,
    ordinary_descriptor: SchemaDescPtr,
    factory: ArrowRowGroupWriterFactory,
    properties: WriterPropertiesPtr,
    /// Who writes each column of the file; those of each writer come in the order of the file.
    leaves: Vec<Writer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Vectors,
    Categories,
    Library,
}

/// A row group being written.
pub(super) struct RowGroup {
    vectors: Vec<(VectorChunk, Vec<u8>)>,
    categories: Vec<CategoryChunk>,
    ordinary: Vec<ArrowColumnWriter>,
    start: u64,
    rows: usize,
}

/// The row groups written so far, as the footer will tell them.
#[derive(Debug, Default)]
pub(super) struct Written {
    groups: Vec<RowGroupMetaData>,
    column_indexes: Vec<Vec<ColumnIndexMetaData>>,
    offset_indexes: Vec<Vec<OffsetIndexMetaData>>,
}

/// A finished column chunk.
pub(super) struct Chunk {
    pub(super) metadata: ColumnChunkMetaData,
    pub(super) column_index: ColumnIndexMetaData,
    pub(super) offset_index: OffsetIndexMetaData,
}

impl Layout {
    pub(super) fn new(
        schema: &SchemaRef,
        descriptor: &SchemaDescriptor,
        options: &ParquetOptions,
    ) -> Result<Self> {
        let properties = Arc::new(properties::of(schema, descriptor, options.vector_encoding)?);
        let vectors = vectors(schema, descriptor, options.vector_encoding);
        let categories = categories(schema, descriptor);
        let writer = |field: usize| match field {
            _ if vectors.iter().any(|vector| vector.field == field) => Writer::Vectors,
            _ if categories.iter().any(|category| category.field == field) => Writer::Categories,
            _ => Writer::Library,
        };
        let fields = schema.fields().iter().cloned().enumerate();
        let ordinary: Vec<_> = fields.filter(|(field, _)| writer(*field) == Writer::Library).collect();
        let leaves =
            (0..descriptor.num_columns()).map(|leaf| writer(descriptor.get_column_root_idx(leaf))).collect();
        let fields: Vec<FieldRef> = ordinary.iter().map(|(_, field)| Arc::clone(field)).collect();
        let ordinary_schema = Arc::new(Schema::new(fields));
        let ordinary_descriptor = Arc::new(ArrowSchemaConverter::new().convert(&ordinary_schema)?);
        let factory = factory(&ordinary_schema, &ordinary_descriptor, &properties)?;
        Ok(Self { vectors, categories, ordinary, ordinary_descriptor, factory, properties, leaves })
    }

    pub(super) fn begin(&self, out: &Out, ordinal: usize) -> Result<RowGroup> {
        let vectors = self.vectors.iter().map(|vector| (vector.begin(), Vec::new())).collect();
        let categories = self.categories.iter().map(CategoryColumn::begin).collect();
        let ordinary = self.factory.create_column_writers(ordinal)?;
        Ok(RowGroup { vectors, categories, ordinary, start: out.bytes_written() as u64, rows: 0 })
    }
}

fn vectors(schema: &Schema, descriptor: &SchemaDescriptor, encoding: VectorEncoding) -> Vec<VectorColumn> {
    if encoding != VectorEncoding::Plain {
        return Vec::new();
    }
    let leaves = (0..descriptor.num_columns()).filter_map(|leaf| {
        let field = descriptor.get_column_root_idx(leaf);
        VectorColumn::new(field, schema.field(field), descriptor.column(leaf))
    });
    leaves.collect()
}

fn categories(schema: &Schema, descriptor: &SchemaDescriptor) -> Vec<CategoryColumn> {
    let leaves = (0..descriptor.num_columns()).filter_map(|leaf| {
        let field = descriptor.get_column_root_idx(leaf);
        CategoryColumn::new(field, schema.field(field), descriptor.column(leaf))
    });
    leaves.collect()
}

/// The library makes column writers only from a file writer: this one writes nowhere.
fn factory(
    schema: &SchemaRef,
    descriptor: &SchemaDescPtr,
    properties: &WriterPropertiesPtr,
) -> Result<ArrowRowGroupWriterFactory> {
    let nowhere =
        SerializedFileWriter::new(io::sink(), descriptor.root_schema_ptr(), Arc::clone(properties))?;
    Ok(ArrowRowGroupWriterFactory::new(&nowhere, Arc::clone(schema)))
}

impl RowGroup {
    pub(super) fn write(&mut self, batch: &RecordBatch, layout: &Layout, out: &mut Out) -> Result<()> {
        self.write_vectors(batch, layout, out)?;
        for (chunk, category) in self.categories.iter_mut().zip(&layout.categories) {
            chunk.write(batch.column(category.field))?;
        }
        self.rows += batch.num_rows();
        let mut writers = self.ordinary.iter_mut();
        for (column, field) in &layout.ordinary {
            for leaf in compute_leaves(field, batch.column(*column))? {
                let writer =
                    writers.next().ok_or_else(|| ParquetError::General("too many columns".into()))?;
                writer.write(&leaf)?;
            }
        }
        Ok(())
    }

    /// The first vector column goes to the file at once, others wait: a chunk must stand in one piece.
    fn write_vectors(&mut self, batch: &RecordBatch, layout: &Layout, out: &mut Out) -> Result<()> {
        for (index, ((chunk, waiting), vector)) in self.vectors.iter_mut().zip(&layout.vectors).enumerate() {
            let rows = batch.column(vector.field).as_fixed_size_list();
            chunk.write(rows, &mut |bytes| put(index, bytes, waiting, out))?;
        }
        Ok(())
    }

    /// Whether the group has as many bytes as it may. Dictionaries make half of them at most: they stand in every group again,
    /// and the rows of a group must be worth that.
    pub(super) fn is_full(&self, bytes_max: usize) -> bool {
        let vectors: usize = self.vectors.iter().map(|(chunk, _)| chunk.bytes()).sum();
        let ordinary: usize = self.ordinary.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum();
        let categories: usize = self.categories.iter().map(CategoryChunk::bytes).sum();
        let dictionaries: usize = self.categories.iter().map(CategoryChunk::dictionary_bytes).sum();
        vectors + categories + ordinary + dictionaries.min(bytes_max / 2) >= bytes_max
    }

    pub(super) fn finish(
        mut self,
        layout: &Layout,
        descriptor: &SchemaDescPtr,
        out: &mut Out,
        written: &mut Written,
    ) -> Result<()> {
        let (start, rows) = (self.start, self.rows);
        let mut vectors = self.finish_vectors(out)?.into_iter();
        let mut categories = self.finish_categories(out)?.into_iter();
        let mut ordinary = self.finish_ordinary(layout, out, written.count())?.into_iter();
        let chunks = layout.leaves.iter().filter_map(|writer| match writer {
            Writer::Vectors => vectors.next(),
            Writer::Categories => categories.next(),
            Writer::Library => ordinary.next(),
        });
        written.add(chunks.collect(), start, rows, descriptor)
    }

    fn finish_vectors(&mut self, out: &mut Out) -> Result<Vec<Chunk>> {
        let mut chunks = Vec::with_capacity(self.vectors.len());
        for (index, (mut chunk, mut waiting)) in std::mem::take(&mut self.vectors).into_iter().enumerate() {
            let start = if index == 0 { self.start } else { out.bytes_written() as u64 };
            chunk.end(&mut |bytes| put(index, bytes, &mut waiting, out))?;
            io::Write::write_all(out, &waiting)?;
            let (metadata, offset_index) = chunk.metadata(start)?;
            chunks.push(Chunk { metadata, column_index: ColumnIndexMetaData::NONE, offset_index });
        }
        Ok(chunks)
    }

    fn finish_categories(&mut self, out: &mut Out) -> Result<Vec<Chunk>> {
        let finish = |chunk: CategoryChunk| {
            let (bytes, chunk) = chunk.finish(out.bytes_written() as u64)?;
            io::Write::write_all(out, &bytes)?;
            Ok(chunk)
        };
        std::mem::take(&mut self.categories).into_iter().map(finish).collect()
    }

    fn finish_ordinary(self, layout: &Layout, out: &mut Out, ordinal: usize) -> Result<Vec<Chunk>> {
        if self.ordinary.is_empty() {
            return Ok(Vec::new());
        }
        let ordinal =
            i16::try_from(ordinal).map_err(|_| ParquetError::General("too many row groups".into()))?;
        let mut chunks = Vec::new();
        let on_close =
            |out: &mut Out, group: RowGroupMetaData, blooms: Vec<_>, columns: Vec<_>, offsets: Vec<_>| {
                chunks = close(out, group, blooms, columns, offsets)?;
                Ok(())
            };
        let (descriptor, properties) =
            (Arc::clone(&layout.ordinary_descriptor), Arc::clone(&layout.properties));
        let mut group =
            SerializedRowGroupWriter::new(descriptor, properties, out, ordinal, Some(Box::new(on_close)));
        for writer in self.ordinary {
            writer.close()?.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(chunks)
    }
}

fn put(index: usize, bytes: &[u8], waiting: &mut Vec<u8>, out: &mut Out) -> Result<()> {
    if index == 0 {
        io::Write::write_all(out, bytes)?;
    } else {
        waiting.extend_from_slice(bytes);
    }
    Ok(())
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

impl Written {
    pub(super) fn count(&self) -> usize {
        self.groups.len()
    }

    fn add(&mut self, chunks: Vec<Chunk>, start: u64, rows: usize, descriptor: &SchemaDescPtr) -> Result<()> {
        let bytes = chunks.iter().map(|chunk| chunk.metadata.uncompressed_size()).sum();
        let mut columns = Vec::with_capacity(chunks.len());
        let (mut column_indexes, mut offset_indexes) = (Vec::new(), Vec::new());
        for chunk in chunks {
            columns.push(chunk.metadata);
            column_indexes.push(chunk.column_index);
            offset_indexes.push(chunk.offset_index);
        }
        let ordinal =
            i16::try_from(self.count()).map_err(|_| ParquetError::General("too many row groups".into()))?;
        let group = RowGroupMetaData::builder(Arc::clone(descriptor))
            .set_column_metadata(columns)
            .set_total_byte_size(bytes)
            .set_num_rows(rows as i64)
            .set_ordinal(ordinal)
            .set_file_offset(start as i64)
            .build()?;
        self.groups.push(group);
        self.column_indexes.push(column_indexes);
        self.offset_indexes.push(offset_indexes);
        Ok(())
    }

    pub(super) fn into_metadata(self, metadata: ParquetMetaDataBuilder) -> ParquetMetaDataBuilder {
        metadata
            .set_row_groups(self.groups)
            .set_column_index(Some(self.column_indexes))
            .set_offset_index(Some(self.offset_indexes))
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layout")
            .field("vectors", &self.vectors)
            .field("categories", &self.categories)
            .field("ordinary", &self.ordinary)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RowGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowGroup")
            .field("start", &self.start)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
