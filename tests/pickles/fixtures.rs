//! The committed fixtures and what is known of each.

use std::path::{Path, PathBuf};

use brine::file::pickle::{Choice, Options};
use serde_json::Value;

/// One pickle and what its JSON file says of it.
pub(super) struct Fixture {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) truth: Value,
}

impl Fixture {
    pub(super) fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }

    pub(super) fn is_bad(&self) -> bool {
        self.truth["expect"].is_object()
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.bytes().starts_with(b"\x1f\x8b") || self.name.ends_with(".zst")
    }

    /// A table of no domain's dimension is read without a schema.
    pub(super) fn options(&self) -> Options {
        let choice = if self.truth["domain"].is_null() { Choice::Inferred } else { Choice::Matching };
        Options { choice, ..Options::default() }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pickles")
}

/// Every fixture, by name.
pub(super) fn all() -> Vec<Fixture> {
    let manifest: Value = read(&folder().join("MANIFEST.json"));
    let names = manifest.as_object().unwrap().keys();
    let fixture = |name: &String| {
        let path = folder().join(name);
        Fixture { name: name.clone(), truth: read(&folder().join(format!("{name}.json"))), path }
    };
    names.map(fixture).collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The answers of `check`, by threads of their own: a conversion waits for the pool and must not sit in it.
pub(super) fn faults(fixtures: &[Fixture], check: fn(&Fixture) -> Result<(), String>) -> Vec<String> {
    let quarter = fixtures.len().div_ceil(4).max(1);
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for part in fixtures.chunks(quarter) {
            threads.push(
                scope.spawn(move || part.iter().filter_map(|one| check(one).err()).collect::<Vec<_>>()),
            );
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
