//! Pickles that are to be served: converted once, and again when they have changed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::{
    convert::{Progress, failure},
    report::{Exit, Failure, Output},
};
use crate::file::{
    Dataset, DatasetOptions, Error, Only,
    map::{Access, Contents},
    pickle::{self, Options},
};

/// The folder, beside a pickle, that holds what it was converted to.
const CACHE: &str = ".brine";

/// Where the data sets of `place` are: itself, unless it is a pickle.
pub(super) fn data_sets(place: &Path, cache: Option<&Path>, output: Output) -> Result<PathBuf, Failure> {
    let is_dataset = place.is_dir() || Dataset::open(place).is_ok();
    if is_dataset || !place.is_file() {
        return Ok(place.to_owned());
    }
    let refused = |error: Error| failure(error, place);
    let beside = place.parent().map(|folder| folder.join(CACHE)).unwrap_or_default();
    let stem = place.file_name().and_then(|name| name.to_str()).context("the pickle's name is no text");
    let folder =
        cache.map_or(beside, Path::to_owned).join(stem.map_err(|error| Failure::new(Exit::Usage, error))?);
    if !is_current(place, &folder).map_err(refused)? {
        convert(place, &folder, output)?;
    }
    Ok(folder)
}

/// Whether the data sets in `folder` were made of the very bytes of `pickle`.
fn is_current(pickle: &Path, folder: &Path) -> Result<bool, Error> {
    let names = if folder.is_dir() { Dataset::list(folder)? } else { Vec::new() };
    if names.is_empty() {
        return Ok(false);
    }
    let digest = crate::file::digest_of(&Contents::open(pickle, Access::Map)?).to_hex();
    let is_of = |name: &String| {
        let dataset = Dataset::open(folder.join(name));
        dataset.is_ok_and(|dataset| {
            let source = dataset.manifest().source.as_ref();
            source.and_then(|source| source.blake3.as_deref()) == Some(digest.as_str())
        })
    };
    Ok(names.iter().all(is_of))
}

fn convert(pickle: &Path, folder: &Path, output: Output) -> Result<(), Failure> {
    let dataset = DatasetOptions { overwrite: true, only: Some(Only::Arrow), ..DatasetOptions::default() };
    let options = Options { dataset, ..Options::default() };
    let mut progress = Progress::new(output, pickle);
    let converted = pickle::convert(pickle, folder, &options, &mut |done, all| progress.rows(done, all));
    progress.finish();
    converted.map(drop).map_err(|error| failure(error, pickle))
}
