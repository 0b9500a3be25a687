//! Data sets: a table as `NAME.parquet`, `NAME.arrow`, `NAME.ids` and the manifest `NAME.json`, written and replaced as
//! one.
//!
//! # How a data set is replaced
//!
//! The new files stand beside the old as `NAME.g7.parquet` and so on, 7 being their generation; replacing the manifest,
//! which names the generation, is the commit; then the new files take the plain names. A reader looks for the file with
//! its manifest's generation first, then for the plain one, and looks at the manifest again when it has them all. So
//! every state a crash can leave is one data set or the other, and the next writer tidies it. A first version goes
//! straight to the plain names, its manifest last.

mod gathered;
mod once;
mod parts;
mod place;
mod reader;
mod writer;

pub(in crate::file) use self::parts::Parts;
pub use self::{
    gathered::GatheredWriter,
    reader::Dataset,
    writer::{DatasetWriter, Timings},
};
use super::SourceInfo;

/// Which of the two table files to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Parquet.
    Parquet,
    /// Arrow.
    Arrow,
}

/// How vectors are stored in Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VectorEncoding {
    /// As they are: embeddings hardly compress.
    #[default]
    Plain,
    /// Bytes of like significance together, then zstd.
    ByteStreamSplit,
}

/// How a data set is written.
#[derive(Debug, Clone)]
pub struct DatasetOptions {
    /// Replace a data set of the same name.
    pub overwrite: bool,
    /// Write one of the two table files.
    pub only: Option<Only>,
    /// Bytes after which a Parquet row group ends.
    pub row_group_bytes: usize,
    /// How vectors are stored in Parquet.
    pub vector_encoding: VectorEncoding,
    /// Most rows of a batch in the Arrow file.
    pub batch_rows: usize,
    /// Where the rows come from.
    pub source: Option<SourceInfo>,
    /// The `pandas` metadata of the Parquet file, as JSON.
    pub pandas_metadata: Option<String>,
    /// The `DataFrame.attrs` of the Parquet file, as JSON.
    pub pandas_attrs: Option<String>,
}

impl Default for DatasetOptions {
    fn default() -> Self {
        Self {
            overwrite: false,
            only: None,
            row_group_bytes: 32 << 20,
            vector_encoding: VectorEncoding::Plain,
            batch_rows: 16_384,
            source: None,
            pandas_metadata: None,
            pandas_attrs: None,
        }
    }
}

#[cfg(test)]
mod tests;
