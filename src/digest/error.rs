//! What can be wrong with a table that is to be digested.

use arrow_schema::DataType;

/// Why a table cannot be digested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The type has no canonical form.
    #[error("column {column:?}: {data_type} has no canonical form")]
    Type {
        /// The column, with the path to the nested field.
        column: String,
        /// Its type.
        data_type: DataType,
    },
    /// The null policy does not fit the type.
    #[error("column {column:?}: its null policy does not fit {data_type}")]
    Policy {
        /// The column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
    /// The batch is not of the schema the hasher was made for.
    #[error("column {column:?}: expected {expected}, found {found}")]
    Batch {
        /// The column.
        column: String,
        /// The type of the schema.
        expected: DataType,
        /// The type in the batch; `Null` if it has no such column.
        found: DataType,
    },
    /// The batch has more columns than the schema the hasher was made for.
    #[error("the batch has {found} columns, the schema {expected}")]
    Columns {
        /// Columns of the schema.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// A null in a column that has none.
    #[error("column {column:?}, row {row} of the batch: null in a column that has none")]
    Null {
        /// The column.
        column: String,
        /// Row of the batch, or item of a nested column.
        row: usize,
    },
}
