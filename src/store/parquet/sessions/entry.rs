//! One session: its state, its folder, and what it has written there.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    super::{
        super::{
            Error, Provenance, Run as _,
            sessions::{Opening, Seat},
        },
        Table,
        run::{TableRun, check_keys},
    },
    lock,
    log::{self, At, Log, Opened, Record, Segment, Shown, damaged, io},
    pace::{LastShown, Pace},
};
use crate::{
    columnar::schema as conventions,
    file::atomic::create_folder,
    schema::Domain,
    session::{Hello, Mode, Phase, Position, Refusal, Session, SessionId},
};

/// A session of one table.
pub(super) struct Entry {
    pub(super) id: SessionId,
    pub(super) folder: PathBuf,
    pub(super) table: Arc<Table>,
    pub(super) dimension: usize,
    pub(super) provenance: Provenance,
    pub(super) seat: Seat<Kept>,
    /// Of the newest epoch.
    log: Mutex<Arc<Mutex<Log>>>,
    prepared: Mutex<Option<Prepared>>,
    last_shown: Mutex<Option<LastShown>>,
    /// Who publishes or gives up; the state is looked at and changed meanwhile.
    pub(super) ending: Mutex<()>,
}

/// What is kept with the state.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) segments: Vec<Segment>,
    pub(super) shown: Shown,
}

/// A run that has taken the session's first rows.
pub(super) struct Prepared {
    pub(super) at: Position,
    pub(super) run: TableRun,
}

/// Which session, and where it stands.
struct Place {
    id: SessionId,
    folder: PathBuf,
    table: Arc<Table>,
}

impl Entry {
    /// A session that nobody knew.
    pub(super) fn create(folder: PathBuf, table: Arc<Table>, opening: Opening) -> Result<Self, Error> {
        let Opening { hello, dimension, provenance, .. } = opening;
        let id = hello.session;
        let session = Session::open(None, hello)?;
        create_folder(&folder)?;
        let kept = Kept::default();
        let log = Log::create(&folder, &opened(&session, &table, dimension, &provenance, &kept))?;
        Ok(Self::new(Place { id, folder, table }, dimension, provenance, Seat::new(session, kept), log))
    }

    fn new(place: Place, dimension: usize, provenance: Provenance, seat: Seat<Kept>, log: Log) -> Self {
        let Place { id, folder, table } = place;
        let log = Mutex::new(Arc::new(Mutex::new(log)));
        let (prepared, last_shown, ending) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { id, folder, table, dimension, provenance, seat, log, prepared, last_shown, ending }
    }

    /// The session in `folder`, as a process before this one left it; none if there is none.
    pub(super) fn load(
        id: SessionId,
        folder: PathBuf,
        table_of: impl FnOnce(&str) -> Option<Arc<Table>>,
    ) -> Result<Option<Self>, Error> {
        let Some(epoch) = newest_epoch(&folder)? else { return Ok(None) };
        let (records, whole_bytes) = log::read(&folder, epoch)?;
        let mut records = records.into_iter();
        let Some(Record::Opened(opened)) = records.next() else {
            return Err(damaged(&folder, "the log of its last epoch has no beginning"));
        };
        let table = table_of(&opened.domain).ok_or_else(|| damaged(&folder, "its domain is not known"))?;
        let (dimension, provenance) = (opened.dimension, Provenance { file_name: opened.file_name.clone() });
        let (session, kept) = replay(id, opened, records, &folder)?;
        if session.phase() == Phase::Open {
            check_segments(&kept.segments, &folder)?;
        }
        remove_others(&folder, epoch, &kept.segments);
        let log = Log::resume(&folder, epoch, whole_bytes);
        Ok(Some(Self::new(Place { id, folder, table }, dimension, provenance, Seat::new(session, kept), log)))
    }

    /// Opens the session once more.
    pub(super) fn reopen(&self, opening: Opening) -> Result<Session, Error> {
        if opening.domain.name != self.table.domain.name || opening.dimension != self.dimension {
            return Err(Refusal::FingerprintMismatch.into());
        }
        // The old epoch cannot secure anything while the state is held: where the new one begins is where it ends.
        self.seat.with(|state| {
            let session = Session::open(Some(state.session.clone()), opening.hello)?;
            if session.epoch() != state.session.epoch() {
                let opened = opened(&session, &self.table, self.dimension, &self.provenance, &state.own);
                *lock(&self.log) = Arc::new(Mutex::new(Log::create(&self.folder, &opened)?));
                remove_others(&self.folder, session.epoch(), &state.own.segments);
                state.session = session;
            }
            Ok(state.session.clone())
        })
    }

    /// The log of the newest epoch.
    pub(super) fn log(&self) -> Arc<Mutex<Log>> {
        Arc::clone(&lock(&self.log))
    }

    /// Writes to the log of the newest epoch.
    pub(super) fn record(&self, record: &Record) -> Result<(), Error> {
        lock(&self.log()).append(record)
    }

