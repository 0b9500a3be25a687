//! Values of any shape, as cells of Arrow arrays and as values of the descriptors' own library.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeListArray, Float32Array,
    Float64Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray, LargeListArray, LargeStringArray,
    ListArray, MapArray, StringArray, StructArray, UInt32Array, UInt64Array, types::Int8Type,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field as Column, TimeUnit};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use super::tree::{Field, Label, Scalar, Type};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Integer(i128),
    Float(f64),
    Text(String),
    Fields(Vec<Option<Cell>>),
    Items(Vec<Cell>),
    Entries(Vec<(Cell, Cell)>),
}

/// Random enough, and the same again for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn range(&mut self, least: i128, most: i128) -> i128 {
        match self.below(5) {
            0 => 0,
            1 => least,
            2 => most,
            3 => i128::from(self.below(200)).clamp(least, most),
            _ => least + i128::from(self.next()).rem_euclid(most - least + 1),
        }
    }
}

pub(super) const UNITS: [(TimeUnit, i64); 4] = [
    (TimeUnit::Second, 1),
    (TimeUnit::Millisecond, 1_000),
    (TimeUnit::Microsecond, 1_000_000),
    (TimeUnit::Nanosecond, 1_000_000_000),
];

fn scalar(kind: Scalar, storage: u8, dice: &mut Dice) -> Cell {
    let narrow = storage.is_multiple_of(3);
    Cell::Integer(match kind {
        Scalar::Bool => i128::from(dice.below(2)),
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 if narrow => {
            dice.range(i16::MIN.into(), i16::MAX.into())
        }
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => dice.range(i32::MIN.into(), i32::MAX.into()),
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => dice.range(i64::MIN.into(), i64::MAX.into()),
        Scalar::Uint32 | Scalar::Fixed32 => dice.range(0, u32::MAX.into()),
        Scalar::Uint64 | Scalar::Fixed64 => dice.range(0, u64::MAX.into()),
        Scalar::Level => [0, 1, 500, -3][dice.below(4) as usize],
        Scalar::Float => return Cell::Float(f64::from(dice.range(-1_000, 1_000) as f32 / 8.0)),
        Scalar::Double => return Cell::Float(dice.range(-1_000_000, 1_000_000) as f64 / 7.0),
        Scalar::Text | Scalar::Binary => {
            return Cell::Text(
                ["", "a", "Ünter 日本", &"long ".repeat(30)][dice.below(4) as usize].to_owned(),
            );
        }
    })
}

fn one(kind: &Type, storage: u8, dice: &mut Dice) -> Cell {
    match kind {
        Type::Scalar(scalar) | Type::Wrapper(scalar) => self::scalar(*scalar, storage, dice),
        Type::Timestamp(unit) => {
            let per_second = i128::from(UNITS[usize::from(*unit)].1);
            let (least, most) = (-62_135_596_800 * per_second, 253_402_300_800 * per_second - 1);
            Cell::Integer(dice.range(least.max(i64::MIN.into()), most.min(i64::MAX.into())))
        }
        Type::Duration(unit) => {
            let most = (315_576_000_000 * i128::from(UNITS[usize::from(*unit)].1)).min(i64::MAX.into());
            Cell::Integer(dice.range(-most, most))
        }
        Type::Message(fields) => Cell::Fields(fields.iter().map(|field| cell(field, dice)).collect()),
    }
}

/// A cell of a field's column.
pub(super) fn cell(field: &Field, dice: &mut Dice) -> Option<Cell> {
    if field.is_nullable() && dice.below(3) == 0 {
        return None;
    }
    Some(match field.label {
        Label::One | Label::Optional => one(&field.kind, field.storage, dice),
        Label::Repeated | Label::Unpacked => {
            let count = if field.storage.is_multiple_of(4) { 2 } else { dice.below(4) };
            Cell::Items((0..count).map(|_| one(&field.kind, field.storage, dice)).collect())
        }
        Label::Map(key) => {
            let mut entries: Vec<(Cell, Cell)> = Vec::new();
            for _ in 0..dice.below(3) {
                let key = scalar(key, field.storage, dice);
                if entries.iter().all(|(other, _)| *other != key) {
                    entries.push((key, one(&field.kind, field.storage, dice)));
                }
            }
            Cell::Entries(entries)
        }
        Label::Named => Cell::Fields(
            (0..3).map(|_| (dice.below(2) == 0).then(|| one(&field.kind, field.storage, dice))).collect(),
        ),
    })
}

