//! Where rows stand in a request: as the map says, or where else they cannot stand.

use arrow_schema::Schema;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};

use super::{
    super::{
        Error,
        layout::describe,
        varint::{Wire, key},
        wrap::{Level, Wrap},
    },
    constant::{Facts, Speaker, check_required},
};
use crate::schema::{
    At,
    message_map::{Constant, Literal, MessageMap},
};

/// The fields from a request to its rows, and the message of a row.
pub(super) struct Way {
    fields: Vec<FieldDescriptor>,
    pub(super) row: MessageDescriptor,
}

/// The way that `map` names, else the only one there is.
pub(super) fn find(request: &MessageDescriptor, schema: &Schema, map: &MessageMap) -> Result<Way, Error> {
    match &map.rows {
        Some(path) => follow(request, path, &map.file),
        None if fits(request, schema, map) => Ok(Way { fields: Vec::new(), row: request.clone() }),
        None => only(request),
    }
}

fn follow(request: &MessageDescriptor, path: &At<String>, file: &str) -> Result<Way, Error> {
    let wrong = |what| Error::Map { file: file.to_owned(), line: path.line, what };
    let mut way = Way { fields: Vec::new(), row: request.clone() };
    let names = if path.value == "." { Vec::new() } else { path.value.split('.').collect() };
    for (index, name) in names.iter().enumerate() {
        let message = way.row.full_name().to_owned();
        let field = way.row.get_field_by_name(name);
        let field = field.ok_or_else(|| wrong(format!("message {message:?} has no field {name:?}")))?;
        let is_last = index + 1 == names.len();
        match held(&field) {
            Some(row) if is_last || !field.is_list() => way.row = row,
            Some(_) => {
                return Err(wrong(format!("only the last field of the way may be repeated, not {name:?}")));
            }
            None => return Err(wrong(format!("field {} holds no message", describe(&field)))),
        }
        way.fields.push(field);
    }
    Ok(way)
}

/// The message that a field holds; none for maps and groups.
fn held(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_map() && !field.is_group() => Some(message),
        _ => None,
    }
}

/// Whether the request itself has a field for every column.
fn fits(request: &MessageDescriptor, schema: &Schema, map: &MessageMap) -> bool {
    let sent = schema.fields().iter().filter(|column| !map.omits(column.name()));
    let mut names = sent.map(|column| {
        let renamed = map.rule(column.name()).and_then(|rule| rule.field.as_ref());
        renamed.unwrap_or(column.name())
    });
    names.all(|name| request.get_field_by_name(name).is_some())
}

/// The only field of the request that is a run of messages.
fn only(request: &MessageDescriptor) -> Result<Way, Error> {
    let mut runs = request.fields().filter(|field| field.is_list() && held(field).is_some());
    match (runs.next(), runs.next()) {
        (Some(field), None) => {
            let row = held(&field).unwrap_or_else(|| request.clone());
            Ok(Way { fields: vec![field], row })
        }
        _ => Err(Error::NoPlace { message: request.full_name().to_owned() }),
    }
}

impl Way {
    /// As a map spells it.
    pub(super) fn path(&self) -> String {
        if self.fields.is_empty() {
            return ".".to_owned();
        }
        self.fields.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
    }

    /// What stands around the rows, the constants of `map` among it.
    pub(super) fn wrap(
        &self,
        request: &MessageDescriptor,
        map: &MessageMap,
        facts: &Facts,
    ) -> Result<Wrap, Error> {
        let speaker = Speaker { file: &map.file, facts };
        let repeated = self.fields.last().is_some_and(FieldDescriptor::is_list);
        let (mut levels, mut message, mut beside) = (Vec::new(), request.clone(), map.every.as_ref());
        for (index, field) in self.fields.iter().enumerate() {
            let is_last = index + 1 == self.fields.len();
            let (level, inside) = speaker.level(&message, field, beside, is_last)?;
            levels.push(level);
            if let Some(next) = held(field) {
                message = next;
            }
            beside = inside;
        }
        if self.fields.is_empty() {
            levels.push(beside_row(&speaker, &message, beside)?);
        }
        Ok(Wrap { levels, repeated })
    }
}

impl Speaker<'_> {
    /// The constants of one message on the way, and those of the next.
    fn level<'m>(
        &self,
        message: &MessageDescriptor,
        field: &FieldDescriptor,
        beside: Option<&'m Constant>,
        is_last: bool,
    ) -> Result<(Level, Option<&'m Constant>), Error> {
        let mut level = Level { key: Some(key(field.number(), Wire::Bytes)), ..Level::default() };
        let entries = match beside {
            None => {
                check_required(&DynamicMessage::new(message.clone()), Some(field))?;
                return Ok((level, None));
            }
            Some(Constant { value: Literal::Table(entries), .. }) => entries,
            Some(other) => {
                return Err(self.wrong(other, format!("field {:?} is a message: a table", field.name())));
            }
        };
        let inside = entries.iter().find(|(name, _)| name == field.name()).map(|(_, constant)| constant);
        if let Some(constant) = inside.filter(|_| is_last) {
            return Err(self.wrong(constant, format!("field {:?} holds the rows of the table", field.name())));
        }
        let others: Vec<_> = entries.iter().filter(|(name, _)| name != field.name()).cloned().collect();
        let constants = self.message(message, &others)?;
        check_required(&constants, Some(field))?;
        if let (Some(oneof), Some((_, other))) = (field.containing_oneof(), others.first()) {
            let rivals = oneof.fields().filter(|rival| constants.has_field(rival));
            if rivals.count() > 0 {
                return Err(self.wrong(other, format!("oneof {:?} holds the rows already", oneof.name())));
            }
        }
        let (mut head, mut tail) = (constants.clone(), constants);
        for other in message.fields() {
            if other.number() < field.number() { tail.clear_field(&other) } else { head.clear_field(&other) }
        }
        (level.head, level.tail) = (head.encode_to_vec(), tail.encode_to_vec());
        Ok((level, inside))
    }
}

/// Constants of a request that is a row itself: they stand before the columns, which protobuf allows.
fn beside_row(
    speaker: &Speaker<'_>,
    message: &MessageDescriptor,
    beside: Option<&Constant>,
) -> Result<Level, Error> {
    let Some(Constant { value: Literal::Table(entries), .. }) = beside else { return Ok(Level::default()) };
    Ok(Level { head: speaker.message(message, entries)?.encode_to_vec(), ..Level::default() })
}
