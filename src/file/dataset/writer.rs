//! Writing a data set: Parquet, Arrow and digests of the same rows at the same time.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arrow_array::{Array as _, RecordBatch};
use arrow_schema::SchemaRef;

use super::{DatasetOptions, Only, place::Place};
use crate::{
    columnar::schema as convention,
    digest::{self, CHECKPOINT_ROWS, Digest, Digester, RowHasher, Summed},
    file::{
        Error, Manifest, SourceInfo,
        arrow_ipc::{ArrowSink, ArrowSource},
        atomic::{self, Synced},
        error::{self, Damage},
        ids::{IdsBuilder, Repeats},
        manifest::{self, FileInfo, Files, SessionMark},
        map::{Access, Contents},
        parquet::{ParquetOptions, ParquetSink, ParquetSource},
    },
};

/// Rows of a batch when a table is read again for its repeated keys.
const REREAD_ROWS: usize = 4_096;

/// Writes a data set. `finish` makes it visible; dropping the writer leaves nothing.
#[derive(Debug)]
pub struct DatasetWriter {
    place: Place,
    schema: SchemaRef,
    options: DatasetOptions,
    parquet: Option<ParquetSink>,
    arrow: Option<ArrowSink>,
    ids: Option<(usize, IdsBuilder)>,
    digester: Digester,
    rows: u64,
    /// Rows that came by `write_ahead` and are not in the Arrow file yet.
    ahead: u64,
    session: Option<SessionMark>,
}

/// Where the time of writing went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for the disk, for the slower of the two table files.
    pub waited: Duration,
}

struct Parts {
    files: Vec<(&'static str, Synced)>,
    repeats: Repeats,
}

impl DatasetWriter {
    /// Begins data set `name` in `folder`, which is made if it is missing.
    pub fn create(
        folder: &Path,
        name: &str,
        schema: SchemaRef,
        options: DatasetOptions,
    ) -> Result<Self, Error> {
        let place = Place::new(folder, name)?;
        atomic::create_folder(&place.folder)?;
        place.check_free(options.overwrite)?;
        place.sweep()?;
        let digester = Digester::new(&schema).map_err(digest_of(&place))?;
        let (parquet, arrow) = (parquet(&place, &schema, &options)?, arrow(&place, &schema, &options)?);
        let ids = convention::key_index(&schema)
            .map(|key| (key, IdsBuilder::new(&place.plain("ids"), &place.folder)));
        Ok(Self { place, schema, options, parquet, arrow, ids, digester, rows: 0, ahead: 0, session: None })
    }

    /// Refuses what `create` would refuse of a folder and a name, without making anything.
    pub fn check_place(folder: &Path, name: &str, overwrite: bool) -> Result<(), Error> {
        Place::new(folder, name)?.check_free(overwrite)
    }

    /// Says where the rows come from, if that was not known at the start.
    pub fn set_source(&mut self, source: SourceInfo) {
        self.options.source = Some(source);
    }

    /// Says which session brings the rows, if one does.
    #[must_use]
    pub fn of_session(self, session: Option<SessionMark>) -> Self {
        Self { session, ..self }
    }

    /// Removes what writers of data set `name` left in `folder` when they died.
    pub fn sweep(folder: &Path, name: &str) -> Result<(), Error> {
        Place::new(folder, name)?.sweep()
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The manifest that will be written.
    pub(super) fn path(&self) -> PathBuf {
        self.place.manifest()
    }

    /// Adds rows. After an error the writer can only be dropped.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.check(batch)?;
        let ahead = self.ahead.min(batch.num_rows() as u64);
        self.ahead -= ahead;
        let ahead = ahead as usize;
        self.write_parts(Some(batch), &batch.slice(ahead, batch.num_rows() - ahead), None)
    }

    /// Adds rows to everything but the Arrow file, which wants larger batches and whole dictionaries. The same rows must
    /// come again in the same order by `write`, which then gives them to the Arrow file alone. Who has the rows' sums gives
    /// them too, and they are not found again.
    pub fn write_ahead(&mut self, batch: &RecordBatch, summed: Option<&Summed>) -> Result<(), Error> {
        self.check(batch)?;
        self.ahead += batch.num_rows() as u64;
        self.write_parts(None, batch, summed)
    }

