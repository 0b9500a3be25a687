//! Arrow IPC files: uncompressed, 64-byte aligned, one dictionary for each categorical column. What the streamer and the
//! servers map: a batch read from the map copies nothing.
//!
//! arrow-ipc panics on some damaged files and the format has no checksum, so the borders stand here: lengths and
//! positions are checked before they are used, and what still panics behind them becomes an error. Compressed bodies,
//! which could claim any size, are refused by the library as it is built here.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{Array as _, ArrayRef, RecordBatch, cast::AsArray as _};
use arrow_buffer::Buffer;
use arrow_ipc::{
    Block, Footer, Message,
    reader::{FileDecoder, read_footer_length},
    writer::FileWriter,
};
use arrow_schema::{ArrowError, SchemaRef};

use super::{
    atomic::{AtomicFile, Synced},
    error::{self, Damage, Error},
    guard,
    map::Contents,
};
use crate::limits::files::ARROW_FOOTER_BYTES_MAX;

/// Footer metadata: the fingerprint of the rows, which ties a file to its manifest.
pub const FINGERPRINT: &str = "brine.fingerprint";

/// Footer metadata: the rows of each batch, so that opening a file reads nothing else of it from the disk.
const BATCH_ROWS: &str = "brine.batch_rows";

const MAGIC: &[u8] = b"ARROW1";
/// The footer's length and the closing magic.
const TRAILER_BYTES: usize = 10;
/// The least a message header takes: marker and length.
const MESSAGE_PREFIX_BYTES: i32 = 8;

/// Batches that the kernel is asked to read ahead.
const PREFETCHED_BATCHES: usize = 2;

/// Writes an Arrow IPC file.
pub struct ArrowSink {
    path: PathBuf,
    schema: SchemaRef,
    writer: FileWriter<AtomicFile>,
    dictionaries: Vec<Option<ArrayRef>>,
    batch_rows: Vec<String>,
}

impl fmt::Debug for ArrowSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrowSink").field("path", &self.path).finish_non_exhaustive()
    }
}

impl ArrowSink {
    /// Begins the file with `schema`.
    pub fn create(file: AtomicFile, schema: SchemaRef) -> Result<Self, Error> {
        let path = file.target().to_owned();
        let writer = FileWriter::try_new(file, &schema).map_err(error::arrow(&path))?;
        let dictionaries = vec![None; schema.fields().len()];
        Ok(Self { path, schema, writer, dictionaries, batch_rows: Vec::new() })
    }

    /// Writes one batch.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        for index in 0..self.dictionaries.len() {
            self.keep_dictionary(index, batch)?;
        }
        self.batch_rows.push(batch.num_rows().to_string());
        self.writer.write(batch).map_err(error::arrow(&self.path))
    }

    /// Ends the file and waits until it is on the disk.
    pub fn finish(mut self, fingerprint: &str) -> Result<Synced, Error> {
        self.writer.write_metadata(FINGERPRINT, fingerprint);
        self.writer.write_metadata(BATCH_ROWS, self.batch_rows.join(","));
        self.writer.finish().map_err(error::arrow(&self.path))?;
        self.writer.into_inner().map_err(error::arrow(&self.path))?.sync()
    }

    fn keep_dictionary(&mut self, index: usize, batch: &RecordBatch) -> Result<(), Error> {
        let Some(column) = batch.column(index).as_any_dictionary_opt() else { return Ok(()) };
        let values = column.values();
        match &self.dictionaries[index] {
            None => self.dictionaries[index] = Some(Arc::clone(values)),
            Some(first) if Arc::ptr_eq(first, values) || first.to_data() == values.to_data() => {}
            Some(_) => {
                let column = self.schema.field(index).name().clone();
                return Err(Error::Dictionary { path: self.path.clone(), column });
            }
        }
        Ok(())
    }
}

/// Reads an Arrow IPC file from a map.
#[derive(Debug, Clone)]
pub struct ArrowSource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    contents: Contents,
    buffer: Buffer,
    schema: SchemaRef,
    decoder: FileDecoder,
    blocks: Vec<Block>,
    /// Row number of each batch's first row, and the number of all rows at the end.
    first_rows: Vec<u64>,
    fingerprint: Option<String>,
}

impl ArrowSource {
    /// Reads the footer and the dictionaries.
    pub fn open(contents: Contents) -> Result<Self, Error> {
        let path = contents.path().to_owned();
        guarded(&path, || open(contents)).map(|inner| Self(Arc::new(inner)))
    }

    /// The Arrow schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    /// Number of batches.
    pub fn batch_count(&self) -> usize {
        self.0.blocks.len()
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.0.first_rows.last().copied().unwrap_or(0)
    }

