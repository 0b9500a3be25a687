//! Sessions of the store in a folder: what is acknowledged survives, what is visible became so once.

use std::{fs, path::Path, time::Duration};

use arrow_array::RecordBatch;
use tempfile::TempDir;

use super::{
    super::{
        ParquetStore,
        tests::{DIMENSION, Row, batch_of, domain, expect},
    },
    Pace,
};
use crate::{
    columnar::schema::of_domain,
    digest::{RowHasher, fingerprint},
    session::{Admission, ChunkRange, Hello, Mode, Phase, Position, Refusal, Session, SessionId},
    store::{
        Error, Provenance, Published, Sessions as _, Store as _,
        sessions::{Attempt, Finish, Opening, Showing},
    },
};

const ROWS: &[Row] = &[
    ("a", Some("x"), 1.0),
    ("b", None, 2.0),
    ("c", Some("y"), 3.0),
    ("d", Some("x"), 4.0),
    ("e", None, 5.0),
    ("f", Some("z"), 6.0),
];

fn digest(rows: std::ops::Range<usize>) -> u128 {
    let hasher = RowHasher::new(&of_domain(domain(), DIMENSION)).unwrap();
    hasher.range_digest(&batch_of(DIMENSION, &ROWS[rows.clone()]), 0..rows.len(), rows.start as u64).unwrap()
}

fn hello(mode: Mode) -> Hello {
    let rows = ROWS.len() as u64;
    let fingerprint = fingerprint(&of_domain(domain(), DIMENSION), rows, digest(0..ROWS.len()));
    let session = SessionId::derive(&fingerprint, &domain().name, "", mode, "");
    Hello { session, fingerprint, total_rows: rows, first_row: 0, mode }
}

fn open_in(store: &ParquetStore, mode: Mode) -> Result<Session, Error> {
    let provenance = Provenance { file_name: "s.pkl".to_owned() };
    store.open(Opening { hello: hello(mode), domain: domain(), dimension: DIMENSION, provenance })
}

fn open(store: &ParquetStore) -> Session {
    open_in(store, Mode::Pending).unwrap()
}

fn attempt(store: &ParquetStore, session: &Session) -> Box<dyn Attempt> {
    store.attempt(session.hello().session, session.epoch()).unwrap()
}

fn chunk(rows: &std::ops::Range<usize>) -> (ChunkRange, RecordBatch) {
    let range = ChunkRange {
        first_row: rows.start as u64,
        row_count: rows.len() as u64,
        digest: digest(rows.clone()),
    };
    (range, batch_of(DIMENSION, &ROWS[rows.clone()]))
}

fn append(attempt: &mut Box<dyn Attempt>, rows: std::ops::Range<usize>) -> Result<Admission, Error> {
    let (range, batch) = chunk(&rows);
    attempt.append(range, batch)
}

/// Takes rows and makes them durable.
fn secured(attempt: &mut Box<dyn Attempt>, rows: std::ops::Range<usize>) -> Result<Position, Error> {
    append(attempt, rows)?;
    attempt.seal().expect("rows were taken").secure()
}

fn commit(store: &ParquetStore, session: &Session) -> Result<(Session, Published), Error> {
    let Hello { session: id, total_rows, fingerprint, .. } = session.hello().clone();
    store.commit(&Finish { session: id, epoch: session.epoch(), total_rows, fingerprint })
}

fn store() -> (TempDir, ParquetStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = ParquetStore::open(folder.path()).unwrap();
    (folder, store)
}

