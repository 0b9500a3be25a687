//! Bounds on what is read from files.

/// Bounds on unpacking: an input may name a size, but only what fits here is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decompression {
    /// Unpacked bytes for each byte of the file, all layers together. Embeddings compress to about a tenth at best;
    /// pickles of repeated text to about a hundredth.
    pub ratio: u64,
    /// Below this size the ratio does not matter: small files of zeros are ordinary.
    pub ratio_floor_bytes: u64,
    /// Bytes that no input may pass, nor a pipe.
    pub bytes_max: u64,
    /// Layers around one pickle. `.tar.gz` is two; a third comes from an upload that was packed once more.
    pub layers_max: usize,
}

impl Default for Decompression {
    fn default() -> Self {
        Self { ratio: 200, ratio_floor_bytes: 64 << 20, bytes_max: 256 << 30, layers_max: 4 }
    }
}

impl Decompression {
    /// The bound for an input of `packed_bytes`, and which of the two it is.
    pub fn bound(&self, packed_bytes: u64) -> (u64, &'static str) {
        let by_ratio = packed_bytes.saturating_mul(self.ratio).max(self.ratio_floor_bytes);
        if by_ratio < self.bytes_max {
            (by_ratio, "the ratio of decompressed to compressed bytes; --limit unpacked-ratio=N moves it")
        } else {
            (self.bytes_max, "the size of decompressed data; --limit unpacked-bytes=N moves it")
        }
    }
}

/// zstd frames may ask for windows of up to 2 GiB; this is what `zstd -d` itself grants without being asked: 128 MiB.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Memory that an xz or lzma stream may ask for. Its largest preset takes 65 MiB.
pub const LZMA_MEMORY_KIB_MAX: u32 = 128 << 10;

/// A pax header of a tar archive: it holds the names and times of one member.
pub const TAR_PAX_BYTES_MAX: u64 = 1 << 20;

/// The header of a `.npy` file: NumPy itself reads 10,000 bytes unless told otherwise; records of many fields need more.
pub const NPY_HEADER_BYTES_MAX: usize = 64 << 10;

/// The footer of an Arrow file: it holds the schema and 24 bytes for each batch.
pub const ARROW_FOOTER_BYTES_MAX: usize = 16 << 20;

/// A manifest: it holds the schema and a 32-digit sum for every 1,000 rows.
pub const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// Bytes of vectors and other values of fixed size that are read of a Parquet file at a time, a row at least. How long they
/// are is only a number in its footer, and a row in which they are missing takes room for all of them. A row of more is
/// refused: it would be a vector of eight million numbers of 64 bits.
pub const FIXED_BATCH_BYTES_MAX: u64 = 64 << 20;

/// Values of a Parquet footer or page header that stand in each other. The format itself needs seven: a histogram of levels
/// in the size statistics of a column.
pub const THRIFT_NESTING_MAX: usize = 32;

/// Groups of a Parquet schema that stand in each other. The Arrow schema beside it is read to a depth of 64, and a list is
/// two groups.
pub const PARQUET_SCHEMA_DEPTH_MAX: usize = 128;

/// What the paths of all columns of a Parquet file take: each column holds the names of all groups around it. A million
/// columns have room.
pub const PARQUET_PATHS_BYTES_MAX: u64 = 64 << 20;

/// Rows of a Parquet file with columns for each of its bytes: pages of one value hold 20,000 rows in some thirty bytes.
pub const PARQUET_ROWS_OF_BYTE_MAX: u64 = 1 << 16;
