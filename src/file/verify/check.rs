//! One data set against itself: each file against the manifest, the table files against each other, the index against the
//! keys.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    Options,
    row::{RowDifference, at_rows},
    scan::{Scan, Source, View},
};
use crate::{
    digest::{Digest, fingerprint},
    file::{
        Error, FileInfo, Manifest,
        dataset::Parts,
        ids::Ids,
        manifest::{self, hex},
        map::{Access, Contents, Walk},
    },
};

/// What was found in a data set.
#[derive(Debug, Serialize)]
pub struct Check {
    /// `DIR/NAME`.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// The domain, if it follows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Rows, as the manifest says.
    pub rows: u64,
    /// Sum of the row digests, as the manifest says.
    #[serde(with = "hex")]
    pub d: u128,
    /// The same by key, as the manifest says.
    #[serde(with = "hex")]
    pub k: u128,
    /// Each file.
    pub files: Vec<FileCheck>,
    /// The first row in which the Parquet file and the Arrow file differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<RowDifference>,
}

/// What was found in a file.
#[derive(Debug, Serialize)]
pub struct FileCheck {
    /// `parquet`, `arrow` or `ids`.
    pub part: &'static str,
    /// Its path, or its name where it is missing.
    pub path: PathBuf,
    /// Its size.
    pub size: u64,
    /// Rows or entries that were read.
    pub rows: u64,
    /// What is wrong with it; nothing if it is what the manifest says.
    pub findings: Vec<Finding>,
    /// What is worth saying and not wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// What can be wrong with a file of a data set.
#[derive(Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// The file is not there.
    #[error("it is missing")]
    Missing,
    /// Another size than the manifest says.
    #[error("{found} bytes long where the manifest says {expected}")]
    Size {
        /// According to the manifest.
        expected: u64,
        /// Of the file.
        found: u64,
    },
    /// Another content than the manifest says.
    #[error("its bytes are not those of the manifest (BLAKE3 differs)")]
    Bytes,
    /// It cannot be read, or not to its end.
    #[error("it cannot be read{}: {reason}", beyond(*rows))]
    Unreadable {
        /// Rows that could be read.
        rows: u64,
        /// Why it ends there.
        reason: String,
    },
    /// The footer names another content.
    #[error("it belongs to another data set or version (the fingerprint in its footer differs)")]
    Footer,
    /// The columns are not those of the manifest.
    #[error("its columns are not those of the manifest")]
    Columns,
    /// Another number of rows.
    #[error("{found} rows where the manifest says {expected}")]
    Rows {
        /// According to the manifest.
        expected: u64,
        /// In the file.
        found: u64,
    },
    /// The rows are not those of the manifest.
    #[error("rows differ from the manifest (D), the first of them between row {from} and row {to}")]
    Digest {
        /// The first row that may be the first one.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// The rows are those of the manifest, and its digest by key is not theirs.
    #[error("the digest by key (K) is not that of the manifest")]
    Keyed,
    /// The manifest names a fingerprint that its rows do not have.
    #[error("the fingerprint of its rows is not that of the manifest")]
    Fingerprint,
    /// The index and the keys of the rows disagree.
    #[error("it does not agree with the keys: row {row} {what}")]
    Index {
        /// The first row of which it is wrong.
        row: u64,
        /// In what way.
        what: &'static str,
    },
}

fn beyond(rows: u64) -> String {
    if rows == 0 { String::new() } else { format!(" beyond its first {rows} rows") }
}

impl Check {
    /// Whether every file is what the manifest says.
    pub fn is_sound(&self) -> bool {
        self.files.iter().all(FileCheck::is_sound)
    }
}

impl FileCheck {
    /// Whether the file is what the manifest says.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// A checked data set, and its rows where a file could be read whole.
pub(super) struct Checked {
    pub(super) check: Check,
    pub(super) table: Option<Table>,
}

/// A table file that has been read.
pub(super) struct Table {
    pub(super) source: Source,
    pub(super) view: View,
    pub(super) scan: Scan,
    /// Whether all of it was read.
    whole: bool,
}

/// Reads every file of a data set.
pub(super) fn check(path: &Path, options: &Options<'_>) -> Result<Checked, Error> {
    let parts = Parts::find(path)?;
    let (parquet, arrow) =
        rayon::join(|| table(&parts, "parquet", options), || table(&parts, "arrow", options));
    let (mut files, mut tables) = (Vec::new(), Vec::new());
    for (file, table) in [parquet?, arrow?].into_iter().flatten() {
        tables.extend(table.map(|table| (file.is_sound(), table)));
        files.push(file);
    }
    let first = match tables.as_slice() {
        [(one_sound, one), (two_sound, two)] if !(*one_sound && *two_sound) => first(one, two)?,
        _ => None,
    };
    // The rows of a sound file, else those of one that could at least be read whole.
    tables.sort_by_key(|(sound, table)| (!sound, !table.whole));
    let table = tables.into_iter().map(|(_, table)| table).find(|table| table.whole);
    files.extend(index(&parts, table.as_ref())?);
    parts.recheck()?;
    Ok(Checked { check: told(&parts, files, first), table })
}

fn told(parts: &Parts, files: Vec<FileCheck>, first: Option<RowDifference>) -> Check {
    let Manifest { domain, rows, d, k, .. } = parts.manifest.clone();
    Check { path: parts.path(), name: parts.name().to_owned(), domain, rows, d, k, files, first }
}

/// The first row in which two files of one data set differ.
fn first(one: &Table, two: &Table) -> Result<Option<RowDifference>, Error> {
    if one.source.schema().fields() != two.source.schema().fields() {
        return Ok(None);
    }
    let (rows, others) = (one.scan.hashes.len() as u64, two.scan.hashes.len() as u64);
    let differs = (0..rows.min(others)).find(|&row| one.scan.hash(row) != two.scan.hash(row));
    // Where one could not be read to its end, that is what its finding says.
    let behind = (rows != others && one.whole && two.whole).then(|| rows.min(others));
    let Some(row) = differs.or(behind) else { return Ok(None) };
    let at = |rows: u64| (row < rows).then_some(row);
    at_rows([one, two], [at(rows), at(others)]).map(Some)
}

type Found = Option<(FileCheck, Option<Table>)>;

fn table(parts: &Parts, part: &'static str, options: &Options<'_>) -> Result<Found, Error> {
    let Some(info) = parts.info(part) else { return Ok(None) };
    let (mut file, contents) = opened(parts, part, info)?;
    let Some(contents) = contents else { return Ok(Some((file, None))) };
    let (bytes, read) =
        rayon::join(|| bytes(&contents, info), || read(&parts.manifest, part, &contents, options));
    file.findings.extend(bytes);
    let table = match read {
        Ok((findings, table)) => {
            file.rows = table.scan.digest.rows;
            file.findings.extend(findings);
            Some(table)
        }
        Err(error) => {
            file.findings.push(unreadable(0, error)?);
            None
        }
    };
    Ok(Some((file, table)))
}

fn opened(
    parts: &Parts,
    part: &'static str,
    info: &FileInfo,
) -> Result<(FileCheck, Option<Contents>), Error> {
    let mut file = FileCheck {
        part,
        path: parts.path().with_added_extension(part),
        size: 0,
        rows: 0,
        findings: Vec::new(),
        note: None,
    };
    let contents = match parts.open(part, Access::Map) {
        Ok(contents) => contents,
        Err(Error::NotFound { .. }) => {
            file.findings.push(Finding::Missing);
            return Ok((file, None));
        }
        Err(error) => return Err(error),
    };
    contents.advise(Walk::Sequential);
    contents.path().clone_into(&mut file.path);
    file.size = contents.len() as u64;
    if file.size != info.size {
        file.findings.push(Finding::Size { expected: info.size, found: file.size });
    }
    Ok((file, Some(contents)))
}

/// What the bytes of a file say, if its size is right.
fn bytes(contents: &Contents, info: &FileInfo) -> Option<Finding> {
    let is_of_size = contents.len() as u64 == info.size;
    let differs = || crate::file::digest_of(contents).to_hex().as_str() != info.blake3;
    (is_of_size && differs()).then_some(Finding::Bytes)
}

/// Damage is what is looked for; anything else, such as a disk that is full, ends the work.
fn unreadable(rows: u64, error: Error) -> Result<Finding, Error> {
    match error {
        Error::Damaged { what, .. } => Ok(Finding::Unreadable { rows, reason: what.to_string() }),
        Error::NewerFormat { .. } | Error::Key { .. } | Error::Digest { .. } => {
            Ok(Finding::Unreadable { rows, reason: chain(&error) })
        }
        error => Err(error),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn read(
    manifest: &Manifest,
    part: &str,
    contents: &Contents,
    options: &Options<'_>,
) -> Result<(Vec<Finding>, Table), Error> {
    let source = Source::open(part, contents.clone())?;
    let view = View::whole(source.schema());
    let mut findings = Vec::new();
    if source.fingerprint() != Some(&manifest.fingerprint) {
        findings.push(Finding::Footer);
    }
    let columns_fit = manifest::columns(source.schema()) == manifest.schema;
    if !columns_fit {
        findings.push(Finding::Columns);
    }
    let (scan, broken) = Scan::run(&source, &view, options)?;
    let whole = broken.is_none();
    match broken {
        Some(error) => findings.push(unreadable(scan.digest.rows, error)?),
        None if scan.digest.rows != manifest.rows => {
            findings.push(Finding::Rows { expected: manifest.rows, found: scan.digest.rows });
        }
        None => {}
    }
    if columns_fit {
        let found = match differing_rows(manifest, &scan.digest) {
            Some(range) => Some(range),
            None if whole => of_sums(manifest, &scan.digest, &source),
            None => None,
        };
        findings.extend(found);
    }
    Ok((findings, Table { source, view, scan, whole }))
}

/// The rows among which the first one differs from the manifest, by the checkpoints.
fn differing_rows(manifest: &Manifest, digest: &Digest) -> Option<Finding> {
    let pairs = manifest.checkpoints.iter().zip(&digest.checkpoints);
    let agree = pairs.take_while(|(one, two)| one == two).count() as u64;
    let known = manifest.checkpoints.len().min(digest.checkpoints.len()) as u64;
    let every = manifest.checkpoint_rows;
    let last = digest.rows.max(manifest.rows).saturating_sub(1);
    let whole = digest.rows == manifest.rows;
    if agree < known || (whole && digest.d != manifest.d) {
        let to = (agree + 1).saturating_mul(every).saturating_sub(1).min(last);
        return Some(Finding::Digest { from: agree * every, to });
    }
    None
}

/// What the sums of a file say that has the rows of the manifest.
fn of_sums(manifest: &Manifest, digest: &Digest, source: &Source) -> Option<Finding> {
    if digest.rows != manifest.rows {
        return None;
    }
    if digest.k != manifest.k {
        return Some(Finding::Keyed);
    }
    let found = fingerprint(source.schema(), digest.rows, digest.d);
    (found != manifest.fingerprint).then_some(Finding::Fingerprint)
}

/// The id index, against the rows of `table`.
fn index(parts: &Parts, table: Option<&Table>) -> Result<Option<FileCheck>, Error> {
    let Some(info) = parts.info("ids") else { return Ok(None) };
    let (mut file, contents) = opened(parts, "ids", info)?;
    let Some(contents) = contents else {
        // Readers make it again, so nothing is lost with it.
        file.findings.clear();
        file.note = Some("missing; it is made again when it is needed");
        return Ok(Some(file));
    };
    file.findings.extend(bytes(&contents, info));
    match Ids::open(contents) {
        Ok(ids) => {
            file.rows = ids.len() as u64;
            let made = table.and_then(|table| table.scan.ids.as_ref());
            file.findings.extend(made.and_then(|made| disagreement(made, &ids)));
        }
        Err(error) => file.findings.push(unreadable(0, error)?),
    }
    Ok(Some(file))
}

/// The first row that an index has wrong; `made` is the one its rows give.
fn disagreement(made: &Ids, found: &Ids) -> Option<Finding> {
    if made.contents()[..] == found.contents()[..] {
        return None;
    }
    let (mut lost, mut strange) = (None::<u64>, None::<u64>);
    let (mut expected, mut present) = (made.iter().peekable(), found.iter().peekable());
    loop {
        match (expected.peek().copied(), present.peek().copied()) {
            (None, None) => break,
            (one, two) if one == two => _ = (expected.next(), present.next()),
            (Some((key, row)), two) if two.is_none_or(|two| (key, row) < two) => {
                lost = Some(lost.map_or(row, |lost| lost.min(row)));
                expected.next();
            }
            (_, two) => {
                let row = two.map_or(0, |(_, row)| row);
                strange = Some(strange.map_or(row, |strange| strange.min(row)));
                present.next();
            }
        }
    }
    let lost = lost.map(|row| Finding::Index { row, what: "is not under its key" });
    lost.or_else(|| strange.map(|row| Finding::Index { row, what: "is under a key that it does not have" }))
}
