//! The first row in which two tables differ, cell by cell.

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::Serialize;

use super::{
    cell::{first_place, key_text},
    check::Table,
    scan::{Source, View},
};
use crate::{
    digest::RowHasher,
    file::{Error, error},
};

/// A row in which two tables differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowDifference {
    /// Its key, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The first column that differs, and the place in it, such as `vector[17]`; none if the row is in one table only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The row in the first table and in the second.
    pub sides: [Side; 2],
}

/// One of the two tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// `parquet` or `arrow`: the file that was read.
    pub part: &'static str,
    /// The number of the row, from 0; none if the row is not in the table.
    pub row: Option<u64>,
    /// The value, cut if it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A table file and the columns of it that count.
pub(super) struct Seen<'a> {
    pub(super) source: &'a Source,
    pub(super) view: &'a View,
}

/// What differs between a row of one file and a row of another.
pub(super) fn at_rows(tables: [&Table; 2], rows: [Option<u64>; 2]) -> Result<RowDifference, Error> {
    compare(&tables.map(|Table { source, view, .. }| Seen { source, view }), rows)
}

/// The same by the columns that are shared.
pub(super) fn compare(seen: &[Seen<'_>; 2], rows: [Option<u64>; 2]) -> Result<RowDifference, Error> {
    let [one, two] = [fetch(&seen[0], rows[0])?, fetch(&seen[1], rows[1])?];
    let batch = one.as_ref().or(two.as_ref());
    let key = batch.and_then(|batch| key_text(batch, seen[0].view.key.or(seen[1].view.key)?));
    let mut difference = RowDifference {
        key,
        column: None,
        sides: [0, 1].map(|side| Side { part: seen[side].source.part(), row: rows[side], value: None }),
    };
    if let (Some(one), Some(two)) = (&one, &two) {
        let batches = [one, two];
        if let Some(index) = first_column(&seen[0], batches)? {
            let place = first_place(batches, index);
            difference.column = Some(place.column);
            for (side, value) in difference.sides.iter_mut().zip(place.values) {
                side.value = Some(value);
            }
        }
    }
    Ok(difference)
}

fn fetch(seen: &Seen<'_>, row: Option<u64>) -> Result<Option<RecordBatch>, Error> {
    let Some(batch) = row.map(|row| seen.source.row(row)).transpose()?.flatten() else { return Ok(None) };
    seen.view.of(batch, seen.source.path()).map(Some)
}

/// The first column whose canonical form differs.
fn first_column(seen: &Seen<'_>, batches: [&RecordBatch; 2]) -> Result<Option<usize>, Error> {
    for index in 0..seen.view.schema.fields().len() {
        let [one, two] = batches.map(|batch| hash(seen, batch, index));
        if one? != two? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn hash(seen: &Seen<'_>, batch: &RecordBatch, index: usize) -> Result<u128, Error> {
    let path = seen.source.path();
    let failed = |source| Error::Digest { path: path.to_owned(), source };
    let schema = Schema::new(vec![seen.view.schema.field(index).clone()]);
    let column = batch.project(&[index]).map_err(error::arrow(path))?;
    RowHasher::new(&schema).and_then(|hasher| hasher.range_digest(&column, 0..1, 0)).map_err(failed)
}
