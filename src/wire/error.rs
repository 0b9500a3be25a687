//! What can be wrong between Arrow batches and protobuf messages.

use arrow_schema::{ArrowError, DataType};

/// Why a batch cannot be encoded or a message cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The descriptors have no such message.
    #[error("no message {message:?} in the descriptors")]
    NoMessage {
        /// Full name of the message.
        message: String,
    },
    /// The request or its chunk has no field to carry rows in.
    #[error("message {message:?} has no field {field:?} that carries {carries:?}")]
    NoCarrier {
        /// Full name of the message that should have the field.
        message: String,
        /// The field.
        field: String,
        /// What the field should carry.
        carries: String,
    },
    /// A column that no field of the message carries.
    #[error(
        "column {column:?}: message {message:?} has no such field; a message map can name another, or omit the column"
    )]
    NoField {
        /// The column.
        column: String,
        /// Full name of the message.
        message: String,
    },
    /// A column of the domain that the table lacks.
    #[error("column {column:?} of domain {domain:?} is missing")]
    NoColumn {
        /// The column.
        column: String,
        /// The domain.
        domain: String,
    },
    /// A column whose type its field cannot carry.
    #[error("column {column:?}: field {field} cannot carry {data_type}: {reason}")]
    Type {
        /// The column.
        column: String,
        /// The field's label, type and number.
        field: String,
        /// The column's type.
        data_type: DataType,
        /// Why not.
        reason: &'static str,
    },
    /// Two columns for one field.
    #[error("columns {first:?} and {second:?} both fill field {field}")]
    SameField {
        /// The earlier column.
        first: String,
        /// The later one.
        second: String,
        /// The field's label, type and number.
        field: String,
    },
    /// A field that must be there and has no column.
    #[error("message {message:?}: field {field} is required, and nothing fills it")]
    Required {
        /// Full name of the message.
        message: String,
        /// The field's label, type and number.
        field: String,
    },
    /// Two columns of one oneof that both have a value.
    #[error("row {row}: oneof {oneof:?} takes one value, columns {columns:?} have more")]
    Choice {
        /// The row.
        row: u64,
        /// Name of the oneof.
        oneof: String,
        /// The columns that fill its fields.
        columns: Vec<String>,
    },
    /// A key that stands twice in a map: a receiver keeps one of the values and drops the others.
    #[error(
        "column {column:?}, row {row}: a key stands twice in the map, and field {field} keeps one value only"
    )]
    RepeatedKey {
        /// The column.
        column: String,
        /// The row.
        row: u64,
        /// The field's label, type and number.
        field: String,
    },
    /// A time outside the range of its message.
    #[error("column {column:?}, row {row}: {seconds} s is outside the range of field {field}")]
    Moment {
        /// The column.
        column: String,
        /// The row.
        row: u64,
        /// The field's label, type and number.
        field: String,
        /// Whole seconds, since 1970 or in all.
        seconds: i64,
    },
    /// Something in a message map that the table or the message does not have.
    #[error("{file}:{line}: {what}")]
    Map {
        /// The file's name as it was given.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// Nothing tells which field carries rows.
    #[error(
        "message {message:?}: no field is the only one that can carry rows; name it in a map (--map), as rows = \"FIELD\""
    )]
    NoPlace {
        /// Full name of the request.
        message: String,
    },
    /// No such RPC.
    #[error("no RPC {rpc:?} in the .proto file; it has: {}", known.join(", "))]
    NoRpc {
        /// As it was asked for.
        rpc: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// An RPC that answers with a stream.
    #[error(
        "RPC {rpc:?} answers with a stream: only RPCs with one answer to a stream or to a call are sent to"
    )]
    StreamOfAnswers {
        /// The RPC.
        rpc: String,
    },
    /// Descriptors that are not whole.
    #[error("the descriptors of the .proto file")]
    Descriptors(#[source] Box<prost_reflect::DescriptorError>),
    /// An answer that is not the message the RPC promises.
    #[error("the answer is no {message:?}")]
    Answer {
        /// Full name of the message.
        message: String,
        /// Why not.
        source: prost::DecodeError,
    },
    /// An answer that JSON cannot carry.
    #[error("the answer as JSON")]
    Json(#[from] serde_json::Error),
    /// A null policy that names a value the field cannot carry.
    #[error("column {column:?}: its null policy does not fit field {field}")]
    Policy {
        /// The column.
        column: String,
        /// The field's label, type and number.
        field: String,
    },
    /// A batch of another schema than the plan's.
    #[error("column {column:?}: planned for {expected}, found {found}")]
    Batch {
        /// The column.
        column: String,
        /// The planned type.
        expected: DataType,
        /// The type in the batch; `Null` if it has no such column.
        found: DataType,
    },
    /// A null, or a null inside a list, that the wire cannot carry.
    #[error("column {column:?}, row {row}: null, which field {field} cannot carry")]
    Null {
        /// The column.
        column: String,
        /// The row.
        row: u64,
        /// The field's label, type and number.
        field: String,
    },
    /// An integer outside the range of its field.
    #[error("column {column:?}, row {row}: {value} does not fit {kind}, the type of field {field}")]
    Overflow {
        /// The column.
        column: String,
        /// The row.
        row: u64,
        /// The field: its label, type and number where they are known.
        field: String,
        /// The value.
        value: i128,
        /// The type it does not fit.
        kind: &'static str,
    },
    /// A float that JSON has no number for.
    #[error("column {column:?}, row {row}: {value}, which JSON has no number for")]
    NotFinite {
        /// The column.
        column: String,
        /// The row.
        row: u64,
        /// The value.
        value: f32,
    },
    /// A domain without a form in JSON.
    #[error("the schema of domain {domain:?} has no table `json`, which says how its rows look as JSON")]
    NoJson {
        /// The domain.
        domain: String,
    },
    /// A text or number that is no value of the field's enum.
    #[error("column {column:?}, row {row}: {value:?} is no value of field {field}")]
    EnumName {
        /// The column.
        column: String,
        /// The row.
        row: u64,
        /// The field's label, type and number.
        field: String,
        /// The text.
        value: String,
    },
    /// A single row above the bound of a message.
    #[error("row {row} takes {bytes} bytes, a message at most {message_bytes_max}")]
    RowTooLong {
        /// The row.
        row: u64,
        /// Bytes of a message with this row alone.
        bytes: usize,
        /// The bound.
        message_bytes_max: usize,
    },
    /// A message above its bound.
    #[error("a message of {bytes} bytes, the bound is {message_bytes_max}")]
    MessageTooLong {
        /// Bytes of the message.
        bytes: usize,
        /// The bound.
        message_bytes_max: usize,
    },
    /// More rows in one message than it may hold.
    #[error("more than {rows_max} rows in one message")]
    TooManyRows {
        /// The bound.
        rows_max: usize,
    },
    /// A worker of the pool ended without a message.
    #[error("a worker ended without its message")]
    WorkerLost,
    /// Bytes that are no protobuf message.
    #[error("byte {offset} of the message: {what}")]
    Malformed {
        /// Where in the message.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A field with the wire type of another kind.
    #[error("field {field:?}, row {row}: wire type {wire_type}")]
    WireType {
        /// The field.
        field: String,
        /// Row of the message.
        row: u64,
        /// The wire type found.
        wire_type: u8,
    },
    /// A vector of another dimension.
    #[error("field {field:?}, row {row}: vector of {found} elements, expected {expected}")]
    Dimension {
        /// The field.
        field: String,
        /// Row of the message.
        row: u64,
        /// The dimension of the stream.
        expected: usize,
        /// The dimension of the row.
        found: usize,
    },
    /// A string that is not UTF-8.
    #[error("field {field:?}, row {row}: not UTF-8")]
    Utf8 {
        /// The field.
        field: String,
        /// Row of the message.
        row: u64,
        /// Where it stops being UTF-8.
        source: std::str::Utf8Error,
    },
    /// A chunk of another domain.
    #[error("a chunk of kind {found:?} where {expected:?} was announced")]
    ChunkKind {
        /// The field of the announced domain.
        expected: String,
        /// The field found.
        found: String,
    },
    /// Metadata that is no metadata message.
    #[error("the metadata")]
    Metadata(#[from] prost::DecodeError),
    /// A chunk's rows could not be digested.
    #[error(transparent)]
    Digest(#[from] crate::digest::Error),
    /// Arrow refused the decoded columns.
    #[error("the decoded columns")]
    Columns(#[from] ArrowError),
}

impl Error {
    /// The same error with its row counted `rows` further on: of the table, where it was of a batch.
    #[must_use]
    pub fn shifted(mut self, rows: u64) -> Self {
        match &mut self {
            Self::Null { row, .. }
            | Self::Overflow { row, .. }
            | Self::EnumName { row, .. }
            | Self::Choice { row, .. }
            | Self::RepeatedKey { row, .. }
            | Self::Moment { row, .. }
            | Self::NotFinite { row, .. }
            | Self::RowTooLong { row, .. }
            | Self::WireType { row, .. }
            | Self::Dimension { row, .. }
            | Self::Utf8 { row, .. } => *row += rows,
            _ => {}
        }
        self
    }
}
