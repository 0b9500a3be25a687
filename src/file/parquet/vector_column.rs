//! Column chunks of vectors, written without looking at a single element.
//!
//! The library computes two levels for each element, 54 million pairs for a table of 141,897 × 384. They need not be
//! computed: a vector begins with one element of repetition level 0, all others have 1, and all have the greatest
//! definition level. So the levels of a row are the same few bytes, and the elements of a row are its bytes in memory:
//!
//! ```text
//! page = header │ u32le length, repetition levels │ u32le length, definition levels │ elements, little endian
//! repetition levels of a row of n ≥ 8   bit-packed 0,1,1,1,1,1,1,1 · run of n - 8 ones
//!                      of a row of n < 8   run of one 0 · run of n - 1 ones
//!                      of a missing row    run of one 0
//! definition levels                        one run for each stretch of present or missing rows
//! ```
//!
//! Pages are version 1, PLAIN and uncompressed, the form every reader knows. They begin at rows, as the page index needs.

use std::sync::Arc;

use arrow_array::{Array as _, FixedSizeListArray};
use arrow_buffer::Buffer;
use arrow_schema::{DataType, Field};
use parquet::{
    basic::{Compression, Encoding, PageType},
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, PageEncodingStats},
        page_index::offset_index::{OffsetIndexMetaData, PageLocation},
    },
    schema::types::ColumnDescPtr,
};

use super::page::{Held, data_page_header, put_levels, put_run};

/// Bytes of elements in a page: the usual size, so that readers which take a page whole need little memory.
const PAGE_BYTES: usize = 1 << 20;

/// What writes the chunks of one column of vectors.
#[derive(Debug, Clone)]
pub(super) struct VectorColumn {
    /// Index of the column in the Arrow schema.
    pub(super) field: usize,
    descriptor: ColumnDescPtr,
    dimension: usize,
    element_bytes: usize,
    row_levels: Arc<[u8]>,
}

/// A chunk being written: one column of one row group.
#[derive(Debug)]
pub(super) struct VectorChunk {
    column: VectorColumn,
    page: Page,
    pages: Vec<PageLocation>,
    rows: usize,
    values: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Page {
    rows: usize,
    values: usize,
    value_bytes: usize,
    repetition: Vec<u8>,
    definition: Vec<u8>,
    stretch: Stretch,
    segments: Vec<Buffer>,
}

/// Neighbouring elements of the same definition level.
#[derive(Debug, Default, Clone, Copy)]
struct Stretch {
    level: u8,
    values: usize,
}

impl VectorColumn {
    /// The writer for `field`, if its vectors can be written this way: their elements cannot be missing, and the machine
    /// keeps numbers as the file does.
    pub(super) fn new(field: usize, arrow: &Field, descriptor: ColumnDescPtr) -> Option<Self> {
        let DataType::FixedSizeList(item, dimension) = arrow.data_type() else { return None };
        let dimension = usize::try_from(*dimension).ok().filter(|&dimension| dimension > 0)?;
        let plain = cfg!(target_endian = "little") && !item.is_nullable();
        let element_bytes =
            item.data_type().primitive_width().filter(|_| plain && item.data_type().is_floating())?;
        Some(Self { field, descriptor, dimension, element_bytes, row_levels: row_levels(dimension).into() })
    }

    /// Begins a chunk.
    pub(super) fn begin(&self) -> VectorChunk {
        VectorChunk {
            column: self.clone(),
            page: Page::default(),
            pages: Vec::new(),
            rows: 0,
            values: 0,
            bytes: 0,
        }
    }

    fn row_bytes(&self) -> usize {
        self.dimension * self.element_bytes
    }

    fn page_rows(&self) -> usize {
        (PAGE_BYTES / self.row_bytes()).max(1)
    }

