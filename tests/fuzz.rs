//! The bodies of the fuzz targets as ordinary tests: over the corpus of each, and over the fixtures it starts from.
//!
//! `scripts/fuzz` runs them for as long as one likes; what it finds comes into `fuzz/corpus` or becomes a fixture.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

#[path = "../fuzz/src/targets.rs"]
#[allow(
    clippy::duplicate_mod,
    unreachable_pub,
    reason = "the fuzz crate has these bodies as its own, and they walk the way that the tests of pickles walk"
)]
mod targets;

/// Larger files are read by other tests.
const BYTES_MAX: u64 = 256 << 10;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.unwrap());
    files
        .filter(|entry| entry.metadata().unwrap().is_file() && entry.metadata().unwrap().len() <= BYTES_MAX)
        .map(|entry| entry.path())
        .collect()
}

/// Where a target starts from, besides its corpus.
fn seeds(target: &str) -> &'static [&'static str] {
    match target {
        "machine" | "table" => &["tests/fixtures/hostile", "tests/fixtures/pickles"],
        "packed" => &["tests/fixtures/pickles"],
        "schema" => &["schemas", "schemas/messages"],
        _ => &[],
    }
}

#[test]
fn no_input_of_the_corpus_is_a_finding() {
    for (name, body) in targets::ALL {
        let corpus = files(&format!("fuzz/corpus/{name}"));
        assert!(corpus.len() > 1, "the corpus of {name} has {} files", corpus.len());
        let all = seeds(name).iter().flat_map(|folder| files(folder)).chain(corpus);
        all.collect::<Vec<_>>().par_iter().for_each(|path| {
            eprintln!("{name}: {}", path.display());
            body(&std::fs::read(path).unwrap());
        });
    }
}
