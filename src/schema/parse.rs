//! From the text of a schema file to a [`Domain`]: the shape of the document. What the parts mean together is looked at
//! in `check`.
//!
//! Reads the document by hand and not through serde, because every fault must name its line and one run must find them all.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Coerce, Column, DefaultValue, Domain, Error, Fault, KeyFormat, Kind, NullPolicy, Problem, check,
    error::Rule, json::DraftJson, nearest,
};
use crate::limits::schema::{DIMENSION_MAX, FILE_BYTES_MAX};

mod message_map;

pub use message_map::parse_map;

const SCHEMA: &str = "a schema";
const SCHEMA_KEYS: &[&str] =
    &["name", "aliases", "message", "chunk_field", "key", "key_format", "recognised_by", "json", "column"];
const JSON: &str = "the table `json`";
const JSON_KEYS: &[&str] = &["domain", "keys", "columns"];
const COLUMN: &str = "a column";
const COLUMN_KEYS: &[&str] = &["field", "sources", "type", "coerce", "null", "dimensions"];
const DEFAULT: &str = "a null policy";
const DEFAULT_KEYS: &[&str] = &["default"];
const NULLS: &[&str] = &["refuse", "empty", "{ default = VALUE }"];

/// Reads a schema. `file` is what errors call it.
pub fn parse(text: &str, file: &str) -> Result<Domain, Error> {
    read(text, file, check::names)
}

/// The same without asking whether names are free: for the built-in files, which take them.
pub(super) fn parse_unchecked_names(text: &str, file: &str) -> Result<Domain, Error> {
    read(text, file, |_, _| ())
}

fn read(text: &str, file: &str, names: fn(&Draft, &mut Vec<Fault>)) -> Result<Domain, Error> {
    let mut reader = Reader::over(text);
    let draft = reader.document(text);
    let domain = draft.and_then(|draft| {
        names(&draft, &mut reader.faults);
        check::domain(draft, &mut reader.faults)
    });
    match domain {
        Some(domain) if reader.faults.is_empty() => Ok(domain),
        _ => Err(Error { file: file.to_owned(), faults: sorted(reader.faults) }),
    }
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by_key(|fault| fault.line);
    faults
}

/// A value and the line it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The line, counted from 1.
    pub line: usize,
    /// The value.
    pub value: T,
}

/// A document of the right shape, with the lines that later faults will name.
pub(super) struct Draft {
    pub(super) name: At<String>,
    pub(super) aliases: Vec<At<String>>,
    pub(super) message: At<String>,
    pub(super) chunk_field: At<String>,
    pub(super) key: At<String>,
    pub(super) key_format: At<KeyFormat>,
    pub(super) recognised_by: Vec<At<String>>,
    pub(super) json: Option<DraftJson>,
    pub(super) columns: Vec<DraftColumn>,
}

/// A column of the right shape.
pub(super) struct DraftColumn {
    pub(super) field: At<String>,
    pub(super) sources: Vec<At<String>>,
    pub(super) kind: Kind,
    pub(super) coerce: At<Coerce>,
    pub(super) null: At<NullPolicy>,
    pub(super) dimensions: At<Vec<usize>>,
}

impl DraftColumn {
    pub(super) fn finish(self) -> Column {
        Column {
            field: self.field.value,
            sources: self.sources.into_iter().map(|source| source.value).collect(),
            kind: self.kind,
            coerce: self.coerce.value,
            null: self.null.value,
            dimensions: self.dimensions.value,
        }
    }
}

type Value<'d> = Spanned<DeValue<'d>>;

/// One table of the document and how errors speak of it.
#[derive(Clone, Copy)]
struct Table<'d> {
    entries: &'d DeTable<'d>,
    line: usize,
    place: &'static str,
}

impl<'d> Table<'d> {
    fn value(&self, key: &str) -> Option<&'d Value<'d>> {
        self.entries.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}

struct Reader {
    line_starts: Vec<usize>,
    faults: Vec<Fault>,
}

impl Reader {
    fn over(text: &str) -> Self {
        Self { line_starts: line_starts(text), faults: Vec::new() }
    }

