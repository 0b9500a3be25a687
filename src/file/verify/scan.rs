//! One pass over a table file: its digest, the hash of each row, and the keys in order. What grows with the rows goes on
//! in files without a name.

use std::{io, path::Path, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::Options;
use crate::{
    columnar::schema as convention,
    digest::{Digest, Digester},
    file::{
        Error,
        ahead::ahead,
        annex::Folder,
        arrow_ipc::ArrowSource,
        error,
        ids::{Ids, IdsBuilder},
        map::{Access, Contents},
        parquet::ParquetSource,
    },
    growing::{Growing, NoRoom},
};

/// Rows of a Parquet file that are read at a time.
const BATCH_ROWS: usize = 8_192;

/// Bytes of row hashes in the heap: half a million rows.
const HASHES_HEAP_BYTES: usize = 8 << 20;

/// A table file of either kind.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Parquet(ParquetSource),
    Arrow(ArrowSource),
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, Error>> + Send>;

impl Source {
    pub(super) fn open(part: &str, contents: Contents) -> Result<Self, Error> {
        if part == "parquet" {
            ParquetSource::open(contents).map(Self::Parquet)
        } else {
            ArrowSource::open(contents).map(Self::Arrow)
        }
    }

    /// What files of this kind end with.
    pub(super) fn part(&self) -> &'static str {
        match self {
            Self::Parquet(_) => "parquet",
            Self::Arrow(_) => "arrow",
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Parquet(source) => source.schema(),
            Self::Arrow(source) => source.schema(),
        }
    }

    pub(super) fn fingerprint(&self) -> Option<&str> {
        match self {
            Self::Parquet(source) => source.fingerprint(),
            Self::Arrow(source) => source.fingerprint(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Parquet(source) => source.contents().path(),
            Self::Arrow(source) => source.contents().path(),
        }
    }

    pub(super) fn recheck(&self) -> Result<(), Error> {
        match self {
            Self::Parquet(source) => source.recheck(),
            Self::Arrow(source) => source.recheck(),
        }
    }

    fn batches(&self) -> Result<Batches, Error> {
        Ok(match self {
            Self::Parquet(source) => Box::new(source.batches(BATCH_ROWS, None)?),
            Self::Arrow(source) => Box::new(source.batches()),
        })
    }

    /// Row `row`, alone in a batch; none behind the end.
    pub(super) fn row(&self, row: u64) -> Result<Option<RecordBatch>, Error> {
        if let Self::Arrow(source) = self {
            let place = source.locate(row);
            return place.map(|(batch, at)| Ok(source.batch(batch)?.slice(at, 1))).transpose();
        }
        let mut before = row;
        for batch in self.batches()? {
            let batch = batch?;
            match usize::try_from(before) {
                Ok(at) if at < batch.num_rows() => return Ok(Some(batch.slice(at, 1))),
                _ => before -= batch.num_rows() as u64,
            }
        }
        Ok(None)
    }
}

/// Some columns of a table, as they are to be compared.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// The form by which the rows are hashed.
    pub(super) schema: SchemaRef,
    /// The columns of the file; all of them if none are named.
    pub(super) columns: Option<Vec<usize>>,
    /// The column among them that is the key.
    pub(super) key: Option<usize>,
}

impl View {
    /// The whole table.
    pub(super) fn whole(schema: &SchemaRef) -> Self {
        Self { schema: Arc::clone(schema), columns: None, key: convention::key_index(schema) }
    }

    pub(super) fn of(&self, batch: RecordBatch, path: &Path) -> Result<RecordBatch, Error> {
        let Some(columns) = &self.columns else { return Ok(batch) };
        batch.project(columns).map_err(error::arrow(path))
    }

    pub(super) fn key_name(&self) -> Option<&str> {
        self.key.map(|key| self.schema.field(key).name().as_str())
    }
}

/// What one pass over a table found.
#[derive(Debug)]
pub(super) struct Scan {
    /// Its `k` counts the last row of each key.
    pub(super) digest: Digest,
    /// The hash of each row without its index.
    pub(super) hashes: Growing<u128>,
    /// The rows by key, if there is a key.
    pub(super) ids: Option<Ids>,
    /// Rows whose key a later row has again.
    pub(super) repeats: u64,
}

impl Scan {
    /// Reads all of `source`. Where that breaks off, what was read so far is given as well.
    pub(super) fn run(
        source: &Source,
        view: &View,
        options: &Options<'_>,
    ) -> Result<(Self, Option<Error>), Error> {
        let folder = &options.temporary_folder;
        let mut pass = Pass::new(&view.schema, source.path(), view.key, folder)?;
        let broken = ahead(source.batches()?, |batch| {
            let batch = view.of(batch?, source.path())?;
            pass.add(&batch)?;
            (options.progress)(batch.num_rows() as u64);
            Ok(())
        });
        source.recheck()?;
        Ok((pass.finish(folder)?, broken.err()))
    }

    fn supersede(&mut self) {
        let Some(ids) = &self.ids else { return };
        let mut last = None;
        for (key, row) in ids.iter() {
            if let Some((_, earlier)) = last.replace((key, row)).filter(|(last, _)| *last == key) {
                self.repeats += 1;
                self.digest.supersede(hash_at(&self.hashes, earlier));
            }
        }
    }

    /// The hash of row `row`, without its index.
    pub(super) fn hash(&self, row: u64) -> u128 {
        hash_at(&self.hashes, row)
    }
}

// An index made of the rows that were hashed names no others.
fn hash_at(hashes: &Growing<u128>, row: u64) -> u128 {
    hashes.get(row as usize).copied().unwrap_or(0)
}

struct Pass {
    digester: Digester,
    hashes: Growing<u128>,
    ids: Option<(usize, String, IdsBuilder)>,
    path: std::path::PathBuf,
}

impl Pass {
    fn new(schema: &Schema, path: &Path, key: Option<usize>, folder: &Path) -> Result<Self, Error> {
        let ids = key.map(|key| (key, schema.field(key).name().clone(), IdsBuilder::new(path, folder)));
        Ok(Self {
            digester: Digester::new(schema).map_err(digest_of(path))?,
            hashes: Growing::on(Some(Arc::new(Folder::new(folder))), HASHES_HEAP_BYTES),
            ids,
            path: path.to_owned(),
        })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let Self { digester, hashes, ids, path } = self;
        let (hashed, indexed) = rayon::join(
            || digester.update_with_hashes(batch).map_err(digest_of(path)),
            || ids.as_mut().map_or(Ok(()), |(key, name, ids)| ids.add(batch.column(*key), name)),
        );
        let hashed = hashed?;
        indexed?;
        hashed.into_iter().try_for_each(|hash| hashes.push(hash)).map_err(|no_room| full(path, no_room))
    }

    fn finish(self, folder: &Path) -> Result<Scan, Error> {
        let ids = self.ids.map(|(_, _, ids)| Ids::open(ids.finish_unnamed(folder, Access::Map)?));
        let mut scan =
            Scan { digest: self.digester.finish(), hashes: self.hashes, ids: ids.transpose()?, repeats: 0 };
        scan.supersede();
        Ok(scan)
    }
}

fn full(path: &Path, no_room: NoRoom) -> Error {
    error::io(path, "sort")(io::Error::from_raw_os_error(no_room.os_error))
}

fn digest_of(path: &Path) -> impl FnOnce(crate::digest::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Digest { path, source }
}
