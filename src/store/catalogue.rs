//! Tables that are served: data sets found once, opened again when they are replaced, read by ranges of rows.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use arrow_select::concat::concat_batches;

use super::Error;
use crate::{
    digest::Prefixes,
    file::{Dataset, Identity},
    schema::{self, Domain},
};

/// The tables under a few places, one of each domain.
#[derive(Debug)]
pub struct Catalogue {
    tables: Vec<Served>,
    /// Data sets that follow no domain: no contract carries them.
    others: Vec<PathBuf>,
}

/// A table that is served.
#[derive(Debug)]
pub struct Served {
    place: PathBuf,
    domain: &'static Domain,
    current: Mutex<(Identity, Dataset)>,
}

/// A table as it was when it was asked for.
#[derive(Debug, Clone)]
pub struct Snapshot {
    dataset: Dataset,
    domain: &'static Domain,
}

/// Reads a snapshot by ranges of rows. Batches hold many of them, so the last one is kept.
#[derive(Debug)]
pub struct Cursor {
    snapshot: Snapshot,
    last: Mutex<Option<(usize, RecordBatch)>>,
}

// === impl Catalogue ===

impl Catalogue {
    /// Opens `DIR/NAME`, or every data set of a folder, for each of `places`.
    pub fn open(places: &[PathBuf]) -> Result<Self, Error> {
        let mut catalogue = Self { tables: Vec::new(), others: Vec::new() };
        for place in places {
            for name in names(place)? {
                catalogue.add(&name)?;
            }
        }
        let Self { tables, others } = &catalogue;
        if tables.is_empty() {
            let places = if others.is_empty() { places } else { others };
            return Err(Error::NothingToServe { places: places.to_vec() });
        }
        Ok(catalogue)
    }

    fn add(&mut self, place: &Path) -> Result<(), Error> {
        // Before the data set: one that is replaced in between is opened again.
        let identity = Dataset::open(place)?.identity()?;
        let dataset = Dataset::open(place)?;
        let domain = dataset.manifest().domain.as_deref().and_then(schema::find);
        let Some(domain) = domain else {
            self.others.push(place.to_owned());
            return Ok(());
        };
        if let Some(first) = self.table(&domain.name) {
            let domain = domain.name.clone();
            return Err(Error::TwoTables { domain, first: first.place.clone(), second: place.to_owned() });
        }
        dataset.arrow()?;
        let current = Mutex::new((identity, dataset));
        self.tables.push(Served { place: place.to_owned(), domain, current });
        Ok(())
    }

    /// The tables.
    pub fn tables(&self) -> &[Served] {
        &self.tables
    }

    /// Data sets that were found and are not served.
    pub fn others(&self) -> &[PathBuf] {
        &self.others
    }

    /// The table of the domain with this name or alias.
    pub fn table(&self, domain: &str) -> Option<&Served> {
        self.tables.iter().find(|table| table.domain.is_called(domain))
    }
}

/// The data sets that `place` means.
fn names(place: &Path) -> Result<Vec<PathBuf>, Error> {
    if place.is_dir() {
        let names = Dataset::list(place)?;
        if !names.is_empty() {
            return Ok(names.iter().map(|name| place.join(name)).collect());
        }
    }
    Ok(vec![place.to_owned()])
}

// === impl Served ===

impl Served {
    /// The domain of its rows.
    pub fn domain(&self) -> &'static Domain {
        self.domain
    }

    /// Where it stands.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The table as it is now: what was opened before, unless it was replaced or is gone.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let identity = current.1.identity()?;
            if identity != current.0 || present(&current.1).is_err() {
                // Replaced; or its files have got their plain names since; or were touched.
                *current = (identity, Dataset::open(&self.place)?);
            }
            let present = present(&current.1);
            if present.is_ok() || current.1.identity()? == current.0 {
                present?;
                return Ok(Snapshot { dataset: current.1.clone(), domain: self.domain });
            }
        }
    }
}

fn present(dataset: &Dataset) -> Result<(), crate::file::Error> {
    dataset.recheck().and_then(|()| dataset.check_present())
}

// === impl Snapshot ===

impl Snapshot {
    /// The domain of its rows.
    pub fn domain(&self) -> &'static Domain {
        self.domain
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.dataset.rows()
    }

    /// The Arrow schema.
    pub fn schema(&self) -> &Schema {
        self.dataset.schema()
    }

    /// Identity of the rows.
    pub fn fingerprint(&self) -> &str {
        &self.dataset.manifest().fingerprint
    }

    /// Digests of its first rows, as far as they are known.
    pub fn prefixes(&self) -> Prefixes {
        let manifest = self.dataset.manifest();
        Prefixes::new(manifest.checkpoint_rows, &manifest.checkpoints, manifest.rows, manifest.d)
    }

    /// The first and the last row of `key`.
    pub fn rows_of(&self, key: &str) -> Result<Option<(u64, u64)>, Error> {
        Ok(self.dataset.first_row_of(key)?.zip(self.dataset.row_of(key)?))
    }

    /// Reads it.
    pub fn cursor(&self) -> Cursor {
        Cursor { snapshot: self.clone(), last: Mutex::default() }
    }
}

// === impl Cursor ===

impl Cursor {
    /// What is read.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// `rows` of the table, of which there are so many: a slice of a batch, or copied together from several.
    pub fn slice(&self, rows: Range<u64>) -> Result<RecordBatch, Error> {
        let dataset = &self.snapshot.dataset;
        let (mut parts, mut next) = (Vec::new(), rows.start);
        while let Some((index, skipped)) = dataset.locate(next).filter(|_| next < rows.end) {
            let batch = self.batch(index)?;
            let missing = usize::try_from(rows.end - next).unwrap_or(usize::MAX);
            let length = (batch.num_rows() - skipped).min(missing);
            parts.push(batch.slice(skipped, length));
            next += length as u64;
        }
        if let [part] = parts.as_slice() {
            return Ok(part.clone());
        }
        let joined = concat_batches(dataset.schema(), &parts);
        joined.map_err(|source| Error::Arrow { domain: self.snapshot.domain.name.clone(), source })
    }

    fn batch(&self, index: usize) -> Result<RecordBatch, Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, batch)) = last.as_ref().filter(|(kept, _)| *kept == index) {
            return Ok(batch.clone());
        }
        let dataset = &self.snapshot.dataset;
        dataset.recheck()?;
        let batch = dataset.batch(index)?;
        *last = Some((index, batch.clone()));
        Ok(batch)
    }
}
