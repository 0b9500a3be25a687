//! The contract of `store`, held by the store in a folder.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, RecordBatch, StringArray,
    cast::AsArray as _, types::Int32Type,
};
use tempfile::TempDir;

use super::ParquetStore;
use crate::{
    columnar::schema::of_domain,
    file::Dataset,
    schema::{self, Domain},
    store::{Error, Provenance, Published, Run, Store},
};

pub(super) const DIMENSION: usize = 4;

/// A row: key, category, first element of its vector.
pub(super) type Row = (&'static str, Option<&'static str>, f32);

pub(super) fn domain() -> &'static Domain {
    schema::find("skill_embedding_dic").unwrap()
}

pub(super) fn batch_of(dimension: usize, rows: &[Row]) -> RecordBatch {
    let schema = of_domain(domain(), dimension);
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)));
    let values: Vec<&str> = rows.iter().filter_map(|row| row.1).collect();
    let mut next = 0..;
    let numbers: Int32Array = rows.iter().map(|row| row.1.and_then(|_| next.next())).collect();
    let categories = DictionaryArray::new(numbers, Arc::new(StringArray::from(values)));
    let floats = rows.iter().flat_map(|row| std::iter::repeat_n(row.2, dimension));
    let item = match schema.field(2).data_type() {
        arrow_schema::DataType::FixedSizeList(item, _) => Arc::clone(item),
        other => unreachable!("{other}"),
    };
    let floats: ArrayRef = Arc::new(Float32Array::from_iter_values(floats));
    let vectors = FixedSizeListArray::new(item, i32::try_from(dimension).unwrap(), floats, None);
    RecordBatch::try_new(schema, vec![keys, Arc::new(categories), Arc::new(vectors)]).unwrap()
}

fn begin(store: &ParquetStore) -> Box<dyn Run> {
    store.begin(domain(), DIMENSION, Provenance::default()).unwrap()
}

/// One run of several batches.
fn run(store: &ParquetStore, batches: &[&[Row]]) -> Published {
    let mut run = begin(store);
    for rows in batches {
        run.append(batch_of(DIMENSION, rows)).unwrap();
    }
    run.finish().unwrap()
}

fn held(folder: &Path) -> Vec<(String, Option<String>, f32)> {
    let table = Dataset::open(folder.join("skill_embedding_dic")).unwrap();
    let mut rows = Vec::new();
    for batch in (0..table.batch_count()).map(|index| table.batch(index).unwrap()) {
        let categories = batch.column(1).as_dictionary::<Int32Type>();
        let values = categories.values().as_string::<i32>();
        for row in 0..batch.num_rows() {
            let category = categories.key(row).map(|key| values.value(key).to_owned());
            let vector = batch.column(2).as_fixed_size_list().value(row);
            let first = vector.as_primitive::<arrow_array::types::Float32Type>().value(0);
            rows.push((batch.column(0).as_string::<i32>().value(row).to_owned(), category, first));
        }
    }
    rows
}

pub(super) fn expect(folder: &Path, rows: &[Row]) {
    let rows =
        rows.iter().map(|(key, category, first)| ((*key).to_owned(), category.map(str::to_owned), *first));
    assert_eq!(held(folder), rows.collect::<Vec<_>>());
}

fn store() -> (TempDir, ParquetStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = ParquetStore::open(folder.path()).unwrap();
    (folder, store)
}

/// Everything but the lock.
fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
    names.sort();
    names
}

/// What does not bear a temporary name.
fn visible(folder: &Path) -> Vec<String> {
    files(folder).into_iter().filter(|name| !name.starts_with('.')).collect()
}

/// Whether a first version is being written ahead.
fn has_draft(folder: &Path) -> bool {
    files(folder).iter().any(|name| name.starts_with(".skill_embedding_dic.parquet."))
}

#[test]
fn a_run_becomes_a_table() {
    let (folder, store) = store();
    let published = run(&store, &[&[("a", Some("x"), 1.0), ("b", None, 2.0)], &[("c", Some("y"), 3.0)]]);
    assert_eq!(
        published,
        Published { version: published.version, changed: true, table_rows: 3, run_rows: 3 }
    );
    expect(folder.path(), &[("a", Some("x"), 1.0), ("b", None, 2.0), ("c", Some("y"), 3.0)]);
    let names = ["arrow", "ids", "json", "parquet"].map(|end| format!("skill_embedding_dic.{end}"));
    assert_eq!(files(folder.path()), names);
    let parquet = Dataset::open(folder.path().join("skill_embedding_dic")).unwrap();
    parquet.verify_digests().unwrap();
}