/// Whether every map in the value has one entry at most: then there is one order only.
pub(super) fn is_ordered(field: &Field, cell: Option<&Cell>) -> bool {
    let inside = |cell: &Cell| match (&field.kind, cell) {
        (Type::Message(fields), Cell::Fields(cells)) => {
            fields.iter().zip(cells).all(|(field, cell)| is_ordered(field, cell.as_ref()))
        }
        _ => true,
    };
    match (field.label, cell) {
        (_, None) => true,
        (Label::Named, Some(Cell::Fields(cells))) => {
            cells.iter().flatten().count() < 2 && cells.iter().flatten().all(inside)
        }
        (_, Some(Cell::Entries(entries))) => {
            entries.len() < 2 && entries.iter().all(|(_, value)| inside(value))
        }
        (_, Some(Cell::Items(items))) => items.iter().all(inside),
        (_, Some(cell)) => inside(cell),
    }
}

fn integers(cells: &[Option<&Cell>]) -> Vec<Option<i128>> {
    let integer = |cell: &&Cell| if let Cell::Integer(value) = cell { *value } else { panic!("{cell:?}") };
    cells.iter().map(|cell| cell.as_ref().map(integer)).collect()
}

fn texts<'a>(cells: &[Option<&'a Cell>]) -> Vec<Option<&'a str>> {
    let text = |cell: &&'a Cell| if let Cell::Text(text) = cell { text.as_str() } else { panic!("{cell:?}") };
    cells.iter().map(|cell| cell.as_ref().map(text)).collect()
}

fn floats(cells: &[Option<&Cell>]) -> Vec<Option<f64>> {
    let float = |cell: &&Cell| if let Cell::Float(value) = cell { *value } else { panic!("{cell:?}") };
    cells.iter().map(|cell| cell.as_ref().map(float)).collect()
}

macro_rules! array {
    ($array:ty, $values:expr, $as:ty) => {
        Arc::new($values.into_iter().map(|value| value.map(|value| value as $as)).collect::<$array>())
            as ArrayRef
    };
}

fn scalars(kind: Scalar, storage: u8, cells: &[Option<&Cell>]) -> ArrayRef {
    let narrow = storage.is_multiple_of(3);
    let names = |value: Option<i128>| value.map(|value| level(value as i32));
    match kind {
        Scalar::Bool => Arc::new(
            integers(cells).into_iter().map(|value| value.map(|value| value != 0)).collect::<BooleanArray>(),
        ),
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 if narrow => {
            array!(Int16Array, integers(cells), i16)
        }
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 if storage.is_multiple_of(2) => {
            array!(Int64Array, integers(cells), i64)
        }
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => array!(Int32Array, integers(cells), i32),
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => array!(Int64Array, integers(cells), i64),
        Scalar::Uint32 | Scalar::Fixed32 if narrow => array!(Int64Array, integers(cells), i64),
        Scalar::Uint32 | Scalar::Fixed32 => array!(UInt32Array, integers(cells), u32),
        Scalar::Uint64 | Scalar::Fixed64 => array!(UInt64Array, integers(cells), u64),
        Scalar::Level if narrow => array!(Int32Array, integers(cells), i32),
        Scalar::Level => {
            Arc::new(integers(cells).into_iter().map(names).collect::<DictionaryArray<Int8Type>>())
        }
        Scalar::Float => array!(Float32Array, floats(cells), f32),
        Scalar::Double => array!(Float64Array, floats(cells), f64),
        Scalar::Text if narrow => Arc::new(LargeStringArray::from(texts(cells))),
        Scalar::Text if storage.is_multiple_of(2) => {
            Arc::new(texts(cells).into_iter().collect::<DictionaryArray<Int8Type>>())
        }
        Scalar::Text => Arc::new(StringArray::from(texts(cells))),
        Scalar::Binary if narrow => Arc::new(
            texts(cells).into_iter().map(|text| text.map(str::as_bytes)).collect::<LargeBinaryArray>(),
        ),
        Scalar::Binary => {
            Arc::new(texts(cells).into_iter().map(|text| text.map(str::as_bytes)).collect::<BinaryArray>())
        }
    }
}

fn level(number: i32) -> &'static str {
    match number {
        0 => "NONE",
        1 => "LOW",
        500 => "HIGH",
        -3 => "BELOW",
        other => panic!("{other}"),
    }
}

