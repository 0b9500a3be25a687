//! Pickles on disk: the one place where the reader meets input and output.
//!
//! One thread decodes the next rows while another writes the last ones; the source's digest is computed meanwhile, and the
//! memory of a batch goes back to the decoder once it is written.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::RecordBatch;

use super::{
    AtomicFile, DatasetOptions, DatasetWriter, Error, Manifest, Only, SourceInfo, Timings,
    ahead::ahead,
    annex, error,
    generate::{self, Generate, IdGenerator},
    parquet::{ParquetOptions, ParquetSink},
    spool::{Input, called, open_input},
};
use crate::{
    columnar::schema as convention,
    columnar::{
        Attrs, BadRow, Converted, Mixed, OnBadRow, Sieve, Table, Vectors, pandas_metadata, rejected_batch,
        rejected_schema,
    },
    growing::NoRoom,
    limits::Limits,
    pandas::{Found, Frame, Member, tables},
    pickle::{self, Graph, UnknownGlobals},
    schema::{Domain, builtin},
};

/// Rows that are decoded at a time: vectors of 384 elements are 12 MiB of them. Whole thousands, because a batch becomes
/// chunks of 1,000 or 500 rows on the wire and a checkpoint of the digest stands at every 1,000.
const BATCH_ROWS: usize = 8_000;
/// Bytes of vectors decoded at a time at most.
const BATCH_BYTES: usize = 16 << 20;
/// Bytes of text converted at a time at most.
const BATCH_TEXT_BYTES: usize = 16 << 20;

/// How the entries of `DataFrame.attrs` are announced that are left out.
pub const LOST_ATTRS: &str = "attrs that cannot be kept as JSON, left out";

/// Which schema a table gets.
#[derive(Debug, Clone, Default)]
pub enum Choice {
    /// That of the first built-in domain all of whose columns are there; else by what the cells are.
    #[default]
    Matching,
    /// By what the cells are.
    Inferred,
    /// This one.
    Domain(Arc<Domain>),
}

/// How pickles are converted.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which schema the tables get.
    pub choice: Choice,
    /// The element type of vectors without a schema.
    pub vectors: Vectors,
    /// What becomes of columns of mixed kinds.
    pub mixed: Mixed,
    /// What becomes of bad rows.
    pub on_bad_row: OnBadRow,
    /// How many bad rows there may be.
    pub bad_rows_max: Option<u64>,
    /// How ids are made for tables that have none; they must have none then.
    pub generate_ids: Option<Generate>,
    /// Name of the data set instead of the file's stem.
    pub name: Option<String>,
    /// The one member to convert, by its path.
    pub select: Option<String>,
    /// Whether a member that is no table is an error.
    pub strict: bool,
    /// Where compressed input is unpacked; the output folder if it is not said.
    pub temporary_folder: Option<PathBuf>,
    /// Data sets that other inputs of the same run have become, which no table may replace.
    pub written: HashSet<String>,
    /// How the data set is written.
    pub dataset: DatasetOptions,
    /// Bounds of reading.
    pub limits: Limits,
}

/// What became of one pickle.
#[derive(Debug)]
pub struct Report {
    /// The data sets.
    pub tables: Vec<TableReport>,
    /// Members that are no table: path and reason.
    pub skipped: Vec<(String, String)>,
    /// Bytes of the file.
    pub source_bytes: u64,
    /// Bytes after the pickle's end, which belong to no value.
    pub trailing_bytes: u64,
}

/// What became of one table.
#[derive(Debug)]
pub struct TableReport {
    /// Name of the data set.
    pub name: String,
    /// What it holds.
    pub manifest: Manifest,
    /// Rows left out because they are bad.
    pub bad_rows: u64,
    /// The file that lists them, under quarantine.
    pub rejected: Option<PathBuf>,
    /// Columns of the source that the domain does not take.
    pub ignored: Vec<String>,
    /// Entries of `DataFrame.attrs` that are left out, with the reason.
    pub lost_attrs: Vec<String>,
    /// The key column that was made, and the version of its UUIDs.
    pub made_ids: Option<(String, u8)>,
    /// Values rounded to 32 bits.
    pub rounded: u64,
    /// Elements of each vector, if the table has any.
    pub dimension: Option<usize>,
    /// Missing values, by column.
    pub nulls: Vec<(String, u64)>,
    /// Where the time of the last step went.
    pub timings: Timings,
}

