//! The dumps of several versions of joblib under `tests/fixtures/joblib`: each must give what the plain pickle beside it
//! gives. Written by `scripts/fixtures/joblib_dumps.py`.

use std::{
    error::Error as _,
    path::{Path, PathBuf},
};

use brine::{
    file::{
        DatasetOptions, Only,
        pickle::{Options, TableReport, convert},
    },
    limits::Limits,
    pickle,
};
use rayon::prelude::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/joblib")
}

fn files(extension: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
    files.sort();
    files
}

/// The tables of a file: path inside it, columns, rows and digest of each, and what is none. Or why there are none: a
/// column that is refused is refused in both forms.
pub(super) fn tables(path: &Path) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let dataset = DatasetOptions { only: Some(Only::Arrow), ..DatasetOptions::default() };
    let options = Options { dataset, name: Some("x".to_owned()), ..Options::default() };
    let report = convert(path, folder.path(), &options, &mut |_, _| ());
    let report = report.map_err(|error| format!("{:?}", error.source()))?;
    let table = |table: &TableReport| {
        let manifest = &table.manifest;
        format!("{} {} {:?} {:?}", table.name, manifest.rows, manifest.schema, manifest.fingerprint)
    };
    let skipped = report.skipped.iter().map(|(path, reason)| format!("{path}: {reason}"));
    Ok(report.tables.iter().map(table).chain(skipped).collect())
}

#[test]
fn every_dump_gives_the_tables_of_the_plain_pickle() {
    let plain: Vec<_> = files("pkl")
        .into_iter()
        .map(|path| (path.with_extension("").display().to_string(), tables(&path)))
        .collect();
    let dumps = files("joblib");
    assert!(dumps.len() > 35 && plain.len() > 25, "{} dumps, {} plain", dumps.len(), plain.len());
    let read = plain.iter().filter(|(_, tables)| tables.is_ok()).count();
    assert!(read >= 20, "only {read} are read");
    for dump in dumps {
        let name = dump.display().to_string();
        let (_, wanted) = plain.iter().find(|(stem, _)| name.starts_with(stem.as_str())).unwrap();
        assert_eq!(&tables(&dump), wanted, "{name}");
    }
}

#[test]
fn every_shorter_prefix_is_refused() {
    let limits = Limits::default();
    let dumps: Vec<_> =
        files("joblib").into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect();
    let plain: Vec<_> = dumps.iter().filter(|(bytes, _)| bytes[0] == 0x80).collect();
    assert!(plain.len() > 30, "only {} plain dumps", plain.len());
    plain.par_iter().for_each(|(bytes, path)| {
        let cuts =
            (0..bytes.len()).filter(|cut| *cut < 1_000 || cut.is_multiple_of(5) || cut + 200 > bytes.len());
        let read: Vec<_> = cuts.filter(|cut| pickle::load(&bytes[..*cut], &limits).is_ok()).collect();
        assert!(read.is_empty(), "{}: cut at {read:?}", path.display());
        assert_eq!(pickle::load(bytes, &limits).unwrap().trailing_bytes(), 0, "{}", path.display());
    });
}