#[test]
fn runs_merge_by_key_and_the_last_row_wins() {
    let (folder, store) = store();
    let first = run(&store, &[&[("a", Some("x"), 1.0), ("b", Some("y"), 2.0), ("c", Some("x"), 3.0)]]);
    let batches: [&[Row]; 2] = [
        &[("d", Some("z"), 4.0), ("b", Some("q"), 5.0), ("d", Some("x"), 6.0)],
        &[("b", None, 7.0), ("e", Some("y"), 8.0)],
    ];
    let second = run(&store, &batches);
    assert!(second.changed && second.version > first.version, "{first:?} {second:?}");
    assert_eq!((second.table_rows, second.run_rows), (5, 5));
    let rows: [Row; 5] = [
        ("a", Some("x"), 1.0),
        ("b", None, 7.0),
        ("c", Some("x"), 3.0),
        ("d", Some("x"), 6.0),
        ("e", Some("y"), 8.0),
    ];
    expect(folder.path(), &rows);
}

#[test]
fn the_same_run_again_changes_nothing() {
    let (folder, store) = store();
    let batches: [&[Row]; 2] = [&[("a", Some("x"), 1.0), ("b", None, 2.0)], &[("c", Some("y"), 3.0)]];
    let first = run(&store, &batches);
    let files = |folder: &Path| {
        visible(folder)
            .iter()
            .map(|name| fs::metadata(folder.join(name)).unwrap().modified().unwrap())
            .collect::<Vec<_>>()
    };
    let before = files(folder.path());
    let again = run(&store, &batches);
    assert_eq!(again, Published { changed: false, ..first });
    // A part of what is there changes nothing either.
    let part = run(&store, &[&[("b", None, 2.0)]]);
    assert_eq!((part.version, part.changed, part.table_rows), (first.version, false, 3));
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_dropped_run_leaves_nothing() {
    let (folder, store) = store();
    let mut dropped = begin(&store);
    dropped.append(batch_of(DIMENSION, &[("a", None, 1.0)])).unwrap();
    assert_eq!(visible(folder.path()), Vec::<String>::new());
    assert!(has_draft(folder.path()));
    drop(dropped);
    assert_eq!(files(folder.path()), Vec::<String>::new());
    run(&store, &[&[("b", None, 2.0)]]);
    let before = files(folder.path());
    let mut dropped = begin(&store);
    dropped.append(batch_of(DIMENSION, &[("b", None, 9.0)])).unwrap();
    assert_eq!(files(folder.path()), before);
    drop(dropped);
    assert_eq!(files(folder.path()), before);
    expect(folder.path(), &[("b", None, 2.0)]);
}

#[test]
fn a_repeated_key_ends_the_draft_and_the_run_is_merged() {
    let (folder, store) = store();
    let mut repeating = begin(&store);
    repeating.append(batch_of(DIMENSION, &[("a", Some("x"), 1.0), ("b", None, 2.0)])).unwrap();
    assert!(has_draft(folder.path()));
    repeating.append(batch_of(DIMENSION, &[("a", Some("y"), 3.0), ("c", Some("x"), 4.0)])).unwrap();
    assert!(!has_draft(folder.path()));
    repeating.append(batch_of(DIMENSION, &[("d", None, 5.0)])).unwrap();
    assert!(repeating.finish().unwrap().changed);
    let rows: [Row; 4] = [("a", Some("y"), 3.0), ("b", None, 2.0), ("c", Some("x"), 4.0), ("d", None, 5.0)];
    expect(folder.path(), &rows);
    Dataset::open(folder.path().join("skill_embedding_dic")).unwrap().verify_digests().unwrap();
}

#[test]
fn of_several_first_runs_one_has_a_draft_and_a_failing_one_harms_no_other() {
    let (folder, store) = store();
    let (mut one, mut two) = (begin(&store), begin(&store));
    one.append(batch_of(DIMENSION, &[("a", None, 1.0)])).unwrap();
    two.append(batch_of(DIMENSION, &[("b", None, 2.0)])).unwrap();
    let drafts = files(folder.path()).iter().filter(|name| name.contains(".parquet.")).count();
    assert_eq!(drafts, 1);
    assert!(one.append(batch_of(8, &[("c", None, 1.0)])).is_err());
    drop(one);
    assert!(!has_draft(folder.path()));
    // The turn is free again, and writers that begin do not sweep a living draft.
    let mut three = begin(&store);
    three.append(batch_of(DIMENSION, &[("a", None, 3.0)])).unwrap();
    assert!(has_draft(folder.path()));
    two.finish().unwrap();
    assert!(has_draft(folder.path()));
    three.finish().unwrap();
    expect(folder.path(), &[("b", None, 2.0), ("a", None, 3.0)]);
    assert!(!has_draft(folder.path()));
}

#[test]
fn what_a_crash_left_goes_when_the_store_is_opened() {
    let (folder, store) = store();
    drop(store);
    for part in ["parquet", "arrow"] {
        fs::write(folder.path().join(format!(".skill_embedding_dic.{part}.1.ab.tmp")), b"half").unwrap();
    }
    ParquetStore::open(folder.path()).unwrap();
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[test]
fn overlapping_runs_take_effect_as_they_finish() {
    let (folder, store) = store();
    let (mut one, mut two) = (begin(&store), begin(&store));
    one.append(batch_of(DIMENSION, &[("a", None, 1.0), ("b", None, 1.0)])).unwrap();
    two.append(batch_of(DIMENSION, &[("b", None, 2.0), ("c", None, 2.0)])).unwrap();
    two.finish().unwrap();
    one.finish().unwrap();
    expect(folder.path(), &[("b", None, 1.0), ("c", None, 2.0), ("a", None, 1.0)]);
}

#[test]
fn runs_from_many_threads_all_arrive() {
    let (folder, store) = store();
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    std::thread::scope(|scope| {
        for key in keys {
            let store = &store;
            scope.spawn(move || run(store, &[&[(key, Some(key), 1.0)]]));
        }
    });
    let mut found: Vec<_> = held(folder.path()).into_iter().map(|row| row.0).collect();
    found.sort();
    assert_eq!(found, keys);
}

#[test]
fn a_store_reopened_goes_on() {
    let (folder, store) = store();
    let first = run(&store, &[&[("a", Some("x"), 1.0)]]);
    drop(store);
    let store = ParquetStore::open(folder.path()).unwrap();
    assert_eq!(run(&store, &[&[("a", Some("x"), 1.0)]]), Published { changed: false, ..first });
    run(&store, &[&[("b", Some("y"), 2.0)]]);
    expect(folder.path(), &[("a", Some("x"), 1.0), ("b", Some("y"), 2.0)]);
}

#[test]
fn large_tables_merge_across_batches() {
    let (folder, store) = store();
    let keys: Vec<String> = (0..20_000).map(|key| format!("key {key}")).collect();
    let keys: &'static [String] = keys.leak();
    let rows = |first: f32| move |key: &'static String| (key.as_str(), None, first);
    let old: Vec<Row> = keys[..15_000].iter().map(rows(1.0)).collect();
    let new: Vec<Row> = keys[5_000..].iter().map(rows(2.0)).collect();
    run(&store, &old.chunks(1_000).collect::<Vec<_>>());
    run(&store, &new.chunks(777).collect::<Vec<_>>());
    let expected: Vec<Row> =
        keys[..5_000].iter().map(rows(1.0)).chain(keys[5_000..].iter().map(rows(2.0))).collect();
    expect(folder.path(), &expected);
}

#[test]
fn one_process_holds_a_store() {
    let (folder, store) = store();
    assert!(matches!(ParquetStore::open(folder.path()), Err(Error::InUse(_))));
    drop(store);
    ParquetStore::open(folder.path()).unwrap();
}

#[test]
fn a_table_keeps_its_dimension() {
    let (_folder, store) = store();
    run(&store, &[&[("a", None, 1.0)]]);
    let refused = store.begin(domain(), 8, Provenance::default()).err();
    assert!(
        matches!(refused, Some(Error::OtherDimension { held: DIMENSION, brought: 8, .. })),
        "{refused:?}"
    );
}

#[test]
fn two_first_runs_of_different_dimensions_do_not_mix() {
    let (folder, store) = store();
    let (mut one, mut two) = (begin(&store), store.begin(domain(), 8, Provenance::default()).unwrap());
    one.append(batch_of(DIMENSION, &[("a", None, 1.0)])).unwrap();
    two.append(batch_of(8, &[("a", None, 2.0)])).unwrap();
    one.finish().unwrap();
    assert!(matches!(two.finish(), Err(Error::OtherDimension { .. })));
    expect(folder.path(), &[("a", None, 1.0)]);
}

#[test]
fn rows_without_key_and_other_columns_are_refused() {
    let (_folder, store) = store();
    let refused =
        begin(&store).append(batch_of(DIMENSION, &[("a", None, 1.0), ("", None, 1.0)])).unwrap_err();
    assert!(matches!(refused, Error::BadKey { row: 1, .. }), "{refused:?}");
    let refused = begin(&store).append(batch_of(8, &[("a", None, 1.0)])).unwrap_err();
    assert!(matches!(refused, Error::OtherColumns { .. }), "{refused:?}");
}

#[test]
fn a_run_is_the_same_in_memory_on_the_disk_and_half_of_each() {
    let batches: [&[Row]; 3] =
        [&[("a", Some("x"), 1.0), ("b", None, 2.0)], &[("c", Some("y"), 3.0)], &[("a", Some("z"), 4.0)]];
    let bytes = batch_of(DIMENSION, batches[0]).get_array_memory_size();
    let held_with = |memory_bytes: usize| {
        let folder = TempDir::new().unwrap();
        let store = ParquetStore::open_with(folder.path(), memory_bytes).unwrap();
        run(&store, &batches);
        held(folder.path())
    };
    let in_memory = held_with(usize::MAX >> 1);
    assert_eq!(in_memory.len(), 3);
    assert_eq!(held_with(0), in_memory);
    assert_eq!(held_with(bytes), in_memory);
}
