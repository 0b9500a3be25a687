//! The store in a folder: each table is a data set `STORE/<domain>`, each version of it a generation of that data set.
//!
//! A run is held in memory while the store's bound allows, then spooled to an unlinked temporary file beside the tables:
//! a run that is dropped, or a process that dies, leaves nothing. The first run into a table is also written ahead as the
//! version it may become (`draft`), under temporary names: a dropped run removes them, and those of a process that died go
//! when the store is opened again. What always stays in memory is 16 bytes of key and a
//! row number for each row. At its end the run is merged with the table's present version and written as a new data set, whose
//! manifest is the commit.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{Error, Provenance, Run, Sessions, Store};
use crate::{
    columnar::schema as conventions,
    file::{self, Dataset, DatasetWriter},
    limits::server::SPOOL_MEMORY_BYTES,
    schema::{self, Domain},
};

mod draft;
mod keys;
mod memory;
mod merge;
mod run;
mod sessions;
mod spool;

use draft::Drafting;
use memory::Memory;
use run::TableRun;

/// The file by whose lock a process holds the store.
const LOCK: &str = ".lock";

/// What is written to see whether the disk takes it, and how much.
const PROBE: &str = ".probe";
const PROBE_BYTES: usize = 64 << 10;

/// Tables as data sets in one folder, which one process holds at a time.
#[derive(Debug)]
pub struct ParquetStore {
    folder: PathBuf,
    tables: Mutex<HashMap<String, Arc<Table>>>,
    memory: Arc<Memory>,
    book: sessions::Book,
    pace: sessions::Pace,
    /// Held for as long as the store is open; the kernel lets go of it when the process ends, however it ends.
    _lock: File,
}

/// Notes a publication outside the table.
type Note = Box<dyn Fn() -> Result<(), Error> + Send>;

/// One table, and the turn of those who publish to it.
struct Table {
    folder: PathBuf,
    domain: &'static Domain,
    publishing: Mutex<()>,
    /// What was published and could not be noted where it belongs; nobody else publishes before it is.
    unsettled: Mutex<Option<Note>>,
    drafting: Drafting,
    memory: Arc<Memory>,
}

impl ParquetStore {
    /// Opens the store in `folder`, making it if need be.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_with(folder, SPOOL_MEMORY_BYTES)
    }

    /// The same, with runs that hold at most `memory_bytes` together before they go to the disk.
    pub fn open_with(folder: &Path, memory_bytes: usize) -> Result<Self, Error> {
        file::atomic::create_folder(folder)?;
        let lock = lock(folder)?;
        // What the runs of a process that died had begun.
        schema::builtin().iter().try_for_each(|domain| DatasetWriter::sweep(folder, &domain.name))?;
        let memory = Memory::new(memory_bytes);
        let (tables, book) = (Mutex::default(), sessions::Book::default());
        let (folder, pace) = (folder.to_owned(), sessions::Pace::default());
        let store = Self { folder, tables, memory, book, pace, _lock: lock };
        store.recover_sessions()?;
        Ok(store)
    }

    fn table(&self, domain: &'static Domain) -> Arc<Table> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let table = tables.entry(domain.name.clone()).or_insert_with(|| {
            let (folder, memory) = (self.folder.clone(), Arc::clone(&self.memory));
            let (publishing, unsettled, drafting) = (Mutex::new(()), Mutex::default(), Drafting::default());
            Arc::new(Table { folder, domain, publishing, unsettled, drafting, memory })
        });
        Arc::clone(table)
    }
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let failed = |source: io::Error| Error::Io { path: path.clone(), source };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(Error::InUse(folder.to_owned())),
        Err(errno) => Err(failed(errno.into())),
    }
}

impl Store for ParquetStore {
    fn probe(&self) -> Result<(), Error> {
        let mut file = file::AtomicFile::create(&self.folder, PROBE)?;
        let written = file.write_all(&vec![0; PROBE_BYTES]);
        written.map_err(|source| Error::Io { path: self.folder.join(PROBE), source })?;
        // Never published: dropping it takes it away again.
        file.sync().map(drop)?;
        Ok(())
    }

    fn begin(
        &self,
        domain: &'static Domain,
        dimension: usize,
        provenance: Provenance,
    ) -> Result<Box<dyn Run>, Error> {
        let table = self.table(domain);
        // A run that can never be merged is refused before it sends a gigabyte.
        let present = table.present(dimension)?;
        Ok(Box::new(TableRun::begin(table, dimension, provenance, present.is_none())?))
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("domain", &self.domain.name).finish_non_exhaustive()
    }
}

impl Table {
    /// Notes what was published and not yet noted; only for whoever has the turn to publish.
    fn settle(&self) -> Result<(), Error> {
        let mut unsettled = self.unsettled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(note) = &*unsettled {
            note()?;
        }
        *unsettled = None;
        Ok(())
    }

    /// The present version, if there is one; it must hold vectors of `dimension`.
    fn present(&self, dimension: usize) -> Result<Option<Dataset>, Error> {
        let path = self.folder.join(&self.domain.name);
        let present = match Dataset::open(&path) {
            Ok(present) => present,
            Err(file::Error::NoDataset { .. } | file::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        self.check_columns(&present, dimension)?;
        Ok(Some(present))
    }

    fn check_columns(&self, present: &Dataset, dimension: usize) -> Result<(), Error> {
        let domain = self.domain.name.clone();
        let held = present.schema();
        let brought = conventions::of_domain(self.domain, dimension);
        let vector = |index: usize| conventions::dimension(held.field(index).data_type());
        match conventions::vector_index(held).and_then(vector) {
            Some(held) if held != dimension => {
                return Err(Error::OtherDimension { domain, held, brought: dimension });
            }
            _ => {}
        }
        let differs = brought.fields().iter().enumerate().find(|(index, field)| {
            held.fields()
                .get(*index)
                .is_none_or(|held| held.name() != field.name() || held.data_type() != field.data_type())
        });
        match differs {
            Some((_, field)) => Err(Error::OtherColumns { domain, column: field.name().clone() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
