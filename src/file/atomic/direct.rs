//! Writing past the page cache, on a thread of its own.
//!
//! A committed file is on the disk before anybody can read it, so the page cache only stands in the way: each page has to
//! be found, zeroed by the hypervisor the first time, and copied to; measured on a virtual machine that is ten times
//! the processor time of the same bytes written directly. Where the file system refuses direct writing, they go through
//! the cache, and the disk is started early so that the last sync is short.

use std::{
    fs::File,
    io::{self, Write as _},
    num::NonZeroU64,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rustix::fs::{Advice, OFlags};

/// Bytes written at a time: large enough that a disk is busy with one.
pub(super) const BLOCK_BYTES: usize = 1 << 20;

/// What direct writing asks of memory and positions, at most.
const ALIGNMENT: usize = 4096;

/// One block is filled and one is written; the others wait, so that a disk that pauses does not stop those who compute.
const BLOCKS: usize = 8;

/// Bytes written through the cache after which the disk is told to start.
const WRITE_BACK_BYTES: u64 = 16 << 20;

/// Memory for one write, at an aligned address.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

/// The thread that writes full blocks.
#[derive(Debug)]
pub(super) struct BlockWriter {
    full: SyncSender<Block>,
    empty: Receiver<Block>,
    thread: JoinHandle<io::Result<()>>,
}

impl Block {
    /// Stands for a block that has been handed over: it holds nothing, and takes nothing.
    pub(super) fn none() -> Self {
        Self { bytes: Vec::new(), start: 0, length: BLOCK_BYTES }
    }

    pub(super) fn new() -> Self {
        let bytes = vec![0; BLOCK_BYTES + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self { bytes, start, length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn is_full(&self) -> bool {
        self.length == BLOCK_BYTES
    }

    /// What has been filled from `from` on.
    pub(super) fn filled(&self, from: usize) -> &[u8] {
        &self.bytes[self.start + from..self.start + self.length]
    }

    /// Takes as much of `bytes` as fits.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(BLOCK_BYTES - self.length);
        let end = self.start + self.length;
        self.bytes[end..end + taken].copy_from_slice(&bytes[..taken]);
        self.length += taken;
        taken
    }
}

impl BlockWriter {
    pub(super) fn start(file: Arc<File>) -> io::Result<Self> {
        let (full, to_write) = sync_channel(BLOCKS - 2);
        let (written, empty) = channel();
        (1..BLOCKS).for_each(|_| _ = written.send(Block::new()));
        let thread = thread::Builder::new().name("file writer".to_owned());
        let thread = thread.spawn(move || write_blocks(&file, &to_write, &written))?;
        Ok(Self { full, empty, thread })
    }

    /// Hands over a full block for an empty one; an error means that the writer has failed, and `finish` says how.
    pub(super) fn exchange(&self, block: Block) -> Option<Block> {
        self.full.send(block).ok()?;
        self.empty.recv().ok()
    }

    /// Waits until everything is written.
    pub(super) fn finish(self) -> io::Result<()> {
        drop(self.full);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")))
    }
}

fn write_blocks(file: &File, full: &Receiver<Block>, written: &Sender<Block>) -> io::Result<()> {
    let mut out = Out { file, direct: set_direct(file, true).is_ok(), dirty: 0, position: 0 };
    for mut block in full {
        out.write(block.filled(0))?;
        block.length = 0;
        _ = written.send(block);
    }
    if out.direct { Ok(set_direct(file, false)?) } else { Ok(()) }
}

fn set_direct(file: &File, direct: bool) -> rustix::io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    rustix::fs::fcntl_setfl(file, if direct { flags | OFlags::DIRECT } else { flags - OFlags::DIRECT })
}

struct Out<'a> {
    file: &'a File,
    direct: bool,
    dirty: u64,
    position: u64,
}

impl Out<'_> {
    /// Writes all of `bytes`. A file system may refuse direct writing only now, or after a part: the rest then goes
    /// through the cache.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match (&mut &*self.file).write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    self.written(written as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.direct && error.kind() == io::ErrorKind::InvalidInput => {
                    set_direct(self.file, false)?;
                    self.direct = false;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Starts the disk on what went through the cache. On Linux that is what this advice does first; pages not yet clean
    /// stay. It is advice: its failure costs time only.
    fn written(&mut self, bytes: u64) {
        self.position += bytes;
        self.dirty += if self.direct { 0 } else { bytes };
        if self.dirty >= WRITE_BACK_BYTES {
            let start = self.position - self.dirty;
            _ = rustix::fs::fadvise(self.file, start, NonZeroU64::new(self.dirty), Advice::DontNeed);
            self.dirty = 0;
        }
    }
}
