//! The exactly-once state machine of an ingest session, pure: positions, epochs, reasons. No clock, no disk, no network.
//!
//! ```text
//! none ─ open ─► Open(epoch 1, 0 rows) ─ take ─ secure ─► Open(epoch, n rows) ─ commit ─► Finalized(version)
//!                  │      ▲
//!                  └ open ┘ epoch + 1: whoever held the session before is fenced        abort ─► Aborted
//! ```
//!
//! A store keeps one [`Session`] beside its rows and changes both in one commit; a service asks [`Session::admit`] before it
//! decodes a chunk and [`Session::take`] after; a client follows what [`Refusal`] says. What must always hold:
//!
//! 1. acknowledged rows are durable, and the durable position never falls;
//! 2. every row below it is stored exactly once;
//! 3. only the highest epoch moves it;
//! 4. a version is visible only if all rows are there and their digest is the announced one;
//! 5. a client reports success only for a finalized session;
//! 6. a finalized session never changes;
//! 7. when faults stop, a session that keeps its client is finalized.

mod id;
mod refusal;

pub use id::SessionId;
pub use refusal::Refusal;

/// A number of rows from the first on, and their digest: the whole state that a position is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// How many rows.
    pub rows: u64,
    /// `D` of them: the sum of their hashes modulo 2^128.
    pub digest: u128,
}

impl Position {
    /// The position behind `rows` more rows of this digest.
    #[must_use]
    pub fn after(self, rows: u64, digest: u128) -> Self {
        Self { rows: self.rows + rows, digest: self.digest.wrapping_add(digest) }
    }
}

/// When rows become visible to readers of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As soon as they are durable, in the order in which they were sent.
    Committed,
    /// All at once, when the session is committed.
    #[default]
    Pending,
}

/// What a client says when it opens a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hello {
    /// Which session.
    pub session: SessionId,
    /// What the rows are: `rows-v1:` and the digest of schema, number and `D` of all rows.
    pub fingerprint: String,
    /// How many rows there are in all.
    pub total_rows: u64,
    /// The session's first row in the data set: digests bind rows to their places there.
    pub first_row: u64,
    /// When they become visible.
    pub mode: Mode,
}

/// What a chunk says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkRange {
    /// Its first row in the data set.
    pub first_row: u64,
    /// How many rows it carries.
    pub row_count: u64,
    /// `D` of them.
    pub digest: u128,
}

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It takes rows.
    Open,
    /// All rows are in and visible, as this version of the table.
    Finalized {
        /// The version.
        version: u64,
    },
    /// It was given up; its rows are gone, or going.
    Aborted,
}

/// What becomes of a chunk that is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Its rows are the next ones.
    Next,
    /// All its rows are here already: it is acknowledged, and nothing is stored.
    Duplicate,
}

/// What a commit leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// Everything is there: publish it, then [`Session::finalize`].
    Publish,
    /// It was published before.
    Done {
        /// As this version.
        version: u64,
    },
}

/// One session as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    hello: Hello,
    epoch: u64,
    phase: Phase,
    durable: Position,
    taken: Position,
}

impl Session {
    /// A session that was stored: its durable state.
    pub fn stored(hello: Hello, epoch: u64, phase: Phase, durable: Position) -> Self {
        Self { hello, epoch, phase, durable, taken: durable }
    }

    /// Opens a session, new or known, and fences whoever held it before. The result must be durable before anybody hears
    /// of it.
    pub fn open(known: Option<Self>, hello: Hello) -> Result<Self, Refusal> {
        let Some(known) = known else { return Ok(Self::stored(hello, 1, Phase::Open, Position::default())) };
        if known.hello != hello {
            return Err(Refusal::FingerprintMismatch);
        }
        Ok(match known.phase {
            Phase::Finalized { .. } => known,
            Phase::Open => Self::stored(hello, known.epoch + 1, Phase::Open, known.durable),
            Phase::Aborted => Self::stored(hello, known.epoch + 1, Phase::Open, Position::default()),
        })
    }

