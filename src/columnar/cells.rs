//! Cells of Arrow arrays by row, without materialising anything: integers of every width, byte strings of every offset
//! width, dictionaries looked up by value.
//!
//! The row digest and the wire encoder read columns through this, so that both see a dictionary and the plain column of
//! the same values as the same thing.

use std::{ops::Range, sync::Arc};

use arrow_array::{Array, ArrayRef, cast::AsArray as _};
use arrow_buffer::{
    ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
    bit_chunk_iterator::UnalignedBitChunk,
};
use arrow_data::ArrayData;
use arrow_schema::DataType;

/// One column, or the child of a nested one.
#[derive(Debug, Clone)]
pub struct Column {
    nulls: Option<NullBuffer>,
    cells: Cells,
}

/// What the cells of a column are.
#[derive(Debug, Clone)]
pub enum Cells {
    /// Every cell is null.
    Null,
    /// Booleans.
    Boolean(BooleanBuffer),
    /// Integers, dates, times, timestamps, durations.
    Integer(Integers),
    /// Floats and decimals, by their bits.
    Fixed(Fixed),
    /// Text and binary.
    Bytes(ByteStrings),
    /// Keys into a column of values.
    Dictionary(Integers, Box<Column>),
    /// Lists and maps, by the range of their items or entries.
    List(Spans, Box<Column>),
    /// Structs, by field.
    Struct(Vec<Column>),
}

/// What is done with integers of one width.
pub trait Visit<'a> {
    /// What comes of it.
    type Out;

    /// Does it.
    fn visit<T: Integer>(self, values: &'a [T]) -> Self::Out;
}

/// An integer of any width.
pub trait Integer: ArrowNativeType {
    /// The value, widened to 64 bits: with its sign if the type has one.
    fn bits(self) -> u64;

    /// True from `least`, which is no more than 0, to `most`.
    fn is_within(self, least: i64, most: u64) -> bool;
}

macro_rules! integer {
    ($wide:ty: $($narrow:ty)*; |$value:ident, $least:ident, $most:ident| $is_within:expr) => {$(
        impl Integer for $narrow {
            #[inline]
            fn bits(self) -> u64 {
                <$wide>::from(self) as u64
            }

            #[inline]
            fn is_within(self, $least: i64, $most: u64) -> bool {
                let $value = <$wide>::from(self);
                $is_within
            }
        }
    )*};
}

integer!(i64: i8 i16 i32 i64; |value, least, most| value >= least && (value < 0 || value as u64 <= most));
integer!(u64: u8 u16 u32 u64; |value, _least, most| value <= most);

/// Integers of one width.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the variants are named by their width")]
pub enum Integers {
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
    U8(ScalarBuffer<u8>),
    U16(ScalarBuffer<u16>),
    U32(ScalarBuffer<u32>),
    U64(ScalarBuffer<u64>),
}

/// Values of one width, as they stand in memory.
#[derive(Debug, Clone)]
pub struct Fixed {
    bytes: Buffer,
    width: usize,
}

/// Where each row's items stand in a child column or a buffer.
#[derive(Debug, Clone)]
pub enum Spans {
    /// Offsets of 32 bits.
    Narrow(OffsetBuffer<i32>),
    /// Offsets of 64 bits.
    Wide(OffsetBuffer<i64>),
    /// The same number of items in each row.
    Fixed(usize),
}

/// Byte strings of any length.
#[derive(Debug, Clone)]
pub struct ByteStrings {
    spans: Spans,
    bytes: Buffer,
}

impl Column {
    /// The cells of `array`; the type that has none, if it holds one.
    pub fn of(array: &dyn Array) -> Result<Self, DataType> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(Self { nulls: nulls.cloned(), cells: Cells::of(array)? })
    }

    /// Which cells are null, if any can be; a dictionary may still hold null among its values.
    pub fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// The cells, nulls among them.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// The column and row that hold the value of `row`, behind any dictionary; none for a null.
    #[inline]
    pub fn resolve(&self, row: usize) -> Option<(&Cells, usize)> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        match &self.cells {
            Cells::Null => None,
            Cells::Dictionary(keys, values) => values.resolve(keys.index(row)),
            cells => Some((cells, row)),
        }
    }

    /// True if no cell of `rows` is null; a dictionary may still hold null among its values.
    pub fn all_valid(&self, rows: Range<usize>) -> bool {
        let Some(nulls) = &self.nulls else { return !matches!(self.cells, Cells::Null) };
        let bits = UnalignedBitChunk::new(nulls.validity(), nulls.offset() + rows.start, rows.len());
        bits.count_ones() == rows.len()
    }
}

