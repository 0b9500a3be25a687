//! What can go wrong between a frame and its Arrow columns: always with the column, and with the row where there is one.

use crate::{growing::NoRoom, numpy, schema::coerce};

/// A fault of a column or a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The frame lacks columns that the domain needs.
    #[error("the table has no column for {}; it has {}", list(missing), list(present))]
    MissingColumns {
        /// The columns that are not there.
        missing: Vec<MissingColumn>,
        /// The columns there are.
        present: Vec<String>,
    },
    /// A table with a key, where one was to be made.
    #[error("the table has its key already, in column {column:?}: --generate-ids is for tables without one")]
    HasKey {
        /// The column.
        column: String,
    },
    /// A key that was to be made, of a domain whose keys are no UUIDs.
    #[error(
        "the key {key:?} of domain {domain} is no UUID (its schema has no key_format = \"uuid\"), so --generate-ids cannot make it"
    )]
    KeyIsNoUuid {
        /// The key.
        key: String,
        /// The domain.
        domain: String,
    },
    /// The disk is full, and the pickle is not at fault.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// Two columns of one name.
    #[error("two columns are called {0:?}; columns of a table need different names")]
    SameName(String),
    /// The first bad row, under the policy that a bad row stops the conversion.
    #[error("{bad}; --on-bad-row skip leaves such rows out, --on-bad-row quarantine puts them aside")]
    BadRow {
        /// The row.
        bad: Box<BadRow>,
    },
    /// More bad rows than are allowed.
    #[error("bad rows: {found}, more than --max-bad-rows {limit}; the last: {last}")]
    TooManyBadRows {
        /// How many.
        found: u64,
        /// How many are allowed.
        limit: u64,
        /// The one that was too many.
        last: Box<BadRow>,
    },
    /// A column whose cells are of kinds that no one Arrow type holds.
    #[error(transparent)]
    Mixed(Box<MixedKinds>),
    /// More categories, or rows without a value of their own, than a column can hold.
    #[error("column {column:?}: {count} values are more than a column of this file can hold")]
    TooManyValues {
        /// The column.
        column: String,
        /// How many.
        count: usize,
    },
    /// A category or a label of an index that cannot be converted.
    #[error("among the categories or labels, {bad}")]
    BadCategory {
        /// Its number among them, in place of the row.
        bad: Box<BadRow>,
    },
    /// Cells that name values so often that they come to more bytes than a column may have.
    #[error("column {column:?}, row {row}: the values that it names come to more bytes than are allowed")]
    Expands {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// Values that have no Arrow type here.
    #[error("column {column:?} holds {found} in row {row}, which has no Arrow type here")]
    NoType {
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// What is there.
        found: String,
    },
    /// A source that cannot be what the domain says.
    #[error("column {column:?} is {wanted} in the schema, but {found} in the file")]
    WrongSource {
        /// The column.
        column: String,
        /// What the schema says.
        wanted: &'static str,
        /// What the file holds.
        found: &'static str,
    },
    /// No vector of an allowed dimension.
    #[error("column {column:?} holds no vector{}", of_dimension(allowed, *found))]
    NoDimension {
        /// The column.
        column: String,
        /// The dimensions that the domain allows.
        allowed: Vec<usize>,
        /// The dimension of the first vector, 0 if there is none.
        found: usize,
    },
    /// Arrow refuses the columns: a fault of this program.
    #[error("the columns do not make a batch")]
    Arrow(#[from] arrow_schema::ArrowError),
}

/// Two cells of a column, or two values inside of them, that no one Arrow type holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "column {column:?}{path} mixes {first} in row {first_row} with {found} in row {row}; there is no one type for \
     both: --mixed json keeps such cells as JSON text"
)]
pub struct MixedKinds {
    /// The column.
    pub column: String,
    /// Where in its cells; empty for the cells themselves.
    pub path: String,
    /// The kind so far.
    pub first: String,
    /// The row of the first value.
    pub first_row: usize,
    /// The row.
    pub row: usize,
    /// The kind there.
    pub found: String,
}

