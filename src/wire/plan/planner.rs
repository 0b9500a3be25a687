//! From columns and descriptors to the fields of a plan: what fits, in which shape, and why the rest does not.

use std::collections::HashSet;

use arrow_schema::{DataType, Field, Fields as Columns};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::{Choice, Entry, FieldPlan, Fields, Inner, Missing, Shape};
use crate::{
    schema::message_map::MessageMap,
    wire::{
        Error,
        layout::describe,
        moment::Moment,
        scalar::Scalar,
        varint::{Wire, key, put_delimited},
    },
};

/// The well-known messages that hold one scalar.
const WRAPPERS: &[&str] = &[
    "google.protobuf.DoubleValue",
    "google.protobuf.FloatValue",
    "google.protobuf.Int64Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.Int32Value",
    "google.protobuf.UInt32Value",
    "google.protobuf.BoolValue",
    "google.protobuf.StringValue",
    "google.protobuf.BytesValue",
];
/// The number of their field.
const WRAPPED: u32 = 1;

/// Plans the fields of messages by a map.
pub(in crate::wire) struct Planner<'a> {
    map: &'a MessageMap,
    /// Every column looked at, those inside structs among them.
    seen: HashSet<String>,
    /// Fields that no column fills.
    unfilled: Vec<String>,
}

/// A column and the field it is to fill.
struct Site<'a> {
    path: &'a str,
    data_type: &'a DataType,
    target: &'a FieldDescriptor,
}

impl Site<'_> {
    fn refuse<T>(&self, reason: &'static str) -> Result<T, Error> {
        let (column, field) = (self.path.to_owned(), describe(self.target));
        Err(Error::Type { column, field, data_type: self.data_type.clone(), reason })
    }
}

impl<'a> Planner<'a> {
    pub(in crate::wire) fn new(map: &'a MessageMap) -> Self {
        Self { map, seen: HashSet::new(), unfilled: Vec::new() }
    }

    /// The fields that no column fills, once every column that the map names was seen.
    pub(in crate::wire) fn finish(self) -> Result<Vec<String>, Error> {
        let rules = self.map.columns.iter().map(|rule| (rule.line, &rule.column));
        let omitted = self.map.omit.iter().map(|name| (name.line, &name.value));
        for (line, column) in rules.chain(omitted) {
            if !self.seen.contains(column) {
                let what = format!("the table has no column {column:?} that is sent");
                return Err(Error::Map { file: self.map.file.clone(), line, what });
            }
        }
        Ok(self.unfilled)
    }