    fn document(&mut self, text: &str) -> Option<Draft> {
        if text.len() > FILE_BYTES_MAX {
            return self.fault(1, Problem::TooLong { bytes: text.len() });
        }
        match DeTable::parse(text) {
            Ok(root) => self.schema(Table { entries: root.get_ref(), line: 1, place: SCHEMA }),
            Err(error) => {
                let line = error.span().map_or(1, |span| self.line(&span));
                self.fault(line, Problem::Syntax { message: error.message().to_owned() })
            }
        }
    }

    /// Reads every part before giving up on any, so that all faults are found.
    fn schema(&mut self, table: Table<'_>) -> Option<Draft> {
        self.unknown_keys(table, SCHEMA_KEYS);
        let name = self.name(table, "name", Rule::Domain);
        let aliases = self.names(table, "aliases", Rule::Domain);
        let message = self.name(table, "message", Rule::Message);
        let chunk_field = self.name(table, "chunk_field", Rule::Field);
        let key = self.name(table, "key", Rule::Field);
        let key_format = self.key_format(table);
        let recognised_by = self.names(table, "recognised_by", Rule::Source);
        let json = table.value("json").map(|value| self.json(value));
        let columns = self.columns(table);
        Some(Draft {
            name: name?,
            aliases: aliases?,
            message: message?,
            chunk_field: chunk_field?,
            key: key?,
            key_format: key_format?,
            recognised_by: recognised_by?,
            json: json.map_or(Some(None), |json| json.map(Some))?,
            columns: columns?,
        })
    }

    fn key_format(&mut self, table: Table<'_>) -> Option<At<KeyFormat>> {
        match table.value("key_format") {
            Some(value) => self.word("key_format", value, KeyFormat::NAMES),
            None => Some(At { line: table.line, value: KeyFormat::Any }),
        }
    }

    fn json(&mut self, value: &Value<'_>) -> Option<DraftJson> {
        let line = self.line(&value.span());
        let Some(entries) = value.get_ref().as_table() else {
            return self.wrong_type("json", "a table", value);
        };
        let table = Table { entries, line, place: JSON };
        self.unknown_keys(table, JSON_KEYS);
        let domain = self.name(table, "domain", Rule::Domain);
        let keys = self.required(table, "keys").and_then(|_| self.names(table, "keys", Rule::Source));
        let columns = self.json_columns(table);
        Some(DraftJson { line, domain: domain?, keys: keys?, columns: columns? })
    }

    /// Pairs of a key and the column it takes.
    fn json_columns(&mut self, table: Table<'_>) -> Option<Vec<(At<String>, At<String>)>> {
        let Some(value) = table.value("columns") else { return Some(Vec::new()) };
        let Some(entries) = value.get_ref().as_table() else {
            return self.wrong_type("columns", "a table of keys and columns", value);
        };
        let pairs: Vec<_> = entries
            .iter()
            .map(|(key, column)| {
                let name = At { line: self.line(&key.span()), value: key.get_ref().clone().into_owned() };
                Some((name, self.named("columns", column, Rule::Field)?))
            })
            .collect();
        pairs.into_iter().collect()
    }

    fn columns(&mut self, table: Table<'_>) -> Option<Vec<DraftColumn>> {
        let value = self.required(table, "column")?;
        let Some(items) = value.get_ref().as_array() else {
            return self.wrong_type("column", "a list of tables `[[column]]`", value);
        };
        let columns: Vec<_> = items.iter().map(|item| self.column(item)).collect();
        columns.into_iter().collect()
    }