    /// `fresh` are the rows that did not come ahead.
    fn write_parts(
        &mut self,
        for_arrow: Option<&RecordBatch>,
        fresh: &RecordBatch,
        summed: Option<&Summed>,
    ) -> Result<(), Error> {
        self.rows += fresh.num_rows() as u64;
        let Self { parquet, arrow, ids, digester, options, place, schema, .. } = self;
        let fields = schema.fields();
        let (parquet, (arrow, rest)) = rayon::join(
            || parquet.as_mut().map_or(Ok(()), |parquet| parquet.write(fresh)),
            || {
                let arrow = || match (arrow, for_arrow) {
                    (Some(arrow), Some(batch)) => write_arrow(arrow, batch, options.batch_rows),
                    _ => Ok(()),
                };
                let rest = || {
                    let updated = match summed {
                        Some(summed) => digester.update_summed(fresh, summed),
                        None => digester.update(fresh),
                    };
                    updated.map_err(digest_of(place))?;
                    let Some((key, ids)) = ids else { return Ok(()) };
                    ids.add(fresh.column(*key), fields[*key].name())
                };
                rayon::join(arrow, rest)
            },
        );
        parquet.and(arrow).and(rest)
    }

    fn check(&self, batch: &RecordBatch) -> Result<(), Error> {
        let fields = self.schema.fields();
        let fits = fields.len() == batch.num_columns()
            && fields.iter().zip(batch.columns()).all(|(field, column)| {
                field.data_type() == column.data_type() && (field.is_nullable() || column.null_count() == 0)
            });
        if fits { Ok(()) } else { Err(Error::Schema { path: self.place.manifest() }) }
    }

    /// Makes the data set visible: the files first, the manifest last.
    pub fn finish(self) -> Result<Manifest, Error> {
        self.finish_timed().map(|(manifest, _)| manifest)
    }

