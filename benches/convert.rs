//! How fast a pickle on disk becomes a data set on disk, and how much of that the disk takes.
//!
//! `cargo bench --bench convert -- recruit.pkl`; without a file, the sample in `data/`. The ratio to the Python pipeline
//! comes from `scripts/bench`.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::{path::Path, time::Instant};

use brine::file::{
    DatasetOptions, Only,
    pickle::{Options, convert},
};

const REPEATS: usize = 5;
/// Why nothing here fails.
const SOUND: &str = "the file is a pickle of the domain `recruit`";

fn main() {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let path = path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/data/recruit.pkl").to_owned());
    for (name, only) in [("both files", None), ("Parquet", Some(Only::Parquet)), ("Arrow", Some(Only::Arrow))]
    {
        let mut runs: Vec<(f64, f64)> = (0..REPEATS).map(|_| run(Path::new(&path), only)).collect();
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, waited) = runs[REPEATS / 2];
        println!("{name:<12} {seconds:>7.3} s, {waited:>6.3} s of it waiting for the disk");
    }
}

fn run(path: &Path, only: Option<Only>) -> (f64, f64) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect(SOUND);
    let options =
        Options { dataset: DatasetOptions { only, ..DatasetOptions::default() }, ..Options::default() };
    let start = Instant::now();
    let report = convert(path, folder.path(), &options, &mut |_, _| {}).expect(SOUND);
    let waited = report.tables.iter().map(|table| table.timings.waited.as_secs_f64()).sum();
    (start.elapsed().as_secs_f64(), waited)
}