    fn column(&mut self, value: &Value<'_>) -> Option<DraftColumn> {
        let line = self.line(&value.span());
        let Some(entries) = value.get_ref().as_table() else {
            return self.wrong_type("column", "a list of tables `[[column]]`", value);
        };
        let table = Table { entries, line, place: COLUMN };
        self.unknown_keys(table, COLUMN_KEYS);
        let field = self.name(table, "field", Rule::Field);
        let sources = self.sources(table);
        let kind = self.kind(table);
        let coerce = self.coerce(table);
        let null = self.null(table);
        let dimensions = self.dimensions(table);
        Some(DraftColumn {
            field: field?,
            sources: sources?,
            kind: kind?,
            coerce: coerce?,
            null: null?,
            dimensions: dimensions?,
        })
    }

    fn sources(&mut self, table: Table<'_>) -> Option<Vec<At<String>>> {
        let value = self.required(table, "sources")?;
        let sources = self.names(table, "sources", Rule::Source)?;
        if sources.is_empty() {
            let advice = "name the column as source files call it";
            return self.fault(self.line(&value.span()), Problem::EmptyList { key: "sources", advice });
        }
        Some(sources)
    }

    fn kind(&mut self, table: Table<'_>) -> Option<Kind> {
        let value = self.required(table, "type")?;
        Some(self.word("type", value, Kind::NAMES)?.value)
    }

    fn coerce(&mut self, table: Table<'_>) -> Option<At<Coerce>> {
        match table.value("coerce") {
            Some(value) => self.word("coerce", value, Coerce::NAMES),
            None => Some(At { line: table.line, value: Coerce::None }),
        }
    }

    fn null(&mut self, table: Table<'_>) -> Option<At<NullPolicy>> {
        let Some(value) = table.value("null") else {
            return Some(At { line: table.line, value: NullPolicy::Refuse });
        };
        let line = self.line(&value.span());
        let policy = match value.get_ref() {
            DeValue::String(word) => self.null_word(line, word)?,
            DeValue::Table(entries) => self.null_default(Table { entries, line, place: DEFAULT })?,
            _ => return self.wrong_type("null", "\"refuse\", \"empty\" or { default = VALUE }", value),
        };
        Some(At { line, value: policy })
    }

    fn null_word(&mut self, line: usize, word: &str) -> Option<NullPolicy> {
        match word {
            "refuse" => Some(NullPolicy::Refuse),
            "empty" => Some(NullPolicy::Empty),
            _ => self.unknown_value(line, "null", word, NULLS),
        }
    }

    fn null_default(&mut self, table: Table<'_>) -> Option<NullPolicy> {
        self.unknown_keys(table, DEFAULT_KEYS);
        let value = self.required(table, "default")?;
        let default = match value.get_ref() {
            DeValue::String(text) => DefaultValue::Text(text.clone().into_owned()),
            DeValue::Integer(_) => DefaultValue::Int(self.integer("default", value)?),
            _ => return self.wrong_type("default", "a text or an integer", value),
        };
        Some(NullPolicy::Default(default))
    }

    fn dimensions(&mut self, table: Table<'_>) -> Option<At<Vec<usize>>> {
        let Some(value) = table.value("dimensions") else {
            return Some(At { line: table.line, value: Vec::new() });
        };
        let line = self.line(&value.span());
        let Some(items) = value.get_ref().as_array() else {
            return self.wrong_type("dimensions", "a list of integers", value);
        };
        if items.is_empty() {
            let advice = "leave the key out to allow any";
            return self.fault(line, Problem::EmptyList { key: "dimensions", advice });
        }
        let dimensions: Vec<_> = items.iter().map(|item| self.dimension(item)).collect();
        Some(At { line, value: dimensions.into_iter().collect::<Option<_>>()? })
    }

    fn dimension(&mut self, value: &Value<'_>) -> Option<usize> {
        let dimension = self.integer("dimensions", value)?;
        match usize::try_from(dimension) {
            Ok(fitting @ 1..=DIMENSION_MAX) => Some(fitting),
            _ => self.fault(self.line(&value.span()), Problem::Dimension { dimension }),
        }
    }