    pub(super) fn domain(&self) -> &'static Domain {
        self.table.domain
    }

    pub(super) fn schema(&self) -> SchemaRef {
        conventions::of_domain(self.table.domain, self.dimension)
    }

    /// The session's first row in the data set.
    pub(super) fn first_row(&self) -> u64 {
        self.seat.with(|state| state.session.hello().first_row)
    }

    /// Whether all rows of the session are durable.
    pub(super) fn is_whole(&self) -> bool {
        self.seat.with(|state| state.session.durable().rows == state.session.hello().total_rows)
    }

    /// Rows that are durable and that nobody sees.
    pub(super) fn hidden_rows(&self) -> u64 {
        self.seat.with(|state| state.session.durable().rows.saturating_sub(state.own.shown.rows))
    }

    /// Whether so many of them are to be shown while the stream lasts.
    pub(super) fn is_due(&self, hidden: u64, pace: Pace) -> bool {
        pace.is_due(hidden, *lock(&self.last_shown), Instant::now())
    }

    /// Notes that rows were shown, in a table of `table_rows`.
    pub(super) fn note_table_rows(&self, table_rows: u64) {
        *lock(&self.last_shown) = Some(LastShown { at: Instant::now(), table_rows });
    }

    /// Refuses rows that no table can hold, before they are acknowledged.
    pub(super) fn check_keys(&self, batch: &RecordBatch, first_row: u64) -> Result<(), Error> {
        check_keys(self.table.domain, batch, first_row)
    }

    /// A run that stands at `at`, if it costs nothing to have one.
    pub(super) fn prepare(&self, at: Position) -> Result<Option<Prepared>, Error> {
        if at.rows > 0 || self.seat.with(|state| state.own.shown.rows) > 0 {
            return Ok(lock(&self.prepared).take().filter(|prepared| prepared.at == at));
        }
        Ok(Some(Prepared { at, run: self.run()? }))
    }

    /// Keeps a run for the commit, if it has all rows.
    pub(super) fn keep(&self, prepared: Prepared) {
        let total = self.seat.with(|state| state.session.hello().total_rows);
        *lock(&self.prepared) = Some(prepared).filter(|prepared| prepared.at.rows == total);
    }

    /// A run of the rows that are durable and not visible.
    pub(super) fn run_of_hidden(&self, durable: Position) -> Result<TableRun, Error> {
        let shown = self.seat.with(|state| state.own.shown.rows);
        // A prepared run has every row, and what was seen once may have been replaced by others since.
        let whole = |prepared: &Prepared| shown == 0 && prepared.at == durable;
        if let Some(prepared) = lock(&self.prepared).take().filter(whole) {
            return Ok(prepared.run);
        }
        let (mut run, schema) = (self.run()?, self.schema());
        let hidden = self.seat.with(|state| {
            state.own.segments.iter().filter(|segment| segment.first >= shown).cloned().collect::<Vec<_>>()
        });
        for segment in hidden {
            for batch in segment.read(&self.folder, &schema, &self.table.domain.name)? {
                run.append(batch)?;
            }
        }
        Ok(run)
    }

    fn run(&self) -> Result<TableRun, Error> {
        let empty = self.table.present(self.dimension)?.is_none();
        TableRun::begin(Arc::clone(&self.table), self.dimension, self.provenance.clone(), empty)
    }

    /// Removes the rows of a session that needs them no more. What fails here is removed when the store is opened again.
    pub(super) fn remove_rows(&self) {
        lock(&self.prepared).take();
        let segments = self.seat.with(|state| std::mem::take(&mut state.own.segments));
        for segment in segments {
            _ = fs::remove_file(self.folder.join(&segment.file));
        }
    }
}

fn opened(session: &Session, table: &Table, dimension: usize, from: &Provenance, kept: &Kept) -> Opened {
    let Hello { session: id, fingerprint, total_rows, first_row, mode } = session.hello().clone();
    Opened {
        epoch: session.epoch(),
        session: id.to_string(),
        domain: table.domain.name.clone(),
        dimension,
        file_name: from.file_name.clone(),
        fingerprint,
        total_rows,
        first_row,
        committed_mode: mode == Mode::Committed,
        start: session.durable().into(),
        segments: kept.segments.clone(),
        shown: kept.shown,
    }
}

/// The state that the records of one log lead to.
fn replay(
    id: SessionId,
    opened: Opened,
    records: impl Iterator<Item = Record>,
    folder: &Path,
) -> Result<(Session, Kept), Error> {
    let mode = if opened.committed_mode { Mode::Committed } else { Mode::Pending };
    let Opened { epoch, fingerprint, total_rows, first_row, start, segments, shown, .. } = opened;
    let hello = Hello { session: id, fingerprint, total_rows, first_row, mode };
    let (mut at, mut phase, mut kept) = (start, Phase::Open, Kept { segments, shown });
    for record in records {
        match record {
            Record::Rows(segment) if segment.first == at.rows => {
                at = segment.end;
                kept.segments.push(segment);
            }
            Record::Shown(shown) => kept.shown = shown,
            Record::Finalized { version } => {
                phase = Phase::Finalized { version };
                // Their removal may not have outlasted a power cut.
                kept.segments.clear();
            }
            Record::Aborted => (at, phase, kept) = (At::default(), Phase::Aborted, Kept::default()),
            Record::Rows(_) | Record::Opened(_) => return Err(damaged(folder, "its log contradicts itself")),
        }
    }
    Ok((Session::stored(hello, epoch, phase, at.into()), kept))
}

/// A record says that a segment was durable: one that is not there, or not whole, is damage and not a crash.
fn check_segments(segments: &[Segment], folder: &Path) -> Result<(), Error> {
    segments.iter().try_for_each(|segment| segment.check_size(folder))?;
    segments.last().map_or(Ok(()), |last| last.check_digest(folder))
}

fn newest_epoch(folder: &Path) -> Result<Option<u64>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(io(folder))?,
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| log::epoch_of(&name)).max())
}

/// Removes what neither `epoch` nor its segments need: older logs, segments that were never recorded, temporary files.
fn remove_others(folder: &Path, epoch: u64, segments: &[Segment]) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_needed =
            log::epoch_of(&name) == Some(epoch) || segments.iter().any(|segment| segment.file == name);
        if !is_needed {
            _ = fs::remove_file(entry.path());
        }
    }
}
