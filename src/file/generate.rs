//! Ids for tables that have none.
//!
//! ```text
//! v5   id of a row = UUID v5, namespace DNS, of the name  HEX     for the first row with this content
//!                                                         HEX:2   for the second one, and so on
//!      HEX         = XXH3-128(canonical(row without its id)) as 32 hexadecimal digits: docs/formats.md
//! v7   the moment at which the row is written; a later row has the larger id
//! ```
//!
//! Version 5 goes by content and not by row number: ids stay when rows are added, left out or sorted, or the file gets
//! another name, and two files with other rows never have one id for both.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, builder::StringBuilder};

use crate::{
    columnar::{self, RowsByKey, Table},
    digest::{self, RowHasher},
    identifier,
    pickle::Grounds,
};

/// How ids are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generate {
    /// Version 5: the same rows have the same ids, whenever they are converted.
    V5,
    /// Version 7: ids that sort by the time they were made, and are never the same.
    V7,
}

impl Generate {
    /// The version of the UUIDs.
    pub fn version(self) -> u8 {
        match self {
            Self::V5 => 5,
            Self::V7 => 7,
        }
    }
}

/// Puts ids into the key column of a table's batches, in the order of the rows.
pub(super) struct IdGenerator {
    key: usize,
    kind: Kind,
}

enum Kind {
    ByContent { others: Vec<usize>, hasher: RowHasher, times: RowsByKey },
    ByTime,
}

/// Why there are no ids.
pub(super) enum Fault {
    Digest(digest::Error),
    Columnar(columnar::Error),
}

impl IdGenerator {
    /// A generator for the key that `table` lacks, if it lacks one.
    pub(super) fn new(
        generate: Option<Generate>,
        table: &Table<'_>,
        ground: Option<&Arc<dyn Grounds>>,
    ) -> Result<Option<Self>, Fault> {
        let (Some(generate), Some(key)) = (generate, table.unmade_key()) else { return Ok(None) };
        let others: Vec<usize> = (0..table.schema().fields().len()).filter(|column| *column != key).collect();
        let kind = match generate {
            Generate::V5 => {
                let schema = table.schema().project(&others).map_err(columnar::Error::from)?;
                let hasher = RowHasher::new(&schema)?;
                Kind::ByContent { others, hasher, times: RowsByKey::on(ground) }
            }
            Generate::V7 => Kind::ByTime,
        };
        Ok(Some(Self { key, kind }))
    }

    /// The same rows with ids.
    pub(super) fn fill(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Fault> {
        let (schema, mut columns, _) = batch.clone().into_parts();
        columns[self.key] = match &mut self.kind {
            Kind::ByContent { others, hasher, times } => by_content(batch, others, hasher, times)?,
            Kind::ByTime => by_time(batch.num_rows()),
        };
        Ok(RecordBatch::try_new(schema, columns).map_err(columnar::Error::from)?)
    }
}

fn by_content(
    batch: &RecordBatch,
    others: &[usize],
    hasher: &RowHasher,
    times: &mut RowsByKey,
) -> Result<ArrayRef, Fault> {
    let mut hashes = Vec::with_capacity(batch.num_rows());
    let content = batch.project(others).map_err(columnar::Error::from)?;
    hasher.hash(&content, 0, |_, without_row_number| hashes.push(without_row_number))?;
    let mut ids = Ids::with_capacity(hashes.len());
    for hash in hashes {
        let name = match times.count(hash).map_err(columnar::Error::from)? {
            0 => format!("{hash:032x}"),
            before => format!("{hash:032x}:{}", u64::from(before) + 1),
        };
        ids.push(identifier::of_name(&name));
    }
    Ok(ids.finish())
}

fn by_time(rows: usize) -> ArrayRef {
    let mut ids = Ids::with_capacity(rows);
    (0..rows).for_each(|_| ids.push(identifier::of_now()));
    ids.finish()
}

/// A text column of ids.
struct Ids(StringBuilder);

impl Ids {
    fn with_capacity(rows: usize) -> Self {
        Self(StringBuilder::with_capacity(rows, rows * identifier::TEXT_BYTES))
    }

    fn push(&mut self, id: identifier::Uuid) {
        self.0.append_value(id.hyphenated().encode_lower(&mut [0; identifier::TEXT_BYTES]));
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

impl From<digest::Error> for Fault {
    fn from(error: digest::Error) -> Self {
        Self::Digest(error)
    }
}

impl From<columnar::Error> for Fault {
    fn from(error: columnar::Error) -> Self {
        Self::Columnar(error)
    }
}
