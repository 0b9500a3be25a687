//! Data sets: every state a crash can leave is the old one or the new one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use arrow_array::RecordBatch;

use super::*;
use crate::{
    digest::{Digester, Keyed, RowHasher, key_hash},
    file::{
        Damage, Error, Manifest, SourceInfo,
        testing::{self, batch, key, with_keys},
    },
};

fn overwrite() -> DatasetOptions {
    DatasetOptions { overwrite: true, batch_rows: 64, ..DatasetOptions::default() }
}

fn write(folder: &Path, batches: &[RecordBatch], options: DatasetOptions) -> Result<Manifest, Error> {
    let mut writer = DatasetWriter::create(folder, "t", testing::schema(), options)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}

fn rows(dataset: &Dataset) -> Vec<RecordBatch> {
    (0..dataset.batch_count()).map(|index| dataset.batch(index).unwrap()).collect()
}

/// The files of a folder, to be put back later.
fn photograph(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn names(folder: &Path) -> Vec<String> {
    photograph(folder)
        .into_keys()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_data_set_is_what_was_written_and_what_its_manifest_says() {
    let folder = tempfile::tempdir().unwrap();
    let whole = batch(0, 2500);
    let source = SourceInfo { file_name: "t.pkl".to_owned(), size: 9, blake3: None };
    let options =
        DatasetOptions { batch_rows: 1000, source: Some(source.clone()), ..DatasetOptions::default() };
    let manifest = write(folder.path(), &[whole.slice(0, 1), whole.slice(1, 2499)], options).unwrap();
    assert_eq!(names(folder.path()), ["t.arrow", "t.ids", "t.json", "t.parquet"]);
    let dataset = Dataset::open(folder.path().join("t")).unwrap();
    assert_eq!(dataset.manifest(), &manifest);
    assert_eq!((dataset.rows(), dataset.batch_count()), (2500, 4));
    assert_eq!(
        (manifest.generation, manifest.key.as_deref(), manifest.source),
        (1, Some("id"), Some(source))
    );
    let mut digester = Digester::new(&testing::schema()).unwrap();
    digester.update(&whole).unwrap();
    let digest = digester.finish();
    assert_eq!((manifest.d, manifest.k, manifest.checkpoints), (digest.d, digest.k, digest.checkpoints));
    assert_eq!(dataset.batch(1).unwrap(), whole.slice(1, 1000));
    assert_eq!(dataset.row_of(&key(1234)).unwrap(), Some(1234));
    assert_eq!(dataset.row_of("nobody").unwrap(), None);
    let parquet: usize =
        dataset.parquet().unwrap().batches(500, None).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(parquet, 2500);
    dataset.verify_digests().unwrap();
}

#[test]
fn rows_that_came_ahead_are_written_once_and_must_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let whole = batch(0, 300);
    let expected = write(folder.path(), std::slice::from_ref(&whole), overwrite()).unwrap();
    let begin = || {
        let mut writer = DatasetWriter::create(folder.path(), "u", testing::schema(), overwrite()).unwrap();
        writer.write_ahead(&whole.slice(0, 70), None).unwrap();
        let summed = RowHasher::new(&testing::schema()).unwrap().summed(&whole.slice(70, 130), 70).unwrap();
        writer.write_ahead(&whole.slice(70, 130), Some(&summed)).unwrap();
        writer
    };
    let mut writer = begin();
    // The second batch is part ahead, part new.
    writer.write(&whole.slice(0, 150)).unwrap();
    writer.write(&whole.slice(150, 150)).unwrap();
    let manifest = writer.finish().unwrap();
    assert_eq!(
        (manifest.rows, manifest.d, manifest.k, &manifest.fingerprint),
        (300, expected.d, expected.k, &expected.fingerprint)
    );
    let dataset = Dataset::open(folder.path().join("u")).unwrap();
    dataset.verify_digests().unwrap();
    let parquet = dataset.parquet().unwrap().batches(300, None).unwrap().next().unwrap().unwrap();
    assert_eq!(parquet.columns(), whole.columns());
    let mut short = begin();
    short.write(&whole.slice(0, 150)).unwrap();
    let refused = short.finish().unwrap_err();
    let rows = match &refused {
        Error::Damaged { what: Damage::Rows { expected, found }, .. } => Some((*expected, *found)),
        _ => None,
    };
    assert_eq!(rows, Some((200, 150)), "{refused}");
    assert_eq!(Dataset::open(folder.path().join("u")).unwrap().rows(), 300);
}

#[test]
fn it_opens_by_name_by_file_and_as_the_only_one_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[batch(0, 3)], DatasetOptions::default()).unwrap();
    fs::write(folder.path().join("other.json"), b"{\"a\": 1}").unwrap();
    for path in ["t", "t.json", "t.arrow", "t.parquet", "t.ids", ""] {
        assert_eq!(Dataset::open(folder.path().join(path)).unwrap().name(), "t", "{path}");
    }
    assert!(matches!(Dataset::open(folder.path().join("u")), Err(Error::NoDataset { .. })));
    let mut second = DatasetWriter::create(folder.path(), "u.v", testing::schema(), overwrite()).unwrap();
    second.write(&batch(0, 1)).unwrap();
    second.finish().unwrap();
    assert_eq!(Dataset::open(folder.path().join("u.v")).unwrap().rows(), 1);
    let error = Dataset::open(folder.path()).unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { names, .. } if names == &["t", "u.v"]), "{error}");
}

