//! A table's next version: its rows, those of a run in their place, new ones at the end.

use std::{collections::HashMap, ops::Range, sync::Arc};

use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray, cast::AsArray as _, make_array,
    types::Int32Type,
};
use arrow_data::transform::{Capacities, MutableArrayData};
use arrow_schema::{ArrowError, SchemaRef};

use super::{
    super::{Error, Provenance},
    Table,
    keys::Keys,
    run::too_many,
    spool::arrow_error,
};
use crate::{
    digest::{Digester, fingerprint, key_hash},
    file::{
        Dataset, DatasetOptions, DatasetWriter, SourceInfo,
        ahead::ahead,
        categories::{Categories, renumber},
    },
};

/// Rows of a written batch.
const BATCH_ROWS: usize = 8_000;

/// What a run brought, read back from its spool.
pub(super) struct Incoming {
    pub(super) batches: Vec<RecordBatch>,
    pub(super) categories: Vec<Option<Categories>>,
    pub(super) keys: Keys,
}

/// What publishing came to.
pub(super) struct Outcome {
    pub(super) version: u64,
    pub(super) changed: bool,
    pub(super) table_rows: u64,
}

/// Publishes the merge of `present` and `incoming` with the writer that `begin` gives, unless it would change nothing.
pub(super) fn publish(
    table: &Table,
    schema: SchemaRef,
    present: Option<&Dataset>,
    incoming: &Incoming,
    begin: impl FnOnce(&SchemaRef) -> Result<DatasetWriter, Error>,
) -> Result<Outcome, Error> {
    let merge = Merge::plan(table, schema, present, incoming)?;
    if let Some(present) = present
        && !merge.adds_rows
        && merge.fingerprint()? == present.manifest().fingerprint
    {
        let (version, table_rows) = (present.manifest().generation, present.rows());
        return Ok(Outcome { version, changed: false, table_rows });
    }
    let mut writer = begin(&merge.schema)?;
    ahead(merge.batches(), |batch| writer.write(&batch?).map_err(Error::from))?;
    let manifest = writer.finish()?;
    Ok(Outcome { version: manifest.generation, changed: true, table_rows: manifest.rows })
}

/// A writer of the table's next version.
pub(super) fn create(
    table: &Table,
    schema: &SchemaRef,
    provenance: &Provenance,
) -> Result<DatasetWriter, Error> {
    let source = SourceInfo { file_name: provenance.file_name.clone(), size: 0, blake3: None };
    let options = DatasetOptions { overwrite: true, source: Some(source), ..DatasetOptions::default() };
    Ok(DatasetWriter::create(&table.folder, &table.domain.name, Arc::clone(schema), options)?)
}

/// Which rows stand where in the next version.
struct Merge<'a> {
    domain: &'a str,
    schema: SchemaRef,
    present: Option<&'a Dataset>,
    incoming: &'a Incoming,
    /// For each category column: the merged dictionary, and the place in it of each number of the run.
    dictionaries: Vec<Dictionary>,
    /// The rows in their new order, by the batch they stand in.
    pieces: Vec<Piece>,
    adds_rows: bool,
}

/// Rows that stand together in one batch, of the present version or of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    batch: Batch,
    rows: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Batch {
    Present(usize),
    Incoming(usize),
}

impl<'a> Merge<'a> {
    fn plan(
        table: &'a Table,
        schema: SchemaRef,
        present: Option<&'a Dataset>,
        incoming: &'a Incoming,
    ) -> Result<Self, Error> {
        let mut order = Order::of(incoming);
        let mut claims = incoming.keys.claims();
        for index in 0..present.map_or(0, Dataset::batch_count) {
            let batch = present.map(|present| present.batch(index)).transpose()?;
            let Some(batch) = batch else { continue };
            let keys: &StringArray = batch.column(table.domain.key).as_string();
            for row in 0..keys.len() {
                match claims.claim(&key_hash(keys.value(row))) {
                    Some(replacement) => order.push_incoming(replacement),
                    None => order.push(Batch::Present(index), row),
                }
            }
        }
        let kept = order.rows;
        claims.unclaimed().for_each(|row| order.push_incoming(row));
        let Order { pieces, rows, .. } = order;
        if u32::try_from(rows).is_err() {
            return Err(too_many(table, rows as u64));
        }
        let domain = &table.domain.name;
        let dictionaries = dictionaries(present, incoming, domain)?;
        Ok(Self { domain, schema, present, incoming, dictionaries, pieces, adds_rows: rows > kept })
    }

    /// What the next version's manifest would name it.
    fn fingerprint(&self) -> Result<String, Error> {
        let mut digester = Digester::new(&self.schema)?;
        for batch in self.batches() {
            digester.update(&batch?)?;
        }
        let digest = digester.finish();
        Ok(fingerprint(&self.schema, digest.rows, digest.d))
    }

    /// The next version, batch by batch.
    fn batches(&self) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send {
        let mut pieces = Cut { pieces: self.pieces.iter().cloned(), rest: None };
        std::iter::from_fn(move || {
            let wanted = pieces.take(BATCH_ROWS);
            (!wanted.is_empty()).then(|| self.gather(&wanted))
        })
    }

