//! Vectors: their dimension and the range of their Euclidean norms.

use arrow_array::{
    Array,
    cast::AsArray as _,
    types::{Float16Type, Float32Type, Float64Type},
};
use arrow_schema::DataType;
use serde::Serialize;

/// The vectors of a column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Vectors {
    /// Elements of each.
    pub dimension: usize,
    /// The smallest norm; none if there is no vector without NaN.
    pub norm_minimum: Option<f64>,
    /// The largest norm.
    pub norm_maximum: Option<f64>,
    /// Vectors with NaN or infinity among their elements.
    pub not_finite: u64,
}

#[derive(Debug, Default)]
pub(super) struct Norms(Option<Vectors>);

impl Norms {
    pub(super) fn add(&mut self, array: &dyn Array) {
        let DataType::FixedSizeList(_, dimension) = array.data_type() else { return };
        let list = array.as_fixed_size_list();
        let dimension = usize::try_from(*dimension).unwrap_or(0);
        let items = list.values();
        let start = list.value_offset(0) as usize;
        for row in (0..list.len()).filter(|row| list.is_valid(*row)) {
            let range = start + row * dimension..start + (row + 1) * dimension;
            let squares = match items.data_type() {
                DataType::Float16 => squares(
                    items.as_primitive::<Float16Type>().values()[range].iter().map(|value| value.to_f64()),
                ),
                DataType::Float32 => squares(
                    items.as_primitive::<Float32Type>().values()[range].iter().map(|value| f64::from(*value)),
                ),
                DataType::Float64 => {
                    squares(items.as_primitive::<Float64Type>().values()[range].iter().copied())
                }
                _ => return,
            };
            self.note(dimension, squares.sqrt());
        }
    }

    fn note(&mut self, dimension: usize, norm: f64) {
        let none = Vectors { dimension, norm_minimum: None, norm_maximum: None, not_finite: 0 };
        let vectors = self.0.get_or_insert(none);
        if norm.is_finite() {
            vectors.norm_minimum = Some(vectors.norm_minimum.map_or(norm, |least| least.min(norm)));
            vectors.norm_maximum = Some(vectors.norm_maximum.map_or(norm, |most| most.max(norm)));
        } else {
            vectors.not_finite += 1;
        }
    }

    pub(super) fn finish(&self) -> Option<Vectors> {
        self.0
    }
}

fn squares(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum()
}
