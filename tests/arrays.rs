//! NumPy's own files under `tests/fixtures/arrays`: each must give what the plain pickle beside it gives. Written by
//! `scripts/fixtures/arrays.py`.

use std::path::{Path, PathBuf};

use brine::{file::spool::open_input, limits::Limits, limits::files::Decompression, pickle::UnknownGlobals};

use super::joblib::tables;

fn files(bad: bool) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/arrays");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_array = |path: &PathBuf| path.extension().is_some_and(|end| end == "npy" || end == "npz");
    let is_bad = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("bad_");
    let mut files: Vec<_> = files.filter(|path| is_array(path) && is_bad(path) == bad).collect();
    files.sort();
    files
}

#[test]
fn every_file_gives_the_tables_of_the_plain_pickle() {
    let files = files(false);
    assert!(files.len() > 20, "only {} files", files.len());
    let mut read = 0;
    for file in files {
        let (found, wanted) = (tables(&file), tables(&file.with_extension("pkl")));
        assert_eq!(found, wanted, "{}", file.display());
        read += usize::from(found.is_ok());
    }
    assert!(read >= 18, "only {read} are read");
}

#[test]
fn every_bad_file_is_refused() {
    let files = files(true);
    assert!(files.len() > 7, "only {} files", files.len());
    for file in files {
        let found = tables(&file);
        assert!(found.is_err(), "{}: {found:?}", file.display());
    }
}

/// An archive that is cut short is no archive; an array that is cut short lacks data, or part of its pickle.
#[test]
fn every_shorter_prefix_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for file in files(false) {
        let bytes = std::fs::read(&file).unwrap();
        for cut in (6..bytes.len()).filter(|cut| *cut < 200 || cut.is_multiple_of(7)) {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let input = open_input(&path, folder.path(), &Decompression::default());
            let read = input
                .is_ok_and(|input| input.graph(&Limits::default(), UnknownGlobals::Refuse, None).is_ok());
            assert!(!read, "{}: cut at {cut} of {}", file.display(), bytes.len());
        }
    }
}
