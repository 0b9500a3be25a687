//! Scalar kinds of protobuf: which Arrow values each can carry, and the word it is written as.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow_schema::DataType;
use prost_reflect::{EnumDescriptor, Kind};

use super::varint::{Wire, folded, put_varint, varint_len};
use crate::columnar::cells::{Cells, Integer, Integers};

/// A scalar kind.
#[derive(Debug, Clone)]
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
    Enum(Arc<EnumValues>),
}

/// The values of an enum.
#[derive(Debug)]
pub(super) struct EnumValues {
    by_name: HashMap<String, i32>,
    numbers: HashSet<i32>,
}

/// How a kind writes integers: which it has, and whether it folds the sign into the lowest bit.
#[derive(Debug, Clone, Copy)]
pub(super) struct IntegerForm {
    least: i64,
    most: u64,
    is_folded: bool,
}

impl IntegerForm {
    /// Whether the kind has `value`.
    #[inline]
    pub(super) fn has(self, value: impl Integer) -> bool {
        value.is_within(self.least, self.most)
    }

    /// A power of two: numbers from 0 to below it take one byte as a varint.
    #[inline]
    pub(super) fn small(self) -> u64 {
        if self.is_folded { 0x40 } else { 0x80 }
    }

    /// The word of a value that the kind has.
    #[inline]
    pub(super) fn word(self, value: impl Integer) -> u64 {
        if self.is_folded { folded(value.bits() as i64) } else { value.bits() }
    }
}

/// Why a value has no word.
#[derive(Debug)]
pub(super) enum Unfit {
    Overflow(i128),
    EnumName(String),
    EnumNumber(i128),
}

impl Scalar {
    /// The scalar of a field's kind; none for strings, bytes and messages.
    pub(super) fn of(kind: &Kind) -> Option<Self> {
        Some(match kind {
            Kind::Bool => Self::Bool,
            Kind::Int32 => Self::Int32,
            Kind::Int64 => Self::Int64,
            Kind::Uint32 => Self::Uint32,
            Kind::Uint64 => Self::Uint64,
            Kind::Sint32 => Self::Sint32,
            Kind::Sint64 => Self::Sint64,
            Kind::Fixed32 => Self::Fixed32,
            Kind::Fixed64 => Self::Fixed64,
            Kind::Sfixed32 => Self::Sfixed32,
            Kind::Sfixed64 => Self::Sfixed64,
            Kind::Float => Self::Float,
            Kind::Double => Self::Double,
            Kind::Enum(descriptor) => Self::Enum(Arc::new(EnumValues::of(descriptor))),
            Kind::String | Kind::Bytes | Kind::Message(_) => return None,
        })
    }