/// The process of the stream ends.
#[allow(clippy::disallowed_methods, reason = "whoever is killed does not tidy up")]
fn killed(stream: Box<dyn Attempt>) {
    std::mem::forget(stream);
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Session(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn names(folder: &Path, store_has: &str) -> Vec<String> {
    let entries = fs::read_dir(folder.join("_sessions")).unwrap().flat_map(|session| {
        fs::read_dir(session.unwrap().path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
    });
    let mut names: Vec<String> = entries.filter(|name| name.starts_with(store_has)).collect();
    names.sort();
    names
}

#[test]
fn a_whole_session_is_one_version_and_leaves_no_rows_behind() {
    let (folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    assert_eq!(secured(&mut stream, 0..2).unwrap(), Position { rows: 2, digest: digest(0..2) });
    assert!(!folder.path().join("skill_embedding_dic.json").exists(), "nothing is visible before the commit");
    assert_eq!(refusal(commit(&store, &session)), Refusal::Incomplete { committed_rows: 2 });
    secured(&mut stream, 2..6).unwrap();
    drop(stream);
    let (session, published) = commit(&store, &session).unwrap();
    assert_eq!((session.phase(), published.changed), (Phase::Finalized { version: 1 }, true));
    expect(folder.path(), ROWS);
    assert_eq!(names(folder.path(), "rows-"), [""; 0]);
    // Again, and again by another process: the same version.
    assert_eq!(commit(&store, &session).unwrap().1.version, 1);
    drop(store);
    let store = ParquetStore::open(folder.path()).unwrap();
    assert_eq!(open(&store).phase(), Phase::Finalized { version: 1 });
    assert_eq!(commit(&store, &session).unwrap().1.version, 1);
}

#[test]
fn rows_whose_removal_did_not_outlast_the_power_go_when_the_store_is_opened() {
    let (folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..6).unwrap();
    drop(stream);
    let place = folder.path().join("_sessions").join(session.hello().session.to_string());
    let segment = place.join(&names(folder.path(), "rows-")[0]);
    let rows = fs::read(&segment).unwrap();
    commit(&store, &session).unwrap();
    drop(store);
    assert!(names(folder.path(), "rows-").is_empty());
    fs::write(&segment, rows).unwrap();
    let store = ParquetStore::open(folder.path()).unwrap();
    assert!(names(folder.path(), "rows-").is_empty());
    assert!(matches!(open(&store).phase(), Phase::Finalized { version: 1 }));
}

#[test]
fn what_was_acknowledged_survives_a_crash_and_nothing_else_does() {
    let (folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..2).unwrap();
    secured(&mut stream, 2..3).unwrap();
    append(&mut stream, 3..5).unwrap();
    // The process ends: neither is dropped in order.
    killed(stream);
    drop(store);
    let store = ParquetStore::open(folder.path()).unwrap();
    let session = open(&store);
    assert_eq!(session.durable(), Position { rows: 3, digest: digest(0..3) });
    assert_eq!(session.epoch(), 2);
    assert_eq!(names(folder.path(), "log-"), ["log-2"]);
    let mut stream = attempt(&store, &session);
    assert_eq!(append(&mut stream, 1..3).unwrap(), Admission::Duplicate);
    assert_eq!(refusal(append(&mut stream, 4..6)), Refusal::OffsetGap { expected_row: 3 });
    secured(&mut stream, 3..6).unwrap();
    drop(stream);
    commit(&store, &session).unwrap();
    expect(folder.path(), ROWS);
}

#[test]
fn a_newer_epoch_fences_the_older_even_while_its_rows_are_written() {
    let (folder, store) = store();
    let old = open(&store);
    let mut stream = attempt(&store, &old);
    secured(&mut stream, 0..1).unwrap();
    append(&mut stream, 1..4).unwrap();
    let group = stream.seal().unwrap();
    let new = open(&store);
    assert_eq!((new.epoch(), new.durable().rows), (2, 1));
    assert_eq!(refusal(group.secure()), Refusal::Fenced { epoch: 2 });
    assert_eq!(refusal(append(&mut stream, 4..5)), Refusal::Fenced { epoch: 2 });
    drop(stream);
    let mut stream = attempt(&store, &new);
    secured(&mut stream, 1..6).unwrap();
    drop(stream);
    assert_eq!(refusal(commit(&store, &old)), Refusal::Fenced { epoch: 2 });
    commit(&store, &new).unwrap();
    expect(folder.path(), ROWS);
}

#[test]
fn rows_that_were_held_when_a_newer_epoch_began_are_refused() {
    let (folder, store) = store();
    let old = open(&store);
    let mut stream = attempt(&store, &old);
    append(&mut stream, 0..3).unwrap();
    let new = open(&store);
    assert_eq!((new.epoch(), new.durable().rows), (2, 0));
    assert_eq!(refusal(stream.seal().unwrap().secure()), Refusal::Fenced { epoch: 2 });
    drop(stream);
    let mut stream = attempt(&store, &new);
    secured(&mut stream, 0..6).unwrap();
    drop(stream);
    commit(&store, &new).unwrap();
    expect(folder.path(), ROWS);
}

#[test]
fn an_epoch_has_one_stream() {
    let (_folder, store) = store();
    let session = open(&store);
    let stream = attempt(&store, &session);
    let again = store.attempt(session.hello().session, session.epoch());
    assert!(matches!(again, Err(Error::Session(Refusal::SessionUnknown))));
    drop(stream);
}

#[test]
fn a_group_behind_one_that_failed_is_not_durable() {
    let (_folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    append(&mut stream, 0..2).unwrap();
    let first = stream.seal().unwrap();
    append(&mut stream, 2..4).unwrap();
    let second = stream.seal().unwrap();
    drop(first);
    assert_eq!(refusal(second.secure()), Refusal::OffsetGap { expected_row: 0 });
    assert_eq!(store.status(session.hello().session).unwrap().unwrap().durable().rows, 0);
}

#[test]
fn a_group_that_could_not_be_written_takes_those_behind_it_with_it() {
    let (folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    let path = folder.path().join("_sessions").join(session.hello().session.to_string());
    let aside = folder.path().join("aside");
    append(&mut stream, 0..2).unwrap();
    fs::rename(&path, &aside).unwrap();
    assert!(matches!(stream.seal().unwrap().secure(), Err(Error::File(_))));
    fs::rename(&aside, &path).unwrap();
    append(&mut stream, 2..4).unwrap();
    let behind = stream.seal().unwrap().secure();
    assert_eq!(refusal(behind), Refusal::OffsetGap { expected_row: 0 });
    drop(stream);
    let session = open(&store);
    assert_eq!(session.taken().rows, 0);
    secured(&mut attempt(&store, &session), 0..6).unwrap();
    commit(&store, &session).unwrap();
    expect(folder.path(), ROWS);
}

#[test]
fn rows_of_committed_mode_are_seen_when_the_stream_pauses() {
    let (folder, store) = store();
    let session = open_in(&store, Mode::Committed).unwrap();
    let id = session.hello().session;
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..2).unwrap();
    store.show(id, 1, Showing::Now).unwrap();
    expect(folder.path(), &ROWS[..2]);
    store.show(id, 1, Showing::Now).unwrap();
    secured(&mut stream, 2..4).unwrap();
    killed(stream);
    drop(store);
    let store = ParquetStore::open(folder.path()).unwrap();
    let session = open_in(&store, Mode::Committed).unwrap();
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 4..6).unwrap();
    store.show(id, 2, Showing::Now).unwrap();
    drop(stream);
    let (session, published) = commit(&store, &session).unwrap();
    assert_eq!((session.phase(), published.version), (Phase::Finalized { version: 2 }, 2));
    expect(folder.path(), ROWS);
}

#[test]
fn rows_that_are_flushed_one_by_one_are_shown_when_due_and_all_at_the_end() {
    let (folder, mut store) = store();
    // Nothing is due by time, and by number when the table has grown by as many rows as it has.
    store.pace = Pace { interval: Duration::MAX, share: 1 };
    let session = open_in(&store, Mode::Committed).unwrap();
    let id = session.hello().session;
    let mut stream = attempt(&store, &session);
    let mut seen = |row: usize| {
        secured(&mut stream, row..row + 1).unwrap();
        store.show(id, 1, Showing::WhenDue).unwrap();
        let rows = store.status(id).unwrap().unwrap().durable().rows;
        assert_eq!(rows, row as u64 + 1, "what is flushed is durable, seen or not");
        store.table(domain()).present(DIMENSION).unwrap().unwrap().rows()
    };
    assert_eq!((0..5).map(&mut seen).collect::<Vec<_>>(), [1, 2, 2, 4, 4]);
    store.show(id, 1, Showing::Now).unwrap();
    expect(folder.path(), &ROWS[..5]);
    secured(&mut stream, 5..6).unwrap();
    drop(stream);
    let (session, published) = commit(&store, &session).unwrap();
    assert_eq!((session.phase(), published.version), (Phase::Finalized { version: 5 }, 5));
    expect(folder.path(), ROWS);
}

#[test]
fn rows_that_waited_long_enough_are_shown_however_few_they_are() {
    let (folder, mut store) = store();
    store.pace = Pace { interval: Duration::ZERO, share: 1 };
    let session = open_in(&store, Mode::Committed).unwrap();
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..4).unwrap();
    store.show(session.hello().session, 1, Showing::WhenDue).unwrap();
    secured(&mut stream, 4..5).unwrap();
    store.show(session.hello().session, 1, Showing::WhenDue).unwrap();
    expect(folder.path(), &ROWS[..5]);
}

#[test]
fn rows_that_were_seen_are_not_merged_once_more() {
    let (folder, store) = store();
    let session = open_in(&store, Mode::Committed).unwrap();
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..2).unwrap();
    store.show(session.hello().session, 1, Showing::Now).unwrap();
    // Somebody else replaces a row that was seen.
    let mut run = store.begin(domain(), DIMENSION, Provenance::default()).unwrap();
    run.append(batch_of(DIMENSION, &[("a", None, 9.0)])).unwrap();
    run.finish().unwrap();
    secured(&mut stream, 2..6).unwrap();
    drop(stream);
    commit(&store, &session).unwrap();
    let mut rows = ROWS.to_vec();
    rows[0] = ("a", None, 9.0);
    expect(folder.path(), &rows);
}

#[test]
fn a_publication_that_was_not_noted_is_noted_when_the_store_is_opened_again() {
    let (folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..6).unwrap();
    drop(stream);
    let log = folder.path().join("_sessions").join(session.hello().session.to_string()).join("log-1");
    let before = fs::read(&log).unwrap();
    let segments = names(folder.path(), "rows-");
    let kept: Vec<_> =
        segments.iter().map(|name| (name, fs::read(log.with_file_name(name)).unwrap())).collect();
    commit(&store, &session).unwrap();
    drop(store);
    // As if the process had died between the manifest and the log's last line.
    fs::write(&log, before).unwrap();
    for (name, bytes) in kept {
        fs::write(log.with_file_name(name), bytes).unwrap();
    }
    let store = ParquetStore::open(folder.path()).unwrap();
    // Meanwhile somebody else publishes: the session's rows must not come once more on top of theirs.
    let mut run = store.begin(domain(), DIMENSION, Provenance::default()).unwrap();
    run.append(batch_of(DIMENSION, &[("a", None, 9.0)])).unwrap();
    assert_eq!(run.finish().unwrap().version, 2);
    assert_eq!(open(&store).phase(), Phase::Finalized { version: 1 });
    assert_eq!(commit(&store, &session).unwrap().1.version, 1);
    let mut rows = ROWS.to_vec();
    rows[0] = ("a", None, 9.0);
    expect(folder.path(), &rows);
}

#[test]
fn damaged_rows_are_told_and_never_published() {
    let (folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..6).unwrap();
    killed(stream);
    drop(store);
    let path = folder.path().join("_sessions").join(session.hello().session.to_string());
    let segment = path.join(&names(folder.path(), "rows-")[0]);
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let store = ParquetStore::open(folder.path()).unwrap();
    assert!(matches!(open_in(&store, Mode::Pending), Err(Error::DamagedSession { .. })));
    fs::remove_file(&segment).unwrap();
    assert!(matches!(open_in(&store, Mode::Pending), Err(Error::DamagedSession { .. })));
}

#[test]
fn an_aborted_session_begins_anew() {
    let (folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    secured(&mut stream, 0..4).unwrap();
    drop(stream);
    let aborted = store.abort(session.hello().session, 1).unwrap();
    assert_eq!(aborted.phase(), Phase::Aborted);
    assert_eq!(names(folder.path(), "rows-"), [""; 0]);
    drop(store);
    let store = ParquetStore::open(folder.path()).unwrap();
    assert_eq!(open(&store).durable(), Position::default());
}

#[test]
fn rows_that_are_not_what_they_announce_are_not_taken() {
    let (_folder, store) = store();
    let session = open(&store);
    let mut stream = attempt(&store, &session);
    let (range, batch) = chunk(&(0..3));
    let wrong = ChunkRange { digest: range.digest ^ 1, ..range };
    assert_eq!(refusal(stream.append(wrong, batch)), Refusal::ChunkCorrupt { first_row: 0 });
    let keyless = batch_of(DIMENSION, &[("", None, 1.0)]);
    let hasher = RowHasher::new(&of_domain(domain(), DIMENSION)).unwrap();
    let range =
        ChunkRange { first_row: 0, row_count: 1, digest: hasher.range_digest(&keyless, 0..1, 0).unwrap() };
    assert!(matches!(stream.append(range, keyless), Err(Error::BadKey { row: 0, .. })));
    secured(&mut stream, 0..6).unwrap();
}
