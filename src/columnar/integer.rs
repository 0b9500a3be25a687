//! Integer columns of a domain: whole numbers as they are, and texts or floats where the schema says how.

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, ArrowPrimitiveType, builder::PrimitiveBuilder};
use arrow_schema::Field;

use super::{
    convert::{Convert, Faults},
    error::Reason,
    source::{Cell, Source},
};
use crate::schema::{Coerce, coerce};

/// A column of integers of type `T`.
pub(super) struct Integer<'g, T> {
    pub(super) source: Source<'g>,
    pub(super) field: Field,
    pub(super) coerce: Coerce,
    pub(super) width: std::marker::PhantomData<T>,
}

impl<T> Convert for Integer<'_, T>
where
    T: ArrowPrimitiveType + Send + Sync,
    T::Native: TryFrom<i64>,
{
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut out = PrimitiveBuilder::<T>::with_capacity(rows.len());
        for (row, cell) in rows.clone().zip(self.source.cells(rows)) {
            let value = self.integer(cell).and_then(|value| match value {
                Some(value) => narrow::<T>(value).map(Some),
                None => Ok(None),
            });
            match value {
                Ok(None) if !self.field.is_nullable() => {
                    out.append_value(T::default_value());
                    faults.push(row, Reason::Null);
                }
                Ok(value) => out.append_option(value),
                Err(reason) => {
                    out.append_value(T::default_value());
                    faults.push(row, reason);
                }
            }
        }
        Arc::new(out.finish())
    }
}

impl<T> Integer<'_, T> {
    fn integer(&self, cell: Cell<'_>) -> Result<Option<i64>, Reason> {
        match (cell, self.coerce) {
            (Cell::Null, _) => Ok(None),
            (Cell::Int(value), _) => Ok(Some(value)),
            (Cell::Uint(value), _) => Err(Reason::OutOfRange(i128::from(value))),
            (Cell::Float(value), Coerce::Rounded) => Ok(coerce::rounded(value)?),
            (Cell::Float(value), _) => Ok(coerce::whole(value)?),
            (Cell::Text(text), Coerce::Years) => {
                let text = std::str::from_utf8(text).map_err(|_| Reason::NotUtf8)?;
                Ok(coerce::years(text)?.map(i64::from))
            }
            (other, _) => Err(Reason::WrongType { wanted: "an int", found: other.kind(self.source.graph) }),
        }
    }
}

fn narrow<T: ArrowPrimitiveType>(value: i64) -> Result<T::Native, Reason>
where
    T::Native: TryFrom<i64>,
{
    T::Native::try_from(value).map_err(|_| Reason::OutOfRange(i128::from(value)))
}
