//! Sorting keys into an index with little memory: runs are sorted as they fill, spilled, and merged at the end.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use arrow_array::Array;

use super::{HEADER_BYTES, KEY_BYTES, Key, Keys, MAGIC, VERSION, number};
use crate::file::{
    atomic::{AtomicFile, Synced},
    error::{self, Error},
    map::{Access, Contents},
    spool,
};

/// Entries kept in memory: 24 MiB.
const RUN_ENTRIES: usize = 1 << 20;

/// Entries that are read at a time to find one: 768 KiB.
const PIECE_ENTRIES: usize = 1 << 15;

const SPILLED_BYTES: usize = KEY_BYTES + size_of::<u64>();

/// Collects the keys of a table.
#[derive(Debug)]
pub struct IdsBuilder {
    path: PathBuf,
    folder: PathBuf,
    run: Vec<(Key, u64)>,
    run_entries: usize,
    spilled: Option<Spilled>,
    rows: u64,
    entries: u64,
}

/// Rows whose key a later row has again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
    /// These rows.
    pub superseded: Vec<u64>,
    /// One of them and the next row of the same key.
    pub example: Option<(u64, u64)>,
}

#[derive(Debug)]
struct Spilled {
    file: BufWriter<File>,
    runs: Vec<usize>,
}

impl IdsBuilder {
    /// An index that will stand at `path`; what does not fit in memory waits in `folder`.
    pub fn new(path: &Path, folder: &Path) -> Self {
        let (path, folder) = (path.to_owned(), folder.to_owned());
        Self { path, folder, run: Vec::new(), run_entries: RUN_ENTRIES, spilled: None, rows: 0, entries: 0 }
    }

    #[cfg(test)]
    pub(crate) fn with_run_entries(mut self, entries: usize) -> Self {
        self.run_entries = entries;
        self
    }

    /// Adds the next rows, by their key column.
    pub fn add(&mut self, column: &dyn Array, name: &str) -> Result<(), Error> {
        let keys = Keys::of(column, name, &self.path)?;
        for row in 0..column.len() {
            if let Some(key) = keys.key(row) {
                self.insert(key)?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// Adds the next rows, by their keys.
    pub fn add_keys(&mut self, keys: &[Key]) -> Result<(), Error> {
        for key in keys {
            self.insert(*key)?;
            self.rows += 1;
        }
        Ok(())
    }

    /// How many rows so far have `key`. Looks at all of them.
    pub fn count(&mut self, key: &Key) -> Result<usize, Error> {
        let held = self.run.iter().filter(|(held, _)| held == key).count();
        let spilled = self.spilled.as_mut().map_or(Ok(0), |spilled| spilled.count(key));
        Ok(held + spilled.map_err(error::io(&self.path, "read"))?)
    }

    /// Rows whose key a later row has again; nothing is kept.
    pub fn repeats(self) -> Result<Repeats, Error> {
        self.write(&mut io::sink(), &mut blake3::Hasher::new())
    }

    fn insert(&mut self, key: Key) -> Result<(), Error> {
        if self.run.len() == self.run_entries {
            self.spill()?;
        }
        self.run.push((key, self.rows));
        self.entries += 1;
        Ok(())
    }

    fn spill(&mut self) -> Result<(), Error> {
        self.run.sort_unstable();
        let spilled = match self.spilled.take() {
            Some(spilled) => spilled,
            None => Spilled::create(&self.folder).map_err(error::io(&self.path, "sort"))?,
        };
        let spilled = self.spilled.insert(spilled);
        spilled.add(&self.run).map_err(error::io(&self.path, "sort"))?;
        self.run.clear();
        Ok(())
    }

    /// Writes the index to `file` and waits until it is on the disk.
    pub fn finish(self, mut file: AtomicFile) -> Result<(Synced, Repeats), Error> {
        let path = self.path.clone();
        let mut whole = blake3::Hasher::new();
        let repeats = self.write(&mut file, &mut whole)?;
        file.write_all(whole.finalize().as_bytes()).map_err(error::io(path, "write"))?;
        Ok((file.sync()?, repeats))
    }

    /// Writes the index to a file without a name in `folder`.
    pub(crate) fn finish_unnamed(self, folder: &Path, access: Access) -> Result<Contents, Error> {
        let path = self.path.clone();
        let mut file = spool::unnamed(folder).map_err(error::io(&path, "create"))?;
        let mut whole = blake3::Hasher::new();
        self.write(&mut file, &mut whole)?;
        file.write_all(whole.finalize().as_bytes()).map_err(error::io(&path, "write"))?;
        Contents::of_file(file, &path, access)
    }

    fn write(mut self, out: &mut impl Write, whole: &mut blake3::Hasher) -> Result<Repeats, Error> {
        self.run.sort_unstable();
        let path = self.path.clone();
        let mut writer = EntryWriter::new(out, whole, self.rows);
        writer.header(self.entries).map_err(error::io(&path, "write"))?;
        let run = self.run.into_iter();
        let Some(spilled) = self.spilled else {
            let mut run = run;
            run.try_for_each(|entry| writer.entry(entry)).map_err(error::io(&path, "write"))?;
            return writer.end().map_err(error::io(&path, "write"));
        };
        let runs = spilled.map(&path)?;
        let mut merged =
            Merge::new(runs.iter().map(|bytes| spilled_run(bytes)).chain([Box::new(run) as Entries<'_>]));
        merged.try_for_each(|entry| writer.entry(entry)).map_err(error::io(&path, "write"))?;
        writer.end().map_err(error::io(&path, "write"))
    }
}

type Entries<'a> = Box<dyn Iterator<Item = (Key, u64)> + 'a>;

impl Spilled {
    fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(256 * 1024, spool::unnamed(folder)?), runs: Vec::new() })
    }

    fn add(&mut self, run: &[(Key, u64)]) -> io::Result<()> {
        self.runs.push(run.len());
        for (key, row) in run {
            self.file.write_all(key)?;
            self.file.write_all(&row.to_le_bytes())?;
        }
        Ok(())
    }

    fn count(&mut self, key: &Key) -> io::Result<usize> {
        self.file.flush()?;
        let (mut count, mut at, mut piece) = (0, 0, vec![0; PIECE_ENTRIES * SPILLED_BYTES]);
        let mut left = self.runs.iter().sum::<usize>();
        while left > 0 {
            let entries = left.min(PIECE_ENTRIES);
            let piece = &mut piece[..entries * SPILLED_BYTES];
            self.file.get_ref().read_exact_at(piece, at)?;
            count += piece.chunks_exact(SPILLED_BYTES).filter(|entry| entry.starts_with(key)).count();
            (at, left) = (at + piece.len() as u64, left - entries);
        }
        Ok(count)
    }

    fn map(self, path: &Path) -> Result<Vec<bytes::Bytes>, Error> {
        let file = self.file.into_inner().map_err(|error| error::io(path, "sort")(error.into_error()))?;
        let mut bytes = Contents::of_file(file, path, Access::Map)?.to_bytes();
        Ok(self.runs.iter().map(|entries| bytes.split_to(entries * SPILLED_BYTES)).collect())
    }
}

fn spilled_run(bytes: &[u8]) -> Entries<'_> {
    Box::new(bytes.chunks_exact(SPILLED_BYTES).map(|entry| {
        let (key, row) = entry.split_at(KEY_BYTES);
        (key.try_into().expect("an entry begins with a whole key"), number(row))
    }))
}

/// Sorted runs as one.
struct Merge<'a> {
    runs: Vec<Entries<'a>>,
    heads: BinaryHeap<Reverse<((Key, u64), usize)>>,
}

impl<'a> Merge<'a> {
    fn new(runs: impl Iterator<Item = Entries<'a>>) -> Self {
        let mut runs: Vec<_> = runs.collect();
        let heads = runs.iter_mut().enumerate();
        let heads = heads.filter_map(|(run, entries)| Some(Reverse((entries.next()?, run)))).collect();
        Self { runs, heads }
    }
}

impl Iterator for Merge<'_> {
    type Item = (Key, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((entry, run)) = self.heads.pop()?;
        if let Some(next) = self.runs[run].next() {
            self.heads.push(Reverse((next, run)));
        }
        Some(entry)
    }
}

