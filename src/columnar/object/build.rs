//! Values of one kind to an Arrow array, however deep.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, ListArray, NullArray, StringArray, StructArray, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::{
    json,
    kind::{Kind, item_field},
    value::{Value, items},
};
use crate::{columnar::times, limits::Limits, numpy::Unit, pickle::Graph};

/// Builds arrays; notes the rows whose values do not fit after all.
pub(in crate::columnar) struct Builder<'g, 'l> {
    pub(in crate::columnar) graph: &'g Graph<'g>,
    pub(in crate::columnar) limits: &'l Limits,
    pub(in crate::columnar) wrong: Vec<usize>,
}

/// Values, each with the row it belongs to.
type Rows<'g> = Vec<(usize, Value<'g>)>;

impl<'g> Builder<'g, '_> {
    /// The array of `values`, as many as there are values.
    pub(in crate::columnar) fn array(&mut self, kind: &Kind, values: Rows<'g>) -> ArrayRef {
        match kind {
            Kind::Missing => {
                self.each(&values, |_| None::<()>);
                Arc::new(NullArray::new(values.len()))
            }
            Kind::Bool => Arc::new(BooleanArray::from(self.each(&values, |value| match value {
                Value::Bool(value) => Some(*value),
                _ => None,
            }))),
            Kind::Int(..) => self.integers(&kind.data_type(), &values),
            Kind::Float => Arc::new(Float64Array::from(self.each(&values, |value| match value {
                Value::Float(value) => Some(*value),
                Value::Int(value) => Some(*value as f64),
                _ => None,
            }))),
            Kind::Text => {
                let texts = self.each(&values, |value| match value {
                    Value::Text(text) => std::str::from_utf8(text).ok().map(str::to_owned),
                    _ => None,
                });
                Arc::new(StringArray::from(texts))
            }
            Kind::Bytes => {
                let bytes = self.each(&values, |value| match value {
                    Value::Bytes(bytes) => Some(bytes.to_vec()),
                    _ => None,
                });
                Arc::new(bytes.into_iter().collect::<BinaryArray>())
            }
            Kind::Date => Arc::new(Date32Array::from(self.each(&values, |value| match value {
                Value::Date(days) => Some(*days),
                _ => None,
            }))),
            Kind::TimeOfDay | Kind::Time { .. } | Kind::Duration(_) => {
                let steps = self.each(&values, |value| steps_in(kind, value));
                times::integers(&kind.data_type(), steps)
            }
            Kind::Decimal { scale, .. } => self.decimals(kind, *scale, &values),
            Kind::Complex => self.complex(&values),
            Kind::Uuid => {
                let uuids = self.each(&values, |value| match value {
                    Value::Uuid(bytes) => Some(*bytes),
                    _ => None,
                });
                let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids.into_iter(), 16);
                array.map_or_else(
                    |_| arrow_array::new_null_array(&kind.data_type(), values.len()),
                    |array| Arc::new(array) as ArrayRef,
                )
            }
            Kind::List(item) => self.lists(item, values),
            Kind::Struct(fields) => self.structs(kind, fields, &values),
            Kind::Json => {
                let texts = values.iter().map(|(row, value)| match value {
                    Value::Missing => None,
                    value => json::text(self.graph, value, self.limits).or_else(|| {
                        self.wrong.push(*row);
                        None
                    }),
                });
                Arc::new(texts.collect::<StringArray>())
            }
        }
    }

    /// Each value as `convert` gives it; what is neither missing nor convertible is wrong.
    fn each<T>(&mut self, values: &Rows<'g>, convert: impl Fn(&Value<'g>) -> Option<T>) -> Vec<Option<T>> {
        let one = |(row, value): &(usize, Value<'g>)| {
            let converted = convert(value);
            if converted.is_none() && *value != Value::Missing {
                self.wrong.push(*row);
            }
            converted
        };
        values.iter().map(one).collect()
    }

    fn integers(&mut self, data_type: &DataType, values: &Rows<'g>) -> ArrayRef {
        let integers = self.each(values, |value| match value {
            Value::Int(value) => Some(*value),
            _ => None,
        });
        let integers = integers.into_iter();
        match data_type {
            DataType::Int64 => {
                Arc::new(integers.map(|value| i64::try_from(value?).ok()).collect::<Int64Array>())
            }
            DataType::UInt64 => {
                Arc::new(integers.map(|value| u64::try_from(value?).ok()).collect::<UInt64Array>())
            }
            _ => Arc::new(integers.collect::<Decimal128Array>().with_data_type(DataType::Decimal128(38, 0))),
        }
    }

    fn decimals(&mut self, kind: &Kind, scale: i32, values: &Rows<'g>) -> ArrayRef {
        let decimals = self.each(values, |value| match value {
            Value::Decimal { digits, scale: own } => {
                let power = u32::try_from(scale - own).ok()?;
                digits.checked_mul(10_i128.checked_pow(power)?)
            }
            _ => None,
        });
        Arc::new(decimals.into_iter().collect::<Decimal128Array>().with_data_type(kind.data_type()))
    }

    fn complex(&mut self, values: &Rows<'g>) -> ArrayRef {
        let parts = self.each(values, |value| match value {
            Value::Complex(re, im) => Some((*re, *im)),
            _ => None,
        });
        let column = |part: fn((f64, f64)) -> f64| -> ArrayRef {
            Arc::new(parts.iter().map(|both| both.map(part)).collect::<Float64Array>())
        };
        let nulls: NullBuffer = parts.iter().map(Option::is_some).collect();
        let columns = vec![column(|both| both.0), column(|both| both.1)];
        Arc::new(StructArray::new(crate::columnar::complex::parts(), columns, Some(nulls)))
    }

    fn lists(&mut self, item: &Kind, values: Rows<'g>) -> ArrayRef {
        let (mut lengths, mut valid, mut inner) = (Vec::new(), Vec::new(), Vec::new());
        for (row, value) in values {
            let list = items(self.graph, &value, self.limits);
            if list.is_none() && value != Value::Missing {
                self.wrong.push(row);
            }
            valid.push(list.is_some());
            let list = list.unwrap_or_default();
            lengths.push(list.len());
            inner.extend(list.into_iter().map(|value| (row, value)));
        }
        let child = self.array(item, inner);
        let offsets = OffsetBuffer::from_lengths(lengths);
        Arc::new(ListArray::new(item_field(item), offsets, child, nulls(valid)))
    }

    fn structs(&mut self, kind: &Kind, fields: &[(String, Kind)], values: &Rows<'g>) -> ArrayRef {
        let dict = |value: &Value<'g>| match value {
            Value::Dict(id) => Some(*id),
            _ => None,
        };
        let dicts = self.each(values, dict);
        let column = |(name, kind): &(String, Kind)| {
            let cell = |((row, _), dict): (&(usize, Value<'g>), &Option<crate::pickle::NodeId>)| {
                let found = dict.and_then(|dict| self.graph.dict_value(dict, name));
                (*row, found.map_or(Value::Missing, |id| Value::of_node(self.graph, id)))
            };
            let cells = values.iter().zip(&dicts).map(cell).collect();
            self.array(kind, cells)
        };
        let columns: Vec<ArrayRef> = fields.iter().map(column).collect();
        let DataType::Struct(fields) = kind.data_type() else {
            return arrow_array::new_null_array(&kind.data_type(), values.len());
        };
        let valid = dicts.iter().map(Option::is_some).collect();
        Arc::new(StructArray::new(fields, columns, nulls(valid)))
    }
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0)
}

/// A time or duration in the unit of the column.
fn steps_in(kind: &Kind, value: &Value<'_>) -> Option<i64> {
    let (unit, value, step, is_duration) = match (kind, value) {
        (Kind::TimeOfDay, Value::TimeOfDay(micros)) => return Some(*micros),
        (Kind::Time { unit, .. }, Value::Time { value, step, .. }) => (*unit, *value, *step, false),
        (Kind::Duration(unit), Value::Duration { value, step }) => (*unit, *value, *step, true),
        _ => return None,
    };
    let own = times::unit_of(step);
    times::exact(value, step, is_duration)?.checked_mul(per_second(unit) / per_second(own))
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The unit of the file for one of Arrow.
pub(super) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Year => "Y",
        Unit::Month => "M",
        Unit::Week => "W",
        Unit::Day => "D",
        Unit::Hour => "h",
        Unit::Minute => "m",
        Unit::Second => "s",
        Unit::Milli => "ms",
        Unit::Micro => "us",
        Unit::Nano => "ns",
        Unit::Pico => "ps",
        Unit::Femto => "fs",
        Unit::Atto => "as",
        Unit::Generic => "generic",
    }
}
