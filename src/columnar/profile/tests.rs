//! A column is told by its values, whatever batches they come in.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float64Array, Int64Array, StringArray,
    types::{Float32Type, Int32Type},
};

use super::*;

fn profile(columns: Vec<(&str, ArrayRef)>) -> Vec<ColumnProfile> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let mut profiler = Profiler::new(&batch.schema());
    let half = batch.num_rows() / 2;
    profiler.add(&batch.slice(0, half));
    profiler.add(&batch.slice(half, batch.num_rows() - half));
    profiler.finish()
}

#[test]
fn a_column_is_told_by_its_values() {
    let ints = Int64Array::from(vec![Some(3), None, Some(-7), Some(3)]);
    let floats = Float64Array::from(vec![f64::NAN, 2.5, -1.0, f64::INFINITY]);
    let texts = StringArray::from(vec![Some("b"), Some("a"), None, Some("b")]);
    let told = profile(vec![("i", Arc::new(ints)), ("f", Arc::new(floats)), ("t", Arc::new(texts))]);
    let ends = |column: &ColumnProfile| (column.minimum.clone().unwrap(), column.maximum.clone().unwrap());
    assert_eq!((told[0].nulls, told[0].distinct.unwrap().count), (1, 2));
    assert_eq!(ends(&told[0]), ("-7".to_owned(), "3".to_owned()));
    assert_eq!(ends(&told[1]), ("-1".to_owned(), "inf".to_owned()));
    assert_eq!(ends(&told[2]), ("a".to_owned(), "b".to_owned()));
    assert_eq!(told[2].pandas_bytes, 3 * (8 + 50) + 8 + 16);
}

#[test]
fn slices_of_vectors_and_categories_are_told_as_wholes() {
    let rows = [[3.0, 4.0], [0.0, 1.0], [f32::NAN, 0.0], [6.0, 8.0]];
    let rows = rows.map(|row| Some(row.map(Some)));
    let vectors = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 2);
    let categories: DictionaryArray<Int32Type> = vec!["x", "y", "y", "y"].into_iter().collect();
    let told = profile(vec![("v", Arc::new(vectors)), ("c", Arc::new(categories))]);
    let found = told[0].vectors.unwrap();
    assert_eq!((found.dimension, found.not_finite), (2, 1));
    assert_eq!((found.norm_minimum, found.norm_maximum), (Some(1.0), Some(10.0)));
    let top: Vec<_> = told[1].top.iter().map(|top| (top.value.as_str(), top.rows)).collect();
    assert_eq!(top, [("y", 3), ("x", 1)]);
    let hash_table = 40 + 4 + 4 * 16;
    assert_eq!(told[1].pandas_bytes, 4 + 2 * (8 + 50) + hash_table);
    assert_eq!(told[1].pandas_object_bytes, 4 * (8 + 50));
    assert!(told[1].is_told_whole());
}

#[test]
fn a_categorical_without_categories_is_told() {
    let missing: DictionaryArray<Int32Type> = vec![None::<&str>, None].into_iter().collect();
    assert!(missing.values().is_empty());
    let told = profile(vec![("c", Arc::new(missing))]);
    assert_eq!((told[0].nulls, told[0].top.len(), told[0].minimum.as_ref()), (2, 0, None));
}
