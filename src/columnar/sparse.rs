//! Columns of pandas' sparse arrays, written out: a few values among many of one.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, StringArray, new_null_array,
    types::{
        Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
        UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults},
    number::FromCell,
    source::{Cell, Source},
};
use crate::{
    limits::Limits,
    pickle::{Item, NodeId},
};

/// A column of sparse values.
struct Sparse<'g> {
    field: Field,
    positions: &'g [u32],
    values: Box<dyn Convert + 'g>,
    /// One row: what stands where no value does.
    fill: ArrayRef,
}

/// The converter of `values` at `positions`, with `fill` elsewhere. `None` if the fill is no value of their type.
pub(super) fn converter<'g>(
    source: Source<'g>,
    positions: &'g [u32],
    values: Box<dyn Convert + 'g>,
    fill: NodeId,
) -> Option<Box<dyn Convert + 'g>> {
    let field = values.field().with_name(source.name);
    let fill = one_row(source.of_item(Item::Node(fill)), field.data_type())?;
    Some(Box::new(Sparse { field, positions, values, fill }))
}

/// Whether `rows` are more than a file of `input_bytes` may name without holding them.
pub(super) fn is_bomb(rows: usize, input_bytes: usize, limits: &Limits) -> bool {
    rows > input_bytes.saturating_mul(limits.rows_per_byte_max).max(limits.rows_without_bytes_max)
}

fn one_row(cell: Cell<'_>, data_type: &DataType) -> Option<ArrayRef> {
    macro_rules! one {
        ($($data_type:ident => $element:ty),+) => {
            match (data_type, cell) {
                (DataType::Boolean, Cell::Bool(value)) => Arc::new(BooleanArray::from(vec![value])),
                (DataType::Utf8, Cell::Text(text)) => {
                    Arc::new(StringArray::from(vec![std::str::from_utf8(text).ok()?]))
                }
                // Among floats, a missing value is NaN.
                (DataType::Float32, Cell::Null) => number::<Float32Type>(Cell::Float(f64::NAN))?,
                (DataType::Float64, Cell::Null) => number::<Float64Type>(Cell::Float(f64::NAN))?,
                (_, Cell::Null) => new_null_array(data_type, 1),
                $((DataType::$data_type, cell) => number::<$element>(cell)?,)+
                _ => return None,
            }
        };
    }
    Some(one! {
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type,
        Float32 => Float32Type, Float64 => Float64Type
    })
}

fn number<T: ArrowPrimitiveType<Native: FromCell>>(cell: Cell<'_>) -> Option<ArrayRef> {
    let value = T::Native::from_cell(cell)?;
    Some(Arc::new(PrimitiveArray::<T>::from_value(value, 1)))
}

impl Convert for Sparse<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let known = faults.bad.len();
        let held = self.held(&rows);
        let values = self.values.convert(held.clone(), faults);
        for bad in &mut faults.bad[known..] {
            bad.row = self.positions[bad.row] as usize;
        }
        let mut from = vec![(1, 0); rows.len()];
        for (value, position) in self.positions[held].iter().enumerate() {
            from[*position as usize - rows.start] = (0, value);
        }
        arrow_select::interleave::interleave(&[&values, &self.fill], &from)
            .expect("both are of one type, and the positions lie among the rows")
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        let each = self.fill.get_array_memory_size();
        let fill = if self.field.data_type().is_primitive() { 0 } else { each };
        self.values.text_bytes(self.held(&rows)).saturating_add(fill.saturating_mul(rows.len()))
    }
}

impl Sparse<'_> {
    /// The values that stand in `rows`.
    fn held(&self, rows: &Range<usize>) -> Range<usize> {
        let first = |row: usize| self.positions.partition_point(|position| (*position as usize) < row);
        first(rows.start)..first(rows.end)
    }
}
