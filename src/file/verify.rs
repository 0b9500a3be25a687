//! Verifying data sets: counts and digests recomputed from the files, and the first row that differs.
//!
//! Nothing is believed: not the manifest, whose figures are compared with those of the rows, nor one file for the other.
//! Each table file is read whole by the reader of its format, and hashed; the id index is made anew from the keys. Memory
//! stays bounded: batches are dropped as they are hashed, and what grows with the rows (16 bytes of hash and the sorted
//! keys) goes on in temporary files without a name.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

mod cell;
mod check;
mod columns;
mod compare;
mod row;
mod scan;
#[cfg(test)]
mod tests;

pub use self::{
    check::{Check, FileCheck, Finding},
    columns::ColumnDifference,
    compare::{Comparison, Sums, Verdict},
    row::{RowDifference, Side},
};
use super::{
    Error,
    dataset::{Dataset, Parts},
};

/// How to verify.
pub struct Options<'a> {
    /// The second table may hold more rows: other files went into it too.
    pub subset: bool,
    /// Where what does not fit in memory goes.
    pub temporary_folder: PathBuf,
    /// Hears how many rows have been read since it was last called, from any thread.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("subset", &self.subset).finish_non_exhaustive()
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    pub equal: bool,
    /// The data set.
    pub source: Check,
    /// The one it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Check>,
    /// How the two compare; none if one of them cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// Verifies the data set at `path`, and compares it with `against` if that is given.
pub fn verify(path: &Path, against: Option<&Path>, options: &Options<'_>) -> Result<Report, Error> {
    let source = check::check(path, options)?;
    let Some(against) = against else {
        return Ok(Report {
            equal: source.check.is_sound(),
            source: source.check,
            target: None,
            comparison: None,
        });
    };
    let target = check::check(&counterpart(against, &source.check)?, options)?;
    let comparison = match (&source.table, &target.table) {
        (Some(one), Some(two)) => Some(compare::compare(one, two, options)?),
        _ => None,
    };
    let agree = comparison.as_ref().is_some_and(|compared| compared.verdict != Verdict::Different);
    let equal = agree && source.check.is_sound() && target.check.is_sound();
    Ok(Report { equal, source: source.check, target: Some(target.check), comparison })
}

/// The data set that `against` means: itself, or in that folder the one of the source's name or domain, or the only one.
fn counterpart(against: &Path, source: &Check) -> Result<PathBuf, Error> {
    if against.is_dir() {
        let names = Dataset::list(against)?;
        let wanted = [Some(&source.name), source.domain.as_ref()];
        if let Some(name) = wanted.into_iter().flatten().find(|wanted| names.contains(wanted)) {
            return Ok(against.join(name));
        }
    }
    Parts::find(against).map(|parts| parts.path())
}
