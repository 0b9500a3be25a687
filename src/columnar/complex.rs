//! Columns of complex numbers: `Struct{re, im}`. Arrow has no complex type, and every reader knows a struct of floats.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef, ArrowPrimitiveType, PrimitiveArray, StructArray,
    types::{Float32Type, Float64Type},
};
use arrow_schema::{DataType, Field, Fields};

use super::{
    convert::{Convert, Faults},
    items::{Items, Number},
};
use crate::numpy::{Array, Kind};

/// The parts of a complex number of 128 bits.
pub(super) fn parts() -> Fields {
    let part = |name: &str| Field::new(name, DataType::Float64, true);
    vec![part("re"), part("im")].into()
}

/// A column of complex numbers whose parts are of type `T`.
struct Complex<'g, T> {
    field: Field,
    fields: Fields,
    items: Items<'g>,
    big_endian: bool,
    part: std::marker::PhantomData<T>,
}

/// The converter of column `item` of an array of complex numbers. `None` for other dtypes.
pub(super) fn converter<'g>(name: &str, array: &'g Array<'g>, item: usize) -> Option<Box<dyn Convert + 'g>> {
    match (array.dtype.kind, array.dtype.itemsize) {
        (Kind::Complex, 8) => Some(Box::new(Complex::<Float32Type>::new(name, array, item)?)),
        (Kind::Complex, 16) => Some(Box::new(Complex::<Float64Type>::new(name, array, item)?)),
        _ => None,
    }
}

impl<'g, T: ArrowPrimitiveType> Complex<'g, T> {
    fn new(name: &str, array: &'g Array<'g>, item: usize) -> Option<Self> {
        let part = |name: &str| Field::new(name, T::DATA_TYPE, false);
        let fields = Fields::from(vec![part("re"), part("im")]);
        Some(Self {
            field: Field::new(name, DataType::Struct(fields.clone()), true),
            fields,
            items: Items::of(array, item)?,
            big_endian: array.dtype.big_endian,
            part: std::marker::PhantomData,
        })
    }
}

impl<T> Convert for Complex<'_, T>
where
    T: ArrowPrimitiveType<Native: Number> + Send + Sync,
{
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let width = size_of::<T::Native>();
        let part = |first: usize| {
            let bytes = rows.clone().map(|row| &self.items.bytes(row)[first..first + width]);
            let values = bytes.map(|bytes| T::Native::of_bytes(bytes, self.big_endian));
            Arc::new(PrimitiveArray::<T>::new(values.collect(), None)) as ArrayRef
        };
        Arc::new(StructArray::new(self.fields.clone(), vec![part(0), part(width)], None))
    }
}
