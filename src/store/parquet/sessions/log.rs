//! The log of one epoch of a session: a line that says all that is known when the epoch is opened, then one for whatever
//! became durable. The logs of older epochs say nothing more and go.
//!
//! Each line is a JSON object behind the first 16 hexadecimal digits of its BLAKE3. The file is made under its name in one
//! step that fails if the name is taken, so an epoch has one writer; lines are appended and synced one by one. A last line
//! that is cut short was never acknowledged and is passed over; any other line that is not whole is damage.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::super::super::Error;
use crate::{
    file::atomic::{AtomicFile, sync_folder},
    limits::server::SESSION_LOG_BYTES_MAX,
    session::Position,
};

/// Digits of the digest before each line.
const DIGEST_DIGITS: usize = 16;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Opened {
    pub(super) epoch: u64,
    pub(super) session: String,
    pub(super) domain: String,
    pub(super) dimension: usize,
    pub(super) file_name: String,
    pub(super) fingerprint: String,
    pub(super) total_rows: u64,
    pub(super) first_row: u64,
    pub(super) committed_mode: bool,
    /// Where the epoch goes on.
    pub(super) start: At,
    /// The rows before that.
    pub(super) segments: Vec<Segment>,
    /// How many of them are visible, and since which version.
    pub(super) shown: Shown,
}

/// Rows that readers of the table see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) rows: u64,
    pub(super) version: u64,
}

/// A position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct At {
    pub(super) rows: u64,
    #[serde(with = "crate::file::manifest::hex")]
    pub(super) digest: u128,
}

/// A file of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    pub(super) file: String,
    pub(super) first: u64,
    /// Where the session stands with it.
    pub(super) end: At,
    pub(super) bytes: u64,
    #[serde(with = "crate::file::manifest::hex")]
    pub(super) xxh3: u128,
}

/// What becomes durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// The epoch itself.
    Opened(Opened),
    /// Rows.
    Rows(Segment),
    /// More of them are visible.
    Shown(Shown),
    /// All rows are visible and the session is over.
    Finalized { version: u64 },
    /// The session was given up.
    Aborted,
}

/// A log that is being written.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// None after a write or a sync failed: what that left is unknown, and a second sync of the same file would not tell.
    file: Option<File>,
    /// Bytes of the lines that are durable.
    whole_bytes: u64,
}

impl From<Position> for At {
    fn from(Position { rows, digest }: Position) -> Self {
        Self { rows, digest }
    }
}

impl From<At> for Position {
    fn from(At { rows, digest }: At) -> Self {
        Self { rows, digest }
    }
}

impl Log {
    /// Begins the log of an epoch in `folder`; durable when it returns.
    pub(super) fn create(folder: &Path, opened: &Opened) -> Result<Self, Error> {
        let name = name(opened.epoch);
        let mut file = AtomicFile::create(folder, &name)?.without_digest();
        let path = folder.join(name);
        let line = line(&Record::Opened(opened.clone()), &path)?;
        file.write_all(&line).map_err(io(&path))?;
        file.sync()?.publish_new()?;
        sync_folder(folder)?;
        Ok(Self::at(path, line.len() as u64))
    }

    /// Goes on with the log of `epoch` that a process before this one wrote, of which `whole_bytes` are whole lines.
    pub(super) fn resume(folder: &Path, epoch: u64, whole_bytes: u64) -> Self {
        Self::at(folder.join(name(epoch)), whole_bytes)
    }

    fn at(path: PathBuf, whole_bytes: u64) -> Self {
        Self { path, file: None, whole_bytes }
    }

    /// Appends a record; durable when it returns.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), Error> {
        let line = line(record, &self.path)?;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.reopen().map_err(io(&self.path))?,
        };
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(io(&self.path))?;
        self.whole_bytes += line.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Opens the file anew, without what a failed append may have left.
    fn reopen(&self) -> std::io::Result<File> {
        let file = OpenOptions::new().append(true).open(&self.path)?;
        if file.metadata()?.len() != self.whole_bytes {
            file.set_len(self.whole_bytes)?;
            file.sync_all()?;
        }
        Ok(file)
    }
}

/// The records of the log of `epoch`, and how many bytes they take.
pub(super) fn read(folder: &Path, epoch: u64) -> Result<(Vec<Record>, u64), Error> {
    let path = folder.join(name(epoch));
    let mut text = Vec::new();
    let file = File::open(&path).map_err(io(&path))?;
    file.take(SESSION_LOG_BYTES_MAX + 1).read_to_end(&mut text).map_err(io(&path))?;
    if text.len() as u64 > SESSION_LOG_BYTES_MAX {
        return Err(damaged(&path, "it is longer than a log can be"));
    }
    parse(&text, &path)
}