    /// Row number of the first row of batch `index`.
    pub fn first_row(&self, index: usize) -> Option<u64> {
        self.0.first_rows.get(index).copied()
    }

    /// The batch that holds row `row`, and the row's place in it.
    pub fn locate(&self, row: u64) -> Option<(usize, usize)> {
        let after = self.0.first_rows.partition_point(|&first| first <= row);
        let batch = after.checked_sub(1).filter(|&batch| batch < self.batch_count())?;
        Some((batch, (row - self.0.first_rows[batch]) as usize))
    }

    /// The fingerprint in the footer.
    pub fn fingerprint(&self) -> Option<&str> {
        self.0.fingerprint.as_deref()
    }

    /// Batch `index`, straight from the map.
    pub fn batch(&self, index: usize) -> Result<RecordBatch, Error> {
        let path = self.0.contents.path();
        let what = "the number of the batch";
        let block =
            self.0.blocks.get(index).ok_or_else(|| error::damaged(path, Damage::OutOfBounds { what }))?;
        self.0.prefetch(index);
        let batch = guarded(path, || self.0.batch(block))?;
        let first_rows = &self.0.first_rows;
        let (expected, found) = (first_rows[index + 1] - first_rows[index], batch.num_rows() as u64);
        if expected == found {
            Ok(batch)
        } else {
            Err(error::damaged(path, Damage::Rows { expected, found }))
        }
    }

    /// Every batch, in order.
    pub fn batches(&self) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send + use<> {
        let source = self.clone();
        (0..source.batch_count()).map(move |index| source.batch(index))
    }

    /// Says that the file is still the one that was opened.
    pub fn recheck(&self) -> Result<(), Error> {
        self.0.contents.recheck()
    }

    /// The bytes of the file.
    pub fn contents(&self) -> &Contents {
        &self.0.contents
    }
}

impl Inner {
    /// Most readers go on with the next batches, and a file just written past the page cache is not in it. Each batch is
    /// asked for once, so that a file that is in the cache costs next to nothing.
    fn prefetch(&self, index: usize) {
        let first = if index == 0 { 1 } else { index + PREFETCHED_BATCHES };
        for block in self.blocks.iter().take(index + PREFETCHED_BATCHES + 1).skip(first) {
            let start = block.offset() as usize;
            self.contents.prefetch(start..start + block.bodyLength() as usize);
        }
    }

    fn batch(&self, block: &Block) -> Result<RecordBatch, Error> {
        let path = self.contents.path();
        let batch =
            self.decoder.read_record_batch(block, &slice(&self.buffer, block)).map_err(broken(path))?;
        batch.ok_or_else(|| structure(path, "an empty message among the batches"))
    }
}

fn open(contents: Contents) -> Result<Inner, Error> {
    let path = contents.path().to_owned();
    let buffer = Buffer::from(contents.to_bytes());
    let footer_range = footer_range(&buffer, &path)?;
    let end = footer_range.start;
    let footer = arrow_ipc::root_as_footer(&buffer.as_slice()[footer_range])
        .map_err(|error| structure(&path, &format!("footer: {error}")))?;
    let blocks = blocks(footer.recordBatches(), end, &path)?;
    blocks.first().map_or(Ok(()), |first| uncompressed(&slice(&buffer, first), &path))?;
    let (schema, decoder) = decoder(&footer, &buffer, end, &path)?;
    let first_rows = match custom(&footer, BATCH_ROWS) {
        Some(listed) => {
            first_rows(listed.split_terminator(',').map(|rows| rows.parse().ok()), blocks.len(), &path)?
        }
        None => {
            first_rows(blocks.iter().map(|block| batch_rows(&slice(&buffer, block))), blocks.len(), &path)?
        }
    };
    let fingerprint = custom(&footer, FINGERPRINT).map(str::to_owned);
    Ok(Inner { contents, buffer, schema, decoder, blocks, first_rows, fingerprint })
}

fn footer_range(buffer: &Buffer, path: &Path) -> Result<std::ops::Range<usize>, Error> {
    let trailer = buffer.len().checked_sub(TRAILER_BYTES).filter(|_| buffer.starts_with(MAGIC));
    let trailer_start = trailer.ok_or_else(|| error::damaged(path, Damage::Magic))?;
    let trailer = buffer[trailer_start..].try_into().expect("it is as long as the trailer");
    let length = read_footer_length(trailer).map_err(|_| error::damaged(path, Damage::Magic))?;
    if length > ARROW_FOOTER_BYTES_MAX {
        let (found, limit) = (length as u64, ARROW_FOOTER_BYTES_MAX as u64);
        return Err(error::damaged(path, Damage::TooLarge { what: "footer", found, limit }));
    }
    let start = trailer_start.checked_sub(length);
    let start = start.ok_or_else(|| error::damaged(path, Damage::OutOfBounds { what: "the footer" }))?;
    Ok(start..trailer_start)
}

