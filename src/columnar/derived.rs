//! Columns made of other columns: values looked up by code, categories of any type, few values among many, intervals,
//! periods.

use std::{collections::HashMap, ops::Range, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, DictionaryArray, Int32Array, StructArray, UInt32Array, types::Int32Type,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};
use arrow_select::{concat::concat, take::take};

use super::{
    convert::{Convert, Faults},
    times,
};
use crate::numpy::{Array, items::Number};

/// Arrow's key for the name of an extension type.
const EXTENSION_NAME: &str = "ARROW:extension:name";
/// Arrow's key for its parameters.
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";

/// `field` as an extension type that pandas registers with pyarrow; other readers see what it is stored as.
fn extension(field: Field, name: &str, metadata: &serde_json::Value) -> Field {
    let mut all = field.metadata().clone();
    all.extend(HashMap::from([
        (EXTENSION_NAME.to_owned(), name.to_owned()),
        (EXTENSION_METADATA.to_owned(), metadata.to_string()),
    ]));
    field.with_metadata(all)
}

fn code(codes: &Array<'_>, row: usize) -> Option<u32> {
    match codes.number(0, row) {
        Some(Number::Int(code)) => u32::try_from(code).ok(),
        _ => None,
    }
}

/// Rows of `values` where `indices` says, null where it says nothing.
fn taken(values: &ArrayRef, indices: &UInt32Array) -> ArrayRef {
    take(values, indices, None)
        .unwrap_or_else(|_| arrow_array::new_null_array(values.data_type(), indices.len()))
}

/// A level of an index: each value once, and codes.
pub(super) struct Coded<'g> {
    pub(super) field: Field,
    pub(super) codes: &'g Array<'g>,
    pub(super) values: ArrayRef,
}

impl Convert for Coded<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        taken(&self.values, &rows.map(|row| code(self.codes, row)).collect())
    }
}

/// A categorical whose categories are no text.
pub(super) struct TypedCategory<'g> {
    pub(super) field: Field,
    pub(super) codes: &'g Array<'g>,
    pub(super) values: ArrayRef,
}

impl Convert for TypedCategory<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let keys: Int32Array = rows.map(|row| code(self.codes, row).map(|code| code as i32)).collect();
        Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::clone(&self.values)))
    }
}

/// A few values among many of one.
pub(super) struct Sparse {
    field: Field,
    positions: Arc<[u32]>,
    /// The values, and behind them the one of all other rows.
    values: ArrayRef,
}

impl Sparse {
    /// `None` if the value of all other rows has another type.
    pub(super) fn new(
        field: Field,
        positions: Arc<[u32]>,
        values: &ArrayRef,
        fill: &ArrayRef,
    ) -> Option<Self> {
        let values = concat(&[values.as_ref(), fill.as_ref()]).ok()?;
        Some(Self { field, positions, values })
    }
}

impl Convert for Sparse {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let mut next = self.positions.partition_point(|position| (*position as usize) < rows.start);
        let fill = self.positions.len() as u32;
        let indices = rows.map(|row| {
            let own = self.positions.get(next).is_some_and(|position| *position as usize == row);
            let index = if own { next as u32 } else { fill };
            next += usize::from(own);
            index
        });
        taken(&self.values, &indices.map(Some).collect())
    }
}

/// Ordinals of periods.
pub(super) struct Periods<'g> {
    field: Field,
    array: &'g Array<'g>,
    item: usize,
}

impl<'g> Periods<'g> {
    pub(super) fn new(name: &str, array: &'g Array<'g>, item: usize, frequency: &str) -> Self {
        let field = Field::new(name, DataType::Int64, true);
        Self {
            field: extension(field, "pandas.period", &serde_json::json!({"freq": frequency})),
            array,
            item,
        }
    }
}

impl Convert for Periods<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _: &mut Faults<'_>) -> ArrayRef {
        let ordinal = |row| self.array.steps(self.item, row).filter(|ordinal| *ordinal != i64::MIN);
        times::integers(&DataType::Int64, &rows.map(ordinal).collect::<Vec<_>>())
    }
}

/// Two sides.
pub(super) struct Intervals<'g> {
    field: Field,
    left: Box<dyn Convert + 'g>,
    right: Box<dyn Convert + 'g>,
}

impl<'g> Intervals<'g> {
    pub(super) fn new(
        name: &str,
        left: Box<dyn Convert + 'g>,
        right: Box<dyn Convert + 'g>,
        subtype: &str,
        closed: &str,
    ) -> Self {
        let sides = vec![left.field().with_name("left"), right.field().with_name("right")];
        let field = Field::new(name, DataType::Struct(sides.into()), true);
        let parameters = serde_json::json!({"subtype": subtype, "closed": closed});
        Self { field: extension(field, "pandas.interval", &parameters), left, right }
    }
}

impl Convert for Intervals<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let left = self.left.convert(rows.clone(), faults);
        let right = self.right.convert(rows, faults);
        // A missing interval has missing sides; of floats they are NaN.
        let missing = |row| left.is_null(row) || is_nan(&left, row);
        let valid: NullBuffer = (0..left.len()).map(|row| !missing(row)).collect();
        let nulls = Some(valid).filter(|valid| valid.null_count() > 0);
        let DataType::Struct(sides) = self.field.data_type() else { return left };
        let rows = left.len();
        StructArray::try_new(sides.clone(), vec![left, right], nulls).map_or_else(
            |_| arrow_array::new_null_array(self.field.data_type(), rows),
            |array| Arc::new(array) as ArrayRef,
        )
    }
}

fn is_nan(array: &ArrayRef, row: usize) -> bool {
    use arrow_array::cast::AsArray as _;
    let floats = array.as_primitive_opt::<arrow_array::types::Float64Type>();
    floats.is_some_and(|floats| floats.value(row).is_nan())
}