fn parse(text: &[u8], path: &Path) -> Result<(Vec<Record>, u64), Error> {
    let (mut records, mut whole) = (Vec::new(), 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_last = whole + line.len() == text.len();
        match parse_line(line) {
            Some(record) => records.push(record),
            None if is_last => break,
            None => return Err(damaged(path, &format!("line {} is damaged", records.len() + 1))),
        }
        whole += line.len();
    }
    Ok((records, whole as u64))
}

fn parse_line(line: &[u8]) -> Option<Record> {
    let (digest, json) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    (digest == digest_of(json)).then(|| serde_json::from_str(json).ok()).flatten()
}

fn line(record: &Record, path: &Path) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_string(record).map_err(|error| io(path)(error.into()))?;
    Ok(format!("{} {json}\n", digest_of(&json)).into_bytes())
}

fn digest_of(json: &str) -> String {
    blake3::hash(json.as_bytes()).to_hex()[..DIGEST_DIGITS].to_owned()
}

fn name(epoch: u64) -> String {
    format!("log-{epoch}")
}

/// The epoch whose log a file of this name is.
pub(super) fn epoch_of(name: &str) -> Option<u64> {
    name.strip_prefix("log-")?.parse().ok().filter(|epoch| self::name(*epoch) == name)
}

pub(super) fn damaged(path: &Path, reason: &str) -> Error {
    Error::DamagedSession { path: path.to_owned(), reason: reason.to_owned() }
}

pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    |source| Error::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(first: u64, end: u64) -> Record {
        let end = At { rows: end, digest: u128::from(end) << 100 };
        Record::Rows(Segment { file: format!("rows-{first}"), first, end, bytes: 9, xxh3: 7 })
    }

    fn text(records: &[Record]) -> String {
        let lines = records.iter().map(|record| line(record, Path::new("x")).unwrap());
        String::from_utf8(lines.collect::<Vec<_>>().concat()).unwrap()
    }

    #[test]
    fn every_shorter_log_is_the_records_that_are_whole() {
        let records = [rows(0, 5), Record::Shown(Shown { rows: 5, version: 2 }), Record::Aborted];
        let text = text(&records);
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for length in 0..=text.len() {
            let (read, bytes) = parse(&text.as_bytes()[..length], Path::new("x")).unwrap();
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(read, records[..whole], "{length}");
            assert_eq!(bytes as usize, if whole == 0 { 0 } else { ends[whole - 1] });
        }
    }

    #[test]
    fn a_changed_byte_before_the_last_line_is_damage() {
        let text = text(&[rows(0, 5), rows(5, 8)]);
        let first = text.find('\n').unwrap();
        for at in 0..first {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(parse(&bytes, Path::new("x")).is_err(), "{at}");
        }
    }

    #[test]
    fn a_last_line_of_any_bytes_is_one_that_was_never_whole() {
        let text = text(&[rows(0, 5)]);
        for torn in [[0_u8; 9], [0xff; 9], *b"0123 {\"a\""] {
            let bytes = [text.as_bytes(), &torn].concat();
            assert_eq!(parse(&bytes, Path::new("x")).unwrap(), (vec![rows(0, 5)], text.len() as u64));
        }
    }

    #[test]
    fn epochs_have_one_name() {
        assert_eq!(
            ["log-7", "log-07", "log-", "rows-7", "log-+7"].map(epoch_of),
            [Some(7), None, None, None, None]
        );
    }

    #[test]
    fn an_epoch_has_one_writer_and_a_torn_line_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened {
            epoch: 3,
            session: String::new(),
            domain: "recruit".to_owned(),
            dimension: 4,
            file_name: String::new(),
            fingerprint: String::new(),
            total_rows: 8,
            first_row: 0,
            committed_mode: false,
            start: At::default(),
            segments: Vec::new(),
            shown: Shown::default(),
        };
        let mut log = Log::create(folder.path(), &opened).unwrap();
        assert!(Log::create(folder.path(), &opened).is_err());
        log.append(&rows(0, 5)).unwrap();
        log.file.take().unwrap().write_all(b"0123 {").unwrap();
        let (records, whole) = read(folder.path(), 3).unwrap();
        assert_eq!(records, [Record::Opened(opened), rows(0, 5)]);
        Log::resume(folder.path(), 3, whole).append(&Record::Aborted).unwrap();
        assert_eq!(read(folder.path(), 3).unwrap().0.last(), Some(&Record::Aborted));
    }
}