fn blocks<'a>(
    listed: Option<impl IntoIterator<Item = &'a Block>>,
    end: usize,
    path: &Path,
) -> Result<Vec<Block>, Error> {
    let blocks: Vec<Block> = listed.into_iter().flatten().copied().collect();
    let bounded =
        blocks.iter().all(|block| block_end(block).is_some_and(|block_end| block_end <= end as i64));
    if bounded { Ok(blocks) } else { Err(error::damaged(path, Damage::OutOfBounds { what: "a batch" })) }
}

fn block_end(block: &Block) -> Option<i64> {
    let sound =
        block.offset() >= 0 && block.bodyLength() >= 0 && block.metaDataLength() >= MESSAGE_PREFIX_BYTES;
    let length = block.bodyLength().checked_add(block.metaDataLength().into()).filter(|_| sound)?;
    block.offset().checked_add(length)
}

fn slice(buffer: &Buffer, block: &Block) -> Buffer {
    let length = block.bodyLength() as usize + block.metaDataLength() as usize;
    buffer.slice_with_length(block.offset() as usize, length)
}

fn decoder(
    footer: &Footer<'_>,
    buffer: &Buffer,
    end: usize,
    path: &Path,
) -> Result<(SchemaRef, FileDecoder), Error> {
    let schema = footer.schema().ok_or_else(|| structure(path, "no schema in the footer"))?;
    if !schema.endianness().equals_to_target_endianness() {
        return Err(structure(path, "written on a machine of another byte order"));
    }
    let schema = Arc::new(arrow_ipc::convert::fb_to_schema(schema));
    let mut decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
    for block in blocks(footer.dictionaries(), end, path)? {
        let message = slice(buffer, &block);
        uncompressed(&message, path)?;
        decoder.read_dictionary(&block, &message).map_err(broken(path))?;
    }
    Ok((schema, decoder))
}

/// Row numbers from the rows of each batch.
fn first_rows(
    batch_rows: impl Iterator<Item = Option<u64>>,
    batches: usize,
    path: &Path,
) -> Result<Vec<u64>, Error> {
    let mut first_rows = vec![0_u64];
    for rows in batch_rows {
        let next = rows.and_then(|rows| first_rows.last()?.checked_add(rows));
        first_rows.push(next.ok_or_else(|| structure(path, "a batch without rows"))?);
    }
    if first_rows.len() == batches + 1 {
        Ok(first_rows)
    } else {
        Err(structure(path, "rows of other batches"))
    }
}

fn message(bytes: &Buffer) -> Option<Message<'_>> {
    let prefix = if bytes.starts_with(&[0xff; 4]) { 8 } else { 4 };
    arrow_ipc::root_as_message(bytes.get(prefix..)?).ok()
}

fn batch_rows(bytes: &Buffer) -> Option<u64> {
    u64::try_from(message(bytes)?.header_as_record_batch()?.length()).ok()
}

/// Refuses a batch or dictionary with a compressed body, as `DataFrame.to_feather` writes it unless told otherwise.
fn uncompressed(bytes: &Buffer, path: &Path) -> Result<(), Error> {
    let codec = message(bytes).and_then(|message| {
        let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
        message.header_as_record_batch().or(dictionary)?.compression()
    });
    codec.map_or(Ok(()), |codec| {
        let codec = codec.codec().variant_name().unwrap_or("an unknown codec").to_owned();
        Err(Error::Codec { path: path.to_owned(), codec, remedy: "uncompressed" })
    })
}

fn custom<'a>(footer: &Footer<'a>, key: &str) -> Option<&'a str> {
    footer.custom_metadata()?.iter().find(|entry| entry.key() == Some(key))?.value()
}

fn structure(path: &Path, reason: &str) -> Error {
    error::damaged(path, Damage::Structure { reason: reason.to_owned() })
}

fn broken(path: &Path) -> impl FnOnce(ArrowError) -> Error {
    move |source| structure(path, &source.to_string())
}

/// Turns a panic of the Arrow library, which damaged files can cause, into an error. Nothing that could be left half
/// changed crosses this border.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    guard::guarded(read).unwrap_or_else(|_| Err(structure(path, "the Arrow reader gave up on its contents")))
}

#[cfg(test)]
mod tests;
