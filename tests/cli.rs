//! The program as people run it: every `tests/cli/NAME.case` is one command, and what it must print stands beside it.
//!
//! ```text
//! # what the case shows
//! make:   a line of shell that prepares the folder (any number of them)
//! as:     nobody, where the rights of an administrator would hide the fault
//! run:    the line of shell that is tested
//! exit:   its exit code
//! leaves: what stands in out/ afterwards, or nothing
//! ```
//!
//! Commands run in an empty folder of their own; `$DATA`, `$PICKLES`, `$PACKED`, `$ARRAYS`, `$RARE` and
//! `$MESSAGES` are the samples and the fixtures, `$CASES` the folder of the cases, `$SCHEMAS` and `$PROTO` the folders of
//! those names.
//! `NAME.stdout`, `NAME.stderr` and `NAME.rejected` (the rows put aside) hold what is expected, with times, rates and file digests as `…`;
//! `BLESS=1 cargo test cli` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that cannot run says so"
)]

mod case;
mod told;

use std::path::{Path, PathBuf};

use case::Case;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

#[test]
fn every_command_ends_and_prints_as_its_case_says() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "case")).collect();
    cases.sort();
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let quarter = cases.len().div_ceil(4);
    let faults: Vec<String> =
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for part in cases.chunks(quarter) {
                threads.push(scope.spawn(move || {
                    part.iter().flat_map(|path| Case::read(path).faults()).collect::<Vec<_>>()
                }));
            }
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
