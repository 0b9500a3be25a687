//! What becomes of bad rows: the first stops everything, or they are left out, or they are put aside.
//!
//! Here keys are checked too, because a duplicate is only seen across batches.

mod rows_by_key;

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array, cast::AsArray as _,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    error::{BadRow, Error, Reason, Result},
    schema::key_index,
    table::Converted,
};
use crate::{identifier, pickle::Grounds};
pub use rows_by_key::RowsByKey;

/// What becomes of bad rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadRow {
    /// The first one is an error.
    #[default]
    Fail,
    /// They are left out and counted.
    Skip,
    /// They are left out and listed with row, column and reason.
    Quarantine,
}

/// Parts good rows from bad ones, batch after batch.
#[derive(Debug)]
pub struct Sieve {
    policy: OnBadRow,
    bad_rows_max: u64,
    bad_rows: u64,
    key: Option<(usize, String)>,
    /// By hash, which is four times smaller than the keys themselves.
    seen: RowsByKey,
}

/// Good rows, and the bad ones with every reason.
#[derive(Debug)]
pub struct Sifted {
    /// The good rows.
    pub batch: RecordBatch,
    /// The bad ones.
    pub bad: Vec<BadRow>,
}

impl Sieve {
    /// A sieve for batches of `schema`, whose key column, if it names one, must hold different keys.
    pub fn new(schema: &Schema, policy: OnBadRow, bad_rows_max: Option<u64>) -> Self {
        let key = key_index(schema).map(|index| {
            let field = schema.field(index);
            (index, field.metadata().get(super::schema::SOURCE).unwrap_or(field.name()).clone())
        });
        Self {
            policy,
            bad_rows_max: bad_rows_max.unwrap_or(u64::MAX),
            bad_rows: 0,
            key,
            seen: RowsByKey::default(),
        }
    }

    /// The same, with the table of keys going on `ground` when it has outgrown the heap.
    #[must_use]
    pub fn on(self, ground: Option<&Arc<dyn Grounds>>) -> Self {
        Self { seen: RowsByKey::on(ground), ..self }
    }

    /// The same without a look at keys, which are not there yet.
    #[must_use]
    pub fn without_keys(self) -> Self {
        Self { key: None, ..self }
    }

    /// How many rows were bad so far.
    pub fn bad_rows(&self) -> u64 {
        self.bad_rows
    }

    /// Sifts the batch whose first row is row `first` of the source.
    pub fn sift(&mut self, first: usize, converted: Converted) -> Result<Sifted> {
        let Converted { batch, mut bad } = converted;
        self.check_keys(first, &batch, &mut bad)?;
        if bad.is_empty() {
            return Ok(Sifted { batch, bad });
        }
        bad.sort_by_key(|bad| bad.row);
        if self.policy == OnBadRow::Fail {
            return Err(Error::BadRow { bad: Box::new(bad.swap_remove(0)) });
        }
        let mut keep = vec![true; batch.num_rows()];
        for bad in &bad {
            if std::mem::take(&mut keep[bad.row - first]) {
                self.bad_rows += 1;
                self.check_count(bad)?;
            }
        }
        let batch = filter_record_batch(&batch, &BooleanArray::from(keep))?;
        Ok(Sifted { batch, bad })
    }

    fn check_count(&self, last: &BadRow) -> Result<()> {
        if self.bad_rows > self.bad_rows_max {
            let (found, limit) = (self.bad_rows, self.bad_rows_max);
            return Err(Error::TooManyBadRows { found, limit, last: Box::new(last.clone()) });
        }
        Ok(())
    }

    /// The first row of a key keeps it; a row that is bad already does not claim one.
    fn check_keys(&mut self, first: usize, batch: &RecordBatch, bad: &mut Vec<BadRow>) -> Result<()> {
        let Some((index, column)) = &self.key else { return Ok(()) };
        let Some(keys) = batch.column(*index).as_string_opt::<i32>() else { return Ok(()) };
        let already: std::collections::HashSet<usize> = bad.iter().map(|bad| bad.row).collect();
        for (offset, key) in keys.iter().enumerate() {
            let row = first + offset;
            if already.contains(&row) {
                continue;
            }
            let key = key.unwrap_or_default();
            if let Some(reason) = key_fault(&mut self.seen, key, row)? {
                bad.push(BadRow { row, column: column.clone(), reason });
            }
        }
        Ok(())
    }
}

fn key_fault(seen: &mut RowsByKey, key: &str, row: usize) -> Result<Option<Reason>> {
    if key.is_empty() {
        return Ok(Some(Reason::EmptyKey));
    }
    // A UUID in capitals is the same key, as it is to the id index and to stores.
    let hash = match identifier::parse(key) {
        Some(id) => xxh3_128(id.as_bytes()),
        None => xxh3_128(key.as_bytes()),
    };
    let first = seen.insert(hash, row as u32)?;
    Ok(first.map(|first| Reason::DuplicateKey { key: key.to_owned(), first: first as usize }))
}

/// The schema of the table of rejected rows.
pub fn rejected_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("row", DataType::UInt64, false),
        Field::new("column", DataType::Utf8, false),
        Field::new("reason", DataType::Utf8, false),
    ]))
}

/// Bad rows as a batch of [`rejected_schema`].
pub fn rejected_batch(bad: &[BadRow]) -> Result<RecordBatch> {
    let rows: ArrayRef = Arc::new(bad.iter().map(|bad| Some(bad.row as u64)).collect::<UInt64Array>());
    let columns: ArrayRef = Arc::new(bad.iter().map(|bad| Some(&bad.column)).collect::<StringArray>());
    let reasons: ArrayRef =
        Arc::new(bad.iter().map(|bad| Some(bad.reason.to_string())).collect::<StringArray>());
    debug_assert_eq!(rows.len(), reasons.len());
    Ok(RecordBatch::try_new(rejected_schema(), vec![rows, columns, reasons])?)
}
