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
    #[serde(flatten)]
    pub(super) sum: Sum,
}

/// The digest of a file of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sum {
    #[serde(with = "crate::file::manifest::hex")]
    Xxh3(u128),
    /// In logs of builds before the first release.
    Blake3(String),
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
        match whole_line(line) {
            Some(json) => records.push(record(json, path, records.len() + 1)?),
            None if is_last => break,
            None => return Err(damaged(path, &format!("line {} is damaged", records.len() + 1))),
        }
        whole += line.len();
    }
    Ok((records, whole as u64))
}

fn whole_line(line: &[u8]) -> Option<&str> {
    let (digest, json) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    (digest == digest_of(json)).then_some(json)
}

/// A whole line was acknowledged: one that says what nobody here knows is not passed over.
fn record(json: &str, path: &Path, line: usize) -> Result<Record, Error> {
    let unknown =
        |error| damaged(path, &format!("line {line} was written by another version of brine: {error}"));
    serde_json::from_str(json).map_err(unknown)
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
mod tests;
