//! Sessions of the store in a folder: `STORE/_sessions/<id>/`, a folder for each.
//!
//! A group of rows is a segment `rows-<epoch>-<first>.arrow`, made by the crash-safe procedure, and then a line in the
//! epoch's log `log-<epoch>`: a row is durable if a whole line says so. Position and rows are thus one commit, and an epoch
//! goes on where the lines of the one before it end. While rows arrive they also go into an ordinary run of the table, so
//! that the commit of a session that was not interrupted reads nothing again; otherwise the run is made from the segments.
//!
//! What publishes is the table's manifest, which names the session and how far it came: a crash after it and before the
//! session's own line is settled when the store is opened again, or before anybody else publishes to the table.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use super::{
    super::{
        Error, Published,
        sessions::{Attempt, Finish, Opening, Sessions, Showing},
    },
    ParquetStore,
};
use crate::{
    digest::fingerprint,
    failpoint,
    file::manifest::{Manifest, SessionMark},
    limits::server::{SESSION_FINISHED_KEPT, SESSION_OPEN_KEPT, SESSIONS_MAX},
    schema,
    session::{Commit, Mode, Phase, Position, Refusal, Session, SessionId},
};

mod attempt;
mod entry;
mod log;
mod pace;
mod segment;
#[cfg(test)]
mod tests;

use entry::Entry;
use log::{Record, Shown, io};
pub(super) use pace::Pace;

/// The folder of all sessions in the store's.
const FOLDER: &str = "_sessions";

/// The sessions that this process has looked at.
#[derive(Default)]
pub(super) struct Book(Mutex<HashMap<SessionId, Arc<Entry>>>);

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").finish_non_exhaustive()
    }
}

/// A lock whose holder panicked guards what it was before, because changes come last.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ParquetStore {
    fn sessions_folder(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }

    fn session_folder(&self, id: SessionId) -> PathBuf {
        self.sessions_folder().join(id.to_string())
    }

    fn find(
        &self,
        entries: &mut HashMap<SessionId, Arc<Entry>>,
        id: SessionId,
    ) -> Result<Option<Arc<Entry>>, Error> {
        if let Some(entry) = entries.get(&id) {
            return Ok(Some(Arc::clone(entry)));
        }
        let table = |domain: &str| schema::find(domain).map(|domain| self.table(domain));
        let Some(entry) = Entry::load(id, self.session_folder(id), table)? else { return Ok(None) };
        let entry = Arc::new(entry);
        entries.insert(id, Arc::clone(&entry));
        Ok(Some(entry))
    }

    fn known(&self, id: SessionId) -> Result<Arc<Entry>, Error> {
        self.find(&mut lock(&self.book.0), id)?.ok_or_else(|| Refusal::SessionUnknown.into())
    }

    /// Writes down what a process before this one published and did not live to note, and removes what is too old.
    pub(super) fn recover_sessions(&self) -> Result<(), Error> {
        for domain in schema::builtin() {
            let path = self.folder.join(&domain.name).with_extension("json");
            let mark = Manifest::read(&path).ok().and_then(|manifest| {
                let id = manifest.session.as_ref()?.id.parse().ok()?;
                Some((id, manifest))
            });
            let Some((id, manifest)) = mark else { continue };
            if let Some(entry) = self.find(&mut lock(&self.book.0), id)? {
                settle(&entry, &manifest)?;
            }
        }
        remove_old(&self.sessions_folder());
        Ok(())
    }
}

/// Notes that `manifest` made rows of the session visible.
fn settle(entry: &Entry, manifest: &Manifest) -> Result<(), Error> {
    let Some(SessionMark { rows, .. }) = manifest.session else { return Ok(()) };
    let session = entry.seat.session();
    let shown = entry.seat.with(|state| state.own.shown.rows);
    if session.phase() != Phase::Open || shown >= rows || session.durable().rows < rows {
        return Ok(());
    }
    note_shown(entry, Shown { rows, version: manifest.generation })
}

/// Writes down what is visible, and the end of the session if that is everything.
fn note_shown(entry: &Entry, shown: Shown) -> Result<(), Error> {
    let total = entry.seat.with(|state| state.session.hello().total_rows);
    let is_all = shown.rows == total;
    let version = shown.version;
    entry.record(&if is_all { Record::Finalized { version } } else { Record::Shown(shown) })?;
    entry.seat.with(|state| {
        state.own.shown = shown;
        if is_all {
            state.session.finalize(version);
        }
    });
    if is_all {
        entry.remove_rows();
    }
    Ok(())
}

/// Makes the durable rows visible; the caller holds `ending`.
fn publish(entry: &Arc<Entry>, durable: Position) -> Result<Published, Error> {
    let run = entry.run_of_hidden(durable)?;
    failpoint::hit("publish.before");
    let mark = SessionMark { id: entry.id.to_string(), rows: durable.rows };
    let noted = Arc::clone(entry);
    let note = move |published: &Published| {
        failpoint::hit("publish.after_manifest");
        note_shown(&noted, Shown { rows: durable.rows, version: published.version })
    };
    let published = run.publish(Some(mark), note)?;
    failpoint::hit("publish.after");
    Ok(published)
}

