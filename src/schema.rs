//! Domain schemas: what a TOML file says of a table, checked.
//!
//! A domain is data, not code: it names the source columns, the protobuf field and Arrow type of each, how values are
//! coerced, and what a null means on the wire.

/// One kind of table: its columns, its key and the messages that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// The name on the wire and on the command line, such as `recruit`.
    pub name: String,
    /// Other names that mean this domain.
    pub aliases: Vec<String>,
    /// Full name of the message that carries one row, such as `embedding.RecruitRow`.
    pub message: String,
    /// The field of `embedding.IngestDataRequest` that carries a chunk of these rows.
    pub chunk_field: String,
    /// The columns, in field-number order.
    pub columns: Vec<Column>,
    /// Index into `columns` of the key.
    pub key: usize,
    /// Index into `columns` of the vector.
    pub vector: usize,
}

/// One column of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The protobuf field, which is also the Arrow column's name.
    pub field: String,
    /// Names the column has in source files; the first that is present is taken.
    pub sources: Vec<String>,
    /// What the column holds.
    pub kind: Kind,
    /// How source values become that.
    pub coerce: Coerce,
    /// What a missing value means.
    pub null: NullPolicy,
    /// Dimensions a vector may have; empty means any.
    pub dimensions: Vec<usize>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text: Arrow `Utf8`.
    Text,
    /// Repeated text: Arrow `Dictionary(Int32, Utf8)`.
    Category,
    /// Arrow `Int32`.
    Int32,
    /// Arrow `Int64`.
    Int64,
    /// A list of texts: Arrow `List<Utf8>`.
    TextList,
    /// A vector of 32-bit floats, all of one dimension: Arrow `FixedSizeList<Float32, N>`.
    Vector,
}

/// How source values become what the column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coerce {
    /// Only values that fit as they are.
    None,
    /// Years of experience: `"2y"` is 2, `"10y"` is 10, `"no_exp"` is 0, integers are themselves, NaN is missing.
    Years,
    /// Floats are rounded to the nearest integer, NaN is missing.
    Rounded,
}

/// What a missing value means to a wire that cannot carry null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NullPolicy {
    /// A row with a missing value is a bad row.
    Refuse,
    /// The wire and the digest take the empty value; the receiver stores an empty value as missing again.
    Empty,
    /// The wire and the digest take this value.
    Default(DefaultValue),
}

/// The value that stands for a missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultValue {
    /// For text and category columns.
    Text(String),
    /// For integer columns.
    Int(i64),
}
