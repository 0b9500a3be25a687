//! Messages of any shape: drawn at random, spelled as a `.proto` file.

use std::fmt::Write as _;

use proptest::prelude::*;

/// A scalar kind of protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Float,
    Double,
    Text,
    Binary,
    Level,
}

pub(super) const SCALARS: [(Scalar, &str); 16] = [
    (Scalar::Bool, "bool"),
    (Scalar::Int32, "int32"),
    (Scalar::Int64, "int64"),
    (Scalar::Uint32, "uint32"),
    (Scalar::Uint64, "uint64"),
    (Scalar::Sint32, "sint32"),
    (Scalar::Sint64, "sint64"),
    (Scalar::Fixed32, "fixed32"),
    (Scalar::Fixed64, "fixed64"),
    (Scalar::Sfixed32, "sfixed32"),
    (Scalar::Sfixed64, "sfixed64"),
    (Scalar::Float, "float"),
    (Scalar::Double, "double"),
    (Scalar::Text, "string"),
    (Scalar::Binary, "bytes"),
    (Scalar::Level, "Level"),
];

const WRAPPERS: [(Scalar, &str); 9] = [
    (Scalar::Double, "Double"),
    (Scalar::Float, "Float"),
    (Scalar::Int64, "Int64"),
    (Scalar::Uint64, "UInt64"),
    (Scalar::Int32, "Int32"),
    (Scalar::Uint32, "UInt32"),
    (Scalar::Bool, "Bool"),
    (Scalar::Text, "String"),
    (Scalar::Binary, "Bytes"),
];

/// What one value is.
#[derive(Debug, Clone)]
pub(super) enum Type {
    Scalar(Scalar),
    Wrapper(Scalar),
    Timestamp(u8),
    Duration(u8),
    Message(Vec<Field>),
}

/// How many values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    One,
    Optional,
    Repeated,
    Unpacked,
    /// A map with keys of this kind.
    Map(Scalar),
    /// A map whose column is a struct of three fields.
    Named,
}

/// A field, its column and the way its column is stored.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) label: Label,
    pub(super) kind: Type,
    /// Which of the Arrow types that fit.
    pub(super) storage: u8,
}

impl Field {
    pub(super) fn name(&self) -> String {
        format!("f{}", self.number)
    }

    /// Whether a null column cell means that the field is absent.
    pub(super) fn is_nullable(&self) -> bool {
        let is_message = !matches!(self.kind, Type::Scalar(_));
        self.label == Label::Optional || self.label == Label::One && is_message
    }
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop::sample::select(SCALARS.to_vec()).prop_map(|(scalar, _)| scalar)
}

fn key() -> impl Strategy<Value = Scalar> {
    let is_key = |(scalar, _): &(Scalar, &str)| {
        !matches!(scalar, Scalar::Float | Scalar::Double | Scalar::Binary | Scalar::Level)
    };
    let keys: Vec<_> = SCALARS.into_iter().filter(is_key).map(|(scalar, _)| scalar).collect();
    prop::sample::select(keys)
}

fn kind() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        6 => scalar().prop_map(Type::Scalar),
        2 => prop::sample::select(WRAPPERS.to_vec()).prop_map(|(scalar, _)| Type::Wrapper(scalar)),
        1 => (0..4_u8).prop_map(Type::Timestamp),
        1 => (0..4_u8).prop_map(Type::Duration),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| fields_of(inner, 1..4).prop_map(Type::Message))
}

fn fields_of(
    kind: impl Strategy<Value = Type>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<Field>> {
    let label = prop_oneof![
        3 => Just(Label::One),
        2 => Just(Label::Optional),
        2 => Just(Label::Repeated),
        1 => Just(Label::Unpacked),
        1 => key().prop_map(Label::Map),
        1 => Just(Label::Named),
    ];
    prop::collection::btree_map(1..40_u32, (label, kind, any::<u8>()), count).prop_shuffle_fields()
}

/// Columns stand in another order than their fields' numbers.
trait Shuffled: Strategy<Value = std::collections::BTreeMap<u32, (Label, Type, u8)>> + Sized {
    fn prop_shuffle_fields(self) -> impl Strategy<Value = Vec<Field>> {
        self.prop_map(|fields| {
            let fields = fields.into_iter();
            fields
                .map(|(number, (label, kind, storage))| Field { number, label, kind, storage })
                .collect::<Vec<_>>()
        })
        .prop_shuffle()
    }
}

impl<S: Strategy<Value = std::collections::BTreeMap<u32, (Label, Type, u8)>>> Shuffled for S {}

/// The fields of a row.
pub(super) fn row() -> impl Strategy<Value = Vec<Field>> {
    fields_of(kind(), 1..7)
}

/// The `.proto` file of a service that takes such rows.
pub(super) fn proto(fields: &[Field]) -> String {
    let mut text = "syntax = \"proto3\"; package t;\n\
        import \"google/protobuf/timestamp.proto\"; import \"google/protobuf/duration.proto\";\n\
        import \"google/protobuf/wrappers.proto\";\n\
        enum Level { NONE = 0; LOW = 1; HIGH = 500; BELOW = -3; }\n\
        service S { rpc Put (stream Request) returns (Answer); }\n\
        message Answer {} message Request { repeated Row rows = 5; }\n"
        .to_owned();
    message("Row", fields, &mut text);
    text
}

fn message(name: &str, fields: &[Field], text: &mut String) {
    writeln!(text, "message {name} {{").unwrap();
    for field in fields {
        let kind = spelled(field, text);
        let (number, name) = (field.number, field.name());
        let label = match field.label {
            Label::Optional => "optional ",
            Label::Repeated | Label::Unpacked => "repeated ",
            _ => "",
        };
        let option = match (&field.kind, field.label) {
            (Type::Scalar(Scalar::Text | Scalar::Binary), _) => "",
            (Type::Scalar(_), Label::Unpacked) => " [packed = false]",
            _ => "",
        };
        match field.label {
            Label::Map(key) => writeln!(text, "  map<{}, {kind}> {name} = {number};", word(key)),
            Label::Named => writeln!(text, "  map<string, {kind}> {name} = {number};"),
            _ => writeln!(text, "  {label}{kind} {name} = {number}{option};"),
        }
        .unwrap();
    }
    *text += "}\n";
}

fn spelled(field: &Field, text: &mut String) -> String {
    match &field.kind {
        Type::Scalar(scalar) => word(*scalar).to_owned(),
        Type::Wrapper(scalar) => {
            let (_, name) = WRAPPERS.into_iter().find(|(other, _)| other == scalar).unwrap();
            format!("google.protobuf.{name}Value")
        }
        Type::Timestamp(_) => "google.protobuf.Timestamp".to_owned(),
        Type::Duration(_) => "google.protobuf.Duration".to_owned(),
        Type::Message(fields) => {
            let name = format!("M{}", field.number);
            message(&name, fields, text);
            name
        }
    }
}

fn word(scalar: Scalar) -> &'static str {
    SCALARS.into_iter().find(|(other, _)| *other == scalar).unwrap().1
}
