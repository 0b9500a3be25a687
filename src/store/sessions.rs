//! Runs that are acknowledged while they last and outlive their stream: what every store that has them promises.
//!
//! * what [`Sessions::open`], [`Group::secure`] and [`Sessions::commit`] return is durable, as far as the store keeps
//!   anything at all;
//! * position and rows are one commit: after a crash a session stands where its rows end;
//! * an epoch has one stream: [`Sessions::attempt`] gives each epoch out once;
//! * rows of a pending session are seen by nobody before its commit; those of a committed one when its stream ends, and
//!   while it lasts not long after they were flushed.

use arrow_array::RecordBatch;

use super::{Error, Provenance, Published};
use crate::{
    schema::Domain,
    session::{Admission, ChunkRange, Hello, Position, Session, SessionId},
};

mod seat;

pub(super) use seat::Seat;

/// What a client says when it opens a session.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Which session, and of what.
    pub hello: Hello,
    /// The table.
    pub domain: &'static Domain,
    /// Elements of a vector.
    pub dimension: usize,
    /// Where the rows come from.
    pub provenance: Provenance,
}

/// What a client says when it has sent everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// Which session.
    pub session: SessionId,
    /// The attempt that asks.
    pub epoch: u64,
    /// All rows.
    pub total_rows: u64,
    /// What they are.
    pub fingerprint: String,
}

impl Finish {
    /// What the client must have said when it opened the session.
    pub(super) fn hello(&self, session: &Session) -> Hello {
        let (total_rows, fingerprint) = (self.total_rows, self.fingerprint.clone());
        Hello { fingerprint, total_rows, ..session.hello().clone() }
    }
}

/// When rows must be visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Showing {
    /// At once: the stream ends.
    Now,
    /// When it is worth its cost: a table may have to be written anew each time.
    WhenDue,
}

/// The sessions of a store.
pub trait Sessions: Send + Sync {
    /// Opens a session, new or known, and fences whoever held it.
    fn open(&self, opening: Opening) -> Result<Session, Error>;

    /// How far a session is, if it is known.
    fn status(&self, session: SessionId) -> Result<Option<Session>, Error>;

    /// The one stream of an epoch.
    fn attempt(&self, session: SessionId, epoch: u64) -> Result<Box<dyn Attempt>, Error>;

    /// Makes the durable rows of a session in committed mode visible; nothing in pending mode. The last rows of all are left
    /// to the commit.
    fn show(&self, session: SessionId, epoch: u64, when: Showing) -> Result<(), Error>;

    /// Makes all rows visible, once.
    fn commit(&self, finish: &Finish) -> Result<(Session, Published), Error>;

    /// Gives a session up; its rows go.
    fn abort(&self, session: SessionId, epoch: u64) -> Result<Session, Error>;
}

/// Rows on their way into a session. Dropping it loses what is not durable, and nothing else.
pub trait Attempt: Send {
    /// The table, and the elements of its vectors.
    fn table(&self) -> (&'static Domain, usize);

    /// Whether rows are only counted: callers then use [`Attempt::skip`] and need not decode them.
    fn counts_only(&self) -> bool {
        false
    }

    /// What becomes of a chunk, asked before its rows are decoded.
    fn admit(&self, chunk: ChunkRange) -> Result<Admission, Error>;

    /// Takes the rows of a chunk, if they are what it announces.
    fn append(&mut self, chunk: ChunkRange, batch: RecordBatch) -> Result<Admission, Error>;

    /// Takes `rows` rows at the word of their sender. Only where [`Attempt::counts_only`].
    fn skip(&mut self, chunk: ChunkRange, rows: u64) -> Result<Admission, Error>;

    /// Bytes taken since the last group, as far as they take memory.
    fn unsealed_bytes(&self) -> usize;

    /// Ends a group of rows. Groups are secured in the order in which they were sealed; that may happen elsewhere while
    /// this takes more rows.
    fn seal(&mut self) -> Option<Box<dyn Group>>;
}

/// Rows that become durable together.
pub trait Group: Send {
    /// Makes them durable; says how far the session is then.
    fn secure(self: Box<Self>) -> Result<Position, Error>;
}