    /// The fields of `message` that `columns`, which stand at `place`, fill.
    pub(in crate::wire) fn fields(
        &mut self,
        place: &str,
        columns: &Columns,
        message: &MessageDescriptor,
    ) -> Result<Fields, Error> {
        let mut fields: Vec<(FieldDescriptor, FieldPlan)> = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let path = join(place, column.name());
            self.seen.insert(path.clone());
            if self.map.omits(&path) {
                continue;
            }
            let target = self.target(&path, column, message)?;
            if let Some((_, first)) = fields.iter().find(|(other, _)| *other == target) {
                let (first, field) = (first.name.clone(), describe(&target));
                return Err(Error::SameField { first, second: path, field });
            }
            let planned = self.field(index, column, &path, &target)?;
            fields.push((target, planned));
        }
        fields.sort_by_key(|(target, _)| target.number());
        self.note_unfilled(place, message, &fields)?;
        let choices = choices(message, &fields);
        Ok(Fields { fields: fields.into_iter().map(|(_, field)| field).collect(), choices })
    }

    fn target(
        &self,
        path: &str,
        column: &Field,
        message: &MessageDescriptor,
    ) -> Result<FieldDescriptor, Error> {
        let rule = self.map.rule(path).and_then(|rule| Some((rule.line, rule.field.as_ref()?)));
        let found = message.get_field_by_name(rule.map_or(column.name(), |(_, name)| name));
        found.ok_or_else(|| match rule {
            Some((line, name)) => {
                let what =
                    format!("column {path:?}: message {:?} has no field {name:?}", message.full_name());
                Error::Map { file: self.map.file.clone(), line, what }
            }
            None => Error::NoField { column: path.to_owned(), message: message.full_name().to_owned() },
        })
    }

    fn note_unfilled(
        &mut self,
        place: &str,
        message: &MessageDescriptor,
        fields: &[(FieldDescriptor, FieldPlan)],
    ) -> Result<(), Error> {
        for field in message.fields().filter(|field| !fields.iter().any(|(filled, _)| filled == field)) {
            if field.is_required() {
                let message = message.full_name().to_owned();
                return Err(Error::Required { message, field: describe(&field) });
            }
            self.unfilled.push(join(place, field.name()));
        }
        Ok(())
    }

    fn field(
        &mut self,
        index: usize,
        column: &Field,
        path: &str,
        target: &FieldDescriptor,
    ) -> Result<FieldPlan, Error> {
        let shape = self.shape(&Site { path, data_type: column.data_type(), target })?;
        let rule = self.map.rule(path).and_then(|rule| rule.null.as_ref());
        let missing = Missing::of(rule, column, &shape, target)
            .ok_or_else(|| Error::Policy { column: path.to_owned(), field: describe(target) })?;
        Ok(FieldPlan {
            name: path.to_owned(),
            field: describe(target),
            column: index,
            data_type: column.data_type().clone(),
            key: shape.key(target.number()),
            shape,
            presence: target.supports_presence(),
            missing,
            nullable: column.is_nullable(),
        })
    }

    /// The shape in which a field carries a column.
    fn shape(&mut self, site: &Site<'_>) -> Result<Shape, Error> {
        if site.target.is_group() {
            return site.refuse("groups are not sent");
        }
        if site.target.is_map() {
            return self.map_field(site);
        }
        match (item(site.data_type), site.target.is_list()) {
            (Some(item), true) => self.many(site, item),
            (None, false) => self.one(site),
            (Some(_), false) => site.refuse("a list needs a repeated field"),
            (None, true) => site.refuse("a repeated field takes a column of lists"),
        }
    }

    fn one(&mut self, site: &Site<'_>) -> Result<Shape, Error> {
        match site.target.kind() {
            Kind::Message(message) => Ok(Shape::Inner(self.inner(site, site.data_type, &message)?)),
            kind if carries_bytes(&kind, site.data_type) => Ok(Shape::Bytes),
            kind => Ok(Shape::Scalar(scalar(site, &kind, site.data_type)?)),
        }
    }

    fn many(&mut self, site: &Site<'_>, item: &DataType) -> Result<Shape, Error> {
        if self::item(item).is_some() {
            return site.refuse("lists of lists have no field; a list of structs of a list has");
        }
        match site.target.kind() {
            Kind::Message(message) => Ok(Shape::ManyInner(self.inner(site, item, &message)?)),
            kind if carries_bytes(&kind, item) => Ok(Shape::ManyBytes),
            kind => {
                let scalar = scalar(site, &kind, item)?;
                let copied = scalar.is_copied(item);
                let packed = site.target.is_packed();
                Ok(if packed { Shape::Packed { scalar, copied } } else { Shape::Many(scalar) })
            }
        }
    }

    fn inner(
        &mut self,
        site: &Site<'_>,
        data_type: &DataType,
        message: &MessageDescriptor,
    ) -> Result<Inner, Error> {
        let data_type = plain(data_type);
        if let DataType::Struct(columns) = data_type {
            return Ok(Inner::Fields(self.fields(site.path, columns, message)?));
        }
        if let Some(moment) = Moment::of(message.full_name(), data_type) {
            return Ok(Inner::Moment(moment));
        }
        let wrapped = message.get_field(WRAPPED).filter(|_| WRAPPERS.contains(&message.full_name()));
        match (wrapped, message.full_name()) {
            (Some(value), _) => wrapper(site, data_type, &value),
            (None, "google.protobuf.Timestamp") => site.refuse("this message takes timestamps"),
            (None, "google.protobuf.Duration") => site.refuse("this message takes durations"),
            (None, _) => site.refuse("a message takes a column of structs"),
        }
    }

    fn map_field(&mut self, site: &Site<'_>) -> Result<Shape, Error> {
        let Kind::Message(entry) = site.target.kind() else { return site.refuse("a map has entries") };
        match plain(site.data_type) {
            DataType::Map(entries, _) => {
                let DataType::Struct(columns) = entries.data_type() else {
                    return site.refuse("a map has entries of key and value");
                };
                let [key, value] = &columns[..] else {
                    return site.refuse("a map has entries of key and value");
                };
                let fields = [
                    self.field(0, key, &join(site.path, "key"), &entry.map_entry_key_field())?,
                    self.field(1, value, &join(site.path, "value"), &entry.map_entry_value_field())?,
                ];
                self.seen.extend(fields.iter().map(|field| field.name.clone()));
                Ok(Shape::Entries(Box::new(Fields { fields: fields.into(), choices: Vec::new() })))
            }
            DataType::Struct(columns) => self.named(site, columns, &entry),
            _ => site.refuse("a map field takes a column of maps, or of structs"),
        }
    }

    fn named(
        &mut self,
        site: &Site<'_>,
        columns: &Columns,
        entry: &MessageDescriptor,
    ) -> Result<Shape, Error> {
        let key = entry.map_entry_key_field();
        if !matches!(key.kind(), Kind::String) {
            return site.refuse("the names of a struct's fields are text, and so must the map's keys be");
        }
        let mut names = HashSet::new();
        if !columns.iter().all(|column| names.insert(column.name())) {
            return site
                .refuse("two fields of the struct have one name, and a map keeps one of two equal keys");
        }
        let entries = columns.iter().enumerate().map(|(index, column)| {
            let path = join(site.path, column.name());
            self.seen.insert(path.clone());
            if self.map.omits(&path) {
                return Ok(None);
            }
            let mut value = self.field(index, column, &path, &entry.map_entry_value_field())?;
            // A struct stands for a map whose keys need not all be there.
            if self.map.rule(&path).is_none_or(|rule| rule.null.is_none()) {
                value.missing = Missing::Absent;
            }
            Ok(Some(Entry { key: name_key(key.number(), column.name()), value }))
        });
        let entries: Vec<Option<Entry>> = entries.collect::<Result<_, Error>>()?;
        Ok(Shape::Named(entries.into_iter().flatten().collect()))
    }
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// A key of a map as it stands on the wire: an empty one is absent.
fn name_key(number: u32, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !name.is_empty() {
        put_delimited(key(number, Wire::Bytes), name.len(), &mut bytes);
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes
}

fn wrapper(site: &Site<'_>, data_type: &DataType, value: &FieldDescriptor) -> Result<Inner, Error> {
    let kind = value.kind();
    let shape = if carries_bytes(&kind, data_type) {
        Shape::Bytes
    } else {
        Shape::Scalar(scalar(site, &kind, data_type)?)
    };
    Ok(Inner::Wrapper(Box::new(FieldPlan {
        name: site.path.to_owned(),
        field: describe(site.target),
        column: 0,
        data_type: data_type.clone(),
        key: shape.key(value.number()),
        shape,
        presence: value.supports_presence(),
        missing: Missing::Refused,
        nullable: false,
    })))
}

/// The scalar of `kind`, if it carries `data_type`.
fn scalar(site: &Site<'_>, kind: &Kind, data_type: &DataType) -> Result<Scalar, Error> {
    match Scalar::of(kind) {
        Some(scalar) if scalar.carries(data_type) => Ok(scalar),
        Some(Scalar::Float) if plain(data_type).is_floating() => site
            .refuse("values would be rounded; convert the table with --vectors f32, or use a double field"),
        Some(Scalar::Enum(_)) => site.refuse("an enum takes its names as text, or its numbers as integers"),
        _ if matches!(plain(data_type), DataType::Struct(_)) => {
            site.refuse("a struct needs a message or a map")
        }
        _ if matches!(plain(data_type), DataType::Map(..)) => site.refuse("a map needs a map field"),
        _ => site.refuse("no value of the one is a value of the other"),
    }
}

/// The type behind any dictionary.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        other => other,
    }
}

fn item(data_type: &DataType) -> Option<&DataType> {
    match plain(data_type) {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(item.data_type())
        }
        _ => None,
    }
}

fn carries_bytes(kind: &Kind, data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        (kind, plain(data_type)),
        (Kind::String, T::Utf8 | T::LargeUtf8)
            | (Kind::Bytes, T::Binary | T::LargeBinary | T::FixedSizeBinary(_))
    )
}

/// The oneofs of which several fields are filled.
fn choices(message: &MessageDescriptor, fields: &[(FieldDescriptor, FieldPlan)]) -> Vec<Choice> {
    let oneofs = message.oneofs().map(|oneof| {
        let is_member = |field: &FieldDescriptor| field.containing_oneof().as_ref() == Some(&oneof);
        let members = fields.iter().enumerate().filter(|(_, (field, _))| is_member(field));
        Choice { oneof: oneof.name().to_owned(), members: members.map(|(index, _)| index).collect() }
    });
    oneofs.filter(|choice| choice.members.len() > 1).collect()
}
