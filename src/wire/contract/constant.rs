//! Values that a map writes into messages, checked against their fields.

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value,
};

use super::super::{Error, layout::describe};
use crate::schema::message_map::{Constant, Literal};

/// What placeholders stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The table's domain, if it has one.
    pub domain: Option<String>,
    /// The data set's name.
    pub table: String,
    /// The file that the table was converted from, else the data set's name.
    pub file: String,
    /// Elements of a vector, if the table has a column of them.
    pub dimension: Option<usize>,
    /// Rows in all.
    pub rows: u64,
}

impl Facts {
    const NAMES: &'static str = "{domain}, {table}, {file}, {dimension}, {rows}";

    /// What stands for `name`.
    fn named(&self, name: &str) -> Result<String, String> {
        let absent = |what: &str| format!("the table has no {what} for {{{name}}} to stand for");
        match name {
            "domain" => self.domain.clone().ok_or_else(|| absent("domain")),
            "table" => Ok(self.table.clone()),
            "file" => Ok(self.file.clone()),
            "dimension" => {
                self.dimension.map(|count| count.to_string()).ok_or_else(|| absent("column of vectors"))
            }
            "rows" => Ok(self.rows.to_string()),
            _ => Err(format!("{{{name}}} stands for nothing; known: {}", Self::NAMES)),
        }
    }

    /// `text` with what its placeholders stand for.
    fn filled(&self, text: &str) -> Result<String, String> {
        let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            filled.push_str(before);
            if brace.starts_with("{{") || brace.starts_with("}}") {
                filled.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let end = brace.find('}').filter(|end| *end > 0);
            let end = end.ok_or_else(|| "a brace alone; write {{ or }} for a brace".to_owned())?;
            filled.push_str(&self.named(&brace[1..end])?);
            rest = &brace[end + 1..];
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// Makes messages of constants; names the file in errors.
pub(super) struct Speaker<'a> {
    pub(super) file: &'a str,
    pub(super) facts: &'a Facts,
}

impl Speaker<'_> {
    pub(super) fn wrong(&self, constant: &Constant, what: String) -> Error {
        Error::Map { file: self.file.to_owned(), line: constant.line, what }
    }

    /// The message that `entries` describe.
    pub(super) fn message(
        &self,
        descriptor: &MessageDescriptor,
        entries: &[(String, Constant)],
    ) -> Result<DynamicMessage, Error> {
        let mut message = DynamicMessage::new(descriptor.clone());
        for (name, constant) in entries {
            let field = descriptor.get_field_by_name(name).ok_or_else(|| {
                let what = format!("message {:?} has no field {name:?}", descriptor.full_name());
                self.wrong(constant, what)
            })?;
            let value = self.field(&field, constant)?;
            let rival = field
                .containing_oneof()
                .and_then(|oneof| oneof.fields().find(|rival| *rival != field && message.has_field(rival)));
            if let Some(rival) = rival {
                let what =
                    format!("fields {:?} and {name:?} are of one oneof, which holds one", rival.name());
                return Err(self.wrong(constant, what));
            }
            message.set_field(&field, value);
        }
        Ok(message)
    }

    fn field(&self, field: &FieldDescriptor, constant: &Constant) -> Result<Value, Error> {
        match &constant.value {
            Literal::Table(entries) if field.is_map() => self.map(field, constant, entries),
            Literal::List(items) if field.is_list() => {
                let items = items.iter().map(|item| self.single(field, item));
                Ok(Value::List(items.collect::<Result<_, _>>()?))
            }
            _ if field.is_map() || field.is_list() || field.is_group() => Err(self.misfit(field, constant)),
            _ => self.single(field, constant),
        }
    }

    fn map(
        &self,
        field: &FieldDescriptor,
        constant: &Constant,
        entries: &[(String, Constant)],
    ) -> Result<Value, Error> {
        let Kind::Message(entry) = field.kind() else { return Err(self.misfit(field, constant)) };
        if !matches!(entry.map_entry_key_field().kind(), Kind::String) {
            return Err(self.misfit(field, constant));
        }
        let value = entry.map_entry_value_field();
        let entries = entries
            .iter()
            .map(|(name, constant)| Ok((MapKey::String(name.clone()), self.single(&value, constant)?)));
        Ok(Value::Map(entries.collect::<Result<_, Error>>()?))
    }

    fn single(&self, field: &FieldDescriptor, constant: &Constant) -> Result<Value, Error> {
        let value = match (&constant.value, field.kind()) {
            (Literal::Text(text), kind) => {
                let text = self.facts.filled(text).map_err(|what| self.wrong(constant, what))?;
                of_text(&text, &kind)
            }
            (Literal::Bool(value), Kind::Bool) => Some(Value::Bool(*value)),
            (Literal::Int(value), kind) => of_integer(*value, &kind),
            (Literal::Float(value), Kind::Double) => Some(Value::F64(*value)),
            (Literal::Float(value), Kind::Float) => Some(Value::F32(*value as f32)),
            (Literal::Table(entries), Kind::Message(message)) => {
                let message = self.message(&message, entries)?;
                check_required(&message, None)?;
                Some(Value::Message(message))
            }
            _ => None,
        };
        value.ok_or_else(|| self.misfit(field, constant))
    }

    fn misfit(&self, field: &FieldDescriptor, constant: &Constant) -> Error {
        let spoken = match &constant.value {
            Literal::Text(text) => format!("{text:?}"),
            Literal::Int(value) => value.to_string(),
            Literal::Float(value) => value.to_string(),
            Literal::Bool(value) => value.to_string(),
            Literal::List(_) => "a list".to_owned(),
            Literal::Table(_) => "a table".to_owned(),
        };
        self.wrong(constant, format!("field {} cannot be {spoken}", describe(field)))
    }
}

/// Refuses a message that lacks a field it must have; `filled` comes from elsewhere.
pub(super) fn check_required(
    message: &DynamicMessage,
    filled: Option<&FieldDescriptor>,
) -> Result<(), Error> {
    let descriptor = message.descriptor();
    let mut required = descriptor.fields().filter(|field| field.is_required() && Some(field) != filled);
    match required.find(|field| !message.has_field(field)) {
        Some(field) => {
            Err(Error::Required { message: descriptor.full_name().to_owned(), field: describe(&field) })
        }
        None => Ok(()),
    }
}

fn of_text(text: &str, kind: &Kind) -> Option<Value> {
    match kind {
        Kind::String => Some(Value::String(text.to_owned())),
        Kind::Bytes => Some(Value::Bytes(text.to_owned().into_bytes().into())),
        Kind::Enum(values) => Some(Value::EnumNumber(values.get_value_by_name(text)?.number())),
        Kind::Message(_) | Kind::Bool | Kind::Float | Kind::Double => None,
        // A placeholder for a number.
        integer => of_integer(text.parse().ok()?, integer),
    }
}

fn of_integer(value: i64, kind: &Kind) -> Option<Value> {
    Some(match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(value.try_into().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(value),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(value.try_into().ok()?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(value.try_into().ok()?),
        Kind::Enum(values) => Value::EnumNumber(values.get_value(value.try_into().ok()?)?.number()),
        _ => return None,
    })
}