/// Writes entries and notices repeated keys, which stand beside each other.
struct EntryWriter<'a, W: Write> {
    out: &'a mut W,
    whole: &'a mut blake3::Hasher,
    row_bytes: usize,
    buffer: Vec<u8>,
    last: Option<(Key, u64)>,
    repeats: Repeats,
}

impl<'a, W: Write> EntryWriter<'a, W> {
    const BUFFER_BYTES: usize = 64 * 1024;

    fn new(out: &'a mut W, whole: &'a mut blake3::Hasher, rows: u64) -> Self {
        let row_bytes = if u32::try_from(rows).is_ok() { 4 } else { 8 };
        let buffer = Vec::with_capacity(Self::BUFFER_BYTES + HEADER_BYTES);
        Self { out, whole, row_bytes, buffer, last: None, repeats: Repeats::default() }
    }

    fn header(&mut self, entries: u64) -> io::Result<()> {
        self.buffer.extend_from_slice(MAGIC);
        self.buffer.extend_from_slice(&VERSION.to_le_bytes());
        self.buffer.extend_from_slice(&(self.row_bytes as u32).to_le_bytes());
        self.buffer.extend_from_slice(&entries.to_le_bytes());
        self.flush()
    }

    fn entry(&mut self, (key, row): (Key, u64)) -> io::Result<()> {
        if let Some((_, superseded)) = self.last.replace((key, row)).filter(|(last, _)| *last == key) {
            self.repeats.superseded.push(superseded);
            self.repeats.example.get_or_insert((superseded, row));
        }
        self.buffer.extend_from_slice(&key);
        self.buffer.extend_from_slice(&row.to_le_bytes()[..self.row_bytes]);
        if self.buffer.len() >= Self::BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.whole.update(&self.buffer);
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn end(mut self) -> io::Result<Repeats> {
        self.flush()?;
        self.repeats.superseded.sort_unstable();
        Ok(self.repeats)
    }
}
