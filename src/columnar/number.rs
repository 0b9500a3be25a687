//! Number and boolean columns as they are, for tables without a domain.

use std::{marker::PhantomData, ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef, ArrowPrimitiveType,
    builder::{BooleanBuilder, PrimitiveBuilder},
    types::{
        Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
        UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults},
    error::Reason,
    source::{Cell, Source},
};

/// A column of numbers of type `T`.
struct Numbers<'g, T> {
    source: Source<'g>,
    field: Field,
    element: PhantomData<T>,
}

/// A column of booleans.
struct Booleans<'g> {
    source: Source<'g>,
    field: Field,
}

/// The converter of a column whose cells are all of `data_type`, or missing. `None` for types that are no numbers.
pub(super) fn converter<'g>(source: Source<'g>, data_type: &DataType) -> Option<Box<dyn Convert + 'g>> {
    if let Some(block) = super::block::converter(source, data_type) {
        return Some(block);
    }
    let field = Field::new(source.name, data_type.clone(), true);
    macro_rules! numbers {
        ($($data_type:ident => $element:ty),+) => {
            match data_type {
                $(DataType::$data_type => Box::new(Numbers { source, field, element: PhantomData::<$element> }),)+
                DataType::Boolean => Box::new(Booleans { source, field }),
                _ => return None,
            }
        };
    }
    Some(numbers! {
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type,
        Float32 => Float32Type, Float64 => Float64Type
    })
}

/// Exact conversion of a number cell.
pub(super) trait FromCell: Sized {
    /// The number of `cell`, if it is one of this type.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

macro_rules! from_integer_cell {
    ($($native:ty),+) => {$(
        impl FromCell for $native {
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                match cell {
                    Cell::Int(value) => value.try_into().ok(),
                    Cell::Uint(value) => value.try_into().ok(),
                    _ => None,
                }
            }
        }
    )+};
}

from_integer_cell!(i8, i16, i32, i64, u8, u16, u32, u64);

impl FromCell for f64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Float(value) => Some(value),
            // By way of 128 bits, because casts stop at the largest integer.
            Cell::Int(value) => (value as f64 as i128 == i128::from(value)).then_some(value as f64),
            Cell::Uint(value) => (value as f64 as i128 == i128::from(value)).then_some(value as f64),
            _ => None,
        }
    }
}

impl FromCell for f32 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        // The cell was widened from a 32-bit float, so this loses nothing.
        f64::from_cell(cell).map(|value| value as f32)
    }
}

impl<T> Convert for Numbers<'_, T>
where
    T: ArrowPrimitiveType<Native: FromCell> + Send + Sync,
{
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut out = PrimitiveBuilder::<T>::with_capacity(rows.len());
        for (row, cell) in rows.clone().zip(self.source.cells(rows)) {
            match (cell, T::Native::from_cell(cell)) {
                (Cell::Null, _) => out.append_null(),
                (_, Some(value)) => out.append_value(value),
                (other, None) => {
                    out.append_null();
                    let found = other.kind(self.source.graph);
                    faults.push(row, Reason::WrongType { wanted: "a number that fits", found });
                }
            }
        }
        Arc::new(out.finish())
    }
}

impl Convert for Booleans<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut out = BooleanBuilder::with_capacity(rows.len());
        for (row, cell) in rows.clone().zip(self.source.cells(rows)) {
            match cell {
                Cell::Bool(value) => out.append_value(value),
                Cell::Null => out.append_null(),
                other => {
                    out.append_null();
                    let found = other.kind(self.source.graph);
                    faults.push(row, Reason::WrongType { wanted: "a bool", found });
                }
            }
        }
        Arc::new(out.finish())
    }
}
