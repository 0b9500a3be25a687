//! Column chunks of categories: the dictionary as it is, then numbers.
//!
//! The library makes a dictionary of its own, of the texts in the order in which rows bring them. Readers take the order of
//! categories from that page, so an order that means something would be lost, and with it every category without a row.
//!
//! ```text
//! dictionary page = header │ u32le length, text │ …
//! data page       = header │ u32le length, definition levels, if rows can be missing │ bits of a number │ numbers
//! ```
//!
//! Pages are version 1 and uncompressed: numbers in few bits leave little to compress. Rows may come with other dictionaries
//! than the first; what those have more stands behind it.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{AnyDictionaryArray, Array, ArrayRef, cast::AsArray as _};
use arrow_schema::{DataType, Field};
use parquet::{
    basic::{Compression, Encoding, PageType},
    data_type::ByteArray,
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, PageEncodingStats},
        page_index::{
            column_index::ColumnIndexMetaData,
            offset_index::{OffsetIndexMetaData, PageLocation},
        },
        statistics::{Statistics, ValueStatistics},
    },
    schema::types::ColumnDescPtr,
};

use super::{
    page::{Held, data_page_header, dictionary_page_header, put_levels, put_numbers, put_run},
    row_group::Chunk,
};

/// Rows of a page: as many as the library takes.
const PAGE_ROWS: usize = 20_000;

/// Longer texts are no bounds worth their place in the footer.
const BOUND_BYTES_MAX: usize = 64;

/// What writes the chunks of one column of categories.
#[derive(Debug, Clone)]
pub(super) struct CategoryColumn {
    /// Index of the column in the Arrow schema.
    pub(super) field: usize,
    descriptor: ColumnDescPtr,
}

/// A chunk being written: one column of one row group.
#[derive(Debug)]
pub(super) struct CategoryChunk {
    column: CategoryColumn,
    entries: Entries,
    /// The dictionary of the last rows, and the number here of each of its entries.
    last: Option<(ArrayRef, Vec<Option<u32>>)>,
    page: Page,
    pages: Vec<PageLocation>,
    body: Vec<u8>,
    rows: usize,
    missing: usize,
}

/// The texts of the dictionary page, as they stand there.
#[derive(Debug, Default)]
struct Entries {
    plain: Vec<u8>,
    starts: Vec<usize>,
    numbers: HashMap<Box<str>, u32>,
    used: Vec<bool>,
}

#[derive(Debug, Default)]
struct Page {
    rows: usize,
    levels: Vec<u8>,
    /// Neighbouring rows of the same definition level.
    stretch: (usize, u8),
    numbers: Vec<u32>,
}

impl CategoryColumn {
    /// The writer for `field`, if it holds categories of text.
    pub(super) fn new(field: usize, arrow: &Field, descriptor: ColumnDescPtr) -> Option<Self> {
        let DataType::Dictionary(_, values) = arrow.data_type() else { return None };
        matches!(**values, DataType::Utf8 | DataType::LargeUtf8).then_some(Self { field, descriptor })
    }

    /// Begins a chunk.
    pub(super) fn begin(&self) -> CategoryChunk {
        CategoryChunk {
            column: self.clone(),
            entries: Entries::default(),
            last: None,
            page: Page::default(),
            pages: Vec::new(),
            body: Vec::new(),
            rows: 0,
            missing: 0,
        }
    }

    fn is_nullable(&self) -> bool {
        self.descriptor.max_def_level() > 0
    }
}

impl CategoryChunk {
    /// Adds rows.
    pub(super) fn write(&mut self, column: &ArrayRef) -> Result<()> {
        let rows =
            column.as_any_dictionary_opt().ok_or_else(|| ParquetError::General("no dictionary".into()))?;
        let numbers = self.numbers_of(rows.values())?;
        for (row, key) in keys(rows).into_iter().enumerate() {
            let number = if rows.is_null(row) { None } else { numbers.get(key).copied().flatten() };
            self.missing += usize::from(number.is_none());
            self.page.add(number);
            if let Some(used) = number.and_then(|number| self.entries.used.get_mut(number as usize)) {
                *used = true;
            }
            if self.page.rows == PAGE_ROWS {
                self.end_page()?;
            }
        }
        self.last = Some((Arc::clone(rows.values()), numbers));
        Ok(())
    }

    /// The numbers here of the entries of `dictionary`.
    fn numbers_of(&mut self, dictionary: &ArrayRef) -> Result<Vec<Option<u32>>> {
        match self.last.take() {
            Some((last, numbers)) if Arc::ptr_eq(&last, dictionary) => Ok(numbers),
            _ => self.entries.add_all(dictionary),
        }
    }

    fn end_page(&mut self) -> Result<()> {
        let mut page = std::mem::take(&mut self.page);
        let mut body = Vec::new();
        if self.column.is_nullable() {
            page.end_stretch();
            put_levels(&mut body, &page.levels);
        }
        let width = bits(self.entries.starts.len());
        body.push(width as u8);
        put_numbers(&mut body, &page.numbers, width);
        let head = data_page_header(i32::try_from(body.len())?, page.rows as i32, Held::Numbers);
        self.pages.push(PageLocation {
            offset: self.body.len() as i64,
            compressed_page_size: i32::try_from(head.len() + body.len())?,
            first_row_index: self.rows as i64,
        });
        self.body.extend_from_slice(&head);
        self.body.extend_from_slice(&body);
        self.rows += page.rows;
        Ok(())
    }