    /// What becomes of a chunk that says this of itself; asked before its rows are decoded.
    pub fn admit(&self, epoch: u64, chunk: ChunkRange) -> Result<Admission, Refusal> {
        self.check_epoch(epoch)?;
        let end = chunk.first_row.checked_add(chunk.row_count);
        let end = end.filter(|end| *end <= self.hello.total_rows).ok_or(Refusal::BeyondEnd)?;
        if end <= self.taken.rows {
            return Ok(Admission::Duplicate);
        }
        if chunk.first_row == self.taken.rows {
            return Ok(Admission::Next);
        }
        Err(Refusal::OffsetGap { expected_row: self.taken.rows })
    }

    /// Takes the rows of a chunk that was admitted as the next: `found` is what its rows were counted and digested to.
    pub fn take(&mut self, epoch: u64, chunk: ChunkRange, found: Position) -> Result<Admission, Refusal> {
        let admission = self.admit(epoch, chunk)?;
        if found != (Position { rows: chunk.row_count, digest: chunk.digest }) {
            return Err(Refusal::ChunkCorrupt { first_row: chunk.first_row });
        }
        if admission == Admission::Next {
            self.taken = self.taken.after(chunk.row_count, chunk.digest);
        }
        Ok(admission)
    }

    /// Notes that everything up to `position`, which was taken by this epoch, is durable together with this note.
    pub fn secure(&mut self, epoch: u64, position: Position) -> Result<(), Refusal> {
        self.check_epoch(epoch)?;
        if position.rows < self.durable.rows || position.rows > self.taken.rows {
            return Err(Refusal::OffsetGap { expected_row: self.taken.rows });
        }
        self.durable = position;
        Ok(())
    }

    /// Asks for the end: `fingerprint_of` says what the table's schema and these rows add up to.
    pub fn commit(
        &self,
        epoch: u64,
        hello: &Hello,
        fingerprint_of: impl FnOnce(Position) -> String,
    ) -> Result<Commit, Refusal> {
        if self.hello != *hello {
            return Err(Refusal::FingerprintMismatch);
        }
        if let Phase::Finalized { version } = self.phase {
            return Ok(Commit::Done { version });
        }
        self.check_epoch(epoch)?;
        if self.durable.rows != self.hello.total_rows {
            return Err(Refusal::Incomplete { committed_rows: self.durable.rows });
        }
        if fingerprint_of(self.durable) != self.hello.fingerprint {
            return Err(Refusal::FingerprintMismatch);
        }
        Ok(Commit::Publish)
    }

    /// Notes that the rows are visible as `version`, durable together with this note.
    pub fn finalize(&mut self, version: u64) {
        if self.phase == Phase::Open {
            self.phase = Phase::Finalized { version };
        }
    }

    /// Gives the session up, unless it is finalized.
    pub fn abort(&mut self, epoch: u64) -> Result<(), Refusal> {
        self.check_epoch(epoch)?;
        self.phase = Phase::Aborted;
        self.taken = self.durable;
        Ok(())
    }

    /// Whether `epoch` may write.
    pub fn check_epoch(&self, epoch: u64) -> Result<(), Refusal> {
        match self.phase {
            Phase::Finalized { .. } => Err(Refusal::SessionFinalized),
            Phase::Aborted => Err(Refusal::SessionUnknown),
            Phase::Open if epoch < self.epoch => Err(Refusal::Fenced { epoch: self.epoch }),
            // An epoch that nobody was given: the record of it is lost, so the client asks again.
            Phase::Open if epoch > self.epoch => Err(Refusal::SessionUnknown),
            Phase::Open => Ok(()),
        }
    }

    /// What the client said.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// The attempt that may write.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What survives a crash.
    pub fn durable(&self) -> Position {
        self.durable
    }

    /// What was taken, durable or not: the next row that is expected.
    pub fn taken(&self) -> Position {
        self.taken
    }
}

#[cfg(test)]
mod tests;
