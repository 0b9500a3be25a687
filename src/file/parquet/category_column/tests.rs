//! Categories of every kind, written here and read back by the library, and the dictionary page as it stands in the file.

use std::{fs, path::PathBuf};

use arrow_array::{DictionaryArray, Int8Array, Int32Array, RecordBatch, StringArray};
use arrow_schema::Schema;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};

use super::*;
use crate::file::{
    atomic::AtomicFile,
    map::{Access, Contents},
    parquet::{ParquetOptions, ParquetSink, ParquetSource},
};

fn column(dictionary: &[&str], numbers: Vec<Option<i32>>) -> ArrayRef {
    let values = Arc::new(StringArray::from(dictionary.to_vec()));
    Arc::new(DictionaryArray::new(Int32Array::from(numbers), values))
}

fn written(folder: &tempfile::TempDir, nullable: bool, row_group_bytes: usize, rows: &[ArrayRef]) -> PathBuf {
    let field = Field::new("level", rows[0].data_type().clone(), nullable);
    let schema = Arc::new(Schema::new(vec![field]));
    let options = ParquetOptions { row_group_bytes, ..ParquetOptions::default() };
    let file = AtomicFile::create(folder.path(), "c.parquet").unwrap();
    let mut sink = ParquetSink::create(file, Arc::clone(&schema), options).unwrap();
    for column in rows {
        sink.write(&RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(column)]).unwrap()).unwrap();
    }
    sink.finish("").unwrap().publish().unwrap();
    folder.path().join("c.parquet")
}

fn texts(column: &ArrayRef) -> Vec<Option<String>> {
    let column = column.as_any_dictionary();
    let values = column.values().as_string::<i32>();
    let text = |(row, key): (usize, usize)| (!column.is_null(row)).then(|| values.value(key).to_owned());
    keys(column).into_iter().enumerate().map(text).collect()
}

fn round_trip(nullable: bool, row_group_bytes: usize, rows: &[ArrayRef]) -> ParquetSource {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, nullable, row_group_bytes, rows);
    let source = ParquetSource::open(Contents::open(&path, Access::Map).unwrap()).unwrap();
    let read: Vec<_> =
        source.batches(70, None).unwrap().flat_map(|batch| texts(batch.unwrap().column(0))).collect();
    assert_eq!(read, rows.iter().flat_map(texts).collect::<Vec<_>>());
    source
}

#[test]
fn rows_come_back_whatever_their_number_and_the_dictionary() {
    for entries in [1_i32, 2, 3, 8, 9, 255, 256, 257, 70_000] {
        let names: Vec<String> = (0..entries).map(|entry| format!("e{entry}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for count in [1_i32, 7, 8, 9, 300] {
            let present = (0..count).map(|row| Some(row * 7919 % entries));
            round_trip(false, 1 << 20, &[column(&names, present.clone().collect())]);
            let some = present.enumerate().map(|(row, number)| number.filter(|_| row % 3 > 0));
            round_trip(true, 1, &[column(&names, some.collect())]);
            let runs = (0..count).map(|row| Some(row / 40 % entries));
            round_trip(true, 1 << 20, &[column(&names, runs.collect())]);
        }
    }
}

#[test]
fn pages_end_at_their_rows_and_rows_can_all_be_missing() {
    let many = (0..50_000).map(|row| (row % 11 > 0).then_some(row / 100 % 3)).collect();
    let source = round_trip(true, 1 << 30, &[column(&["a", "b", "c"], many)]);
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    let metadata = reader.parse_and_finish(&source.contents().to_bytes()).unwrap();
    assert_eq!(metadata.offset_index().unwrap()[0][0].page_locations().len(), 3);
    round_trip(true, 1 << 20, &[column(&["a"], vec![None; 20])]);
    round_trip(true, 1 << 20, &[column(&[], vec![None; 20])]);
}

#[test]
fn a_null_in_the_dictionary_is_a_missing_row() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let rows: ArrayRef = Arc::new(DictionaryArray::new(Int8Array::from(vec![1, 0]), values));
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, true, 1 << 20, &[rows]);
    let source = ParquetSource::open(Contents::open(&path, Access::Map).unwrap()).unwrap();
    let batch = source.batches(70, None).unwrap().next().unwrap().unwrap();
    assert_eq!(texts(batch.column(0)), [None, Some("a".to_owned())]);
}

#[test]
fn other_dictionaries_stand_behind_the_first() {
    let rows = [
        column(&["x", "unused", "b"], vec![Some(0), Some(2)]),
        column(&["b", "new"], vec![Some(1), Some(0)]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(written(&folder, false, 1 << 20, &rows)).unwrap();
    let page = b"\x01\0\0\0x\x06\0\0\0unused\x01\0\0\0b\x03\0\0\0new";
    assert!(bytes.windows(page.len()).any(|window| window == page));
    round_trip(false, 1 << 20, &rows);
}

#[test]
fn the_footer_knows_bounds_distinct_and_missing_rows() {
    let source =
        round_trip(true, 1 << 20, &[column(&["b", "z", "a"], vec![Some(0), None, Some(2), Some(0)])]);
    let statistics = source.metadata().row_group(0).column(0).statistics().unwrap();
    assert_eq!((statistics.min_bytes_opt(), statistics.max_bytes_opt()), (Some(&b"a"[..]), Some(&b"b"[..])));
    assert_eq!((statistics.distinct_count_opt(), statistics.null_count_opt()), (Some(2), Some(1)));
}

#[test]
fn a_dictionary_larger_than_a_row_group_is_not_written_for_a_few_rows() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..4).map(|entry| entry.to_string().repeat(16 << 10)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows: Vec<_> =
        (0..200).map(|_| column(&names, (0..100).map(|row| Some(row % 4)).collect())).collect();
    let path = written(&folder, false, 32 << 10, &rows);
    // Each row group has the dictionary, of 64 KiB: one for each of the 200 batches would be 13 MB.
    let bytes = path.metadata().unwrap().len();
    assert!(bytes < 8 * (64 << 10), "{bytes} bytes");
    let source = ParquetSource::open(Contents::open(&path, Access::Map).unwrap()).unwrap();
    assert_eq!(source.rows(), 20_000);
}
