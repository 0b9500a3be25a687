//! The index finds what was put in, however it was sorted, and refuses damage.

use std::fs;

use arrow_array::{Int64Array, StringArray};

use super::*;
use crate::file::{
    atomic::AtomicFile,
    map::Access,
    testing::{self, key},
};

fn build(keys: &[Option<String>], run_entries: usize) -> (Vec<u8>, Repeats) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ids");
    let mut ids = IdsBuilder::new(&path, folder.path()).with_run_entries(run_entries);
    for keys in keys.chunks(7) {
        let keys: StringArray = keys.iter().map(Option::as_deref).collect();
        ids.add(&keys, "id").unwrap();
    }
    let (mut synced, repeats) = ids.finish(AtomicFile::create(folder.path(), "x.ids").unwrap()).unwrap();
    synced.publish().unwrap();
    (fs::read(path).unwrap(), repeats)
}

fn open(bytes: &[u8]) -> Result<Ids, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ids");
    fs::write(&path, bytes).unwrap();
    Ids::open(Contents::open(&path, Access::Map)?)
}

#[test]
fn every_key_is_found_whatever_the_runs() {
    let keys: Vec<_> = (0..100).map(|row| (row % 9 > 0).then(|| key(row * 7919 % 1000))).collect();
    let (bytes, repeats) = build(&keys, 1000);
    assert_eq!(repeats, Repeats::default());
    for run_entries in [1, 13, 99] {
        assert!(build(&keys, run_entries).0 == bytes, "runs of {run_entries} give another file");
    }
    let ids = open(&bytes).unwrap();
    ids.verify().unwrap();
    for (row, key) in keys.iter().enumerate() {
        let Some(key) = key else { continue };
        assert_eq!(ids.find(key), Some(row as u64));
        assert_eq!(ids.find(&key.to_uppercase()), Some(row as u64), "a UUID has no case");
    }
    assert_eq!(ids.find("no such key"), None);
}

#[test]
fn repeated_keys_are_told_and_the_last_is_found() {
    let keys = ["a", "b", "a", "c", "b", "a"].map(|key| Some(key.to_owned()));
    for run_entries in [2, 100] {
        let (bytes, repeats) = build(&keys, run_entries);
        assert_eq!(repeats.superseded, [0, 1, 2]);
        let (first, second) = repeats.example.unwrap();
        assert_eq!(keys[first as usize], keys[second as usize]);
        let ids = open(&bytes).unwrap();
        assert_eq!(["a", "b", "c", "d"].map(|key| ids.find_first(key)), [Some(0), Some(1), Some(3), None]);
        assert_eq!(["a", "b", "c"].map(|key| ids.find(key)), [Some(5), Some(4), Some(3)]);
    }
}

#[test]
fn whole_numbers_are_keys_and_floats_are_not() {
    let keys = Keys::of(&Int64Array::from(vec![Some(42), None]), "id", Path::new("x.ids")).unwrap();
    assert_eq!((keys.key(0), keys.key(1)), (Some(key_hash("42")), None));
    let error = Keys::of(&arrow_array::Float64Array::from(vec![1.0]), "id", Path::new("x.ids")).unwrap_err();
    assert!(error.to_string().contains("\"id\""), "{error}");
}

#[test]
fn damage_is_an_error_not_a_panic() {
    let (bytes, _) = build(&(0..20).map(|row| Some(key(row))).collect::<Vec<_>>(), 100);
    for kept in 0..bytes.len() {
        open(&bytes[..kept]).unwrap_err();
    }
    for flipped in testing::bit_flips(&bytes) {
        let Ok(ids) = open(&flipped) else { continue };
        ids.verify().unwrap_err();
        _ = ids.find(&key(3));
    }
}
