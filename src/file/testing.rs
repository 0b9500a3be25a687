//! Tables and damage for the tests of this module.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, ListArray, RecordBatch,
    StringArray, types::Int32Type,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::columnar::schema as convention;

pub(crate) const DIMENSION: usize = 12;

/// `recruit` in small: a key, a category with an unused value, a nullable number and text, a list, a vector.
pub(crate) fn schema() -> SchemaRef {
    let text = Arc::new(Field::new("item", DataType::Utf8, false));
    let category = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("position", category, false),
        Field::new("years", DataType::Int32, true),
        Field::new("skills", DataType::List(text), false),
        Field::new("vector", convention::vector(DataType::Float32, DIMENSION), false),
    ];
    let metadata = HashMap::from([(convention::KEY.to_owned(), "id".to_owned())]);
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

pub(crate) fn key(row: usize) -> String {
    format!("0190c7a2-0000-7000-8000-{row:012x}")
}

/// Rows `first..first + rows` of a table that goes on for ever.
pub(crate) fn batch(first: usize, rows: usize) -> RecordBatch {
    with_keys(first, rows, key)
}

/// The same rows under other keys.
pub(crate) fn with_keys(first: usize, rows: usize, key: impl Fn(usize) -> String) -> RecordBatch {
    let range = first..first + rows;
    let ids = StringArray::from_iter_values(range.clone().map(key));
    let positions = Arc::new(StringArray::from_iter_values(["cook", "baker", "unused", "brewer"]));
    let keys = Int32Array::from_iter_values(range.clone().map(|row| [0, 1, 3][row % 3]));
    let years: Int32Array = range.clone().map(|row| (row % 5 > 0).then_some(row as i32)).collect();
    let lengths = range.clone().map(|row| row % 4);
    let words =
        range.clone().flat_map(|row| (0..row % 4).map(move |word| format!("skill {}", row * 7 + word)));
    let words: Vec<_> = words.collect();
    let text = Arc::new(Field::new("item", DataType::Utf8, false));
    let skills = ListArray::new(
        text,
        OffsetBuffer::from_lengths(lengths),
        Arc::new(StringArray::from_iter_values(words)),
        None,
    );
    let elements =
        range.flat_map(|row| (0..DIMENSION).map(move |element| (row * DIMENSION + element) as f32 / 7.0));
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let elements = Arc::new(Float32Array::from_iter_values(elements));
    let vectors = FixedSizeListArray::new(item, DIMENSION as i32, elements, None);
    let positions = DictionaryArray::<Int32Type>::new(keys, positions);
    let columns: Vec<ArrayRef> =
        vec![Arc::new(ids), Arc::new(positions), Arc::new(years), Arc::new(skills), Arc::new(vectors)];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// `bytes` with one bit changed, at 400 places spread over all of them.
pub(crate) fn bit_flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let bits = bytes.len() * 8;
    (0..400).map(move |turn| {
        let bit = turn * 2_654_435_761_usize % bits;
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}