/// Converts the pickle at `path` into data sets in `folder`. `progress` hears of rows done and rows in all.
///
/// Waits for threads that work in the rayon pool: call it from a thread outside the pool, or all may wait for each other.
pub fn convert(
    path: &Path,
    folder: &Path,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Error> {
    super::atomic::create_folder(folder)?;
    let temporary = options.temporary_folder.as_deref().unwrap_or(folder);
    let input = open_input(path, temporary, &options.limits.unpacking)?;
    let path = called(path);
    let source = SourceInfo { file_name: file_name(path), size: input.source_bytes(), blake3: None };
    std::thread::scope(|scope| {
        let digest = scope.spawn(|| input.source_blake3());
        let refused = |source: pickle::Error| match source.kind() {
            pickle::ErrorKind::NoRoom(full) => no_room(temporary, *full),
            _ => Error::Pickle { path: path.to_owned(), source },
        };
        let ground = Some(Arc::new(annex::Folder::new(temporary)) as _);
        let graph = input.graph(&options.limits, UnknownGlobals::Keep, ground).map_err(refused)?;
        let found = tables(&graph, &options.limits).map_err(refused)?;
        let mut digest = Some(digest);
        let mut report = Report {
            tables: Vec::new(),
            skipped: Vec::new(),
            source_bytes: source.size,
            trailing_bytes: graph.trailing_bytes(),
        };
        let members = Members::of(found, path, options)?;
        report.skipped = members.skipped;
        let mut known = source;
        let mut names = Names::new(options.name.clone().unwrap_or_else(|| data_set_name(path)));
        let mut first_unread = None;
        for (member, found) in members.tables {
            let name = names.of_member(&member);
            let job = Job { path, member: &member, folder, name, options, input: &input, graph: &graph };
            let source = || {
                if let Some(digest) = digest.take() {
                    known.blake3 = digest.join().ok().map(|hash| hash.to_hex().to_string());
                }
                known.clone()
            };
            match job.run(found, source, progress) {
                Ok(table) => report.tables.push(table),
                Err(error) => {
                    first_unread = first_unread.or(Some(unread(&mut report, &member, error, options)?));
                }
            }
        }
        match first_unread {
            Some(error) if report.tables.is_empty() => Err(error),
            _ => Ok(report),
        }
    })
}

/// Lists a member of a container that turns out unreadable, so that the others are converted; what is wrong with the
/// whole file, or with the disk, or with a file that must be whole, ends everything.
fn unread(report: &mut Report, member: &str, error: Error, options: &Options) -> Result<Error, Error> {
    let of_member = matches!(error, Error::Pandas { .. } | Error::Columnar { .. });
    if !of_member || member.is_empty() || options.strict || options.select.is_some() {
        return Err(error);
    }
    report.skipped.push((member.to_owned(), chain(&error)));
    Ok(error)
}

/// What is wrong below the file: an error's causes, outermost first, without those that the one above says already.
pub(super) fn chain(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let mut told: Vec<String> = Vec::new();
    for cause in causes.map(ToString::to_string) {
        if !told.last().is_some_and(|above| above.contains(&cause)) {
            told.push(cause);
        }
    }
    told.join(": ")
}

/// The members of a pickle: tables, and what is none with the reason.
struct Members {
    tables: Vec<(String, Found)>,
    skipped: Vec<(String, String)>,
}

impl Members {
    /// A pickle without any table is an error; so is a member that is none, if all must be.
    fn of(found: Vec<Member>, path: &Path, options: &Options) -> Result<Self, Error> {
        let mut members = Self { tables: Vec::new(), skipped: Vec::new() };
        for Member { path, found } in selected(found, path, options)? {
            match found {
                Ok(found) => members.tables.push((path, found)),
                Err(reason) => members.skipped.push((path, reason)),
            }
        }
        match members.skipped.first() {
            Some((member, reason)) if options.strict || members.tables.is_empty() => {
                let (member, reason) = (member.clone(), reason.clone());
                Err(Error::NoTable { path: path.to_owned(), member, reason })
            }
            _ => Ok(members),
        }
    }
}

/// The member that is asked for, or all of them.
fn selected(found: Vec<Member>, path: &Path, options: &Options) -> Result<Vec<Member>, Error> {
    let Some(wanted) = &options.select else { return Ok(found) };
    let present: Vec<String> = found.iter().map(|member| member.path.clone()).collect();
    let taken: Vec<Member> = found.into_iter().filter(|member| member.path == *wanted).collect();
    if taken.is_empty() {
        let wanted = wanted.clone();
        return Err(Error::NoMember { path: path.to_owned(), wanted, present });
    }
    Ok(taken)
}

/// Gives data sets names that can be file names, each its own.
struct Names {
    stem: String,
    taken: HashSet<String>,
}

impl Names {
    fn new(stem: String) -> Self {
        Self { stem, taken: HashSet::new() }
    }

    fn of_member(&mut self, member: &str) -> String {
        let wanted = match member {
            "" => self.stem.clone(),
            // A data set beside which another is written uses names that end like this.
            _ if is_generation(member) => format!("{}.{}_", self.stem, file_safe(member)),
            _ => format!("{}.{}", self.stem, file_safe(member)),
        };
        let numbered = (2_u32..).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        let free = names.find(|name| !self.taken.contains(name)).unwrap_or(wanted);
        self.taken.insert(free.clone());
        free
    }
}

/// Bytes of a member's path in a file name: names of files end at 255 bytes on common systems.
const MEMBER_BYTES_MAX: usize = 120;

fn is_generation(member: &str) -> bool {
    let last = member.rsplit('.').next().unwrap_or_default();
    last.strip_prefix('g')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A member's path with everything replaced that a file name had better not hold.
fn file_safe(member: &str) -> String {
    let mut safe = String::new();
    for letter in member.chars() {
        let plain = letter.is_alphanumeric() || "-_.".contains(letter);
        let letter = if plain { letter } else { '_' };
        if safe.len() + letter.len_utf8() > MEMBER_BYTES_MAX {
            break;
        }
        safe.push(letter);
    }
    safe
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a data set is called that is made of `path`, unless it is told: the file's name without its extensions, `recruit`
/// for `recruit.pkl.gz`.
pub fn data_set_name(path: &Path) -> String {
    const PACKED: [&str; 9] = [".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".lzma", ".lz4", ".z"];
    const PICKLE: [&str; 6] = [".pkl", ".pickle", ".p", ".joblib", ".npy", ".npz"];
    let name = file_name(path);
    let mut bare = name.as_str();
    while let Some(outer) = without(bare, &PACKED) {
        bare = outer;
    }
    without(bare, &PICKLE).unwrap_or(bare).to_owned()
}

/// The name without one of these extensions; a name that is nothing else keeps it.
fn without<'a>(name: &'a str, extensions: &[&str]) -> Option<&'a str> {
    let stem = extensions.iter().find_map(|extension| name.strip_suffix(extension));
    stem.filter(|stem| !stem.is_empty())
}

/// One table on its way to its data set.
struct Job<'a> {
    path: &'a Path,
    member: &'a str,
    folder: &'a Path,
    name: String,
    options: &'a Options,
    input: &'a Input,
    graph: &'a Graph<'a>,
}

impl Job<'_> {
    fn run(
        self,
        found: Found,
        source: impl FnOnce() -> SourceInfo,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<TableReport, Error> {
        let frame = found.parse(self.graph, &self.options.limits);
        let frame = frame.map_err(|source| Error::Pandas {
            path: self.path.to_owned(),
            member: self.member.to_owned(),
            source,
        })?;
        let table = table_of(&frame, self.options).map_err(self.columnar())?;
        let attrs = Attrs::of(&frame);
        let dataset = DatasetOptions {
            pandas_metadata: Some(pandas_metadata(&frame, &table, &attrs)),
            pandas_attrs: attrs.json.clone(),
            ..self.options.dataset.clone()
        };
        if self.options.written.contains(&self.name) {
            return Err(Error::WrittenBefore { path: self.path.to_owned(), name: self.name });
        }
        let mut writer = DatasetWriter::create(self.folder, &self.name, Arc::clone(table.schema()), dataset)?;
        let mut generator = IdGenerator::new(self.options.generate_ids, &table, self.graph.ground())
            .map_err(self.unmade())?;
        let mut sieve = self.sieve(&table);
        let mut nulls = vec![0; table.schema().fields().len()];
        let mut rejected = Rejected::new(&self);
        let (mut done, mut last) = (0, None);
        ahead(decoded(&table), |(first, converted)| {
            let converted = converted.map_err(self.columnar())?;
            let rows = converted.batch.num_rows() as u64;
            let sifted = sieve.sift(first, converted).map_err(self.columnar())?;
            rejected.write(&sifted.bad)?;
            self.input.recheck()?;
            match &mut generator {
                Some(generator) => writer.write(&generator.fill(&sifted.batch).map_err(self.unmade())?)?,
                None => writer.write(&sifted.batch)?,
            }
            count_nulls(&mut nulls, &sifted.batch);
            // The last page of a batch may still be filling, so its memory is free only after the next.
            if let Some(batch) = last.replace(sifted.batch) {
                table.recycle(batch);
            }
            done += rows;
            progress(done, table.rows() as u64);
            Ok(())
        })?;
        writer.set_source(source());
        let rejected = rejected.finish()?;
        let (manifest, timings) = writer.finish_timed()?;
        let names = table.schema().fields().iter().map(|field| field.name().clone());
        let vector =
            convention::vector_index(table.schema()).map(|index| table.schema().field(index).data_type());
        Ok(TableReport {
            manifest,
            dimension: vector.and_then(convention::dimension),
            bad_rows: sieve.bad_rows(),
            rejected,
            ignored: table.ignored().to_vec(),
            lost_attrs: lost(attrs, self.options.dataset.only),
            made_ids: self.made_ids(&table),
            rounded: table.rounded(),
            nulls: names.zip(nulls).filter(|(_, count)| *count > 0).collect(),
            timings,
            name: self.name,
        })
    }

    fn sieve(&self, table: &Table<'_>) -> Sieve {
        let sieve = Sieve::new(table.schema(), self.options.on_bad_row, self.options.bad_rows_max);
        let sieve = sieve.on(self.graph.ground());
        // A key that is made is never one that another row has.
        if table.unmade_key().is_some() { sieve.without_keys() } else { sieve }
    }

    fn made_ids(&self, table: &Table<'_>) -> Option<(String, u8)> {
        let key = table.schema().field(table.unmade_key()?).name().clone();
        Some((key, self.options.generate_ids?.version()))
    }

    fn unmade(&self) -> impl Fn(generate::Fault) -> Error + use<'_> {
        |fault| match fault {
            generate::Fault::Digest(source) => Error::Digest { path: self.folder.join(&self.name), source },
            generate::Fault::Columnar(source) => self.columnar()(source),
        }
    }

    fn temporary_folder(&self) -> &Path {
        self.options.temporary_folder.as_deref().unwrap_or(self.folder)
    }

    fn columnar(&self) -> impl Fn(crate::columnar::Error) -> Error + use<'_> {
        |source| match source {
            crate::columnar::Error::NoRoom(full) => no_room(self.temporary_folder(), full),
            source => Error::Columnar { path: self.path.to_owned(), member: self.member.to_owned(), source },
        }
    }
}

