//! Domain schemas: what a TOML file says of a table, checked.
//!
//! A domain is data, not code: it names the source columns, the protobuf field and Arrow type of each, how values are
//! coerced, and what a null means on the wire. The domains under `schemas/` are built in; any other is a file that the
//! user names.

use std::fmt;

pub mod coerce;
pub mod message_map;

mod builtin;
mod check;
mod error;
mod json;
mod near;
mod parse;

pub use builtin::{builtin, find};
pub use error::{Error, Fault, Problem, Rule};
pub use json::{JsonForm, JsonKey};
pub use near::nearest;
pub use parse::{At, parse, parse_map};

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
    /// Source column names of which a file must have one before the domain is taken unasked; empty: no such condition.
    pub recognised_by: Vec<String>,
    /// The columns, in field-number order.
    pub columns: Vec<Column>,
    /// Index into `columns` of the key.
    pub key: usize,
    /// What a key must look like.
    pub key_format: KeyFormat,
    /// Index into `columns` of the vector.
    pub vector: usize,
    /// The objects that carry rows in the dialect `json-v1`; none: the dialect does not know the domain.
    pub json: Option<JsonForm>,
}

impl Domain {
    /// Whether a file with these columns holds this domain beyond doubt: all columns are there, and one that tells it
    /// from other tables.
    pub fn matches(&self, source_columns: &[&str]) -> bool {
        self.missing(source_columns).is_empty() && self.recognises(source_columns)
    }

    fn recognises(&self, source_columns: &[&str]) -> bool {
        let present = |sign: &String| source_columns.contains(&sign.as_str());
        self.recognised_by.is_empty() || self.recognised_by.iter().any(present)
    }

    /// The name under which `source_columns` hold column number `column`.
    pub fn source_of<'a>(&self, column: usize, source_columns: &[&'a str]) -> Option<&'a str> {
        self.columns.get(column)?.source_in(source_columns)
    }

    /// The columns that `source_columns` hold under none of their names.
    pub fn missing(&self, source_columns: &[&str]) -> Vec<&Column> {
        self.columns.iter().filter(|column| column.source_in(source_columns).is_none()).collect()
    }

    /// Whether `source_columns` hold all but the key, and the key is one that can be made for them.
    pub fn lacks_only_its_id(&self, source_columns: &[&str]) -> bool {
        let is_key = |column: &&Column| column.field == self.columns[self.key].field;
        let missing = self.missing(source_columns);
        self.key_format == KeyFormat::Uuid
            && matches!(missing.as_slice(), [only] if is_key(only))
            && self.recognises(source_columns)
    }

    /// What the values of column number `column` must look like.
    pub fn format_of(&self, column: usize) -> KeyFormat {
        if column == self.key { self.key_format } else { KeyFormat::Any }
    }

    /// Whether `name` is the domain's name or one of its aliases.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// What a key must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyFormat {
    /// Any value of the key's column that is not empty.
    #[default]
    Any,
    /// A UUID of any version, in its form of 36 characters ([`crate::identifier::parse`]).
    Uuid,
}

impl KeyFormat {
    const NAMES: (&'static [&'static str], &'static [Self]) = (&["uuid"], &[Self::Uuid]);
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

impl Column {
    /// The name under which `source_columns` hold this column: the first of its sources that is present.
    pub fn source_in<'a>(&self, source_columns: &[&'a str]) -> Option<&'a str> {
        let found = |source: &String| source_columns.iter().find(|name| **name == source.as_str());
        self.sources.iter().find_map(found).copied()
    }

    /// A source column whose name nearly is one of this column's, to ask "did you mean"; for columns that are missing.
    pub fn nearest_in<'a>(&self, source_columns: &[&'a str]) -> Option<&'a str> {
        self.sources.iter().find_map(|source| nearest(source, source_columns))
    }
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

impl Kind {
    /// The words of schema files and what they mean, in step.
    const NAMES: (&'static [&'static str], &'static [Self]) = (
        &["text", "category", "int32", "int64", "text-list", "vector"],
        &[Self::Text, Self::Category, Self::Int32, Self::Int64, Self::TextList, Self::Vector],
    );

    /// The word that schema files use.
    pub fn name(self) -> &'static str {
        word(Self::NAMES, self)
    }

    /// Whether columns of this kind hold integers.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Int32 | Self::Int64)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How source values become what the column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coerce {
    /// Only values that fit as they are.
    None,
    /// Years of experience: `"2y"` is 2, `"10y"` is 10, `"no_exp"` is 0, integers are themselves, NaN is missing
    /// ([`coerce::years`], [`coerce::whole`]).
    Years,
    /// Floats are rounded to the nearest integer, NaN is missing ([`coerce::rounded`]).
    Rounded,
}

impl Coerce {
    const NAMES: (&'static [&'static str], &'static [Self]) =
        (&["years", "rounded"], &[Self::Years, Self::Rounded]);

    /// The word that schema files use; `none` where they leave the key out.
    pub fn name(self) -> &'static str {
        if self == Self::None { "none" } else { word(Self::NAMES, self) }
    }
}

fn word<T: Copy + PartialEq>((names, values): (&[&'static str], &[T]), value: T) -> &'static str {
    let index = values.iter().position(|other| *other == value);
    names[index.expect("the table has every value")]
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

#[cfg(test)]
mod tests;
