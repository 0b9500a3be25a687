//! Parquet files read back by the library: equal, indexed, and refused when damaged.

use std::{fs, path::Path};

use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::*;
use crate::file::{
    map::{Access, Contents},
    testing::{self, batch},
};

fn write(
    folder: &Path,
    batches: &[RecordBatch],
    row_group_bytes: usize,
    vector_encoding: VectorEncoding,
) -> PathBuf {
    let (pandas_metadata, pandas_attrs) = (Some("{}".to_owned()), Some("{\"unit\":\"m\"}".to_owned()));
    let options = ParquetOptions { row_group_bytes, vector_encoding, pandas_metadata, pandas_attrs };
    let file = AtomicFile::create(folder, "x.parquet").unwrap();
    let mut sink = ParquetSink::create(file, testing::schema(), options).unwrap();
    for batch in batches {
        sink.write(batch).unwrap();
    }
    sink.finish("rows-v1:x").unwrap().publish().unwrap();
    folder.join("x.parquet")
}

fn open(path: &Path) -> Result<ParquetSource, Error> {
    ParquetSource::open(Contents::open(path, Access::Map)?)
}

/// Reads everything; a limit on rows, because a flipped bit may claim any number.
fn read(path: &Path) -> Result<Vec<RecordBatch>, Error> {
    open(path)?.batches(50, None)?.take(100).collect()
}

#[test]
fn rows_come_back_in_either_encoding_and_any_row_group() {
    let folder = tempfile::tempdir().unwrap();
    let whole = batch(0, 500);
    let batches = [whole.slice(0, 1), whole.slice(1, 300), whole.slice(301, 199)];
    for encoding in [VectorEncoding::Plain, VectorEncoding::ByteStreamSplit] {
        for row_group_bytes in [1, 1 << 30] {
            let path = write(folder.path(), &batches, row_group_bytes, encoding);
            let read = read(&path).unwrap();
            assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), 500);
            let mut row = 0;
            for batch in &read {
                assert_eq!(batch, &whole.slice(row, batch.num_rows()));
                row += batch.num_rows();
            }
        }
    }
}

#[test]
fn the_pandas_metadata_stands_where_pyarrow_looks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&write(folder.path(), &[batch(0, 3)], 1 << 30, VectorEncoding::Plain)).unwrap();
    let keys = source.metadata().file_metadata().key_value_metadata().unwrap();
    let value = |key: &str| keys.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    assert_eq!(value("pandas").as_deref(), Some("{}"));
    assert_eq!(value("PANDAS_ATTRS").as_deref(), Some("{\"unit\":\"m\"}"));
    let mut schema = Schema::clone(&testing::schema());
    schema.metadata.insert("pandas".to_owned(), "{}".to_owned());
    schema.metadata.insert("PANDAS_ATTRS".to_owned(), "{\"unit\":\"m\"}".to_owned());
    assert_eq!(value("ARROW:schema"), Some(encode_arrow_schema(&schema)));
}

#[test]
fn the_footer_tells_types_fingerprint_indexes_and_the_bloom_filter() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&write(folder.path(), &[batch(0, 300)], 1 << 30, VectorEncoding::Plain)).unwrap();
    assert_eq!((source.schema(), source.rows()), (&testing::schema(), 300));
    assert_eq!(source.fingerprint(), Some("rows-v1:x"));
    let group = source.metadata().row_group(0);
    let names =
        group.columns().iter().map(ColumnChunkMetaData::column_path).map(|path| path.parts()[0].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["id", "position", "years", "skills", "vector"]);
    assert!(group.column(0).bloom_filter_offset().is_some());
    assert!(group.column(0).statistics().is_some());
    assert!(group.column(4).statistics().is_none());
    assert!(group.columns().iter().all(|column| column.offset_index_offset().is_some()));
    let ends = group.columns().iter().map(ColumnChunkMetaData::byte_range);
    let mut ends: Vec<_> = ends.map(|(start, length)| start..start + length).collect();
    ends.sort_by_key(|range| range.start);
    assert!(ends.is_sorted_by(|left, right| left.end <= right.start), "chunks overlap: {ends:?}");
}

#[test]
fn one_column_is_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&write(folder.path(), &[batch(0, 30)], 1 << 30, VectorEncoding::Plain)).unwrap();
    let batch = source.batches(100, Some(&[0])).unwrap().next().unwrap().unwrap();
    assert_eq!((batch.num_columns(), batch.num_rows()), (1, 30));
}

/// `columns` columns, every third of text, whose row `r` holds `r` and the column.
fn many_columns(columns: usize, rows: std::ops::Range<i64>) -> RecordBatch {
    let arrays = (0..columns as i64).map(|column| {
        let cells = rows.clone().map(|row| (row % 7 != 0).then_some(row * 1_000 + column));
        let array: ArrayRef = if column % 3 == 0 {
            Arc::new(cells.map(|cell| cell.map(|cell| cell.to_string())).collect::<StringArray>())
        } else {
            Arc::new(cells.collect::<Int64Array>())
        };
        (format!("c{column}"), array, true)
    });
    RecordBatch::try_from_iter_with_nullable(arrays).unwrap()
}

