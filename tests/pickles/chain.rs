//! The whole way from bytes to Arrow batches without files: what mutants and prefixes are run through.

use brine::{
    columnar::{Mixed, OnBadRow, Sieve, Table, Vectors},
    limits::Limits,
    pandas::{Frame, tables},
    pickle,
    schema::builtin,
};

/// Rows converted at a time.
const STEP: usize = 512;
/// Bytes of text converted at a time.
const TEXT_BYTES: usize = 4 << 20;

/// Reads `bytes` and converts every table in them, by its domain and by its cells. Gives the number of rows, or says why
/// there are none; what it must never do is panic, run long, or take memory that the input does not pay for.
pub(super) fn run(bytes: &[u8]) -> Result<usize, String> {
    let limits = Limits::default();
    let graph = pickle::load(bytes, &limits).map_err(|error| error.to_string())?;
    let mut rows = 0;
    for member in tables(&graph, &limits).map_err(|error| error.to_string())? {
        let Ok(found) = member.found else { continue };
        let frame = found.parse(&graph, &limits).map_err(|error| error.to_string())?;
        rows += converted(&frame, &limits)?;
    }
    Ok(rows)
}

fn converted(frame: &Frame<'_>, limits: &Limits) -> Result<usize, String> {
    let names: Vec<&str> = frame.columns.iter().map(|column| column.name.as_str()).collect();
    if let Some(domain) = builtin().iter().find(|domain| domain.matches(&names)) {
        // A mutant that no longer fits its domain may still be a table.
        let _ = Table::of_domain(frame, domain, limits).map(|table| sifted(&table));
    }
    let table =
        Table::inferred(frame, Vectors::AsIs, Mixed::Refuse, limits).map_err(|error| error.to_string())?;
    sifted(&table)
}

fn sifted(table: &Table<'_>) -> Result<usize, String> {
    let mut sieve = Sieve::new(table.schema(), OnBadRow::Skip, None);
    let mut good = 0;
    let mut first = 0;
    while first < table.rows() {
        let rows = table.fitting(first..table.rows().min(first + STEP), TEXT_BYTES);
        let end = rows.end;
        let converted = table.convert(rows).map_err(|error| error.to_string())?;
        let sifted = sieve.sift(first, converted).map_err(|error| error.to_string())?;
        good += sifted.batch.num_rows();
        table.recycle(sifted.batch);
        first = end;
    }
    Ok(good)
}