#[test]
fn one_of_the_two_files_will_do() {
    for (only, part) in [(Only::Parquet, "t.parquet"), (Only::Arrow, "t.arrow")] {
        let folder = tempfile::tempdir().unwrap();
        let options = DatasetOptions { only: Some(only), ..DatasetOptions::default() };
        let manifest = write(folder.path(), &[batch(0, 30)], options).unwrap();
        let dataset = Dataset::open(folder.path()).unwrap();
        let mut expected = vec!["t.ids", "t.json", part];
        expected.sort_unstable();
        assert_eq!(names(folder.path()), expected);
        assert_eq!((dataset.rows(), dataset.schema()), (30, &testing::schema()));
        assert_eq!(dataset.batch(0).is_ok(), only == Only::Arrow);
        fs::remove_file(folder.path().join("t.ids")).unwrap();
        let again = Dataset::open(folder.path()).unwrap();
        assert_eq!(again.row_of(&key(29)).unwrap(), Some(29), "the index is not made again");
        again.verify_digests().unwrap();
        assert_eq!(
            manifest.files.ids.unwrap().size,
            fs::metadata(folder.path().join("t.ids")).unwrap().len()
        );
    }
}

#[test]
fn what_exists_is_refused_until_overwriting_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let parquet = folder.path().join("t.parquet");
    fs::write(&parquet, b"somebody's").unwrap();
    let error = write(folder.path(), &[batch(0, 1)], DatasetOptions::default()).unwrap_err();
    assert!(matches!(&error, Error::AlreadyExists { path } if *path == parquet), "{error}");
    assert!(error.to_string().contains("--overwrite"));
    assert_eq!(fs::read(&parquet).unwrap(), b"somebody's");
    assert_eq!(write(folder.path(), &[batch(0, 1)], overwrite()).unwrap().generation, 1);
    write(folder.path(), &[batch(0, 1)], DatasetOptions::default()).unwrap_err();
    assert_eq!(write(folder.path(), &[batch(0, 2)], overwrite()).unwrap().generation, 2);
    assert_eq!(names(folder.path()), ["t.arrow", "t.ids", "t.json", "t.parquet"]);
}

#[test]
fn names_that_could_leave_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", ".", "..", ".hidden", "a/b", "/a", "a\\b", "a\nb", "t.g7", &"x".repeat(201)] {
        let error = DatasetWriter::create(folder.path(), name, testing::schema(), overwrite()).unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{name:?}: {error}");
    }
    for name in ["a b", "t.g", "t.gx", "ü", "a.2024"] {
        DatasetWriter::create(folder.path(), name, testing::schema(), overwrite()).unwrap();
    }
}

#[test]
fn dropping_the_writer_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer =
        DatasetWriter::create(&folder.path().join("new"), "t", testing::schema(), overwrite()).unwrap();
    writer.write(&batch(0, 100)).unwrap();
    drop(writer);
    assert!(names(&folder.path().join("new")).is_empty());
    write(folder.path().join("new").as_path(), &[batch(0, 5)], overwrite()).unwrap();
    let before = photograph(&folder.path().join("new"));
    let mut writer =
        DatasetWriter::create(&folder.path().join("new"), "t", testing::schema(), overwrite()).unwrap();
    writer.write(&batch(5, 100)).unwrap();
    drop(writer);
    assert!(photograph(&folder.path().join("new")) == before);
}

#[test]
fn batches_of_another_shape_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::create(folder.path(), "t", testing::schema(), overwrite()).unwrap();
    let error = writer.write(&batch(0, 5).project(&[0, 1]).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Schema { .. }), "{error}");
}

#[test]
fn an_open_data_set_outlives_its_replacement() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[batch(0, 200)], overwrite()).unwrap();
    let old = Dataset::open(folder.path()).unwrap();
    write(folder.path(), &[batch(7, 100)], overwrite()).unwrap();
    assert_eq!(rows(&old).iter().map(RecordBatch::num_rows).sum::<usize>(), 200);
    assert_eq!(old.batch(0).unwrap(), batch(0, 64));
    old.verify_digests().unwrap();
    assert_eq!(Dataset::open(folder.path()).unwrap().batch(0).unwrap(), batch(7, 64));
}

