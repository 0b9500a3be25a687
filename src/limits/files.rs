//! Bounds on what is read from files.

/// Bounds on decompression: an input may name a size, but only what fits here is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decompression {
    /// Decompressed bytes for each compressed one. Embeddings compress to about a tenth at best; pickles of repeated text
    /// to about a hundredth.
    pub ratio: u64,
    /// Below this size the ratio does not matter: small files of zeros are ordinary.
    pub ratio_floor_bytes: u64,
    /// Bytes that no input may pass.
    pub bytes_max: u64,
}

impl Default for Decompression {
    fn default() -> Self {
        Self { ratio: 200, ratio_floor_bytes: 64 << 20, bytes_max: 256 << 30 }
    }
}

impl Decompression {
    /// The bound for an input of `compressed_bytes`, and which of the two it is.
    pub fn bound(&self, compressed_bytes: u64) -> (u64, &'static str) {
        let by_ratio = compressed_bytes.saturating_mul(self.ratio).max(self.ratio_floor_bytes);
        if by_ratio < self.bytes_max {
            (by_ratio, "the ratio of decompressed to compressed bytes")
        } else {
            (self.bytes_max, "the size of decompressed data")
        }
    }
}

/// The footer of an Arrow file: it holds the schema and 24 bytes for each batch.
pub const ARROW_FOOTER_BYTES_MAX: usize = 16 << 20;

/// A manifest: it holds the schema and a 32-digit sum for every 1,000 rows.
pub const MANIFEST_BYTES_MAX: u64 = 256 << 20;
