//! Columns of periods: ordinals as `Int64`, under the extension type by which pandas and pyarrow know them again. Readers
//! that do not know the type see the ordinals.

use std::{collections::HashMap, ops::Range, sync::Arc};

use arrow_array::{ArrayRef, Int64Array};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults},
    items::Items,
    numpy_time::not_missing,
};
use crate::numpy::{Array, Kind};

/// Field metadata of Arrow: the name of an extension type.
pub(super) const EXTENSION_NAME: &str = "ARROW:extension:name";
/// Field metadata of Arrow: the parameters of an extension type.
pub(super) const EXTENSION_METADATA: &str = "ARROW:extension:metadata";

/// A column of periods.
struct Periods<'g> {
    field: Field,
    items: Items<'g>,
}

/// The converter of column `item` of an array of ordinals, which count periods of `frequency`.
pub(super) fn converter<'g>(
    name: &str,
    array: &'g Array<'g>,
    item: usize,
    frequency: &str,
) -> Option<Box<dyn Convert + 'g>> {
    if (array.dtype.kind, array.dtype.itemsize) != (Kind::Int, size_of::<i64>()) {
        return None;
    }
    let field = extension(Field::new(name, DataType::Int64, true), frequency);
    Some(Box::new(Periods { field, items: Items::of(array, item)? }))
}

/// A field of ordinals as one of periods.
pub(super) fn extension(field: Field, frequency: &str) -> Field {
    let metadata = serde_json::json!({ "freq": frequency }).to_string();
    with_extension(field, "pandas.period", metadata)
}

/// A field under the name of an extension type.
pub(super) fn with_extension(field: Field, name: &str, metadata: String) -> Field {
    field.with_metadata(HashMap::from([
        (EXTENSION_NAME.to_owned(), name.to_owned()),
        (EXTENSION_METADATA.to_owned(), metadata),
    ]))
}

impl Convert for Periods<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let ordinals = self.items.numbers::<i64>(rows);
        let nulls = not_missing(&ordinals);
        Arc::new(Int64Array::new(ordinals, nulls))
    }
}
