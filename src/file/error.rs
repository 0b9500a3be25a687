//! Why a file could not be read or written. Every variant names the file; the few remedies a user has stand in the text.

use std::{io, path::PathBuf};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;

use super::{
    arrays::Unfit,
    packed::{Layers, Unread},
    parquet::ThriftFault,
};

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No file of this name.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refuses access.
    #[error("{}: permission denied", path.display())]
    PermissionDenied {
        /// The file.
        path: PathBuf,
    },
    /// The file system, the quota or the file size limit is used up.
    #[error("{}: no room left to write it; nothing was kept", path.display())]
    DiskFull {
        /// The file that was being written.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The pickle cannot be read.
    #[error("{}: this pickle is refused", path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
        /// What is wrong, and at which byte.
        source: crate::pickle::Error,
    },
    /// The pickle holds a frame that cannot be read.
    #[error("{}: {} cannot be read", path.display(), table(member))]
    Pandas {
        /// The file.
        path: PathBuf,
        /// The path of the table in the file; empty for the file's own value.
        member: String,
        /// What is wrong, and in which member.
        source: crate::pandas::Error,
    },
    /// A table cannot be converted.
    #[error("{}: {} cannot be converted", path.display(), table(member))]
    Columnar {
        /// The file.
        path: PathBuf,
        /// The path of the table in the file; empty for the file's own value.
        member: String,
        /// What is wrong, in which row and column.
        source: crate::columnar::Error,
    },
    /// The pickle holds no table, or a member that is none where all must be.
    #[error("{}: {} is no table: {reason}", path.display(), if member.is_empty() { "its value" } else { member })]
    NoTable {
        /// The file.
        path: PathBuf,
        /// The member.
        member: String,
        /// Why it is none.
        reason: String,
    },
    /// The pickle holds no member of the path that was asked for.
    #[error("{}: there is no member {wanted:?}; there are {}", path.display(), some_of(present))]
    NoMember {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        wanted: String,
        /// The members there are.
        present: Vec<String>,
    },
    /// Another input of the same run has become a data set of this name.
    #[error(
        "{}: a table of it would replace {name}, which another input has just become: convert it by itself, with --name or into another folder",
        path.display()
    )]
    WrittenBefore {
        /// The file.
        path: PathBuf,
        /// Name of the data set.
        name: String,
    },
    /// A data set of this name is there already.
    #[error("{} exists already; --overwrite replaces it", path.display())]
    AlreadyExists {
        /// The file in the way.
        path: PathBuf,
    },
    /// A name that cannot be a data set's.
    #[error("{name:?} cannot name a data set: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The folder holds no data set, or the name means none.
    #[error("{}: no data set here (a data set has a manifest, NAME.json)", path.display())]
    NoDataset {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The folder holds several data sets.
    #[error("{} holds several data sets, name one: {}", path.display(), names.join(", "))]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// The data sets in it.
        names: Vec<String>,
    },
    /// The data set was written without this part.
    #[error("{}: written without its {part} file", path.display())]
    Absent {
        /// The manifest.
        path: PathBuf,
        /// Which part.
        part: &'static str,
    },
    /// The file is not what it should be.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In what way.
        what: Damage,
    },
    /// A newer version of this program wrote the file.
    #[error("{} has format version {found}, this program reads up to {known}; use a newer brine", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Newest version this program knows.
        known: u32,
    },
    /// The file changed after it was opened.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// What the input is packed in cannot be taken off.
    #[error("{}: its {} cannot be unpacked", path.display(), Layers(&source.layers))]
    Packed {
        /// The file.
        path: PathBuf,
        /// Why, and in which layer.
        source: Unread,
    },
    /// A file of NumPy's that cannot be read.
    #[error("{}: this array is refused", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Unfit,
    },
    /// A form of compression this program does not read.
    #[error("{}: {format} is not read; unpack it first", path.display())]
    Compression {
        /// The file.
        path: PathBuf,
        /// The form.
        format: &'static str,
    },
    /// A table file whose contents are compressed in a way that this program does not read.
    #[error("{}: its contents are compressed with {codec}, which is not read; write it {remedy}", path.display())]
    Codec {
        /// The file.
        path: PathBuf,
        /// How they are compressed.
        codec: String,
        /// How they may be.
        remedy: &'static str,
    },
    /// A pipe gave more than the bounds allow.
    #[error("{}: more than {limit_bytes} bytes came through the pipe", path.display())]
    Piped {
        /// What the pipe is called.
        path: PathBuf,
        /// The bound.
        limit_bytes: u64,
    },
    /// A folder where a file should be.
    #[error("{} is a folder, not a file", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A batch does not have the columns of the file.
    #[error("{}: batch with another schema than the file's", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
    },
    /// A categorical column came with a second, different dictionary.
    #[error("{}: column {column:?}: categories differ between batches; a file holds one dictionary for each column",
        path.display())]
    Dictionary {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// Rows cannot be indexed by this column.
    #[error("{}: column {column:?} cannot be the key: {data_type}", path.display())]
    Key {
        /// The index file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// The row digest could not be computed.
    #[error("{}: row digest", path.display())]
    Digest {
        /// The data set.
        path: PathBuf,
        /// Why.
        source: crate::digest::Error,
    },
    /// The Parquet library refused.
    #[error("{}: Parquet", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ParquetError,
    },
    /// The Arrow library refused.
    #[error("{}: Arrow", path.display())]
    Arrow {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ArrowError,
    },
    /// The manifest could not be written as JSON.
    #[error("{}: manifest", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Anything else the operating system says.
    #[error("{}: {action}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

/// In what way a file is damaged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Another size than the manifest says.
    #[error("{found} bytes long where its manifest says {expected}")]
    Size {
        /// Bytes according to the manifest.
        expected: u64,
        /// Bytes in the file.
        found: u64,
    },
    /// Another content than the manifest says.
    #[error("its content is not what the manifest says (BLAKE3 differs)")]
    Digest,
    /// The file begins or ends with something else.
    #[error("not a file of this kind, or cut short")]
    Magic,
    /// A length or position in the file points outside it.
    #[error("{what} points outside the file")]
    OutOfBounds {
        /// What points there.
        what: &'static str,
    },
    /// A part of the file is larger than any this program writes.
    #[error("{what} of {found} bytes, more than the {limit} this program accepts")]
    TooLarge {
        /// What is large.
        what: &'static str,
        /// Its claimed size.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// There are more rows than a file of its size can have.
    #[error("it claims {found} rows, more than the {limit} that this program accepts in a file of its size")]
    TooManyRows {
        /// Rows it claims.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// There are more or fewer rows than the manifest or the footer counts.
    #[error("{found} rows where there should be {expected}")]
    Rows {
        /// Rows it should have.
        expected: u64,
        /// Rows in the file.
        found: u64,
    },
    /// The file belongs to another content.
    #[error("it belongs to another data set or version (fingerprint differs)")]
    Fingerprint,
    /// The columns are not those of the manifest.
    #[error("its columns are not those of the manifest")]
    Columns,
    /// A part of a Parquet file claims what it does not hold.
    #[error("{part} {fault}")]
    Thrift {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        fault: ThriftFault,
    },
    /// The file's own structure is broken.
    #[error("{reason}")]
    Structure {
        /// What the reader said.
        reason: String,
    },
}

/// Names the file an operating system error is about.
pub(crate) fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| classify(path, action, source)
}

fn classify(path: PathBuf, action: &'static str, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::NotFound => Error::NotFound { path },
        io::ErrorKind::PermissionDenied => Error::PermissionDenied { path },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::DiskFull { path, source }
        }
        _ => Error::Io { path, action, source },
    }
}

/// Names the file a Parquet error is about; a full disk inside it is told as such.
pub(crate) fn parquet(path: impl Into<PathBuf>) -> impl FnOnce(ParquetError) -> Error {
    let path = path.into();
    move |source| match source {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(inner) => classify(path, "write", *inner),
            Err(inner) => Error::Parquet { path, source: ParquetError::External(inner) },
        },
        source => Error::Parquet { path, source },
    }
}

/// Names the file an Arrow error is about; a full disk inside it is told as such.
pub(crate) fn arrow(path: impl Into<PathBuf>) -> impl FnOnce(ArrowError) -> Error {
    let path = path.into();
    move |source| match source {
        ArrowError::IoError(_, inner) => classify(path, "write", inner),
        source => Error::Arrow { path, source },
    }
}

/// Says that a file is damaged.
pub(crate) fn damaged(path: impl Into<PathBuf>, what: Damage) -> Error {
    Error::Damaged { path: path.into(), what }
}

/// A table as messages name it.
fn table(member: &str) -> String {
    if member.is_empty() { "the table".to_owned() } else { format!("table {member:?}") }
}

/// The first of many names.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    shown.join(", ") + &more
}
