//! Columns of NumPy's text, bytes and complex numbers of one size.

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, BinaryArray, Float64Array, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields};

use super::{
    convert::{Convert, Faults},
    error::Reason,
};
use crate::numpy::{Array, Dtype, Kind, items::Number, items::number};

/// A column of items of one size.
pub(super) struct FixedItems<'g> {
    field: Field,
    array: &'g Array<'g>,
    item: usize,
}

impl<'g> FixedItems<'g> {
    /// `None` for other kinds of items.
    pub(super) fn new(name: &str, array: &'g Array<'g>, item: usize) -> Option<Self> {
        let data_type = match array.dtype.kind {
            Kind::Text => DataType::Utf8,
            Kind::Raw => DataType::Binary,
            Kind::Complex => DataType::Struct(parts()),
            _ => return None,
        };
        Some(Self { field: Field::new(name, data_type, true), array, item })
    }

    fn complex(&self, rows: Range<usize>) -> ArrayRef {
        let half = self.array.dtype.itemsize / 2;
        let dtype = Dtype { kind: Kind::Float, itemsize: half, big_endian: self.array.dtype.big_endian };
        let part = |row: usize, at: usize| {
            let bytes = self.array.item_bytes(self.item, row)?.get(at * half..(at + 1) * half)?;
            match number(dtype, bytes)? {
                Number::Float(value) => Some(value),
                _ => None,
            }
        };
        let column =
            |at| Arc::new(rows.clone().map(|row| part(row, at)).collect::<Float64Array>()) as ArrayRef;
        Arc::new(StructArray::new(parts(), vec![column(0), column(1)], None))
    }
}

/// The parts of a complex number.
pub(super) fn parts() -> Fields {
    vec![Field::new("re", DataType::Float64, true), Field::new("im", DataType::Float64, true)].into()
}

impl Convert for FixedItems<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        match self.array.dtype.kind {
            Kind::Complex => self.complex(rows),
            Kind::Text => {
                let text = |row| {
                    self.array.text(self.item, row).or_else(|| {
                        faults.push(row, Reason::NotUtf8);
                        None
                    })
                };
                Arc::new(rows.map(text).collect::<StringArray>())
            }
            _ => {
                let bytes = |row| self.array.item_bytes(self.item, row).map(unpadded);
                Arc::new(rows.map(bytes).collect::<BinaryArray>())
            }
        }
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        rows.len() * self.array.dtype.itemsize
    }
}

/// NumPy pads with zeros and takes them off again.
fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..end]
}