impl Sessions for ParquetStore {
    fn open(&self, opening: Opening) -> Result<Session, Error> {
        let table = self.table(opening.domain);
        if u32::try_from(opening.hello.total_rows).is_err() {
            return Err(super::run::too_many(&table, opening.hello.total_rows));
        }
        // A session that can never be merged is refused before it sends a gigabyte.
        table.present(opening.dimension)?;
        let id = opening.hello.session;
        let mut entries = lock(&self.book.0);
        if let Some(entry) = self.find(&mut entries, id)? {
            drop(entries);
            return entry.reopen(opening);
        }
        make_room(&mut entries)?;
        let entry = Arc::new(Entry::create(self.session_folder(id), table, opening)?);
        entries.insert(id, Arc::clone(&entry));
        Ok(entry.seat.session())
    }

    fn status(&self, session: SessionId) -> Result<Option<Session>, Error> {
        Ok(self.find(&mut lock(&self.book.0), session)?.map(|entry| entry.seat.session()))
    }

    fn attempt(&self, session: SessionId, epoch: u64) -> Result<Box<dyn Attempt>, Error> {
        let entry = self.known(session)?;
        let durable = entry.seat.claim(epoch)?;
        let prepared = entry.prepare(durable)?;
        Ok(Box::new(attempt::Stream::begin(entry, epoch, prepared)?))
    }

    fn show(&self, session: SessionId, epoch: u64, when: Showing) -> Result<(), Error> {
        let entry = self.known(session)?;
        entry.seat.session().check_epoch(epoch)?;
        // The last rows are for the commit, which looks at the digest of all of them first.
        if entry.seat.session().hello().mode == Mode::Pending || entry.is_whole() {
            return Ok(());
        }
        let _ending = lock(&entry.ending);
        let hidden = entry.hidden_rows();
        if hidden > 0 && (when == Showing::Now || entry.is_due(hidden, self.pace)) {
            let published = publish(&entry, entry.seat.session().durable())?;
            entry.note_table_rows(published.table_rows);
        }
        Ok(())
    }

    fn commit(&self, finish: &Finish) -> Result<(Session, Published), Error> {
        let entry = self.known(finish.session)?;
        let _ending = lock(&entry.ending);
        let session = entry.seat.session();
        let schema = entry.schema();
        let of = |at: Position| fingerprint(&schema, at.rows, at.digest);
        let published = match session.commit(finish.epoch, &finish.hello(&session), of)? {
            Commit::Publish => publish(&entry, session.durable())?,
            Commit::Done { version } => {
                let run_rows = finish.total_rows;
                let table_rows = entry.table.present(entry.dimension)?.map_or(0, |present| present.rows());
                Published { version, changed: false, table_rows, run_rows }
            }
        };
        Ok((entry.seat.session(), published))
    }

    fn abort(&self, session: SessionId, epoch: u64) -> Result<Session, Error> {
        let entry = self.known(session)?;
        let _ending = lock(&entry.ending);
        entry.seat.session().check_epoch(epoch)?;
        entry.record(&Record::Aborted)?;
        entry.seat.with(|state| {
            state.session.abort(epoch)?;
            state.own.shown = Shown::default();
            Ok::<_, Refusal>(())
        })?;
        entry.remove_rows();
        Ok(entry.seat.session())
    }
}

/// Forgets finished sessions that nobody uses, which are still on the disk, until there is room for another.
fn make_room(entries: &mut HashMap<SessionId, Arc<Entry>>) -> Result<(), Error> {
    if entries.len() < SESSIONS_MAX {
        return Ok(());
    }
    entries.retain(|_, entry| Arc::strong_count(entry) > 1 || entry.seat.session().phase() == Phase::Open);
    if entries.len() < SESSIONS_MAX { Ok(()) } else { Err(Error::TooManySessions { limit: SESSIONS_MAX }) }
}

/// Removes sessions that nobody has touched for long. What fails here is tried again when the store is next opened.
fn remove_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder).map_err(io(folder)) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let is_session = entry.file_name().to_str().is_some_and(|name| name.parse::<SessionId>().is_ok());
        if is_session && is_old(&path) {
            _ = fs::remove_dir_all(path);
        }
    }
}

/// Whether a session's folder has not changed for as long as such a session is kept: one with segments is unfinished.
fn is_old(folder: &Path) -> bool {
    let names = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let has_rows = names.into_iter().any(|name| name.starts_with("rows-"));
    let kept = if has_rows { SESSION_OPEN_KEPT } else { SESSION_FINISHED_KEPT };
    let changed = fs::metadata(folder).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|age| age > kept))
}