/// The array of the cells of values, of which some may be missing.
fn ones(kind: &Type, storage: u8, cells: &[Option<&Cell>]) -> ArrayRef {
    match kind {
        Type::Scalar(scalar) | Type::Wrapper(scalar) => scalars(*scalar, storage, cells),
        Type::Timestamp(unit) => {
            times(DataType::Timestamp(UNITS[usize::from(*unit)].0, Some("+01:00".into())), cells)
        }
        Type::Duration(unit) => times(DataType::Duration(UNITS[usize::from(*unit)].0), cells),
        Type::Message(fields) => structs(fields.iter().map(|field| (field.name(), field)), cells),
    }
}

fn times(data_type: DataType, cells: &[Option<&Cell>]) -> ArrayRef {
    let plain: ArrayRef = array!(Int64Array, integers(cells), i64);
    let data: ArrayData = plain.to_data().into_builder().data_type(data_type).build().unwrap();
    arrow_array::make_array(data)
}

fn structs<'f>(fields: impl Iterator<Item = (String, &'f Field)>, cells: &[Option<&Cell>]) -> ArrayRef {
    let nulls: NullBuffer = cells.iter().map(Option::is_some).collect();
    let columns: Vec<(Column, ArrayRef)> = fields
        .enumerate()
        .map(|(index, (name, field))| {
            let children: Vec<Option<&Cell>> = cells
                .iter()
                .map(|cell| match cell {
                    Some(Cell::Fields(children)) => children[index].as_ref(),
                    Some(other) => panic!("{other:?}"),
                    None => None,
                })
                .collect();
            let array = column(field, &children);
            (Column::new(name, array.data_type().clone(), true), array)
        })
        .collect();
    let (columns, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Arc::new(StructArray::new(columns.into(), arrays, Some(nulls)))
}

/// The column of a field.
pub(super) fn column(field: &Field, cells: &[Option<&Cell>]) -> ArrayRef {
    match field.label {
        Label::One | Label::Optional => ones(&field.kind, field.storage, cells),
        Label::Repeated | Label::Unpacked => lists(field, cells),
        Label::Map(key) => maps(field, key, cells),
        Label::Named => {
            let value = Field { label: Label::Optional, ..field.clone() };
            structs(["x", "", "日"].iter().map(|name| ((*name).to_owned(), &value)), cells)
        }
    }
}

fn lists(field: &Field, cells: &[Option<&Cell>]) -> ArrayRef {
    let runs: Vec<&[Cell]> = cells
        .iter()
        .map(|cell| match cell {
            Some(Cell::Items(items)) => items.as_slice(),
            Some(other) => panic!("{other:?}"),
            None => &[],
        })
        .collect();
    let items: Vec<Option<&Cell>> = runs.iter().flat_map(|run| run.iter().map(Some)).collect();
    let array = ones(&field.kind, field.storage, &items);
    let item = Arc::new(Column::new("item", array.data_type().clone(), true));
    let lengths = || runs.iter().map(|run| run.len());
    match field.storage % 4 {
        0 if cells.iter().all(Option::is_some) => Arc::new(FixedSizeListArray::new(item, 2, array, None)),
        1 => Arc::new(LargeListArray::new(item, OffsetBuffer::from_lengths(lengths()), array, None)),
        _ => Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths()), array, None)),
    }
}

