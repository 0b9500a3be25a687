//! What pandas 0.20 to 1.4 wrote, on Pythons that nobody can install today: what converts must hold what that pandas itself
//! read, cell by cell, and no file may do worse than be refused. The archives stand in `tests/fixtures/old`.

mod archive;
mod same;

use arrow_array::RecordBatch;
use brine::{
    columnar::{Mixed, Table, Vectors},
    limits::Limits,
    pandas::tables,
    pickle::{self, UnknownGlobals},
};
use rayon::prelude::*;
use serde_json::Value;

use self::{archive::Case, same::Verdict};

/// Archives, and how many of their frames convert at the least.
const ARCHIVES: [(&str, usize); 6] = [
    ("py27-pd242", 524),
    ("py36-pd203", 976),
    ("py37-pd105", 1084),
    ("py38-pd125", 1374),
    ("py37-pd135", 1111),
    ("py39-pd144", 1394),
];

/// The only table of a pickle, all of its rows.
fn batch(bytes: &[u8]) -> Result<RecordBatch, String> {
    let limits = Limits::default();
    let told = |error: &dyn std::error::Error| error.to_string();
    let graph = pickle::load_with(bytes, &limits, UnknownGlobals::Keep).map_err(|error| told(&error))?;
    let mut members = tables(&graph, &limits).map_err(|error| told(&error))?;
    let member = members.pop().filter(|_| members.is_empty()).ok_or("not one table")?;
    let frame = member.found?.parse(&graph, &limits).map_err(|error| told(&error))?;
    let table =
        Table::inferred(&frame, Vectors::AsIs, Mixed::Refuse, &limits).map_err(|error| told(&error))?;
    let converted = table.convert(0..table.rows()).map_err(|error| told(&error))?;
    if let Some(bad) = converted.bad.first() {
        return Err(format!("{bad:?}"));
    }
    Ok(converted.batch)
}

/// The columns of a frame, or the one of a series, as `(label, dtype, values)`; labels that are no text are not looked for.
fn columns(truth: &Value) -> Vec<(&str, &Value, &Value)> {
    let Some(data) = truth["frame"]["data"].as_array() else { return Vec::new() };
    let named = data
        .iter()
        .filter_map(|column| Some((column["label"].as_str()?, &column["dtype"], &column["values"])));
    let named: Vec<_> = named.collect();
    let once = |label: &str| named.iter().filter(|(other, ..)| *other == label).count() == 1;
    named.iter().copied().filter(|(label, ..)| once(label)).collect()
}

/// What one file says: `None` if it is refused, else how many cells were compared.
fn check(case: &Case, file: &str, bytes: &[u8]) -> Result<Option<usize>, String> {
    let Ok(batch) = batch(bytes) else { return Ok(None) };
    let mut cells = 0;
    for (label, dtype, values) in columns(&case.truth) {
        let Some(column) = batch.column_by_name(label) else {
            return Err(format!("{file}: no column {label:?}"));
        };
        let values = values.as_array().ok_or("values")?;
        if values.len() != batch.num_rows() {
            return Err(format!("{file}: {} rows instead of {}", batch.num_rows(), values.len()));
        }
        for (row, value) in values.iter().enumerate() {
            match same::cell(column, row, value, dtype) {
                Verdict::Same => cells += 1,
                Verdict::NotJudged => {}
                Verdict::Other => {
                    let type_ = column.data_type();
                    return Err(format!(
                        "{file}: column {label:?}, row {row}: {value} became another value ({type_})"
                    ));
                }
            }
        }
    }
    Ok(Some(cells))
}

#[test]
fn what_old_pandas_wrote_holds_what_it_read() {
    for (label, least) in ARCHIVES {
        let cases = archive::cases(label);
        let files: Vec<_> =
            cases.iter().flat_map(|case| case.files.iter().map(move |file| (case, file))).collect();
        let outcomes: Vec<_> =
            files.par_iter().map(|(case, (name, bytes))| check(case, name, bytes)).collect();
        let faults: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert!(
            faults.is_empty(),
            "{label}: {} faults, such as {:#?}",
            faults.len(),
            &faults[..faults.len().min(20)]
        );
        let converted = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Some(_)))).count();
        let cells: usize =
            outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().copied().flatten()).sum();
        assert!(converted >= least, "{label}: only {converted} of {} files convert", files.len());
        assert!(cells > least * 2, "{label}: only {cells} cells were compared");
    }
}
