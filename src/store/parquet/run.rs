//! A run into one table: spooled while it lasts, merged at its end.

use std::sync::{Arc, PoisonError};

use arrow_array::{Array, RecordBatch, StringArray, cast::AsArray as _};
use arrow_schema::SchemaRef;

use super::{
    super::{Error, Provenance, Published, Run},
    Table,
    draft::Draft,
    keys::Keys,
    merge::{self, Incoming},
    spool::{Spool, arrow_error},
};
use crate::{
    columnar::schema as conventions,
    digest::{Summed, key_hash},
    file::{
        categories::{Categories, numbered_schema},
        manifest::SessionMark,
    },
    schema::Domain,
};

/// Rows on their way into a table.
pub(super) struct TableRun {
    table: Arc<Table>,
    dimension: usize,
    provenance: Provenance,
    schema: SchemaRef,
    spool_schema: SchemaRef,
    /// One for each category column.
    categories: Vec<Option<Categories>>,
    keys: Keys,
    spool: Spool,
    /// The version that this run is as long as nothing has to be merged.
    draft: Option<Draft>,
    rows: u32,
}

impl TableRun {
    /// A run into `table`, which is `empty` or not as far as one can know before the run ends.
    pub(super) fn begin(
        table: Arc<Table>,
        dimension: usize,
        provenance: Provenance,
        empty: bool,
    ) -> Result<Self, Error> {
        let schema = conventions::of_domain(table.domain, dimension);
        let spool_schema = numbered_schema(&schema);
        let spool = Spool::new(&table.folder, &spool_schema, &table.memory);
        let categories = Categories::of_schema(&schema);
        let keys = Keys::default();
        let draft = if empty { Draft::begin(&table, &schema, &provenance)? } else { None };
        Ok(Self {
            table,
            dimension,
            provenance,
            schema,
            spool_schema,
            categories,
            keys,
            spool,
            draft,
            rows: 0,
        })
    }

    fn check_columns(&self, batch: &RecordBatch) -> Result<(), Error> {
        let fields = self.schema.fields().iter().enumerate();
        for (index, field) in fields {
            let brought = batch.columns().get(index).map(Array::data_type);
            if brought != Some(field.data_type()) {
                let domain = self.table.domain.name.clone();
                return Err(Error::OtherColumns { domain, column: field.name().clone() });
            }
        }
        Ok(())
    }

    fn count(&self, batch: &RecordBatch) -> Result<u32, Error> {
        let rows = u64::from(self.rows) + batch.num_rows() as u64;
        u32::try_from(rows).map_err(|_| too_many(&self.table, rows))
    }

    /// Whether all keys are new to the run.
    fn index_keys(&mut self, batch: &RecordBatch) -> Result<bool, Error> {
        let mut all_new = true;
        let column = self.table.domain.key;
        let keys: &StringArray = batch.column(column).as_string();
        check_keys(self.table.domain, batch, u64::from(self.rows))?;
        for (row, index) in (self.rows..).zip(0..keys.len()) {
            all_new &= self.keys.insert(key_hash(keys.value(index)), row);
        }
        Ok(all_new)
    }

    /// The batch with numbers in place of categories.
    fn numbered(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let columns = batch.columns().iter().zip(&mut self.categories);
        let numbered = columns.map(|(column, categories)| match categories {
            Some(categories) => categories.encode(column),
            None => Ok(Arc::clone(column)),
        });
        numbered
            .collect::<Result<Vec<_>, _>>()
            .and_then(|columns| RecordBatch::try_new(Arc::clone(&self.spool_schema), columns))
            .map_err(arrow_error(&self.table.domain.name))
    }
}

impl Run for TableRun {
    fn append(&mut self, batch: RecordBatch) -> Result<(), Error> {
        self.append_summed(&batch, None)
    }

    fn skip(&mut self, _: u64) {
        debug_assert!(false, "a table needs the rows");
    }

    fn finish(self: Box<Self>) -> Result<Published, Error> {
        self.publish(None, |_| Ok(()))
    }
}

impl TableRun {
    /// Takes the next rows. Who has their sums gives them too, and they are not found again.
    pub(super) fn append_summed(
        &mut self,
        batch: &RecordBatch,
        summed: Option<&Summed>,
    ) -> Result<(), Error> {
        self.check_columns(batch)?;
        let rows = self.count(batch)?;
        if !self.index_keys(batch)? {
            self.draft = None;
        }
        self.draft.as_mut().map_or(Ok(()), |draft| draft.write(batch, summed))?;
        let numbered = self.numbered(batch)?;
        self.spool.write(numbered)?;
        self.rows = rows;
        Ok(())
    }

    /// Merges the rows into the table in the name of a session and notes that, before anybody else publishes.
    pub(super) fn publish(
        self,
        mark: Option<SessionMark>,
        note: impl Fn(&Published) -> Result<(), Error> + Send + 'static,
    ) -> Result<Published, Error> {
        let Self { table, dimension, provenance, schema, categories, keys, spool, draft, rows, .. } = self;
        let (batches, _memory) = spool.into_batches()?;
        let incoming = Incoming { batches, categories, keys };
        // A run that panicked while it published left the table as it was.
        let _turn = table.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        table.settle()?;
        let present = table.present(dimension)?;
        // What another run published meanwhile makes a merge of this one.
        let draft = draft.filter(|_| present.is_none());
        let outcome = merge::publish(&table, schema, present.as_ref(), &incoming, |schema| {
            match draft {
                Some(draft) => Ok(draft.into_writer()),
                None => merge::create(&table, schema, &provenance),
            }
            .map(|writer| writer.of_session(mark))
        })?;
        let merge::Outcome { version, changed, table_rows } = outcome;
        let published = Published { version, changed, table_rows, run_rows: u64::from(rows) };
        if let Err(error) = note(&published) {
            let again = published.clone();
            *table.unsettled.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Box::new(move || note(&again)));
            return Err(error);
        }
        Ok(published)
    }
}

/// Refuses rows without a key; the batch's first row is row `first_row` of the run.
pub(super) fn check_keys(domain: &Domain, batch: &RecordBatch, first_row: u64) -> Result<(), Error> {
    let keys: &StringArray = batch.column(domain.key).as_string();
    let bad = (0..keys.len()).find(|index| keys.is_null(*index) || keys.value(*index).is_empty());
    let column = || domain.columns[domain.key].field.clone();
    bad.map_or(Ok(()), |index| Err(Error::BadKey { row: first_row + index as u64, column: column() }))
}

pub(super) fn too_many(table: &Table, rows: u64) -> Error {
    Error::TooManyRows { domain: table.domain.name.clone(), rows, limit: u64::from(u32::MAX) }
}
