//! Every file under `tests/fixtures/hostile` is refused for the reason that the manifest beside them gives, by the library
//! and by the program: nothing panics, nothing is written, and little memory and time is taken.
//!
//! `scripts/fixtures/hostile.py` makes them and says what each is for.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use brine::file::pickle::{Options, convert};
use rayon::prelude::*;
use serde_json::Value;

/// What the program may allocate for any of them, the stacks of its threads among it.
const DATA_BYTES_MAX: usize = 64 << 20;
/// Processor seconds after which the kernel ends the program: many times what an unoptimised one takes.
const CPU_SECONDS_MAX: usize = 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile")
}

fn cases() -> Vec<Value> {
    let manifest = std::fs::read_to_string(folder().join("manifest.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&manifest).unwrap();
    let files = std::fs::read_dir(folder()).unwrap().count();
    assert_eq!(files, cases.len() + 1, "one file for each case, and the manifest");
    assert!(cases.len() > 170, "{} cases", cases.len());
    cases
}

fn path(case: &Value) -> PathBuf {
    folder().join(format!("{}.pkl", case["name"].as_str().unwrap()))
}

/// What the message lacks of what the manifest wants in it.
fn lacks(case: &Value, message: &str) -> Option<String> {
    let mut wanted: Vec<String> =
        case["says"].as_array().unwrap().iter().map(|words| words.as_str().unwrap().to_owned()).collect();
    wanted.extend(case["global"].as_str().map(str::to_owned));
    wanted.extend(case["offset"].as_u64().map(|offset| format!("byte {offset:#x}")));
    wanted.retain(|words| !message.contains(words));
    (!wanted.is_empty()).then(|| format!("{}: {wanted:?} is not in: {message}", case["name"]))
}

fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

fn left(folder: &Path) -> Option<String> {
    let names: Vec<_> = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().file_name()).collect();
    (!names.is_empty()).then(|| format!("it leaves {names:?}"))
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} files:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_library_refuses_every_hostile_file_for_its_reason() {
    // Not in the pool: a conversion waits for work that it gives to the pool.
    let faults: Vec<String> = cases().iter().filter_map(by_library).collect();
    assert_none(&faults);
}

fn by_library(case: &Value) -> Option<String> {
    let out = tempfile::tempdir().unwrap();
    match convert(&path(case), out.path(), &Options::default(), &mut |_, _| ()) {
        Ok(_) => Some(format!("{} is read", case["name"])),
        Err(error) => lacks(case, &chain(&error)).or_else(|| left(out.path())),
    }
}

#[test]
fn the_program_refuses_every_hostile_file_in_little_memory_and_time() {
    let limits = [format!("--data={DATA_BYTES_MAX}"), format!("--cpu={CPU_SECONDS_MAX}")];
    let bounded = |program: &str| {
        let mut command = Command::new("prlimit");
        command.args(&limits).arg(program).stdin(Stdio::null());
        command
    };
    if !bounded("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("NOT RUN: prlimit is missing, the bounds on memory and time are not shown");
        return;
    }
    let faults: Vec<String> = cases()
        .par_iter()
        .filter_map(|case| by_program(case, bounded(env!("CARGO_BIN_EXE_brine"))))
        .collect();
    assert_none(&faults);
}

fn by_program(case: &Value, mut command: Command) -> Option<String> {
    let out = tempfile::tempdir().unwrap();
    // Each thread of the pool has a stack, and the machine may have many cores.
    command.env("RAYON_NUM_THREADS", "2").args(["convert", "-o"]).args([out.path(), &path(case)]);
    let output = command.output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(3) || !output.stdout.is_empty() {
        return Some(format!("{}: {}: {message}", case["name"], output.status));
    }
    lacks(case, &message).or_else(|| left(out.path()))
}
