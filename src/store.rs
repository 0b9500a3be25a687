//! Where received rows end up: one table for each domain, changed only by whole runs.
//!
//! The contract every store keeps, and every store's tests call (`store::contract`):
//!
//! * a [`Run`] shows nothing of itself until [`Run::finish`] returns; dropping it leaves nothing behind;
//! * a finished run is merged by key: of several rows with one key the last one counts, a row whose key the table holds
//!   replaces the old row in its place, other rows are appended in the order in which the run brought their keys;
//! * rows of the table that the run does not mention stay;
//! * a run that changes nothing publishes nothing: the version stays what it was;
//! * runs into one table may overlap; they take effect one after the other, in the order in which they finish.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;

use crate::schema::Domain;

pub mod catalogue;
pub mod discard;
pub mod parquet;
pub mod sessions;

pub use catalogue::Catalogue;
pub use discard::Discard;
pub use parquet::ParquetStore;
pub use sessions::Sessions;

/// Characters of a file's name that are kept.
const FILE_NAME_CHARS: usize = 256;

/// Tables that take whole runs.
pub trait Store: Send + Sync {
    /// Begins a run into the table of `domain`, whose vectors have `dimension` elements.
    fn begin(
        &self,
        domain: &'static Domain,
        dimension: usize,
        provenance: Provenance,
    ) -> Result<Box<dyn Run>, Error>;

    /// Says whether rows can be stored: tries it, after a failure. Touches the disk.
    fn probe(&self) -> Result<(), Error> {
        Ok(())
    }

    /// The sessions of the store, if it has them.
    fn sessions(&self) -> Option<&dyn Sessions> {
        None
    }
}

/// Rows on their way into one table. Dropping it unfinished leaves nothing visible.
pub trait Run: Send {
    /// Takes the next rows.
    fn append(&mut self, batch: RecordBatch) -> Result<(), Error>;

    /// Whether this run only counts, so that callers need not build batches: they call [`Run::skip`] instead.
    fn counts_only(&self) -> bool {
        false
    }

    /// Counts rows without looking at them. Only for runs that say [`Run::counts_only`].
    fn skip(&mut self, rows: u64);

    /// Merges the rows into the table and publishes it.
    fn finish(self: Box<Self>) -> Result<Published, Error>;
}

/// Where the rows of a run come from, as far as the sender told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The sender's name for its file. Never used as a path.
    pub file_name: String,
}

impl Provenance {
    /// Rows of a file that its sender calls so. What is longer than a name is cut: it is a label, and stays in the manifest.
    pub fn named(file_name: &str) -> Self {
        Self { file_name: file_name.chars().take(FILE_NAME_CHARS).collect() }
    }
}

/// What a finished run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The table's version now; 0 if the store keeps none.
    pub version: u64,
    /// Whether this run made that version.
    pub changed: bool,
    /// Rows of the table now.
    pub table_rows: u64,
    /// Rows the run brought.
    pub run_rows: u64,
}

impl Published {
    /// What was done with `rows` rows, in words.
    pub fn describe(&self, rows: u64) -> String {
        let Self { version, changed, table_rows, .. } = self;
        match (version, changed) {
            (0, _) => format!("{rows} rows counted and discarded"),
            (_, true) => format!("{rows} rows published as version {version} of {table_rows} rows"),
            (_, false) => format!("{rows} rows changed nothing in version {version} of {table_rows} rows"),
        }
    }
}

/// Why a store refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds the directory.
    #[error("the store {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The table holds vectors of another dimension.
    #[error("table {domain} holds vectors of dimension {held}, the run brings dimension {brought}")]
    OtherDimension {
        /// The table.
        domain: String,
        /// What it holds.
        held: usize,
        /// What was brought.
        brought: usize,
    },
    /// More rows than a table can number.
    #[error("table {domain} would hold {rows} rows, the limit is {limit}")]
    TooManyRows {
        /// The table.
        domain: String,
        /// How many it would be.
        rows: u64,
        /// How many it may be.
        limit: u64,
    },
    /// A row without a key, or a key column of a type that cannot be one.
    #[error("row {row} of the run has no usable value in key column {column:?}")]
    BadKey {
        /// Position in the run.
        row: u64,
        /// The key column.
        column: String,
    },
    /// A batch that does not have the table's columns.
    #[error("column {column:?} of the run has another type than table {domain}")]
    OtherColumns {
        /// The table.
        domain: String,
        /// The first column that differs.
        column: String,
    },
    /// No data set of a domain was found.
    #[error("no data set of a known domain in {}", listed(places))]
    NothingToServe {
        /// Where it was looked for, or what was found instead.
        places: Vec<PathBuf>,
    },
    /// Two data sets of one domain.
    #[error("{} and {} both hold {domain}: name the one to serve", first.display(), second.display())]
    TwoTables {
        /// The domain.
        domain: String,
        /// The one found first.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The file system failed.
    #[error("{}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// How it failed.
        source: std::io::Error,
    },
    /// The spool or a table's batches could not be read or built.
    #[error("table {domain}")]
    Arrow {
        /// The table.
        domain: String,
        /// How it failed.
        source: arrow_schema::ArrowError,
    },
    /// A data set could not be read or written.
    #[error(transparent)]
    File(Box<crate::file::Error>),
    /// The rows could not be digested.
    #[error(transparent)]
    Digest(#[from] crate::digest::Error),
    /// The state of a session does not permit it.
    #[error(transparent)]
    Session(#[from] crate::session::Refusal),
    /// More sessions than a store keeps open.
    #[error("{limit} sessions are open: commit some, abort some, or try again later")]
    TooManySessions {
        /// How many there may be.
        limit: usize,
    },
    /// What a session left on the disk is not what it wrote.
    #[error("{}: {reason}; the session can only be sent anew (--new-run)", path.display())]
    DamagedSession {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Whether the store itself failed, whoever wanted to store what: other errors are about what was brought.
    pub fn is_fault_of_the_store(&self) -> bool {
        use crate::file::Error as File;
        match self {
            Self::Io { .. } => true,
            Self::File(error) => matches!(
                error.as_ref(),
                File::Io { .. } | File::DiskFull { .. } | File::PermissionDenied { .. }
            ),
            _ => false,
        }
    }

    /// The file or data set that is not there, if that is the reason.
    pub fn missing(&self) -> Option<&Path> {
        use crate::file::Error as File;
        match self {
            Self::File(error) => match error.as_ref() {
                File::NotFound { path } | File::NoDataset { path } => Some(path),
                _ => None,
            },
            _ => None,
        }
    }
}

fn listed(places: &[PathBuf]) -> String {
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl From<crate::file::Error> for Error {
    fn from(error: crate::file::Error) -> Self {
        Self::File(Box::new(error))
    }
}