    /// Bytes of rows so far, those waiting for a page among them.
    pub(super) fn bytes(&self) -> usize {
        self.body.len() + self.page.numbers.len() * size_of::<u32>()
    }

    /// Bytes of the dictionary.
    pub(super) fn dictionary_bytes(&self) -> usize {
        self.entries.plain.len()
    }

    /// The chunk's bytes, and what the footer says of them when they stand at `offset` of the file.
    pub(super) fn finish(mut self, offset: u64) -> Result<(Vec<u8>, Chunk)> {
        if self.page.rows > 0 {
            self.end_page()?;
        }
        let count = i32::try_from(self.entries.starts.len())?;
        let mut bytes = dictionary_page_header(i32::try_from(self.entries.plain.len())?, count);
        bytes.extend_from_slice(&self.entries.plain);
        let pages_offset = offset as i64 + bytes.len() as i64;
        bytes.extend_from_slice(&self.body);
        let metadata = ColumnChunkMetaData::builder(Arc::clone(&self.column.descriptor))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_compression(Compression::UNCOMPRESSED)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(bytes.len() as i64)
            .set_dictionary_page_offset(Some(offset as i64))
            .set_data_page_offset(pages_offset)
            .set_statistics(self.statistics())
            .set_page_encoding_stats(page_stats(self.pages.len()))
            .build()?;
        let placed = |page: PageLocation| PageLocation { offset: page.offset + pages_offset, ..page };
        let page_locations = self.pages.into_iter().map(placed).collect();
        let offset_index = OffsetIndexMetaData { page_locations, unencoded_byte_array_data_bytes: None };
        Ok((bytes, Chunk { metadata, column_index: ColumnIndexMetaData::NONE, offset_index }))
    }

    fn statistics(&self) -> Statistics {
        let bound = |text: Option<&[u8]>| {
            text.filter(|text| text.len() <= BOUND_BYTES_MAX).map(|text| ByteArray::from(text.to_vec()))
        };
        let (least, greatest) = (bound(self.entries.used().min()), bound(self.entries.used().max()));
        let distinct = self.entries.used().count() as u64;
        let bounds = least.zip(greatest).unzip();
        let missing = self.missing as u64;
        Statistics::ByteArray(ValueStatistics::new(bounds.0, bounds.1, Some(distinct), Some(missing), false))
    }
}

/// The place in the dictionary of each row's entry, any place for a missing row.
fn keys(rows: &dyn AnyDictionaryArray) -> Vec<usize> {
    // The library refuses to look into a dictionary of none.
    if rows.values().is_empty() { vec![0; rows.len()] } else { rows.normalized_keys() }
}

fn page_stats(pages: usize) -> Vec<PageEncodingStats> {
    let (encoding, page_type) = (Encoding::PLAIN, PageType::DICTIONARY_PAGE);
    let dictionary = PageEncodingStats { page_type, encoding, count: 1 };
    let (encoding, page_type) = (Encoding::RLE_DICTIONARY, PageType::DATA_PAGE);
    vec![dictionary, PageEncodingStats { page_type, encoding, count: pages as i32 }]
}

/// Bits that hold the number of any of `entries`; one at least, because not every reader knows numbers of none.
fn bits(entries: usize) -> u32 {
    (usize::BITS - entries.saturating_sub(1).leading_zeros()).max(1)
}

impl Entries {
    /// Numbers for all entries of `dictionary`: those known already, and new ones in order.
    fn add_all(&mut self, dictionary: &ArrayRef) -> Result<Vec<Option<u32>>> {
        if let Some(texts) = dictionary.as_string_opt::<i32>() {
            return texts.iter().map(|text| self.number(text)).collect();
        }
        let texts = dictionary.as_string_opt::<i64>();
        let texts = texts.ok_or_else(|| ParquetError::General("categories that are no text".into()))?;
        texts.iter().map(|text| self.number(text)).collect()
    }

    fn number(&mut self, text: Option<&str>) -> Result<Option<u32>> {
        let Some(text) = text else { return Ok(None) };
        if let Some(&number) = self.numbers.get(text) {
            return Ok(Some(number));
        }
        let number = u32::try_from(self.starts.len())?;
        self.starts.push(self.plain.len());
        self.plain.extend_from_slice(&u32::try_from(text.len())?.to_le_bytes());
        self.plain.extend_from_slice(text.as_bytes());
        self.used.push(false);
        self.numbers.insert(text.into(), number);
        Ok(Some(number))
    }

    /// The texts that some row has.
    fn used(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.starts.iter().skip(1).copied().chain([self.plain.len()]);
        let texts = self.starts.iter().zip(ends).map(|(start, end)| &self.plain[start + 4..end]);
        texts.zip(&self.used).filter_map(|(text, used)| used.then_some(text))
    }
}

impl Page {
    fn add(&mut self, number: Option<u32>) {
        let level = u8::from(number.is_some());
        if self.stretch.1 != level {
            self.end_stretch();
            self.stretch.1 = level;
        }
        self.stretch.0 += 1;
        self.rows += 1;
        self.numbers.extend(number);
    }

    fn end_stretch(&mut self) {
        put_run(&mut self.levels, std::mem::take(&mut self.stretch.0), self.stretch.1);
    }
}

#[cfg(test)]
mod tests;
