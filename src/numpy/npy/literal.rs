//! The Python literals that headers are: texts, whole numbers, booleans, tuples, lists and dicts of them.

use super::{Error, Result};

/// Nesting that headers need: a dict, a list of fields, a field, its shape; and records in records.
const DEPTH_MAX: usize = 16;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Int(u64),
    Bool(bool),
    /// A tuple or a list.
    Sequence(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

impl Literal {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        // Version 3 is UTF-8, the others Latin-1 of which only ASCII was ever written.
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Npy("a header of text"))?;
        let mut reader = Reader { rest: text.trim_ascii() };
        let literal = reader.value(0).ok_or(Error::Npy("a header of plain values"))?;
        if reader.rest.is_empty() { Ok(literal) } else { Err(Error::Npy("a header of one value")) }
    }

    /// The items of a tuple or list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        if let Self::Sequence(items) = self { Some(items) } else { None }
    }

    /// The value of a key; of two the last one.
    pub(super) fn value(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else { return None };
        let is_key = |name: &Self| matches!(name, Self::Text(name) if name == key);
        entries.iter().rev().find(|(name, _)| is_key(name)).map(|(_, value)| value)
    }

    /// The name of a field, which stands alone or behind a title.
    pub(super) fn field_name(&self) -> Option<&str> {
        match self {
            Self::Text(name) => Some(name),
            Self::Sequence(titled) => match titled.as_slice() {
                [_, Self::Text(name)] => Some(name),
                _ => None,
            },
            _ => None,
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Literal> {
        if depth > DEPTH_MAX {
            return None;
        }
        let value = match self.rest.chars().next()? {
            '(' => Literal::Sequence(self.items('(', ')', |reader| reader.value(depth + 1))?),
            '[' => Literal::Sequence(self.items('[', ']', |reader| reader.value(depth + 1))?),
            '{' => Literal::Dict(self.items('{', '}', |reader| {
                let key = reader.value(depth + 1)?;
                reader.eat(':').then_some(())?;
                Some((key, reader.value(depth + 1)?))
            })?),
            quote @ ('\'' | '"') => self.text(quote)?,
            '0'..='9' => self.int()?,
            _ if self.word("True") => Literal::Bool(true),
            _ if self.word("False") => Literal::Bool(false),
            _ => return None,
        };
        self.rest = self.rest.trim_ascii_start();
        Some(value)
    }

    fn items<T>(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.eat(open).then_some(())?;
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(item(self)?);
            if !self.eat(',') && !self.rest.starts_with(close) {
                return None;
            }
        }
        Some(items)
    }

    /// A text; only the escapes that `repr` writes for quotes and backslashes.
    fn text(&mut self, quote: char) -> Option<Literal> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        loop {
            match chars.next()? {
                (end, char) if char == quote => {
                    self.rest = &self.rest[end + quote.len_utf8()..];
                    return Some(Literal::Text(text));
                }
                (_, '\\') => {
                    text.push(chars.next().map(|(_, char)| char).filter(|char| "'\"\\".contains(*char))?);
                }
                (_, char) => text.push(char),
            }
        }
    }

    /// Digits; Python 2 may put an L behind them.
    fn int(&mut self) -> Option<Literal> {
        let end = self.rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(self.rest.len());
        let value = self.rest[..end].parse().ok()?;
        self.rest = self.rest[end..].strip_prefix('L').unwrap_or(&self.rest[end..]);
        Some(Literal::Int(value))
    }

    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn eat(&mut self, char: char) -> bool {
        let rest = self.rest.trim_ascii_start();
        let eaten = rest.strip_prefix(char);
        self.rest = eaten.map_or(rest, str::trim_ascii_start);
        eaten.is_some()
    }
}
