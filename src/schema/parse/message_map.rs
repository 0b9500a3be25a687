//! From the text of a message map to a [`MessageMap`]: the shape of the document, every fault with its line.

use toml::de::{DeTable, DeValue};

use super::{At, DEFAULT, DEFAULT_KEYS, Reader, Table, Value, sorted};
use crate::{
    limits::schema::{COLUMNS_MAX, FILE_BYTES_MAX},
    schema::{
        Error, Problem,
        error::Rule,
        message_map::{ColumnRule, Constant, Literal, MessageMap, NullRule},
    },
};

const MAP: &str = "a message map";
const MAP_KEYS: &[&str] = &["rows", "first", "every", "column", "omit"];
const COLUMN: &str = "a column";
const COLUMN_KEYS: &[&str] = &["column", "field", "null"];
const NULLS: &[&str] = &["refuse", "empty", "{ default = VALUE }"];

/// Reads a message map. `file` is what errors call it.
pub fn parse_map(text: &str, file: &str) -> Result<MessageMap, Error> {
    let mut reader = Reader::over(text);
    let map = reader.map_document(text);
    match map {
        // What is absent and what is wrong look alike there: the faults tell them apart.
        Some(map) if reader.faults.is_empty() => Ok(MessageMap { file: file.to_owned(), ..map }),
        _ => Err(Error { file: file.to_owned(), faults: sorted(reader.faults) }),
    }
}

impl Reader {
    fn map_document(&mut self, text: &str) -> Option<MessageMap> {
        if text.len() > FILE_BYTES_MAX {
            return self.fault(1, Problem::TooLong { bytes: text.len() });
        }
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => {
                let line = error.span().map_or(1, |span| self.line(&span));
                return self.fault(line, Problem::Syntax { message: error.message().to_owned() });
            }
        };
        self.map(Table { entries: root.get_ref(), line: 1, place: MAP })
    }

    fn map(&mut self, table: Table<'_>) -> Option<MessageMap> {
        self.unknown_keys(table, MAP_KEYS);
        let rows = self.rows_path(table);
        let first = self.message(table, "first");
        let every = self.message(table, "every");
        let columns = self.rules(table);
        let omit = self.names(table, "omit", Rule::Source);
        let map = MessageMap { file: String::new(), rows, first, every, columns: columns?, omit: omit? };
        self.twice(&map)?;
        Some(map)
    }

    fn rows_path(&mut self, table: Table<'_>) -> Option<At<String>> {
        let value = table.value("rows")?;
        if value.get_ref().as_str() == Some(".") {
            return self.text("rows", value);
        }
        self.named("rows", value, Rule::Path)
    }

    fn message(&mut self, table: Table<'_>, key: &'static str) -> Option<Constant> {
        let value = table.value(key)?;
        if value.get_ref().as_table().is_none() {
            return self.wrong_type(key, "a table, shaped like the request", value);
        }
        self.constant(key, value)
    }

    fn constant(&mut self, key: &'static str, value: &Value<'_>) -> Option<Constant> {
        let line = self.line(&value.span());
        let value = match value.get_ref() {
            DeValue::String(text) => Literal::Text(text.clone().into_owned()),
            DeValue::Boolean(boolean) => Literal::Bool(*boolean),
            DeValue::Integer(_) => Literal::Int(self.integer(key, value)?),
            DeValue::Float(float) => match float.as_str().replace('_', "").parse() {
                Ok(float) => Literal::Float(float),
                Err(_) => return self.wrong_type(key, "a float of 64 bits", value),
            },
            DeValue::Datetime(_) => {
                return self.wrong_type(key, "a text, a number, true or false, a list or a table", value);
            }
            DeValue::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.constant(key, item)).collect();
                Literal::List(items.into_iter().collect::<Option<_>>()?)
            }
            DeValue::Table(entries) => Literal::Table(self.entries(key, entries)?),
        };
        Some(Constant { line, value })
    }

    fn entries(&mut self, key: &'static str, entries: &DeTable<'_>) -> Option<Vec<(String, Constant)>> {
        let entries: Vec<_> = entries
            .iter()
            .map(|(name, value)| Some((name.get_ref().clone().into_owned(), self.constant(key, value)?)))
            .collect();
        entries.into_iter().collect()
    }

    fn rules(&mut self, table: Table<'_>) -> Option<Vec<ColumnRule>> {
        let Some(value) = table.value("column") else { return Some(Vec::new()) };
        let Some(items) = value.get_ref().as_array() else {
            return self.wrong_type("column", "a list of tables `[[column]]`", value);
        };
        if items.len() > COLUMNS_MAX {
            let columns = items.len();
            return self.fault(self.line(&value.span()), Problem::TooManyColumns { columns });
        }
        let rules: Vec<_> = items.iter().map(|item| self.rule(item)).collect();
        rules.into_iter().collect()
    }

    fn rule(&mut self, value: &Value<'_>) -> Option<ColumnRule> {
        let line = self.line(&value.span());
        let Some(entries) = value.get_ref().as_table() else {
            return self.wrong_type("column", "a list of tables `[[column]]`", value);
        };
        let table = Table { entries, line, place: COLUMN };
        self.unknown_keys(table, COLUMN_KEYS);
        let column = self.name(table, "column", Rule::Source);
        let field = table.value("field").and_then(|value| self.named("field", value, Rule::Field));
        let null = self.null_rule(table);
        Some(ColumnRule { line, column: column?.value, field: field.map(|name| name.value), null })
    }

    fn null_rule(&mut self, table: Table<'_>) -> Option<NullRule> {
        let value = table.value("null")?;
        let line = self.line(&value.span());
        let rule = match value.get_ref() {
            DeValue::String(word) if word == "refuse" => NullRule::Refuse,
            DeValue::String(word) if word == "empty" => NullRule::Empty,
            DeValue::String(word) => return self.unknown_value(line, "null", word, NULLS),
            DeValue::Table(entries) => {
                let table = Table { entries, line, place: DEFAULT };
                self.unknown_keys(table, DEFAULT_KEYS);
                let value = self.required(table, "default")?;
                NullRule::Default(self.constant("default", value)?)
            }
            _ => return self.wrong_type("null", "\"refuse\", \"empty\" or { default = VALUE }", value),
        };
        Some(rule)
    }

    /// A column has one rule, or is not sent at all.
    fn twice(&mut self, map: &MessageMap) -> Option<()> {
        let rules = map.columns.iter().map(|rule| (rule.line, &rule.column));
        let mut named: Vec<_> = rules.chain(map.omit.iter().map(|name| (name.line, &name.value))).collect();
        named.sort_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(&b.0)));
        let again = named.windows(2).find(|two| two[0].1 == two[1].1).map(|two| two[1]);
        let Some((line, column)) = again else { return Some(()) };
        self.fault(line, Problem::Repeated { key: "column", value: column.clone() })
    }
}