    /// True if every value of `data_type` that is in range can be carried unchanged.
    pub(super) fn carries(&self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (_, DataType::Dictionary(_, values)) => self.carries(values),
            (Self::Bool, DataType::Boolean)
            | (Self::Float, DataType::Float16 | DataType::Float32)
            | (Self::Double, DataType::Float16 | DataType::Float32 | DataType::Float64)
            | (Self::Enum(_), DataType::Utf8 | DataType::LargeUtf8) => true,
            (Self::Bool, _) => false,
            (_, integer) => integer.is_integer(),
        }
    }

    /// True for the kinds that hold integers and nothing else.
    pub(super) fn is_integer(&self) -> bool {
        !matches!(self, Self::Bool | Self::Float | Self::Double | Self::Enum(_))
    }

    /// How integers are written, for the kinds whose integers are a range.
    #[inline]
    pub(super) fn integer_form(&self) -> Option<IntegerForm> {
        let form = |least, most, is_folded| Some(IntegerForm { least, most, is_folded });
        match self {
            Self::Int32 | Self::Sfixed32 => form(i32::MIN.into(), i32::MAX as u64, false),
            Self::Sint32 => form(i32::MIN.into(), i32::MAX as u64, true),
            Self::Int64 | Self::Sfixed64 => form(i64::MIN, i64::MAX as u64, false),
            Self::Sint64 => form(i64::MIN, i64::MAX as u64, true),
            Self::Uint32 | Self::Fixed32 => form(0, u32::MAX.into(), false),
            Self::Uint64 | Self::Fixed64 => form(0, u64::MAX, false),
            Self::Bool | Self::Float | Self::Double | Self::Enum(_) => None,
        }
    }

    /// How the scalar is delimited.
    pub(super) fn wire(&self) -> Wire {
        match self {
            Self::Fixed32 | Self::Sfixed32 | Self::Float => Wire::Fixed32,
            Self::Fixed64 | Self::Sfixed64 | Self::Double => Wire::Fixed64,
            _ => Wire::Varint,
        }
    }

    /// The kind as a schema spells it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Float => "float",
            Self::Double => "double",
            Self::Enum(_) => "enum",
        }
    }

    /// The word that the cell at `row` is written as.
    #[inline]
    pub(super) fn word(&self, cells: &Cells, row: usize) -> Result<u64, Unfit> {
        match (cells, self) {
            (Cells::Integer(Integers::U64(values)), _) => self.integer(values[row].into()),
            (Cells::Integer(values), _) => self.signed(values.bits(row) as i64),
            (Cells::Boolean(values), _) => Ok(u64::from(values.value(row))),
            (Cells::Fixed(values), Self::Double) => Ok(double(values.bytes(row..row + 1))),
            (Cells::Fixed(values), _) => Ok(u64::from(single(values.bytes(row..row + 1)).to_bits())),
            (Cells::Bytes(values), Self::Enum(known)) => known.word(values.value(row)),
            // `carries` lets no other pair through.
            _ => Ok(0),
        }
    }

    /// The same as [`Self::integer`], for what 64 bits hold: nearly all there is.
    #[inline]
    fn signed(&self, value: i64) -> Result<u64, Unfit> {
        let narrow = i64::from(value as i32) == value;
        match self {
            Self::Int64 | Self::Sfixed64 => Ok(value as u64),
            Self::Int32 if narrow => Ok(value as u64),
            Self::Sint64 => Ok(folded(value)),
            Self::Sint32 if narrow => Ok(folded(value)),
            _ => self.integer(value.into()),
        }
    }

    /// The word of an integer, if the kind has it.
    pub(super) fn integer(&self, value: i128) -> Result<u64, Unfit> {
        let fits = match self {
            Self::Int32 | Self::Sint32 | Self::Sfixed32 => i32::try_from(value).is_ok(),
            Self::Enum(known) if !known.has(value) => return Err(Unfit::EnumNumber(value)),
            Self::Enum(_) => true,
            Self::Int64 | Self::Sint64 | Self::Sfixed64 => i64::try_from(value).is_ok(),
            Self::Uint32 | Self::Fixed32 => u32::try_from(value).is_ok(),
            Self::Uint64 | Self::Fixed64 => u64::try_from(value).is_ok(),
            Self::Bool => false,
            // Integers up to here are floats too, every one of them.
            Self::Float => value.unsigned_abs() <= 1 << f32::MANTISSA_DIGITS,
            Self::Double => value.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS,
        };
        if !fits {
            return Err(Unfit::Overflow(value));
        }
        Ok(match self {
            Self::Sint32 | Self::Sint64 => (value << 1 ^ value >> 127) as u64,
            Self::Sfixed32 => u64::from(value as u32),
            Self::Float => u64::from((value as f32).to_bits()),
            Self::Double => (value as f64).to_bits(),
            _ => value as u64,
        })
    }

    /// The integer that a word stands for.
    pub(super) fn value(&self, word: u64) -> i128 {
        match self {
            Self::Bool => i128::from(word != 0),
            Self::Int32 | Self::Sfixed32 | Self::Enum(_) => i128::from(word as i32),
            Self::Int64 | Self::Sfixed64 => i128::from(word as i64),
            Self::Sint32 => i128::from((word as u32 >> 1) as i32 ^ -((word & 1) as i32)),
            Self::Sint64 => i128::from((word >> 1) as i64 ^ -((word & 1) as i64)),
            Self::Uint32 | Self::Fixed32 => i128::from(word as u32),
            Self::Uint64 | Self::Fixed64 | Self::Float | Self::Double => i128::from(word),
        }
    }

    /// What a word stands for, for people.
    pub(super) fn spoken(&self, word: u64) -> String {
        match self {
            Self::Bool => (word != 0).to_string(),
            Self::Float => f32::from_bits(word as u32).to_string(),
            Self::Double => f64::from_bits(word).to_string(),
            integer => integer.value(word).to_string(),
        }
    }

    /// Bytes that `word` takes.
    #[inline]
    pub(super) fn word_len(&self, word: u64) -> usize {
        match self.wire() {
            Wire::Fixed32 => 4,
            Wire::Fixed64 => 8,
            _ => varint_len(word),
        }
    }

    /// Appends `word`.
    #[inline]
    pub(super) fn put_word(&self, word: u64, out: &mut Vec<u8>) {
        match self.wire() {
            Wire::Fixed32 => out.extend_from_slice(&(word as u32).to_le_bytes()),
            Wire::Fixed64 => out.extend_from_slice(&word.to_le_bytes()),
            _ => put_varint(word, out),
        }
    }

    /// True if a run of such items is, on the wire, the bytes of their column.
    pub(super) fn is_copied(&self, item: &DataType) -> bool {
        matches!((self, item), (Self::Float, DataType::Float32) | (Self::Double, DataType::Float64))
    }
}

impl EnumValues {
    fn of(descriptor: &EnumDescriptor) -> Self {
        let values = || descriptor.values();
        Self {
            by_name: values().map(|value| (value.name().to_owned(), value.number())).collect(),
            numbers: values().map(|value| value.number()).collect(),
        }
    }

    fn has(&self, number: i128) -> bool {
        i32::try_from(number).is_ok_and(|number| self.numbers.contains(&number))
    }

    /// The number of a name.
    pub(super) fn number(&self, name: &str) -> Option<i32> {
        self.by_name.get(name).copied()
    }

    fn word(&self, name: &[u8]) -> Result<u64, Unfit> {
        let name = String::from_utf8_lossy(name);
        let number = self.number(&name).ok_or_else(|| Unfit::EnumName(name.into_owned()))?;
        Ok(i64::from(number) as u64)
    }
}

fn single(bytes: &[u8]) -> f32 {
    // Two bytes are a 16-bit float.
    bytes.try_into().map_or_else(|_| bytes.try_into().map_or(0.0, half), f32::from_le_bytes)
}

fn half(bytes: [u8; 2]) -> f32 {
    half::f16::from_le_bytes(bytes).to_f32()
}

fn double(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or_else(|_| f64::from(single(bytes)).to_bits(), u64::from_le_bytes)
}