/// A column that the domain needs and the table lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    /// The domain's field.
    pub field: String,
    /// The source names that would do.
    pub sources: Vec<String>,
    /// A column of the table whose name nearly is one of them.
    pub near: Option<String>,
}

impl std::fmt::Display for MissingColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.field, list(&self.sources))?;
        self.near.as_ref().map_or(Ok(()), |near| write!(f, " - did you mean {near:?}?"))
    }
}

/// A row that cannot be converted, and why.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("row {row}, column {column:?}: {reason}")]
pub struct BadRow {
    /// The row, from 0, in the source.
    pub row: usize,
    /// The column, as the source names it.
    pub column: String,
    /// Why.
    #[source]
    pub reason: Reason,
}

/// Why a row is bad.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A missing value where none may be missing.
    #[error("the value is missing")]
    Null,
    /// A vector that is missing.
    #[error("the vector is missing")]
    NoVector,
    /// A vector of another length.
    #[error("the vector has dimension {found}, {wanted} is expected")]
    Dimension {
        /// Its dimension.
        found: usize,
        /// That of the others.
        wanted: usize,
    },
    /// An element of a vector that is no finite number.
    #[error("element {at} of the vector is {found}")]
    Element {
        /// Its position.
        at: usize,
        /// What it is, such as [`Reason::NAN`].
        found: &'static str,
    },
    /// Another kind of value than the column holds.
    #[error("{wanted} is expected, {found} is there")]
    WrongType {
        /// What the column holds.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A value that does not fit what all others are.
    #[error("{0} does not fit the column")]
    Unfit(String),
    /// Text that is not UTF-8, or holds surrogates.
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    /// More text than a cell or a dictionary holds.
    #[error("the text is longer than a column can hold")]
    TooLong,
    /// A number out of the column's range.
    #[error("{0} does not fit the column")]
    OutOfRange(i128),
    /// A time that no whole number of the column's unit stands for.
    #[error("the time does not fit the column's unit exactly")]
    Inexact,
    /// A value that its own Arrow type does not allow.
    #[error("the value is none that its Arrow type allows")]
    Inconsistent,
    /// A value that cannot be coerced.
    #[error(transparent)]
    Coerce(#[from] coerce::Error),
    /// A key that is empty.
    #[error("the key is empty")]
    EmptyKey,
    /// A key that is no UUID, where it must be one.
    #[error("the key {0:?} is no UUID, which has 8-4-4-4-12 hexadecimal digits")]
    NotUuid(String),
    /// A key that came before.
    #[error("the key {key:?} stands in row {first} already")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The row it stands in.
        first: usize,
    },
    /// An array that contradicts itself.
    #[error(transparent)]
    Numpy(#[from] numpy::Error),
    /// Text that should be a JSON array of numbers.
    #[error("the text is no JSON array of numbers")]
    NotJson,
}

impl Reason {
    /// Of an element that is NaN.
    pub const NAN: &str = "NaN";
    /// Of an element that is infinite, or was made so by narrowing it.
    pub const INFINITE: &str = "infinite, or beyond the range of 32-bit floats";
    /// Of an element that is missing.
    pub const MISSING: &str = "a missing value";
}

/// The result of a conversion.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which vectors a column should hold, and which it does.
fn of_dimension(allowed: &[usize], found: usize) -> String {
    match (allowed, found) {
        ([], 0) => " with elements".to_owned(),
        ([], found) => format!(" that is short enough; the first has {found} elements"),
        (allowed, found) => format!(" of dimension {}; the first has {found}", list(allowed)),
    }
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_without_vectors_says_what_was_wanted() {
        let said = |allowed: &[usize], found| {
            Error::NoDimension { column: "v".to_owned(), allowed: allowed.to_vec(), found }.to_string()
        };
        assert_eq!(said(&[], 0), "column \"v\" holds no vector with elements");
        assert_eq!(said(&[2, 4], 3), "column \"v\" holds no vector of dimension 2, 4; the first has 3");
        assert!(said(&[], 99).ends_with("is short enough; the first has 99 elements"));
    }
}
