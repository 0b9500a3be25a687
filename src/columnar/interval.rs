//! Columns of intervals: `Struct{left, right}`, under the extension type by which pandas and pyarrow know them again.

use std::{ops::Range, sync::Arc};

use arrow_array::{Array as _, ArrayRef, StructArray, cast::AsArray as _, types::Float64Type};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field, Fields, TimeUnit};

use super::{
    convert::{Convert, Faults},
    period::with_extension,
};

/// A column of intervals.
struct Intervals<'g> {
    field: Field,
    fields: Fields,
    left: Box<dyn Convert + 'g>,
    right: Box<dyn Convert + 'g>,
}

/// The converter of intervals between the values of two others, which are of the same type.
pub(super) fn converter<'g>(
    name: &str,
    left: Box<dyn Convert + 'g>,
    right: Box<dyn Convert + 'g>,
    closed: &str,
) -> Option<Box<dyn Convert + 'g>> {
    let side = |name: &str, side: &dyn Convert| Field::new(name, side.field().data_type().clone(), true);
    let fields = Fields::from(vec![side("left", &*left), side("right", &*right)]);
    if fields[0].data_type() != fields[1].data_type() {
        return None;
    }
    let field = extension(Field::new(name, DataType::Struct(fields.clone()), true), closed);
    Some(Box::new(Intervals { field, fields, left, right }))
}

/// A field of structs of a left and a right side as one of intervals, if the sides have a type that pandas reads back.
pub(super) fn extension(field: Field, closed: &str) -> Field {
    let DataType::Struct(sides) = field.data_type() else { return field };
    let Some(subtype) = sides.first().and_then(|side| subtype(side.data_type())) else { return field };
    let metadata = serde_json::json!({ "subtype": subtype, "closed": closed }).to_string();
    with_extension(field, "pandas.interval", metadata)
}

/// pyarrow's name of the type of the sides. Types with a zone have none that pandas reads back, so such columns are plain
/// structs.
fn subtype(data_type: &DataType) -> Option<String> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    };
    Some(match data_type {
        DataType::Float16 => "halffloat".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Timestamp(step, None) => format!("timestamp[{}]", unit(step)),
        DataType::Duration(step) => format!("duration[{}]", unit(step)),
        integer if integer.is_integer() => integer.to_string().to_lowercase(),
        _ => return None,
    })
}

impl Convert for Intervals<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let left = self.left.convert(rows.clone(), faults);
        let right = self.right.convert(rows, faults);
        let nulls = missing(&left);
        Arc::new(StructArray::new(self.fields.clone(), vec![left, right], nulls))
    }
}

/// An interval is missing where its left side is, which among floats is NaN.
fn missing(left: &ArrayRef) -> Option<NullBuffer> {
    let nulls = match left.as_primitive_opt::<Float64Type>() {
        Some(floats) => {
            let present = |row| !floats.is_null(row) && !floats.value(row).is_nan();
            Some(NullBuffer::new(BooleanBuffer::collect_bool(left.len(), present)))
        }
        None => left.nulls().cloned(),
    };
    nulls.filter(|nulls| nulls.null_count() > 0)
}