    fn present_level(&self) -> u8 {
        self.descriptor.max_def_level() as u8
    }
}

impl VectorChunk {
    /// Adds rows; full pages are handed to `out` in pieces, in the order of the file.
    pub(super) fn write(
        &mut self,
        rows: &FixedSizeListArray,
        out: &mut impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let elements = rows.values().to_data();
        let [buffer] = elements.buffers() else {
            return Err(ParquetError::General("vector without elements".into()));
        };
        let mut row = 0;
        while row < rows.len() {
            let limit = row + (self.column.page_rows() - self.page.rows).min(rows.len() - row);
            let missing = rows.is_null(row);
            let end = (row + 1..limit).find(|&next| rows.is_null(next) != missing).unwrap_or(limit);
            let first = elements.offset() + rows.value_offset(row) as usize;
            self.add(missing, end - row, first, buffer);
            row = end;
            if self.page.rows == self.column.page_rows() {
                self.end_page(out)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, missing: bool, rows: usize, first_element: usize, buffer: &Buffer) {
        if missing {
            self.page.add_missing(rows);
            return;
        }
        let column = &self.column;
        let bytes = rows * column.row_bytes();
        self.page.segments.push(buffer.slice_with_length(first_element * column.element_bytes, bytes));
        self.page.value_bytes += bytes;
        self.page.rows += rows;
        (0..rows).for_each(|_| self.page.repetition.extend_from_slice(&column.row_levels));
        self.page.define(column.present_level(), rows * column.dimension);
    }

    fn end_page(&mut self, out: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut page = std::mem::take(&mut self.page);
        page.end_stretch();
        let head = page.head()?;
        out(&head)?;
        page.segments.iter().try_for_each(|segment| out(segment))?;
        let page_bytes = head.len() + page.value_bytes;
        self.pages.push(PageLocation {
            offset: self.bytes as i64,
            compressed_page_size: i32::try_from(page_bytes)?,
            first_row_index: self.rows as i64,
        });
        self.rows += page.rows;
        self.values += page.values;
        self.bytes += page_bytes;
        Ok(())
    }

    /// Bytes so far, those waiting for a page among them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.page.value_bytes
    }

    /// Ends the last page.
    pub(super) fn end(&mut self, out: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.page.rows > 0 { self.end_page(out) } else { Ok(()) }
    }

    /// What the footer says of a chunk that begins at `offset` of the file.
    pub(super) fn metadata(self, offset: u64) -> Result<(ColumnChunkMetaData, OffsetIndexMetaData)> {
        let offset = offset as i64;
        let stats = PageEncodingStats {
            page_type: PageType::DATA_PAGE,
            encoding: Encoding::PLAIN,
            count: self.pages.len() as i32,
        };
        let metadata = ColumnChunkMetaData::builder(self.column.descriptor)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_compression(Compression::UNCOMPRESSED)
            .set_num_values(self.values as i64)
            .set_total_compressed_size(self.bytes as i64)
            .set_total_uncompressed_size(self.bytes as i64)
            .set_data_page_offset(offset)
            .set_page_encoding_stats(vec![stats])
            .build()?;
        let placed = |page: PageLocation| PageLocation { offset: page.offset + offset, ..page };
        let page_locations = self.pages.into_iter().map(placed).collect();
        Ok((metadata, OffsetIndexMetaData { page_locations, unencoded_byte_array_data_bytes: None }))
    }
}

impl Page {
    fn add_missing(&mut self, rows: usize) {
        self.rows += rows;
        (0..rows).for_each(|_| put_run(&mut self.repetition, 1, 0));
        self.define(0, rows);
    }

    fn define(&mut self, level: u8, values: usize) {
        if self.stretch.level != level {
            self.end_stretch();
            self.stretch.level = level;
        }
        self.stretch.values += values;
        self.values += values;
    }

    fn end_stretch(&mut self) {
        put_run(&mut self.definition, std::mem::take(&mut self.stretch.values), self.stretch.level);
    }

    /// Everything before the elements.
    fn head(&self) -> Result<Vec<u8>> {
        let levels = 2 * size_of::<u32>() + self.repetition.len() + self.definition.len();
        let body = i32::try_from(levels + self.value_bytes)?;
        let mut head = data_page_header(body, i32::try_from(self.values)?, Held::Plain);
        put_levels(&mut head, &self.repetition);
        put_levels(&mut head, &self.definition);
        Ok(head)
    }
}

/// The repetition levels of one row.
fn row_levels(dimension: usize) -> Vec<u8> {
    /// One group of eight, lowest bit first: 0,1,1,1,1,1,1,1.
    const FIRST_EIGHT: [u8; 2] = [1 << 1 | 1, 0b1111_1110];
    let mut levels = Vec::new();
    if dimension < 8 {
        put_run(&mut levels, 1, 0);
        put_run(&mut levels, dimension - 1, 1);
    } else {
        levels.extend_from_slice(&FIRST_EIGHT);
        put_run(&mut levels, dimension - 8, 1);
    }
    levels
}

#[cfg(test)]
mod tests;
