//! Vectors of every kind, written here and read back by the library.

use std::{fs, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_data::ArrayData;
use arrow_schema::Schema;

use super::*;
use crate::file::{
    VectorEncoding,
    atomic::AtomicFile,
    map::{Access, Contents},
    parquet::{ParquetOptions, ParquetSink, ParquetSource},
};

/// Vectors whose elements are the numbers from 0 by their bits, with the rows in `missing` null.
fn vectors(element: &DataType, dimension: usize, rows: usize, missing: &[usize]) -> FixedSizeListArray {
    let width = element.primitive_width().unwrap();
    let bytes: Vec<u8> =
        (0..rows * dimension).flat_map(|at| (at as u64).to_le_bytes()[..width].to_vec()).collect();
    let elements =
        ArrayData::builder(element.clone()).len(rows * dimension).add_buffer(bytes.into()).build().unwrap();
    let nulls =
        (!missing.is_empty()).then(|| (0..rows).map(|row| !missing.contains(&row)).collect::<NullBuffer>());
    let item = Arc::new(Field::new("item", element.clone(), false));
    FixedSizeListArray::new(item, dimension as i32, arrow_array::make_array(elements), nulls)
}

/// Writes the slices in turn, reads the file, and compares.
fn round_trip(columns: &[&FixedSizeListArray], nullable: bool, cuts: &[usize]) {
    let field = |(at, column): (usize, &&FixedSizeListArray)| {
        Field::new(format!("v{at}"), arrow_array::Array::data_type(*column).clone(), nullable)
    };
    let schema = Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>()));
    let arrays = columns.iter().map(|column| Arc::new((*column).clone()) as ArrayRef).collect();
    let whole = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = ParquetOptions {
        row_group_bytes: 1 << 21,
        vector_encoding: VectorEncoding::Plain,
        pandas_metadata: None,
        pandas_attrs: None,
    };
    let file = AtomicFile::create(folder.path(), "v.parquet").unwrap();
    let mut sink = ParquetSink::create(file, schema, options).unwrap();
    let mut from = 0;
    for &cut in cuts.iter().chain([&whole.num_rows()]) {
        sink.write(&whole.slice(from, cut - from)).unwrap();
        from = cut;
    }
    sink.finish("").unwrap().publish().unwrap();
    let path = folder.path().join("v.parquet");
    let source = ParquetSource::open(Contents::open(&path, Access::Map).unwrap()).unwrap();
    let mut row = 0;
    for batch in source.batches(100, None).unwrap() {
        let batch = batch.unwrap();
        assert_eq!(batch, whole.slice(row, batch.num_rows()));
        row += batch.num_rows();
    }
    assert_eq!(row, whole.num_rows());
    fs::remove_file(path).unwrap();
}

#[test]
fn every_dimension_and_element_comes_back() {
    for element in [DataType::Float16, DataType::Float32, DataType::Float64] {
        for dimension in [1, 2, 7, 8, 9, 16, 384] {
            let column = vectors(&element, dimension, 40, &[]);
            round_trip(&[&column], false, &[1, 13]);
            round_trip(&[&column], true, &[39]);
        }
    }
}

#[test]
fn missing_vectors_come_back_missing() {
    for dimension in [1, 8, 384] {
        for missing in [&[0][..], &[39], &[3, 4, 5, 20], &(0..40).collect::<Vec<_>>()] {
            round_trip(&[&vectors(&DataType::Float32, dimension, 40, missing)], true, &[4, 21]);
        }
    }
}

#[test]
fn pages_and_row_groups_end_anywhere() {
    let wide = vectors(&DataType::Float32, 384, 3000, &[]);
    round_trip(&[&wide], false, &[1, 2, 1000]);
    let narrow = vectors(&DataType::Float64, 3, 3000, &[7]);
    round_trip(&[&wide, &narrow], true, &[1500]);
}
