//! Message maps: how the columns of a table become fields of somebody's own protobuf message, and what stands around the
//! rows. A map is a TOML file, read here by itself; whether the message has such fields is asked where descriptors are.

use super::parse::At;

/// How a table travels in the request of an RPC.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MessageMap {
    /// The file's name as it was given.
    pub file: String,
    /// Where rows stand in the request: names of fields joined by dots, the last one repeated (many rows to a message) or
    /// not (one row to a message); `.` for the request itself. None: found from the columns.
    pub rows: Option<At<String>>,
    /// What the first message of a stream holds, before any rows: a table of values shaped like the request.
    pub first: Option<Constant>,
    /// What every message holds beside its rows.
    pub every: Option<Constant>,
    /// Columns that are not what their names say.
    pub columns: Vec<ColumnRule>,
    /// Columns that are not sent.
    pub omit: Vec<At<String>>,
}

/// What a map says of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRule {
    /// The line of the map.
    pub line: usize,
    /// The column, or a column inside a struct: names joined by dots.
    pub column: String,
    /// The field, if it has another name.
    pub field: Option<String>,
    /// What a null becomes, if the map says.
    pub null: Option<NullRule>,
}

/// What a map says of nulls.
#[derive(Debug, Clone, PartialEq)]
pub enum NullRule {
    /// The table is not sent.
    Refuse,
    /// The field is left out.
    Empty,
    /// This value is sent.
    Default(Constant),
}

/// A value of a map, and the line it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// The line.
    pub line: usize,
    /// The value.
    pub value: Literal,
}

/// A value as TOML spells it.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text, in which `{rows}` and its like stand for what is known when the stream begins.
    Text(String),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A repeated field.
    List(Vec<Constant>),
    /// A message, by field.
    Table(Vec<(String, Constant)>),
}

impl MessageMap {
    /// What is said of `column`.
    pub fn rule(&self, column: &str) -> Option<&ColumnRule> {
        self.columns.iter().find(|rule| rule.column == column)
    }

    /// Whether `column` is not to be sent.
    pub fn omits(&self, column: &str) -> bool {
        self.omit.iter().any(|omitted| omitted.value == column)
    }
}