    /// The same, and says where the time went.
    pub fn finish_timed(self) -> Result<(Manifest, Timings), Error> {
        let Self { place, schema, options, parquet, arrow, ids, digester, rows, ahead, session } = self;
        if ahead > 0 {
            return Err(error::damaged(
                place.plain("arrow"),
                Damage::Rows { expected: rows, found: rows - ahead },
            ));
        }
        let mut digest = digester.finish();
        let fingerprint = digest::fingerprint(&schema, digest.rows, digest.d);
        // Threads and not the pool's workers, because most of this is waiting for the disk.
        let (parquet, arrow, ids) = std::thread::scope(|scope| {
            let parquet = scope.spawn(|| parquet.map(|parquet| parquet.finish(&fingerprint)).transpose());
            let arrow = scope.spawn(|| arrow.map(|arrow| arrow.finish(&fingerprint)).transpose());
            let ids = ids.map(|(_, ids)| ids.finish(place.create("ids")?)).transpose();
            (parquet.join(), arrow.join(), ids)
        });
        let parts = Parts::of(ended(parquet)?, (ended(arrow)?, ids?));
        let timings = Timings { waited: parts.waited() };
        parts.supersede(&schema, &mut digest, &place)?;
        let manifest =
            Manifest { session, ..describe(&schema, options.source, &digest, fingerprint, &parts) };
        let manifest = place.publish(parts.files, manifest, options.overwrite)?;
        Ok((manifest, timings))
    }
}

/// A panic of a thread goes on in the one that waits for it.
fn ended<T>(joined: std::thread::Result<T>) -> T {
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn parquet(
    place: &Place,
    schema: &SchemaRef,
    options: &DatasetOptions,
) -> Result<Option<ParquetSink>, Error> {
    if options.only == Some(Only::Arrow) {
        return Ok(None);
    }
    let parquet = ParquetOptions {
        row_group_bytes: options.row_group_bytes,
        vector_encoding: options.vector_encoding,
        pandas_metadata: options.pandas_metadata.clone(),
        pandas_attrs: options.pandas_attrs.clone(),
    };
    ParquetSink::create(place.create("parquet")?, Arc::clone(schema), parquet).map(Some)
}

fn arrow(place: &Place, schema: &SchemaRef, options: &DatasetOptions) -> Result<Option<ArrowSink>, Error> {
    if options.only == Some(Only::Parquet) {
        return Ok(None);
    }
    ArrowSink::create(place.create("arrow")?, Arc::clone(schema)).map(Some)
}

fn write_arrow(arrow: &mut ArrowSink, batch: &RecordBatch, batch_rows: usize) -> Result<(), Error> {
    let batch_rows = batch_rows.max(1);
    let starts = (0..batch.num_rows()).step_by(batch_rows);
    starts
        .map(|start| batch.slice(start, batch_rows.min(batch.num_rows() - start)))
        .try_for_each(|batch| arrow.write(&batch))
}

fn digest_of(place: &Place) -> impl FnOnce(digest::Error) -> Error {
    let path = place.manifest();
    move |source| Error::Digest { path, source }
}

impl Parts {
    fn of(parquet: Option<Synced>, (arrow, ids): (Option<Synced>, Option<(Synced, Repeats)>)) -> Self {
        let (ids, repeats) = ids.map_or_else(Default::default, |(ids, repeats)| (Some(ids), repeats));
        let files = [("parquet", parquet), ("arrow", arrow), ("ids", ids)];
        let files = files.into_iter().filter_map(|(part, synced)| Some((part, synced?))).collect();
        Self { files, repeats }
    }

    fn find(&self, part: &str) -> Option<&Synced> {
        self.files.iter().find(|(name, _)| *name == part).map(|(_, synced)| synced)
    }

    fn waited(&self) -> Duration {
        self.files.iter().map(|(_, synced)| synced.waited).max().unwrap_or_default()
    }

    fn info(&self, part: &str) -> Option<FileInfo> {
        let synced = self.find(part)?;
        Some(FileInfo { size: synced.length, blake3: synced.blake3?.to_hex().to_string() })
    }

    /// Takes rows that a later row of the same key replaces out of the keyed sum. They are read again from the file just
    /// written: keys repeat too seldom to keep the hash of every row for it.
    fn supersede(&self, schema: &SchemaRef, digest: &mut Digest, place: &Place) -> Result<(), Error> {
        let mut superseded = self.repeats.superseded.iter().copied().peekable();
        if superseded.peek().is_none() {
            return Ok(());
        }
        let hasher = RowHasher::new(schema).map_err(digest_of(place))?;
        let mut row = 0;
        for batch in self.reread()? {
            let hash = |_, keyed| {
                if superseded.next_if_eq(&row).is_some() {
                    digest.supersede(keyed);
                }
                row += 1;
            };
            hasher.hash(&batch?, 0, hash).map_err(digest_of(place))?;
        }
        Ok(())
    }

    fn reread(&self) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, Error>>>, Error> {
        if let Some(arrow) = self.find("arrow") {
            return Ok(Box::new(ArrowSource::open(Contents::open(arrow.path(), Access::Map)?)?.batches()));
        }
        let Some(parquet) = self.find("parquet") else { return Ok(Box::new(std::iter::empty())) };
        let source = ParquetSource::open(Contents::open(parquet.path(), Access::Map)?)?;
        Ok(Box::new(source.batches(REREAD_ROWS, None)?))
    }
}

fn describe(
    schema: &SchemaRef,
    source: Option<SourceInfo>,
    digest: &Digest,
    fingerprint: String,
    parts: &Parts,
) -> Manifest {
    Manifest {
        format: manifest::FORMAT,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        generation: 0,
        domain: schema.metadata().get(convention::DOMAIN).cloned(),
        key: convention::key_index(schema).map(|key| schema.field(key).name().clone()),
        rows: digest.rows,
        repeated_keys: parts.repeats.superseded.len() as u64,
        schema: manifest::columns(schema),
        source,
        session: None,
        fingerprint,
        d: digest.d,
        k: digest.k,
        checkpoint_rows: CHECKPOINT_ROWS,
        checkpoints: digest.checkpoints.clone(),
        files: Files { parquet: parts.info("parquet"), arrow: parts.info("arrow"), ids: parts.info("ids") },
    }
}