impl Cells {
    fn of(array: &dyn Array) -> Result<Self, DataType> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().values().clone()),
            DataType::Dictionary(_, _) => Self::dictionary(array)?,
            DataType::Struct(_) => {
                Self::Struct(array.as_struct().columns().iter().map(of_arc).collect::<Result<_, _>>()?)
            }
            DataType::List(_) => {
                Self::list(Spans::narrow(array.as_list::<i32>().offsets()), array.as_list::<i32>().values())?
            }
            DataType::LargeList(_) => {
                Self::list(Spans::wide(array.as_list::<i64>().offsets()), array.as_list::<i64>().values())?
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                Self::list(Spans::narrow(map.offsets()), &entries)?
            }
            DataType::FixedSizeList(_, length) => {
                Self::list(Spans::fixed(*length), array.as_fixed_size_list().values())?
            }
            _ => Self::leaf(array).ok_or_else(|| array.data_type().clone())?,
        })
    }

    fn dictionary(array: &dyn Array) -> Result<Self, DataType> {
        let dictionary = array.as_any_dictionary();
        let keys = Integers::of(&dictionary.keys().to_data()).ok_or_else(|| array.data_type().clone())?;
        Ok(Self::Dictionary(keys, Box::new(Column::of(dictionary.values())?)))
    }

    fn list(spans: Spans, items: &ArrayRef) -> Result<Self, DataType> {
        Ok(Self::List(spans, Box::new(Column::of(items)?)))
    }

    fn leaf(array: &dyn Array) -> Option<Self> {
        if let Some(strings) = ByteStrings::of(array) {
            return Some(Self::Bytes(strings));
        }
        let data = array.to_data();
        Integers::of(&data).map(Self::Integer).or_else(|| Fixed::of(&data).map(Self::Fixed))
    }
}

fn of_arc(array: &ArrayRef) -> Result<Column, DataType> {
    Column::of(array)
}

impl Integers {
    fn of(data: &ArrayData) -> Option<Self> {
        Some(match data.data_type() {
            DataType::Int8 => Self::I8(scalars(data)),
            DataType::Int16 => Self::I16(scalars(data)),
            DataType::Int32 | DataType::Date32 | DataType::Time32(_) => Self::I32(scalars(data)),
            DataType::Int64
            | DataType::Date64
            | DataType::Time64(_)
            | DataType::Timestamp(_, _)
            | DataType::Duration(_) => Self::I64(scalars(data)),
            DataType::UInt8 => Self::U8(scalars(data)),
            DataType::UInt16 => Self::U16(scalars(data)),
            DataType::UInt32 => Self::U32(scalars(data)),
            DataType::UInt64 => Self::U64(scalars(data)),
            _ => return None,
        })
    }

    /// The value of `row`, widened to 64 bits: with its sign if the type has one.
    #[inline]
    pub fn bits(&self, row: usize) -> u64 {
        match self {
            Self::I8(values) => i64::from(values[row]) as u64,
            Self::I16(values) => i64::from(values[row]) as u64,
            Self::I32(values) => i64::from(values[row]) as u64,
            Self::I64(values) => values[row] as u64,
            Self::U8(values) => u64::from(values[row]),
            Self::U16(values) => u64::from(values[row]),
            Self::U32(values) => u64::from(values[row]),
            Self::U64(values) => values[row],
        }
    }

    /// Does what `visitor` does with all values.
    pub fn visit_all<'a, V: Visit<'a>>(&'a self, visitor: V) -> V::Out {
        match self {
            Self::I8(values) => visitor.visit(values),
            Self::I16(values) => visitor.visit(values),
            Self::I32(values) => visitor.visit(values),
            Self::I64(values) => visitor.visit(values),
            Self::U8(values) => visitor.visit(values),
            Self::U16(values) => visitor.visit(values),
            Self::U32(values) => visitor.visit(values),
            Self::U64(values) => visitor.visit(values),
        }
    }

