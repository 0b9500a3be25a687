//! Which converter a column has that is no column of objects: the file says its type, and no cell has to be looked at.

use arrow_schema::{DataType, Field};

use super::{
    arrow_column,
    coded::Coded,
    complex,
    convert::Convert,
    error::{Error, Result},
    fixed_text,
    infer::Plain,
    interval, number, numpy_time, period,
    source::Source,
    sparse,
    text::Text,
};
use crate::{
    limits::Limits,
    numpy::{Array, Kind},
    pandas::Values,
    schema::KeyFormat,
};

/// Makes the converter of a column of `rows` rows, whatever its values are.
pub(super) type Inner<'f, 'g> = dyn Fn(Source<'g>, usize) -> Result<Box<dyn Convert + 'g>> + 'f;

/// The converter of a column whose type the file says; `None` for objects and vectors. `inner` makes those of values within
/// values, which may be objects.
pub(super) fn converter<'g>(
    source: Source<'g>,
    rows: usize,
    inner: &Inner<'_, 'g>,
    limits: &Limits,
) -> Result<Option<Box<dyn Convert + 'g>>> {
    let name = source.name;
    let within = |values: &'g Values<'g>, rows| inner(Source { values, ..source }, rows);
    let found = match source.values {
        Values::Objects { .. } | Values::Cells(_) | Values::Vectors(_) => return Ok(None),
        Values::Numbers { array, item } => of_array(source, array, *item),
        Values::Masked { data, .. } => number::converter(source, &Plain::of(data.dtype).data_type()),
        Values::Range { .. } => number::converter(source, &DataType::Int64),
        Values::ArrowText(_) => Some(Box::new(Text {
            source,
            field: Field::new(name, DataType::Utf8, true),
            format: KeyFormat::Any,
        }) as Box<_>),
        Values::Arrow(column) => {
            if sparse::is_bomb(column.rows, source.graph.input().len(), limits) {
                return Err(Error::TooManyValues { column: name.to_owned(), count: column.rows });
            }
            arrow_column::converter(name, column)?
        }
        Values::Times { array, item, zone } => numpy_time::converter(name, array, *item, zone.as_ref()),
        Values::Durations { array, item } => numpy_time::converter(name, array, *item, None),
        Values::Periods { array, item, frequency } => period::converter(name, array, *item, frequency),
        Values::Intervals { left, right, closed } => {
            interval::converter(name, within(left, rows)?, within(right, rows)?, closed)
        }
        Values::Sparse { positions, values, fill, rows } => {
            if sparse::is_bomb(*rows, source.graph.input().len(), limits) {
                return Err(Error::TooManyValues { column: name.to_owned(), count: *rows });
            }
            sparse::converter(source, positions, within(values, positions.len())?, *fill)
        }
        Values::Categories { codes, categories, count, ordered } => {
            let values = within(categories, *count)?;
            Some(Box::new(Coded::categories(name, codes, values.as_ref(), *count, *ordered)?) as Box<_>)
        }
        Values::Coded { codes, values, count } => {
            Some(Box::new(Coded::level(name, codes, within(values, *count)?.as_ref(), *count)?) as Box<_>)
        }
    };
    found.map(Some).ok_or_else(|| no_type(source))
}

/// The converter of one column of an array of any dtype but objects.
fn of_array<'g>(source: Source<'g>, array: &'g Array<'g>, item: usize) -> Option<Box<dyn Convert + 'g>> {
    let name = source.name;
    match array.dtype.kind {
        Kind::Datetime(_) | Kind::Timedelta(_) => numpy_time::converter(name, array, item, None),
        Kind::Complex => complex::converter(name, array, item),
        Kind::Text | Kind::Raw => fixed_text::converter(name, array, item),
        Kind::Bool | Kind::Int | Kind::Uint | Kind::Float => {
            number::converter(source, &Plain::of(array.dtype).data_type())
        }
        Kind::Object | Kind::Record => None,
    }
}

fn no_type(source: Source<'_>) -> Error {
    let found = match source.values {
        Values::Numbers { array, .. } | Values::Times { array, .. } | Values::Durations { array, .. } => {
            format!("items of dtype {}", array.dtype.code())
        }
        Values::Arrow(column) => format!("Arrow values of type {}", column.data_type),
        Values::Masked { data, .. } => format!("items of dtype {}", data.dtype.code()),
        Values::Sparse { .. } => "sparse values with a fill of another type".to_owned(),
        Values::Intervals { .. } => "intervals whose sides are of different types".to_owned(),
        _ => "values of an unknown form".to_owned(),
    };
    Error::NoType { column: source.name.to_owned(), row: 0, found }
}