/// A file whose row groups end as soon as they may.
fn in_small_groups(folder: &Path, batches: &[RecordBatch]) -> ParquetSource {
    let options = ParquetOptions { row_group_bytes: 1, ..ParquetOptions::default() };
    let file = AtomicFile::create(folder, "w.parquet").unwrap();
    let mut sink = ParquetSink::create(file, batches[0].schema(), options).unwrap();
    for batch in batches {
        sink.write(batch).unwrap();
    }
    sink.finish("rows-v1:x").unwrap().publish().unwrap();
    open(&folder.join("w.parquet")).unwrap()
}

fn group_rows(source: &ParquetSource) -> Vec<i64> {
    source.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect()
}

#[test]
fn columns_that_wait_are_the_columns_that_came() {
    let folder = tempfile::tempdir().unwrap();
    for columns in [127, 128, 129, 300] {
        let batches = [0..700, 700..701, 701..1_500, 1_500..2_600].map(|rows| many_columns(columns, rows));
        let source = in_small_groups(folder.path(), &batches);
        let read: Vec<_> = source.batches(10_000, None).unwrap().map(Result::unwrap).collect();
        let read = arrow_select::concat::concat_batches(&read[0].schema(), &read).unwrap();
        assert_eq!(read.columns(), many_columns(columns, 0..2_600).columns(), "{columns} columns");
        let expected: &[i64] = if columns > 128 { &[1_500, 1_100] } else { &[700, 1, 799, 1_100] };
        assert_eq!(group_rows(&source), expected, "{columns} columns");
    }
}

#[test]
fn rows_that_wait_are_bounded_by_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let fat = |rows: std::ops::Range<i64>| {
        let mut columns = many_columns(129, rows.clone()).columns().to_vec();
        columns[0] = Arc::new(rows.map(|_| Some("x".repeat(60_000))).collect::<StringArray>());
        RecordBatch::try_new(many_columns(129, 0..0).schema(), columns).unwrap()
    };
    // 3 MB each, where the cells of 1,024 rows would be small if they took 2.
    let source = in_small_groups(folder.path(), &[fat(0..50), fat(50..100), many_columns(129, 100..200)]);
    assert_eq!(group_rows(&source), [50, 50, 100]);
}

#[test]
fn an_empty_table_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&write(folder.path(), &[], 1 << 30, VectorEncoding::Plain)).unwrap();
    assert_eq!((source.rows(), source.schema()), (0, &testing::schema()));
}

#[test]
fn damage_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(write(folder.path(), &[batch(0, 5)], 1 << 30, VectorEncoding::Plain)).unwrap();
    let path = folder.path().join("damaged.parquet");
    for kept in 0..bytes.len() {
        fs::write(&path, &bytes[..kept]).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("damaged.parquet"), "{error}");
    }
    for flipped in testing::bit_flips(&bytes) {
        fs::write(&path, &flipped).unwrap();
        _ = read(&path);
    }
}

/// A file whose footer says that its one column holds lists of this length, all of them missing.
fn missing_vectors(path: &Path, dimension: &str, rows: usize) {
    let note = [("brine.dimension".to_owned(), dimension.to_owned())].into();
    let field =
        Field::new_list("v", Field::new_list_field(DataType::Float32, true), true).with_metadata(note);
    let column = arrow_array::new_null_array(field.data_type(), rows);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn no_row_takes_memory_because_the_footer_names_a_dimension() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claim.parquet");
    for dimension in ["2147483647", "16777217"] {
        missing_vectors(&path, dimension, 1_000);
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("the vectors of one row of"), "{dimension}: {error}");
    }
    // As many rows at a time as there is room for.
    missing_vectors(&path, "1048576", 40);
    let rows: Vec<usize> = read(&path).unwrap().iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [16, 16, 8]);
    missing_vectors(&path, "0", 3);
    let rows: Vec<usize> = read(&path).unwrap().iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [3]);
}

#[test]
fn millions_of_rows_of_one_value_are_rows() {
    const ROWS: usize = 10_000_000;
    let folder = tempfile::tempdir().unwrap();
    let array: ArrayRef = Arc::new(arrow_array::BooleanArray::from(vec![false; ROWS]));
    let batch = RecordBatch::try_from_iter([("flag", array)]).unwrap();
    let file = AtomicFile::create(folder.path(), "x.parquet").unwrap();
    let mut sink = ParquetSink::create(file, batch.schema(), ParquetOptions::default()).unwrap();
    sink.write(&batch).unwrap();
    let mut synced = sink.finish("rows-v1:x").unwrap();
    assert!(synced.length < 1 << 20, "{} bytes", synced.length);
    synced.publish().unwrap();
    assert_eq!(open(&folder.path().join("x.parquet")).unwrap().rows(), ROWS as u64);
}