    fn gather(&self, pieces: &[Piece]) -> Result<RecordBatch, Error> {
        let mut sources: Vec<Vec<ArrayRef>> = Vec::new();
        let mut places = HashMap::new();
        let mut spans = Vec::with_capacity(pieces.len());
        for Piece { batch, rows } in pieces {
            let place = *places.entry(*batch).or_insert(sources.len());
            if place == sources.len() {
                sources.push(self.columns(*batch)?);
            }
            spans.push((place, rows.clone()));
        }
        let columns = (0..self.schema.fields().len()).map(|column| {
            let parts: Vec<&ArrayRef> = sources.iter().map(|source| &source[column]).collect();
            self.finished(column, assemble(&parts, &spans)?)
        });
        columns
            .collect::<Result<Vec<_>, _>>()
            .and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns))
            .map_err(arrow_error(self.domain))
    }

    /// The columns of a batch, categories as numbers of the merged dictionaries.
    fn columns(&self, batch: Batch) -> Result<Vec<ArrayRef>, Error> {
        match (batch, self.present) {
            (Batch::Present(index), Some(present)) => {
                let batch = present.batch(index)?;
                let columns = batch.columns().iter().zip(&self.dictionaries);
                // The merged dictionary begins with the present one, so that these numbers hold.
                let numbers = |column: &ArrayRef| -> ArrayRef {
                    Arc::new(column.as_dictionary::<Int32Type>().keys().clone())
                };
                Ok(columns
                    .map(|(column, dictionary)| match dictionary {
                        Some(_) => numbers(column),
                        None => Arc::clone(column),
                    })
                    .collect())
            }
            (Batch::Present(_), None) => Ok(Vec::new()),
            (Batch::Incoming(index), _) => {
                let columns = self.incoming.batches[index].columns().iter().zip(&self.dictionaries);
                Ok(columns
                    .map(|(column, dictionary)| match dictionary {
                        Some((_, codes)) => renumber(column.as_primitive::<Int32Type>(), codes),
                        None => Arc::clone(column),
                    })
                    .collect())
            }
        }
    }

    fn finished(&self, column: usize, array: ArrayRef) -> Result<ArrayRef, ArrowError> {
        let Some((values, _)) = &self.dictionaries[column] else { return Ok(array) };
        let numbers: Int32Array = array.as_primitive::<Int32Type>().clone();
        Ok(Arc::new(DictionaryArray::try_new(numbers, Arc::clone(values) as ArrayRef)?))
    }
}

/// One array of the `spans` of several; copied range by range, not at all if one span is everything.
fn assemble(parts: &[&ArrayRef], spans: &[(usize, Range<usize>)]) -> Result<ArrayRef, ArrowError> {
    if let [(part, rows)] = spans {
        return Ok(parts[*part].slice(rows.start, rows.len()));
    }
    let data: Vec<_> = parts.iter().map(Array::to_data).collect();
    let rows = spans.iter().map(|(_, rows)| rows.len()).sum();
    let mut assembled =
        MutableArrayData::with_capacities(data.iter().collect(), false, Capacities::Array(rows));
    for (part, rows) in spans {
        assembled.try_extend(*part, rows.start, rows.end)?;
    }
    Ok(make_array(assembled.freeze()))
}

/// A category column's merged values, and the number there of each value of the run; nothing for other columns.
type Dictionary = Option<(Arc<StringArray>, Vec<i32>)>;

/// The present dictionaries, in their order, and behind them what the run brought.
fn dictionaries(
    present: Option<&Dataset>,
    incoming: &Incoming,
    domain: &str,
) -> Result<Vec<Dictionary>, Error> {
    let has_rows = |present: &&Dataset| present.batch_count() > 0;
    let first = present.filter(has_rows).map(|present| present.batch(0)).transpose()?;
    let merged = incoming.categories.iter().enumerate().map(|(column, brought)| {
        let Some(brought) = brought else { return Ok(None) };
        let mut merged = Categories::default();
        if let Some(first) = &first {
            let held = first.column(column).as_dictionary::<Int32Type>().values().as_string::<i32>();
            merged.codes_of((0..held.len()).map(|index| held.value(index))).map_err(arrow_error(domain))?;
        }
        let codes = merged.codes_of(brought.values()).map_err(arrow_error(domain))?;
        Ok(Some((Arc::new(merged.dictionary()), codes)))
    });
    merged.collect()
}

/// Builds the order of rows, neighbours joined.
struct Order {
    pieces: Vec<Piece>,
    rows: usize,
    /// The first row of each of the run's batches.
    starts: Vec<usize>,
}

impl Order {
    fn of(incoming: &Incoming) -> Self {
        let starts = incoming.batches.iter().scan(0, |next, batch| {
            let start = *next;
            *next += batch.num_rows();
            Some(start)
        });
        Self { starts: starts.collect(), pieces: Vec::new(), rows: 0 }
    }

    fn push_incoming(&mut self, row: u32) {
        let row = row as usize;
        let batch = self.starts.partition_point(|start| *start <= row) - 1;
        self.push(Batch::Incoming(batch), row - self.starts[batch]);
    }

    fn push(&mut self, batch: Batch, row: usize) {
        self.rows += 1;
        match self.pieces.last_mut() {
            Some(piece) if piece.batch == batch && piece.rows.end == row => piece.rows.end += 1,
            _ => self.pieces.push(Piece { batch, rows: row..row + 1 }),
        }
    }
}

/// Hands out pieces by numbers of rows.
struct Cut<I> {
    pieces: I,
    rest: Option<Piece>,
}

impl<I: Iterator<Item = Piece>> Cut<I> {
    fn take(&mut self, rows: usize) -> Vec<Piece> {
        let mut taken = Vec::new();
        let mut missing = rows;
        while missing > 0 {
            let Some(mut piece) = self.rest.take().or_else(|| self.pieces.next()) else { break };
            if piece.rows.len() > missing {
                let middle = piece.rows.start + missing;
                self.rest = Some(Piece { batch: piece.batch, rows: middle..piece.rows.end });
                piece.rows.end = middle;
            }
            missing -= piece.rows.len();
            taken.push(piece);
        }
        taken
    }
}
