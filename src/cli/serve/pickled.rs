//! Pickles that are to be served: converted once for each content they have.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};

use super::super::{
    convert::{Progress, exit_of},
    report::{Exit, Failure, Output},
};
use crate::file::{
    Dataset, DatasetOptions, Error, Only,
    map::{Access, Contents},
    pickle::{self, Options},
};

/// The folder, beside a pickle, that holds what it was converted to.
const CACHE: &str = ".brine";

/// Hexadecimal digits of a pickle's BLAKE3 that name what was made of it.
const DIGITS: usize = 32;

/// Where the data sets of `place` are: itself, unless it is a pickle.
pub(super) fn data_sets(place: &Path, cache: Option<&Path>, output: Output) -> Result<PathBuf, Failure> {
    // What is wrong with a data set, whoever opens it next will say.
    if place.is_dir() || !matches!(Dataset::open(place), Err(Error::NoDataset { .. })) {
        return Ok(place.to_owned());
    }
    let contents = Contents::open(place, Access::Map).map_err(|error| failure(error, place))?;
    let digest = crate::file::digest_of(&contents).to_hex();
    drop(contents);
    let beside = place.parent().map(|folder| folder.join(CACHE)).unwrap_or_default();
    let name =
        place.file_name().ok_or_else(|| Failure::new(Exit::Usage, anyhow!("the pickle has no name")))?;
    let folder = cache.map_or(beside, Path::to_owned).join(name);
    let made = folder.join(&digest[..DIGITS]);
    if made.is_dir() {
        note(output, &format!("{}: converted before, in {}", place.display(), made.display()));
    } else {
        convert(place, &made, output)?;
        note(output, &format!("{}: converted to {}", place.display(), made.display()));
    }
    Ok(made)
}

#[allow(clippy::print_stderr, reason = "what is done before the server starts is told on stderr")]
fn note(output: Output, told: &str) {
    if !output.quiet {
        eprintln!("{told}");
    }
}

fn failure(error: Error, place: &Path) -> Failure {
    let (exit, place) = (exit_of(&error), place.display());
    let what = if exit == Exit::Input {
        format!("serve {place}: it is no data set, and cannot be made one")
    } else {
        format!("serve {place}")
    };
    Failure::new(exit, anyhow::Error::new(error).context(what))
}

/// Converts beside `made`, which appears whole.
fn convert(pickle: &Path, made: &Path, output: Output) -> Result<(), Failure> {
    let partial = made.with_extension(format!("partial-{}", std::process::id()));
    let dataset = DatasetOptions { overwrite: true, only: Some(Only::Arrow), ..DatasetOptions::default() };
    let options = Options { dataset, ..Options::default() };
    let mut progress = Progress::new(output, pickle);
    let converted = pickle::convert(pickle, &partial, &options, &mut |done, all| progress.rows(done, all));
    progress.finish();
    if let Err(error) = converted {
        // What is there of it is of no use to anybody; that it stays would be no harm.
        let _ = fs::remove_dir_all(&partial);
        return Err(failure(error, pickle));
    }
    let named = fs::rename(&partial, made);
    if named.is_err() && made.is_dir() {
        // Another server was quicker.
        let _ = fs::remove_dir_all(&partial);
        return Ok(());
    }
    Ok(named.with_context(|| format!("name {}", made.display()))?)
}