/// The attributes that are left out: the Arrow file alone keeps none.
pub(super) fn lost(attrs: Attrs, only: Option<Only>) -> Vec<String> {
    let all = attrs.json.filter(|_| only == Some(Only::Arrow));
    all.map(|_| "all, because the Parquet file holds them".to_owned()).into_iter().chain(attrs.lost).collect()
}

/// A full disk is no fault of the pickle.
fn no_room(folder: &Path, full: NoRoom) -> Error {
    let place = folder.join(".brine-spool");
    error::io(place, "write")(std::io::Error::from_raw_os_error(full.os_error))
}

/// The table that a frame becomes under the options.
pub(super) fn table_of<'g>(
    frame: &'g Frame<'g>,
    options: &Options,
) -> Result<Table<'g>, crate::columnar::Error> {
    let names: Vec<&str> = frame.columns.iter().map(|column| column.name.as_str()).collect();
    let is_made = options.generate_ids.is_some();
    let domain = match &options.choice {
        Choice::Domain(domain) => Some(domain.as_ref()),
        // Domains say what their vectors are: who says something else wants none.
        Choice::Matching if options.vectors != Vectors::AsIs => None,
        Choice::Matching => {
            let without_ids = || builtin().iter().find(|domain| is_made && domain.lacks_only_its_id(&names));
            builtin().iter().find(|domain| domain.matches(&names)).or_else(without_ids)
        }
        Choice::Inferred => None,
    };
    let Options { vectors, mixed, limits, .. } = options;
    match domain {
        Some(domain) if is_made => Table::of_domain_without_key(frame, domain, limits),
        Some(domain) => Table::of_domain(frame, domain, limits),
        None if is_made => Table::inferred_without_key(frame, *vectors, *mixed, limits),
        None => Table::inferred(frame, *vectors, *mixed, limits),
    }
}

