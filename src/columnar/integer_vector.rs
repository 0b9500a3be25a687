//! Vectors of integers and booleans that are the rows of one array: they stay what they are, as nothing says that they are
//! embeddings.

use std::{marker::PhantomData, ops::Range, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, ArrowPrimitiveType, BooleanArray, FixedSizeListArray, PrimitiveArray,
    types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type},
};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef};

use super::{
    convert::{Convert, Faults},
    items::{Items, Number},
};
use crate::numpy::{Array, Kind};

/// Turns some items of an array into those of a list.
trait Make: Send + Sync {
    /// The items at these places in memory.
    fn make(&self, items: &Items<'_>, places: Places) -> ArrayRef;
}

/// Where the items of some rows lie.
enum Places {
    /// One behind the other.
    Together(Range<usize>),
    /// Rows, all rows there are, and items of a row: neighbours in memory are neighbours in a column.
    Apart(Range<usize>, usize, usize),
}

struct Integers<T>(PhantomData<T>);

struct Booleans;

/// Rows of an array of shape (rows, dimension).
struct IntegerVectors<'g> {
    items: Items<'g>,
    is_fortran: bool,
    rows: usize,
    dimension: usize,
    item: FieldRef,
    field: Field,
    maker: Box<dyn Make>,
}

/// The converter of the rows of `array`, which has two dimensions; `None` if it holds neither integers nor booleans.
pub(super) fn converter<'g>(name: &str, array: &'g Array<'g>) -> Option<Box<dyn Convert + 'g>> {
    let &[rows, dimension] = array.shape.as_slice() else { return None };
    let (data_type, maker) = maker(array.dtype.kind, array.dtype.itemsize)?;
    let item = Arc::new(Field::new(Field::LIST_FIELD_DEFAULT_NAME, data_type, false));
    let list = DataType::FixedSizeList(Arc::clone(&item), i32::try_from(dimension).ok()?);
    let (items, field) = (Items::in_memory(array)?, Field::new(name, list, true));
    Some(Box::new(IntegerVectors { items, is_fortran: array.fortran, rows, dimension, item, field, maker }))
}

fn maker(kind: Kind, bytes: usize) -> Option<(DataType, Box<dyn Make>)> {
    macro_rules! integers {
        ($element:ty) => {
            (<$element>::DATA_TYPE, Box::new(Integers::<$element>(PhantomData)))
        };
    }
    Some(match (kind, bytes) {
        (Kind::Bool, _) => (DataType::Boolean, Box::new(Booleans)),
        (Kind::Int, 1) => integers!(Int8Type),
        (Kind::Int, 2) => integers!(Int16Type),
        (Kind::Int, 4) => integers!(Int32Type),
        (Kind::Int, 8) => integers!(Int64Type),
        (Kind::Uint, 1) => integers!(UInt8Type),
        (Kind::Uint, 2) => integers!(UInt16Type),
        (Kind::Uint, 4) => integers!(UInt32Type),
        (Kind::Uint, 8) => integers!(UInt64Type),
        _ => return None,
    })
}

impl Places {
    /// The items in the order of rows, or of columns if they lie apart.
    fn numbers<N: Number>(self, items: &Items<'_>) -> ScalarBuffer<N> {
        match self {
            Self::Together(places) => items.numbers(places),
            Self::Apart(some, rows, dimension) => {
                let places = some.flat_map(|row| (0..dimension).map(move |item| item * rows + row));
                places.map(|place| items.number(place)).collect()
            }
        }
    }
}

impl<T: ArrowPrimitiveType<Native: Number> + Send + Sync> Make for Integers<T> {
    fn make(&self, items: &Items<'_>, places: Places) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(places.numbers(items), None))
    }
}

impl Make for Booleans {
    fn make(&self, items: &Items<'_>, places: Places) -> ArrayRef {
        let bytes = places.numbers::<u8>(items);
        let values = BooleanBuffer::collect_bool(bytes.len(), |index| bytes[index] != 0);
        Arc::new(BooleanArray::new(values, None))
    }
}

impl Convert for IntegerVectors<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let places = if self.is_fortran {
            Places::Apart(rows, self.rows, self.dimension)
        } else {
            Places::Together(rows.start * self.dimension..rows.end * self.dimension)
        };
        let items = self.maker.make(&self.items, places);
        debug_assert!(items.null_count() == 0, "arrays of NumPy know no missing integers");
        Arc::new(FixedSizeListArray::new(Arc::clone(&self.item), self.dimension as i32, items, None))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;

    use super::*;
    use crate::numpy::{Data, Dtype};

    fn array(kind: Kind, big_endian: bool, fortran: bool, bytes: &[u8]) -> Array<'_> {
        let itemsize = bytes.len() / 6;
        let dtype = Dtype { kind, itemsize, big_endian };
        Array { dtype, shape: vec![3, 2], fortran, data: Data::Bytes(bytes.into()) }
    }

    fn rows(array: &Array<'_>, rows: Range<usize>) -> FixedSizeListArray {
        let converter = converter("v", array).unwrap();
        let mut bad = Vec::new();
        let vectors = converter.convert(rows, &mut Faults { column: "v", bad: &mut bad });
        assert_eq!(vectors.data_type(), converter.field().data_type());
        assert!(bad.is_empty());
        vectors.as_fixed_size_list().clone()
    }

    #[test]
    fn rows_are_the_same_in_any_order_of_items_and_bytes() {
        let little = array(Kind::Int, false, false, &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0xff, 0xff]);
        let big = array(Kind::Int, true, false, &[0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0xff, 0xff]);
        let columns = array(Kind::Int, false, true, &[1, 0, 3, 0, 5, 0, 2, 0, 4, 0, 0xff, 0xff]);
        for array in [little, big, columns] {
            let all = rows(&array, 0..3);
            assert_eq!(all.values().as_primitive::<Int16Type>().values(), &[1, 2, 3, 4, 5, -1]);
            let last = rows(&array, 1..3);
            assert_eq!(last.values().as_primitive::<Int16Type>().values(), &[3, 4, 5, -1]);
        }
    }

    #[test]
    fn booleans_are_booleans_and_floats_are_another_converters() {
        let flags = array(Kind::Bool, false, false, &[0, 1, 1, 0, 0, 1]);
        let found: Vec<_> = rows(&flags, 0..3).values().as_boolean().values().iter().collect();
        assert_eq!(found, [false, true, true, false, false, true]);
        assert!(converter("v", &array(Kind::Float, false, false, &[0; 24])).is_none());
    }
}
