//! Converters by what the cells are, for tables without a domain.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef,
    types::{Float32Type, Float64Type},
};
use arrow_schema::{DataType, Field};

use super::{
    arrow_column::Whole,
    category::Category,
    convert::{Convert, Faults},
    derived::{Coded, Intervals, Periods, Sparse, TypedCategory},
    embedding::{self, Embedding},
    error::{Error, Result},
    fixed::FixedItems,
    infer::{Inferred, Mixed, infer},
    number,
    object::Objects,
    schema as arrow,
    source::Source,
    text::Text,
    text_list::TextList,
    times::{self, Times},
};
use crate::{columnar::Vectors, limits::Limits, numpy, pandas::Values, pickle::Item, schema::Kind};

/// How columns are typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Auto<'l> {
    pub(super) vectors: Vectors,
    pub(super) mixed: Mixed,
    pub(super) limits: &'l Limits,
}

impl Auto<'_> {
    /// The converter of a column of `rows` values.
    pub(super) fn converter<'g>(self, source: Source<'g>, rows: usize) -> Result<Box<dyn Convert + 'g>> {
        let field = |data_type| Field::new(source.name, data_type, true);
        Ok(match source.values {
            Values::Times { array, item, zone } => {
                let step = step(array).ok_or_else(|| no_type(source, "times of an unknown unit"))?;
                let field = field(times::timestamp(step, zone.as_ref()));
                Box::new(Times { array, item: *item, step, field, is_duration: false })
            }
            Values::Durations { array, item } => {
                let step = step(array).ok_or_else(|| no_type(source, "durations of an unknown unit"))?;
                let field = field(DataType::Duration(times::unit_of(step)));
                Box::new(Times { array, item: *item, step, field, is_duration: true })
            }
            Values::Arrow(column) => Box::new(Whole::new(source.name, column)?),
            Values::Periods { array, item, frequency } => {
                Box::new(Periods::new(source.name, array, *item, frequency))
            }
            Values::Intervals { left, right, closed } => {
                let side = |values| self.converter(Source { values, ..source }, rows);
                let (left, right) = (side(left)?, side(right)?);
                let subtype = numpy_name(left.field().data_type());
                Box::new(Intervals::new(source.name, left, right, &subtype, closed))
            }
            Values::Coded { codes, values, count } => {
                let values = self.whole(Source { values, ..source }, *count)?;
                Box::new(Coded { field: field(values.data_type().clone()), codes, values })
            }
            Values::Sparse { positions, values, fill, .. } => {
                let values = self.whole(Source { values, ..source }, positions.len())?;
                let fill = Values::Cells(Arc::from([Item::Node(*fill)]));
                let fill = fill_of(Source { values: &fill, ..source }, &values)
                    .ok_or_else(|| no_type(source, "a sparse array whose fill value has another type"))?;
                let sparse =
                    Sparse::new(field(values.data_type().clone()), Arc::clone(positions), &values, &fill);
                Box::new(sparse.ok_or_else(|| no_type(source, "a sparse array of other values"))?)
            }
            Values::Categories { codes, categories, count, ordered } => {
                if let Some(category) = Category::new(source, rows, field(super::category::data_type())) {
                    return Ok(Box::new(category));
                }
                let values = self.whole(Source { values: categories, ..source }, *count)?;
                let data_type = Box::new(values.data_type().clone());
                let field = field(DataType::Dictionary(Box::new(DataType::Int32), data_type));
                Box::new(TypedCategory { field: field.with_dict_is_ordered(*ordered), codes, values })
            }
            Values::Numbers { array, item } if !is_number(array.dtype.kind) => Box::new(
                FixedItems::new(source.name, array, *item)
                    .ok_or_else(|| no_type(source, "items without a type"))?,
            ),
            _ => self.by_cells(source, rows)?,
        })
    }

    fn by_cells<'g>(self, source: Source<'g>, rows: usize) -> Result<Box<dyn Convert + 'g>> {
        let field = |data_type| Field::new(source.name, data_type, true);
        Ok(match infer(source, rows, self.limits, self.mixed)? {
            Inferred::Text => Box::new(Text { source, field: field(DataType::Utf8) }),
            Inferred::TextList => {
                let data_type = arrow::data_type(Kind::TextList, 0);
                Box::new(TextList { source, field: field(data_type), limits: self.limits.clone() })
            }
            Inferred::Plain(plain) => number::converter(source, &plain.data_type())
                .ok_or_else(|| no_type(source, "numbers without a type"))?,
            Inferred::Vector { dimension, narrow } => self.vectors(source, dimension, narrow)?,
            Inferred::Object(kind) => Box::new(Objects::new(source, kind, self.limits)),
        })
    }

    fn vectors<'g>(
        self,
        source: Source<'g>,
        dimension: usize,
        narrow: bool,
    ) -> Result<Box<dyn Convert + 'g>> {
        let field = |data_type| Field::new(source.name, data_type, true);
        if dimension == 0 || dimension > self.limits.vector_dimension_max {
            return Err(Error::NoDimension {
                column: source.name.to_owned(),
                allowed: Vec::new(),
                found: dimension,
            });
        }
        Ok(if self.vectors == Vectors::F32 || (self.vectors == Vectors::AsIs && narrow) {
            let field = field(embedding::data_type::<Float32Type>(dimension));
            Box::new(Embedding::<Float32Type>::new(source, field, dimension, true, self.limits))
        } else {
            let field = field(embedding::data_type::<Float64Type>(dimension));
            Box::new(Embedding::<Float64Type>::new(source, field, dimension, true, self.limits))
        })
    }

    /// All `count` values as one array.
    fn whole(self, source: Source<'_>, count: usize) -> Result<ArrayRef> {
        let mut bad = Vec::new();
        let converter = self.converter(source, count)?;
        let array = converter.convert(0..count, &mut Faults { column: source.name, bad: &mut bad });
        match bad.pop() {
            Some(bad) => Err(Error::BadRow { bad: Box::new(bad) }),
            None => Ok(array),
        }
    }
}

/// One value of the type of `values`.
fn fill_of(source: Source<'_>, values: &ArrayRef) -> Option<ArrayRef> {
    let mut bad = Vec::new();
    let converter = number::converter(source, values.data_type())?;
    let array = converter.convert(0..1, &mut Faults { column: source.name, bad: &mut bad });
    bad.is_empty().then_some(array)
}

fn step(array: &numpy::Array<'_>) -> Option<numpy::Step> {
    match array.dtype.kind {
        numpy::Kind::Datetime(step) | numpy::Kind::Timedelta(step) => Some(step),
        _ => None,
    }
}

fn is_number(kind: numpy::Kind) -> bool {
    use numpy::Kind as K;
    matches!(kind, K::Bool | K::Int | K::Uint | K::Float)
}

/// NumPy's name for the type of the sides of intervals.
fn numpy_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(_, None) => "datetime64[ns]".to_owned(),
        DataType::Timestamp(_, Some(zone)) => format!("datetime64[ns, {zone}]"),
        DataType::Duration(_) => "timedelta64[ns]".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

fn no_type(source: Source<'_>, found: &str) -> Error {
    Error::NoType { column: source.name.to_owned(), row: 0, found: found.to_owned() }
}
