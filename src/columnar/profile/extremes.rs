//! The smallest and the largest value of a column. NaN is neither.

use std::cmp::Ordering;

use arrow_schema::DataType;

use super::value::Value;
use crate::columnar::cells::Cells;

#[derive(Debug, Default)]
pub(super) struct Extremes(Option<(Value, Value)>);

impl Extremes {
    pub(super) fn add(&mut self, cells: &Cells, row: usize, data_type: &DataType) {
        let Some(value) = Value::of(cells, row, data_type) else { return };
        let Some((least, most)) = &mut self.0 else {
            self.0 = Some((value.clone(), value));
            return;
        };
        if value.order(least) == Ordering::Less {
            *least = value;
        } else if value.order(most) == Ordering::Greater {
            *most = value;
        }
    }

    pub(super) fn items(&mut self, items: usize) {
        let items = items as i128;
        let (least, most) = self.0.get_or_insert((Value::Int(items), Value::Int(items)));
        if Value::Int(items).order(least) == Ordering::Less {
            *least = Value::Int(items);
        }
        if Value::Int(items).order(most) == Ordering::Greater {
            *most = Value::Int(items);
        }
    }

    pub(super) fn finish(&self, data_type: &DataType) -> Option<(String, String)> {
        let (least, most) = self.0.as_ref()?;
        Some((least.text(data_type), most.text(data_type)))
    }
}
