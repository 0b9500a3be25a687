//! What can be wrong with a schema file: all faults of the file at once, each with its line.

use std::fmt;

use super::Kind;
use crate::limits::schema::{COLUMNS_MAX, DIMENSION_MAX, FILE_BYTES_MAX, NAME_BYTES_MAX};

/// A schema file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file's name as it was given.
    pub file: String,
    /// Every fault found, in the order of the lines; never empty.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:{}: {}", self.file, fault.line, fault.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// One fault and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the sentence of each variant names its fields")]
pub enum Problem {
    #[error("the file is {bytes} bytes long, a schema has at most {FILE_BYTES_MAX}")]
    TooLong { bytes: usize },
    #[error("not TOML: {message}")]
    Syntax { message: String },
    #[error("unknown key `{key}`{}; {place} takes: {}", meant(.hint.as_ref()), known.join(", "))]
    UnknownKey { key: String, hint: Option<String>, place: &'static str, known: &'static [&'static str] },
    #[error("{place} lacks the key `{key}`")]
    MissingKey { key: &'static str, place: &'static str },
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType { key: &'static str, expected: &'static str, found: &'static str },
    #[error("`{key}` cannot be {value:?}{}; known: {}", meant(.hint.as_ref()), known.join(", "))]
    UnknownValue { key: &'static str, value: String, hint: Option<String>, known: &'static [&'static str] },
    #[error("`{key}` cannot be {value:?}: {rule}")]
    BadName { key: &'static str, value: String, rule: Rule },
    #[error("`{key}` is empty; {advice}")]
    EmptyList { key: &'static str, advice: &'static str },
    #[error("`{key}` names {value:?} twice")]
    Repeated { key: &'static str, value: String },
    #[error("{columns} columns, a domain has at most {COLUMNS_MAX}")]
    TooManyColumns { columns: usize },
    #[error("field `{field}` stands already in line {first}")]
    DuplicateField { field: String, first: usize },
    #[error("source {source_column:?} is taken already by field `{field}` in line {first}")]
    DuplicateSource { source_column: String, field: String, first: usize },
    #[error("key `{key}` is not the field of any column{}", meant(.hint.as_ref()))]
    UnknownKeyColumn { key: String, hint: Option<String> },
    #[error("field `{field}` cannot be the key: a key is text, int32 or int64, not {kind}")]
    KeyKind { field: String, kind: Kind },
    #[error("`key_format = \"uuid\"` is for text, but the key `{field}` is {kind}")]
    KeyFormatKind { field: String, kind: Kind },
    #[error("field `{field}` is the {role} and can never be missing: `null` must be \"refuse\" or left out")]
    NeverNull { field: String, role: &'static str },
    #[error("no column has `type = \"vector\"`; a domain has exactly one vector")]
    NoVector,
    #[error("field `{field}` is a second vector, the first stands in line {first}; a domain has exactly one")]
    SecondVector { field: String, first: usize },
    #[error("`coerce = \"{coerce}\"` makes integers, but field `{field}` is {kind}")]
    CoerceKind { coerce: &'static str, field: String, kind: Kind },
    #[error("the default of field `{field}` must be {expected}, because the field is {kind}")]
    DefaultKind { field: String, kind: Kind, expected: &'static str },
    #[error(
        "`null = \"empty\"` would turn each 0 of field `{field}` into a missing value; use `{{ default = 0 }}`"
    )]
    EmptyInteger { field: String },
    #[error("dimension {dimension} is outside 1 to {DIMENSION_MAX}")]
    Dimension { dimension: i64 },
    #[error("`dimensions` is for vectors, but field `{field}` is {kind}")]
    DimensionsKind { field: String, kind: Kind },
    #[error("`recognised_by` names {name:?}, which is not among the sources of any column")]
    UnknownSign { name: String },
    #[error("`columns` names the key {key:?}, which is not among `keys`{}", meant(.hint.as_ref()))]
    UnknownJsonKey { key: String, hint: Option<String> },
    #[error("key {key:?} takes the column `{column}`, which no column has as its field{}", meant(.hint.as_ref()))]
    UnknownJsonColumn { key: String, column: String, hint: Option<String> },
    #[error("no key takes the column `{field}`, which would be lost on the way")]
    JsonLacks { field: String },
    #[error("{name:?} already means the built-in domain `{builtin}`; choose another name")]
    Taken { name: String, builtin: String },
}

/// What a name must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// Names of domains, because files and tables are named by them.
    #[error("a domain's name is a letter, then letters, digits and `_`, at most {NAME_BYTES_MAX} in all")]
    Domain,
    /// Names of fields.
    #[error("a protobuf field is a letter or `_`, then letters, digits and `_`")]
    Field,
    /// Full names of messages.
    #[error("a protobuf message is its full name, such as `package.Message`")]
    Message,
    /// Ways through a message.
    #[error("a way through a message is names of fields joined by `.`, or `.` for the message itself")]
    Path,
    /// Names of source columns.
    #[error("a source column has a name")]
    Source,
}

fn meant(hint: Option<&String>) -> String {
    hint.map_or_else(String::new, |hint| format!(", did you mean `{hint}`?"))
}
