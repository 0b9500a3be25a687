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
    #[error("column {index}: expected {expected}, found {found}")]
    Batch {
        /// Index of the column.
        index: usize,
        /// The type of the schema.
        expected: String,
        /// The type in the batch.
        found: String,
    },
}