fn maps(field: &Field, key: Scalar, cells: &[Option<&Cell>]) -> ArrayRef {
    let runs: Vec<&[(Cell, Cell)]> = cells
        .iter()
        .map(|cell| match cell {
            Some(Cell::Entries(entries)) => entries.as_slice(),
            Some(other) => panic!("{other:?}"),
            None => &[],
        })
        .collect();
    let keys: Vec<_> = runs.iter().flat_map(|run| run.iter().map(|(key, _)| Some(key))).collect();
    let values: Vec<_> = runs.iter().flat_map(|run| run.iter().map(|(_, value)| Some(value))).collect();
    let (keys, values) = (scalars(key, field.storage, &keys), ones(&field.kind, field.storage, &values));
    let columns = vec![
        Column::new("keys", keys.data_type().clone(), false),
        Column::new("values", values.data_type().clone(), true),
    ];
    let entries = StructArray::new(columns.into(), vec![keys, values], None);
    let entry = Arc::new(Column::new("entries", entries.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths(runs.iter().map(|run| run.len()));
    Arc::new(MapArray::new(entry, offsets, entries, None, false))
}

fn scalar_value(cell: &Cell, kind: &Kind) -> Value {
    match (cell, kind) {
        (Cell::Integer(value), Kind::Bool) => Value::Bool(*value != 0),
        (Cell::Integer(value), Kind::Int32 | Kind::Sint32 | Kind::Sfixed32) => Value::I32(*value as i32),
        (Cell::Integer(value), Kind::Int64 | Kind::Sint64 | Kind::Sfixed64) => Value::I64(*value as i64),
        (Cell::Integer(value), Kind::Uint32 | Kind::Fixed32) => Value::U32(*value as u32),
        (Cell::Integer(value), Kind::Uint64 | Kind::Fixed64) => Value::U64(*value as u64),
        (Cell::Integer(value), Kind::Enum(_)) => Value::EnumNumber(*value as i32),
        (Cell::Float(value), Kind::Float) => Value::F32(*value as f32),
        (Cell::Float(value), Kind::Double) => Value::F64(*value),
        (Cell::Text(text), Kind::String) => Value::String(text.clone()),
        (Cell::Text(text), Kind::Bytes) => Value::Bytes(text.clone().into_bytes().into()),
        other => panic!("{other:?}"),
    }
}

fn one_value(field: &Field, cell: &Cell, kind: &Kind) -> Value {
    let Kind::Message(message) = kind else { return scalar_value(cell, kind) };
    let mut made = DynamicMessage::new(message.clone());
    let mut set = |number: u32, value: Value| made.set_field(&message.get_field(number).unwrap(), value);
    match (&field.kind, cell) {
        (Type::Message(fields), Cell::Fields(cells)) => {
            return Value::Message(dynamic(message, fields, cells));
        }
        (Type::Wrapper(_), cell) => {
            let kind = message.get_field(1).unwrap().kind();
            set(1, scalar_value(cell, &kind));
        }
        (Type::Timestamp(unit), Cell::Integer(value)) => {
            let per_second = i128::from(UNITS[usize::from(*unit)].1);
            set(1, Value::I64(value.div_euclid(per_second) as i64));
            set(2, Value::I32((value.rem_euclid(per_second) * (1_000_000_000 / per_second)) as i32));
        }
        (Type::Duration(unit), Cell::Integer(value)) => {
            let per_second = i128::from(UNITS[usize::from(*unit)].1);
            set(1, Value::I64((value / per_second) as i64));
            set(2, Value::I32((value % per_second * (1_000_000_000 / per_second)) as i32));
        }
        other => panic!("{other:?}"),
    }
    Value::Message(made)
}

/// The message of a row, made by the descriptors' own library.
pub(super) fn dynamic(
    message: &MessageDescriptor,
    fields: &[Field],
    cells: &[Option<Cell>],
) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    for (field, cell) in fields.iter().zip(cells) {
        let target = message.get_field(field.number).unwrap();
        if let Some(cell) = cell {
            made.set_field(&target, value(field, cell, &target));
        }
    }
    made
}

fn value(field: &Field, cell: &Cell, target: &FieldDescriptor) -> Value {
    let entry = || if let Kind::Message(entry) = target.kind() { entry } else { panic!("{target:?}") };
    match cell {
        Cell::Items(items) => {
            Value::List(items.iter().map(|item| one_value(field, item, &target.kind())).collect())
        }
        Cell::Entries(entries) => {
            let (key_kind, kind) =
                (entry().map_entry_key_field().kind(), entry().map_entry_value_field().kind());
            let entries =
                entries.iter().map(|(key, value)| (map_key(key, &key_kind), one_value(field, value, &kind)));
            Value::Map(entries.collect())
        }
        Cell::Fields(cells) if field.label == Label::Named => {
            let kind = entry().map_entry_value_field().kind();
            let entries = ["x", "", "日"].iter().zip(cells).filter_map(|(name, cell)| {
                Some((MapKey::String((*name).to_owned()), one_value(field, cell.as_ref()?, &kind)))
            });
            Value::Map(entries.collect::<HashMap<_, _>>())
        }
        cell => one_value(field, cell, &target.kind()),
    }
}

fn map_key(cell: &Cell, kind: &Kind) -> MapKey {
    match scalar_value(cell, kind) {
        Value::Bool(value) => MapKey::Bool(value),
        Value::I32(value) => MapKey::I32(value),
        Value::I64(value) => MapKey::I64(value),
        Value::U32(value) => MapKey::U32(value),
        Value::U64(value) => MapKey::U64(value),
        Value::String(value) => MapKey::String(value),
        other => panic!("{other:?}"),
    }
}