    fn integer(&mut self, key: &'static str, value: &Value<'_>) -> Option<i64> {
        let Some(integer) = value.get_ref().as_integer() else {
            return self.wrong_type(key, "an integer", value);
        };
        match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Some(integer),
            Err(_) => self.wrong_type(key, "an integer of 64 bits", value),
        }
    }

    fn name(&mut self, table: Table<'_>, key: &'static str, rule: Rule) -> Option<At<String>> {
        let value = self.required(table, key)?;
        self.named(key, value, rule)
    }

    /// A list of names; none if the key is absent.
    fn names(&mut self, table: Table<'_>, key: &'static str, rule: Rule) -> Option<Vec<At<String>>> {
        let Some(value) = table.value(key) else { return Some(Vec::new()) };
        let Some(items) = value.get_ref().as_array() else {
            return self.wrong_type(key, "a list of texts", value);
        };
        let names: Vec<_> = items.iter().map(|item| self.named(key, item, rule)).collect();
        let names: Vec<_> = names.into_iter().collect::<Option<_>>()?;
        self.no_repeats(key, &names)?;
        Some(names)
    }

    fn named(&mut self, key: &'static str, value: &Value<'_>, rule: Rule) -> Option<At<String>> {
        let text = self.text(key, value)?;
        if check::follows(rule, &text.value) {
            return Some(text);
        }
        self.fault(text.line, Problem::BadName { key, value: text.value, rule })
    }

    fn no_repeats(&mut self, key: &'static str, names: &[At<String>]) -> Option<()> {
        let seen_before =
            |(i, name): &(usize, &At<String>)| names[..*i].iter().any(|other| other.value == name.value);
        match names.iter().enumerate().find(seen_before) {
            Some((_, name)) => self.fault(name.line, Problem::Repeated { key, value: name.value.clone() }),
            None => Some(()),
        }
    }

    fn word<T: Copy>(
        &mut self,
        key: &'static str,
        value: &Value<'_>,
        (names, values): (&'static [&'static str], &[T]),
    ) -> Option<At<T>> {
        let word = self.text(key, value)?;
        match names.iter().position(|name| *name == word.value) {
            Some(index) => Some(At { line: word.line, value: values[index] }),
            None => self.unknown_value(word.line, key, &word.value, names),
        }
    }

    fn text(&mut self, key: &'static str, value: &Value<'_>) -> Option<At<String>> {
        match value.get_ref().as_str() {
            Some(text) => Some(At { line: self.line(&value.span()), value: text.to_owned() }),
            None => self.wrong_type(key, "a text", value),
        }
    }

    fn required<'d>(&mut self, table: Table<'d>, key: &'static str) -> Option<&'d Value<'d>> {
        let value = table.value(key);
        if value.is_none() {
            self.faults
                .push(Fault { line: table.line, problem: Problem::MissingKey { key, place: table.place } });
        }
        value
    }

    fn unknown_keys(&mut self, table: Table<'_>, known: &'static [&'static str]) {
        for (key, _) in table.entries.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref().clone().into_owned();
            let hint = nearest(&name, known).map(str::to_owned);
            let problem = Problem::UnknownKey { key: name, hint, place: table.place, known };
            self.faults.push(Fault { line: self.line(&key.span()), problem });
        }
    }

    fn unknown_value<T>(
        &mut self,
        line: usize,
        key: &'static str,
        value: &str,
        known: &'static [&'static str],
    ) -> Option<T> {
        let hint = nearest(value, known).map(str::to_owned);
        self.fault(line, Problem::UnknownValue { key, value: value.to_owned(), hint, known })
    }

    fn wrong_type<T>(&mut self, key: &'static str, expected: &'static str, value: &Value<'_>) -> Option<T> {
        let found = spoken(value.get_ref());
        self.fault(self.line(&value.span()), Problem::WrongType { key, expected, found })
    }

    fn fault<T>(&mut self, line: usize, problem: Problem) -> Option<T> {
        self.faults.push(Fault { line, problem });
        None
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.line_starts.partition_point(|start| *start <= span.start)
    }
}

fn spoken(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_newlines).collect()
}
