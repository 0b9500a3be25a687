//! One row group: vectors by `vector_column`, categories by `category_column`, everything else by `ordinary`.

use std::{fmt, io, sync::Arc};

use arrow_array::{RecordBatch, cast::AsArray as _};
use arrow_schema::{Schema, SchemaRef};
use parquet::{
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaDataBuilder, RowGroupMetaData},
        page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
    },
    schema::types::{SchemaDescPtr, SchemaDescriptor},
};

use super::{
    Out, ParquetOptions,
    category_column::{CategoryChunk, CategoryColumn},
    ordinary::{OrdinaryChunks, OrdinaryColumns},
    properties,
    vector_column::{VectorChunk, VectorColumn},
};
use crate::file::VectorEncoding;

/// Which column is written how.
pub(super) struct Layout {
    vectors: Vec<VectorColumn>,
    categories: Vec<CategoryColumn>,
    ordinary: OrdinaryColumns,
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
    ordinary: OrdinaryChunks,
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
        let mut writers = vec![Writer::Library; schema.fields().len()];
        for vector in &vectors {
            writers[vector.field] = Writer::Vectors;
        }
        for category in &categories {
            writers[category.field] = Writer::Categories;
        }
        let writer = |field: usize| writers[field];
        let fields = schema.fields().iter().cloned().enumerate();
        let ordinary = fields.filter(|(field, _)| writer(*field) == Writer::Library).collect();
        let leaves =
            (0..descriptor.num_columns()).map(|leaf| writer(descriptor.get_column_root_idx(leaf))).collect();
        let ordinary = OrdinaryColumns::new(ordinary, &properties)?;
        Ok(Self { vectors, categories, ordinary, leaves })
    }

    pub(super) fn begin(&self, out: &Out, ordinal: usize) -> Result<RowGroup> {
        let vectors = self.vectors.iter().map(|vector| (vector.begin(), Vec::new())).collect();
        let categories = self.categories.iter().map(CategoryColumn::begin).collect();
        let ordinary = self.ordinary.begin(ordinal)?;
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

impl RowGroup {
    pub(super) fn write(&mut self, batch: &RecordBatch, layout: &Layout, out: &mut Out) -> Result<()> {
        self.write_vectors(batch, layout, out)?;
        for (chunk, category) in self.categories.iter_mut().zip(&layout.categories) {
            chunk.write(batch.column(category.field))?;
        }
        self.rows += batch.num_rows();
        self.ordinary.write(batch, &layout.ordinary)
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
        if self.ordinary.wants_rows() {
            return false;
        }
        let vectors: usize = self.vectors.iter().map(|(chunk, _)| chunk.bytes()).sum();
        let categories: usize = self.categories.iter().map(CategoryChunk::bytes).sum();
        let dictionaries: usize = self.categories.iter().map(CategoryChunk::dictionary_bytes).sum();
        vectors + categories + self.ordinary.bytes() + dictionaries.min(bytes_max / 2) >= bytes_max
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
        let mut ordinary = self.ordinary.finish(&layout.ordinary, out, written.count())?.into_iter();
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
}

fn put(index: usize, bytes: &[u8], waiting: &mut Vec<u8>, out: &mut Out) -> Result<()> {
    if index == 0 {
        io::Write::write_all(out, bytes)?;
    } else {
        waiting.extend_from_slice(bytes);
    }
    Ok(())
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
