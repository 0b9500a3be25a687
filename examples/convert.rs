//! From a pickle to a data set and back, with the library: what `brine convert` does, without its flags.
//!
//! `cargo run --example convert` converts the sample of job postings.

#![allow(clippy::print_stdout, reason = "printing is all an example does")]

use std::{error::Error, fs, sync::Arc};

use brine::{
    columnar::{OnBadRow, Sieve, Table},
    file::{Dataset, DatasetOptions, DatasetWriter},
    limits::Limits,
    pandas, pickle, schema,
};

const BATCH_ROWS: usize = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let limits = Limits::default();

    // Nothing is copied out of the bytes until rows are converted.
    let bytes = fs::read("data/recruit.pkl")?;
    let graph = pickle::load(&bytes, &limits)?;
    let member = pandas::tables(&graph, &limits)?.into_iter().next().ok_or("the pickle holds no table")?;
    let frame = member.found?.parse(&graph, &limits)?;
    let domain = schema::find("recruit").ok_or("built in")?;
    let table = Table::of_domain(&frame, domain, &limits)?;

    let mut sieve = Sieve::new(table.schema(), OnBadRow::Fail, None);
    let options = DatasetOptions::default();
    let mut writer = DatasetWriter::create(folder.path(), "jobs", Arc::clone(table.schema()), options)?;
    for first in (0..table.rows()).step_by(BATCH_ROWS) {
        let rows = first..table.rows().min(first + BATCH_ROWS);
        writer.write(&sieve.sift(first, table.convert(rows)?)?.batch)?;
    }
    let manifest = writer.finish()?;

    let dataset = Dataset::open(folder.path().join("jobs"))?;
    assert_eq!((dataset.rows(), dataset.manifest()), (table.rows() as u64, &manifest));
    for column in &manifest.schema {
        println!("{:<16} {}", column.name, column.data_type);
    }
    println!("{} rows, {}", manifest.rows, manifest.fingerprint);
    Ok(())
}
