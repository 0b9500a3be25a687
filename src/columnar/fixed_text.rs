//! Columns of NumPy items of fixed width that are text (`U`) or bytes (`S`): padded with zeros, which are not part of them.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef,
    builder::{BinaryBuilder, StringBuilder},
};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults},
    error::Reason,
    items::{Items, Number as _},
};
use crate::numpy::{Array, Kind};

/// Bytes of one code point.
const CODE_POINT: usize = 4;

/// A column of text.
struct Texts<'g> {
    field: Field,
    items: Items<'g>,
    big_endian: bool,
    width: usize,
}

/// A column of bytes.
struct Bytes<'g> {
    field: Field,
    items: Items<'g>,
    width: usize,
}

/// The converter of column `item` of an array of texts or bytes. `None` for other dtypes.
pub(super) fn converter<'g>(name: &str, array: &'g Array<'g>, item: usize) -> Option<Box<dyn Convert + 'g>> {
    let items = Items::of(array, item)?;
    let (width, big_endian) = (array.dtype.itemsize, array.dtype.big_endian);
    match array.dtype.kind {
        Kind::Text => {
            let field = Field::new(name, DataType::Utf8, true);
            Some(Box::new(Texts { field, items, big_endian, width }))
        }
        Kind::Raw => Some(Box::new(Bytes { field: Field::new(name, DataType::Binary, true), items, width })),
        _ => None,
    }
}

impl Texts<'_> {
    /// Appends the text of one row; what are no characters are surrogates, or numbers beyond them.
    fn append(&self, row: usize, text: &mut String) -> Result<(), Reason> {
        let points = self.items.bytes(row).chunks_exact(CODE_POINT);
        let points = points.map(|point| u32::of_bytes(point, self.big_endian));
        let mut zeros = 0;
        for point in points {
            if point == 0 {
                zeros += 1;
                continue;
            }
            text.extend(std::iter::repeat_n('\0', std::mem::take(&mut zeros)));
            text.push(char::from_u32(point).ok_or(Reason::NotUtf8)?);
        }
        Ok(())
    }
}

impl Convert for Texts<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut out = StringBuilder::with_capacity(rows.len(), 0);
        let mut text = String::new();
        for row in rows {
            text.clear();
            if let Err(reason) = self.append(row, &mut text) {
                faults.push(row, reason);
                text.clear();
            }
            out.append_value(&text);
        }
        Arc::new(out.finish())
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        rows.len().saturating_mul(self.width)
    }
}

impl Convert for Bytes<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let mut out = BinaryBuilder::with_capacity(rows.len(), 0);
        for row in rows {
            let bytes = self.items.bytes(row);
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            out.append_value(&bytes[..end]);
        }
        Arc::new(out.finish())
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        rows.len().saturating_mul(self.width)
    }
}
