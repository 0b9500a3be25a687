//! What can be wrong with a pandas object in a pickle, and where in the object.

use crate::numpy;

/// A fault in a frame, with the path of the member it is in, such as `frame.blocks[2].values`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct Error {
    /// The member, from the object outward in.
    pub path: String,
    /// What is wrong with it.
    #[source]
    pub kind: ErrorKind,
}

/// What is wrong with a pandas object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The node is something else.
    #[error("{wanted} is expected, {found} is there")]
    WrongType {
        /// What the place calls for.
        wanted: &'static str,
        /// What is there.
        found: String,
    },
    /// A part that every version writes is missing.
    #[error("{0:?} is missing")]
    Missing(&'static str),
    /// The form is none of those that pandas writes.
    #[error("the form is not one that this reader knows")]
    UnknownForm,
    /// An array that has neither rows nor rows and columns.
    #[error("an array of {0} dimensions is no table: one with one or two is")]
    Dimensions(usize),
    /// A column belongs to no block, to two, or to one that is out of range.
    #[error("column {0} is not covered by exactly one block")]
    NotCoveredOnce(usize),
    /// Lengths disagree.
    #[error("{what}: {found} rows where {wanted} are expected")]
    WrongRows {
        /// Whose length.
        what: &'static str,
        /// Rows there should be.
        wanted: usize,
        /// Rows there are.
        found: usize,
    },
    /// The labels of columns and the columns disagree.
    #[error("a block: {found} columns where {wanted} are expected")]
    WrongColumns {
        /// Columns there should be.
        wanted: usize,
        /// Columns there are.
        found: usize,
    },
    /// Elements of a vector that are missing one by one.
    #[error("a vector lacks some of its elements, which no column of vectors can say")]
    MaskedVector,
    /// A category code without a category.
    #[error("row {row} has category code {code} of {categories}")]
    CodeOutOfRange {
        /// The row.
        row: usize,
        /// The code.
        code: i64,
        /// How many categories there are.
        categories: usize,
    },
    /// An Arrow buffer that does not hold what its array claims.
    #[error("the Arrow buffers do not hold what the array claims")]
    BadArrowBuffers,
    /// Positions that do not rise, or lie outside.
    #[error("the positions of sparse values do not rise, or lie outside the array")]
    UnsortedPositions,
    /// A zone that cannot be named.
    #[error("the time zone is none that can be named")]
    UnknownZone,
    /// A frequency that is none of periods.
    #[error("the frequency is none that periods have")]
    UnknownFrequency,
    /// Values inside values, too many of them.
    #[error("arrays are nested too deep")]
    TooDeep,
    /// An Arrow array whose parts do not fit together.
    #[error("the Arrow array is not sound: {0}")]
    Arrow(&'static str),
    /// An Arrow type without a meaning here.
    #[error("the Arrow type {0:?} is not one that this reader knows")]
    ArrowType(String),
    /// More columns than are read.
    #[error("{0} columns are more than are read; --limit columns=N moves it")]
    TooManyColumns(usize),
    /// A bound was met.
    #[error(transparent)]
    Limit(#[from] crate::limits::Exceeded),
    /// A fault one layer down.
    #[error(transparent)]
    Numpy(#[from] numpy::Error),
}

/// The result of reading a pandas object.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says where a fault is.
pub(super) trait At<T> {
    /// Puts `path` in front of a fault.
    fn at(self, path: &str) -> Result<T>;
}

impl<T, K: Into<ErrorKind>> At<T> for Result<T, K> {
    fn at(self, path: &str) -> Result<T> {
        self.map_err(|kind| Error { path: path.to_owned(), kind: kind.into() })
    }
}

impl Error {
    /// Puts an outer member in front of the path.
    pub(super) fn inside(mut self, outer: &str) -> Self {
        let dot = if self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}