/// The first row of each batch, and its rows decoded.
pub(super) fn decoded(
    table: &Table<'_>,
) -> impl Iterator<Item = (usize, crate::columnar::Result<Converted>)> + Send {
    let rows = table.rows();
    let step = whole_thousands((BATCH_BYTES / table.row_bytes().max(1)).clamp(1, BATCH_ROWS));
    let mut first = 0;
    std::iter::from_fn(move || {
        let batch = table.fitting(first..rows.min(first + step), BATCH_TEXT_BYTES);
        first = batch.end;
        (!batch.is_empty()).then(|| (batch.start, table.convert(batch)))
    })
}

fn count_nulls(nulls: &mut [u64], batch: &RecordBatch) {
    for (count, column) in nulls.iter_mut().zip(batch.columns()) {
        *count += column.logical_null_count() as u64;
    }
}

/// The file of rejected rows: made with the first of them.
struct Rejected {
    folder: PathBuf,
    name: Option<String>,
    sink: Option<ParquetSink>,
}

impl Rejected {
    fn new(job: &Job<'_>) -> Self {
        let quarantine = job.options.on_bad_row == OnBadRow::Quarantine;
        let name = quarantine.then(|| format!("{}.rejected.parquet", job.name));
        Self { folder: job.folder.to_owned(), name, sink: None }
    }

    fn write(&mut self, bad: &[BadRow]) -> Result<(), Error> {
        let Some(name) = self.name.as_ref().filter(|_| !bad.is_empty()) else { return Ok(()) };
        let sink = if let Some(sink) = self.sink.take() {
            sink
        } else {
            let file = AtomicFile::create(&self.folder, name)?;
            ParquetSink::create(file, rejected_schema(), ParquetOptions::default())?
        };
        let path = self.folder.join(name);
        let batch =
            rejected_batch(bad).map_err(|source| Error::Columnar { path, member: String::new(), source })?;
        self.sink.insert(sink).write(&batch)
    }

    fn finish(self) -> Result<Option<PathBuf>, Error> {
        let (Some(sink), Some(name)) = (self.sink, self.name) else { return Ok(None) };
        sink.finish("")?.publish()?;
        Ok(Some(self.folder.join(name)))
    }
}

/// Rounds down to a multiple of 1,000, if there is one.
fn whole_thousands(rows: usize) -> usize {
    if rows < 1_000 { rows } else { rows - rows % 1_000 }
}