    /// Does what `visitor` does with the values of `rows`.
    #[inline]
    pub fn visit<'a, V: Visit<'a>>(&'a self, rows: Range<usize>, visitor: V) -> V::Out {
        match self {
            Self::I8(values) => visitor.visit(&values[rows]),
            Self::I16(values) => visitor.visit(&values[rows]),
            Self::I32(values) => visitor.visit(&values[rows]),
            Self::I64(values) => visitor.visit(&values[rows]),
            Self::U8(values) => visitor.visit(&values[rows]),
            Self::U16(values) => visitor.visit(&values[rows]),
            Self::U32(values) => visitor.visit(&values[rows]),
            Self::U64(values) => visitor.visit(&values[rows]),
        }
    }

    /// The value of `row`.
    #[inline]
    pub fn value(&self, row: usize) -> i128 {
        match self {
            Self::U64(values) => i128::from(values[row]),
            narrower => i128::from(narrower.bits(row) as i64),
        }
    }

    // Arrow refuses dictionaries with keys outside their values, so a key always fits.
    #[inline]
    fn index(&self, row: usize) -> usize {
        self.bits(row) as usize
    }
}

fn scalars<T: ArrowNativeType>(data: &ArrayData) -> ScalarBuffer<T> {
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

impl Fixed {
    fn of(data: &ArrayData) -> Option<Self> {
        let width = match data.data_type() {
            DataType::Float16 => 2,
            DataType::Float32 | DataType::Decimal32(_, _) => 4,
            DataType::Float64 | DataType::Decimal64(_, _) => 8,
            DataType::Decimal128(_, _) => 16,
            DataType::Decimal256(_, _) => 32,
            _ => return None,
        };
        Some(Self {
            bytes: data.buffers()[0].slice_with_length(data.offset() * width, data.len() * width),
            width,
        })
    }

    /// Bytes of one value.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The bytes of `rows`, one value after the other.
    #[inline]
    pub fn bytes(&self, rows: Range<usize>) -> &[u8] {
        &self.bytes.as_slice()[rows.start * self.width..rows.end * self.width]
    }
}

impl Spans {
    fn narrow(offsets: &OffsetBuffer<i32>) -> Self {
        Self::Narrow(offsets.clone())
    }

    fn wide(offsets: &OffsetBuffer<i64>) -> Self {
        Self::Wide(offsets.clone())
    }

    fn fixed(length: i32) -> Self {
        Self::Fixed(length.as_usize())
    }

    /// Where the items of `row` stand.
    #[inline]
    pub fn range(&self, row: usize) -> Range<usize> {
        match self {
            Self::Narrow(offsets) => offsets[row].as_usize()..offsets[row + 1].as_usize(),
            Self::Wide(offsets) => offsets[row].as_usize()..offsets[row + 1].as_usize(),
            Self::Fixed(length) => row * length..(row + 1) * length,
        }
    }
}

impl ByteStrings {
    fn of(array: &dyn Array) -> Option<Self> {
        let (spans, bytes) = match array.data_type() {
            DataType::Utf8 => (Spans::narrow(array.as_string().offsets()), array.as_string::<i32>().values()),
            DataType::LargeUtf8 => {
                (Spans::wide(array.as_string().offsets()), array.as_string::<i64>().values())
            }
            DataType::Binary => {
                (Spans::narrow(array.as_binary().offsets()), array.as_binary::<i32>().values())
            }
            DataType::LargeBinary => {
                (Spans::wide(array.as_binary().offsets()), array.as_binary::<i64>().values())
            }
            DataType::FixedSizeBinary(width) => (Spans::fixed(*width), array.as_fixed_size_binary().values()),
            _ => return None,
        };
        Some(Self { spans, bytes: bytes.clone() })
    }

    /// The bytes of `row`.
    #[inline]
    pub fn value(&self, row: usize) -> &[u8] {
        &self.bytes.as_slice()[self.range(row)]
    }

    /// Where the bytes of `row` stand among [`Self::bytes`].
    #[inline]
    pub fn range(&self, row: usize) -> Range<usize> {
        self.spans.range(row)
    }

    /// The bytes of all rows, and maybe others.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Where each row's bytes stand.
    pub fn spans(&self) -> &Spans {
        &self.spans
    }
}
