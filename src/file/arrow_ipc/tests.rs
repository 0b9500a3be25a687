//! Arrow files: equal, in place, and refused when damaged.

use std::fs;

use arrow_array::{DictionaryArray, Int32Array, StringArray, types::Int32Type};

use super::*;
use crate::file::{
    map::Access,
    testing::{self, batch},
};

fn write(folder: &Path, batches: &[RecordBatch]) -> PathBuf {
    let mut sink =
        ArrowSink::create(AtomicFile::create(folder, "x.arrow").unwrap(), testing::schema()).unwrap();
    for batch in batches {
        sink.write(batch).unwrap();
    }
    sink.finish("rows-v1:x").unwrap().publish().unwrap();
    folder.join("x.arrow")
}

fn open(path: &Path) -> Result<ArrowSource, Error> {
    ArrowSource::open(Contents::open(path, Access::Map)?)
}

/// Opens and reads everything.
fn read(path: &Path) -> Result<Vec<RecordBatch>, Error> {
    open(path)?.batches().collect()
}

#[test]
fn batches_come_back_as_they_were_and_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let whole = batch(0, 100);
    let batches = [whole.slice(0, 33), whole.slice(33, 60), whole.slice(93, 7)];
    let path = write(folder.path(), &batches);
    assert_eq!(read(&path).unwrap(), batches);
    let source = open(&path).unwrap();
    assert_eq!((source.rows(), source.batch_count(), source.fingerprint()), (100, 3, Some("rows-v1:x")));
    assert_eq!(
        [0, 32, 33, 99, 100].map(|row| source.locate(row)),
        [Some((0, 0)), Some((0, 32)), Some((1, 0)), Some((2, 6)), None]
    );
    let map = source.contents().as_ptr_range();
    let vectors = source.batch(1).unwrap().column(4).as_fixed_size_list().values().to_data();
    assert!(map.contains(&vectors.buffers()[0].as_ptr()), "the vectors were copied");
}

#[test]
fn an_empty_table_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &[]);
    assert_eq!((open(&path).unwrap().rows(), read(&path).unwrap().len()), (0, 0));
}

#[test]
fn a_second_dictionary_is_refused_with_its_column() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink =
        ArrowSink::create(AtomicFile::create(folder.path(), "x.arrow").unwrap(), testing::schema()).unwrap();
    sink.write(&batch(0, 3)).unwrap();
    sink.write(&batch(3, 3)).unwrap();
    let other =
        DictionaryArray::<Int32Type>::new(Int32Array::from(vec![0]), Arc::new(StringArray::from(vec!["x"])));
    let mut columns = batch(6, 1).columns().to_vec();
    columns[1] = Arc::new(other);
    let error = sink.write(&RecordBatch::try_new(testing::schema(), columns).unwrap()).unwrap_err();
    assert!(matches!(&error, Error::Dictionary { column, .. } if column == "position"), "{error}");
}

#[test]
fn damage_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(write(folder.path(), &[batch(0, 4), batch(4, 3)])).unwrap();
    let path = folder.path().join("damaged.arrow");
    for kept in 0..bytes.len() {
        fs::write(&path, &bytes[..kept]).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("damaged.arrow"), "{error}");
    }
    for flipped in testing::bit_flips(&bytes) {
        fs::write(&path, &flipped).unwrap();
        _ = read(&path);
    }
}