/// The states between a replacement's first rename and its last, put together from the photographs of before and after.
#[test]
fn every_state_of_a_crash_is_one_data_set_or_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(folder.path(), &[batch(0, 150)], overwrite()).unwrap();
    let old = photograph(folder.path());
    write(folder.path(), &[batch(1000, 150)], overwrite()).unwrap();
    let new = photograph(folder.path());
    for committed in [false, true] {
        for renamed in 0..=3 {
            let renamed = if committed { renamed } else { 0 };
            for entry in fs::read_dir(folder.path()).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
            fs::write(path("t.json"), &(if committed { &new } else { &old })[&path("t.json")]).unwrap();
            for (at, part) in ["parquet", "arrow", "ids"].iter().enumerate() {
                let plain = path(&format!("t.{part}"));
                fs::write(&plain, &(if at < renamed { &new } else { &old })[&plain]).unwrap();
                if at >= renamed {
                    fs::write(path(&format!("t.g2.{part}")), &new[&plain]).unwrap();
                }
            }
            fs::write(path(".t.arrow.99.abc.tmp"), b"left").unwrap();
            let first = if committed { 1000 } else { 0 };
            let dataset = Dataset::open(folder.path()).unwrap();
            assert_eq!(dataset.batch(0).unwrap(), batch(first, 64), "{committed} {renamed}");
            assert_eq!(dataset.row_of(&key(first + 149)).unwrap(), Some(149));
            dataset.verify_digests().unwrap();
            write(folder.path(), &[batch(5, 20)], overwrite()).unwrap();
            assert_eq!(names(folder.path()), ["t.arrow", "t.ids", "t.json", "t.parquet"]);
            assert_eq!(Dataset::open(folder.path()).unwrap().batch(0).unwrap(), batch(5, 20));
        }
    }
}

#[test]
fn files_without_a_manifest_are_no_data_set() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[batch(0, 5)], overwrite()).unwrap();
    fs::remove_file(folder.path().join("t.json")).unwrap();
    for path in ["", "t", "t.arrow"] {
        let error = Dataset::open(folder.path().join(path)).unwrap_err();
        assert!(matches!(error, Error::NoDataset { .. }), "{error}");
    }
    write(folder.path(), &[batch(0, 5)], DatasetOptions::default()).unwrap_err();
    write(folder.path(), &[batch(0, 5)], overwrite()).unwrap();
}

#[test]
fn files_cut_short_swapped_or_changed_are_told() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[batch(1500, 50)], overwrite()).unwrap();
    let other = photograph(folder.path());
    write(folder.path(), &[batch(2000, 50)], overwrite()).unwrap();
    let whole = photograph(folder.path());
    let arrow = folder.path().join("t.arrow");
    let damage = |bytes: &[u8]| {
        fs::write(&arrow, bytes).unwrap();
        Dataset::open(folder.path()).and_then(|dataset| dataset.verify_digests()).unwrap_err()
    };
    let cut = damage(&whole[&arrow][..whole[&arrow].len() - 1]);
    assert!(matches!(&cut, Error::Damaged { path, what: Damage::Size { .. } } if *path == arrow), "{cut}");
    assert_eq!(other[&arrow].len(), whole[&arrow].len());
    let swapped = damage(&other[&arrow]);
    assert!(matches!(swapped, Error::Damaged { what: Damage::Fingerprint, .. }), "{swapped}");
    let mut changed = whole[&arrow].clone();
    let body = changed.len() / 2;
    changed[body] ^= 1;
    let changed = damage(&changed);
    assert!(matches!(changed, Error::Damaged { .. }), "{changed}");
}

#[test]
fn of_rows_with_the_same_key_the_last_counts() {
    let folder = tempfile::tempdir().unwrap();
    let table = with_keys(0, 300, |row| key(row % 70));
    let mut keyed = Keyed::default();
    let mut row = 0;
    let insert = |_, hash| {
        keyed.insert(key_hash(&key(row % 70)), hash);
        row += 1;
    };
    RowHasher::new(&testing::schema()).unwrap().hash(&table, 0, insert).unwrap();
    for only in [None, Some(Only::Parquet)] {
        let options = DatasetOptions { only, ..overwrite() };
        let manifest = write(folder.path(), &[table.slice(0, 100), table.slice(100, 200)], options).unwrap();
        assert_eq!((manifest.repeated_keys, manifest.k), (230, keyed.value()));
        assert_eq!(Dataset::open(folder.path()).unwrap().row_of(&key(10)).unwrap(), Some(290));
    }
}
