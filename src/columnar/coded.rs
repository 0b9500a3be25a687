//! Columns of codes into values of any type: pandas categoricals, kept as `Dictionary(Int32, T)`, and levels of an index,
//! looked up.
//!
//! The Arrow file format refuses a second dictionary, so the values are converted once, before the first batch: every one
//! in its order, used or not.

use std::{ops::Range, sync::Arc};

use arrow_array::{Array as _, ArrayRef, DictionaryArray, Int32Array, cast::AsArray as _, types::Int32Type};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults},
    error::{Error, Result},
    items::{Items, Number as FixedWidth},
};
use crate::{
    limits::TEXT_BYTES_MAX,
    numpy::{Array, Kind, items::Number},
};

/// A column of codes, -1 for a missing one.
pub(super) struct Coded<'g> {
    field: Field,
    codes: &'g Array<'g>,
    values: ArrayRef,
    /// Whether the codes stay codes.
    keep: bool,
    /// Bytes of a value, on average, where they are of no fixed width.
    value_bytes: usize,
}

impl<'g> Coded<'g> {
    /// Categories: codes stay codes where the type of the values can be that of a dictionary.
    pub(super) fn categories(
        name: &str,
        codes: &'g Array<'g>,
        values: &dyn Convert,
        count: usize,
        ordered: bool,
    ) -> Result<Self> {
        let keep = is_dictionary_value(&values.field());
        let mut coded = Self::new(name, codes, values, count)?;
        if keep {
            let value = Box::new(coded.field.data_type().clone());
            let data_type = DataType::Dictionary(Box::new(DataType::Int32), value);
            coded.field = Field::new(name, data_type, true).with_dict_is_ordered(ordered);
            coded.keep = true;
        }
        Ok(coded)
    }

    /// A level of an index.
    pub(super) fn level(
        name: &str,
        codes: &'g Array<'g>,
        values: &dyn Convert,
        count: usize,
    ) -> Result<Self> {
        Self::new(name, codes, values, count)
    }

    fn new(name: &str, codes: &'g Array<'g>, values: &dyn Convert, count: usize) -> Result<Self> {
        let field = values.field().with_name(name);
        let bytes = values.text_bytes(0..count);
        if bytes > TEXT_BYTES_MAX || i32::try_from(count).is_err() {
            return Err(Error::TooManyValues { column: name.to_owned(), count });
        }
        let mut bad = Vec::new();
        let values = values.convert(0..count, &mut Faults { column: name, bad: &mut bad });
        if let Some(bad) = bad.into_iter().next() {
            Err(Error::BadCategory { bad: Box::new(bad) })
        } else {
            let value_bytes = bytes.div_ceil(count.max(1));
            Ok(Self { field, codes, values, keep: false, value_bytes })
        }
    }
}

/// Whether values of this type stay values of a dictionary: those that Parquet writers and common readers take. Extension
/// types and structs are none.
pub(super) fn is_dictionary_value(field: &Field) -> bool {
    use DataType as T;
    field.metadata().is_empty()
        && (matches!(
            field.data_type(),
            T::Utf8 | T::Binary | T::Date32 | T::Timestamp(_, _) | T::Duration(_)
        ) || field.data_type().is_integer()
            || matches!(field.data_type(), T::Float32 | T::Float64))
}

/// Codes of any width as those of Arrow.
fn codes(codes: &Array<'_>, rows: Range<usize>) -> Int32Array {
    let items = Items::of(codes, 0).filter(|_| codes.dtype.kind == Kind::Int);
    let wide = match (items, codes.dtype.itemsize) {
        (Some(items), 1) => widened::<i8>(items, rows),
        (Some(items), 2) => widened::<i16>(items, rows),
        (Some(items), 4) => widened::<i32>(items, rows),
        (Some(items), 8) => widened::<i64>(items, rows),
        _ => rows.map(|row| one(codes, row)).collect(),
    };
    let has_missing = wide.iter().any(|code| *code < 0);
    let present = has_missing.then(|| BooleanBuffer::collect_bool(wide.len(), |row| wide[row] >= 0));
    Int32Array::new(wide.into(), present.map(NullBuffer::new))
}

fn widened<N: FixedWidth + Into<i64>>(items: Items<'_>, rows: Range<usize>) -> Vec<i32> {
    items.numbers::<N>(rows).iter().map(|code| i32::try_from((*code).into()).unwrap_or(-1)).collect()
}

fn one(codes: &Array<'_>, row: usize) -> i32 {
    match codes.number(0, row) {
        Some(Number::Int(code)) => i32::try_from(code).unwrap_or(-1),
        _ => -1,
    }
}

impl Convert for Coded<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let codes = codes(self.codes, rows);
        if self.keep {
            return Arc::new(DictionaryArray::<Int32Type>::new(codes, Arc::clone(&self.values)));
        }
        arrow_select::take::take(&self.values, &codes, None).expect("codes were checked when they were read")
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        if self.keep {
            return 0;
        }
        match self.values.as_string_opt::<i32>() {
            Some(texts) => {
                let bytes = rows.map(|row| match self.codes.number(0, row) {
                    Some(Number::Int(code @ 0..)) if (code as usize) < texts.len() => {
                        texts.value_length(code as usize) as usize
                    }
                    _ => 0,
                });
                bytes.sum()
            }
            None => self.value_bytes.saturating_mul(rows.len()),
        }
    }
}
