//! Sessions that keep positions and no rows: for measuring the protocol without a store. They end with the process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arrow_array::RecordBatch;

use super::super::{
    Error, Published,
    sessions::{Attempt, Finish, Group, Opening, Seat, Sessions, Showing},
};
use crate::{
    columnar::schema as conventions,
    digest::fingerprint,
    limits::server::SESSIONS_MAX,
    schema::Domain,
    session::{Admission, ChunkRange, Phase, Position, Refusal, Session, SessionId},
};

/// Sessions in memory.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<HashMap<SessionId, Arc<Seat<Facts>>>>);

/// What a fingerprint is made of, beside rows and digest.
#[derive(Debug, Clone, Copy)]
struct Facts {
    domain: &'static Domain,
    dimension: usize,
}

struct Counting {
    seat: Arc<Seat<Facts>>,
    epoch: u64,
    sealed: u64,
}

struct Counts {
    seat: Arc<Seat<Facts>>,
    epoch: u64,
    position: Position,
}

impl Counted {
    fn seat(&self, session: SessionId) -> Result<Arc<Seat<Facts>>, Error> {
        self.find(session).ok_or_else(|| Refusal::SessionUnknown.into())
    }

    fn find(&self, session: SessionId) -> Option<Arc<Seat<Facts>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&session).cloned()
    }
}

impl Sessions for Counted {
    fn open(&self, opening: Opening) -> Result<Session, Error> {
        let Opening { hello, domain, dimension, .. } = opening;
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = hello.session;
        if let Some(seat) = seats.get(&id) {
            return Ok(seat.with(|state| {
                state.session = Session::open(Some(state.session.clone()), hello)?;
                Ok::<_, Refusal>(state.session.clone())
            })?);
        }
        if seats.len() >= SESSIONS_MAX {
            seats.retain(|_, seat| seat.session().phase() == Phase::Open);
        }
        if seats.len() >= SESSIONS_MAX {
            return Err(Error::TooManySessions { limit: SESSIONS_MAX });
        }
        let session = Session::open(None, hello)?;
        seats.insert(id, Arc::new(Seat::new(session.clone(), Facts { domain, dimension })));
        Ok(session)
    }

    fn status(&self, session: SessionId) -> Result<Option<Session>, Error> {
        Ok(self.find(session).map(|seat| seat.session()))
    }

    fn attempt(&self, session: SessionId, epoch: u64) -> Result<Box<dyn Attempt>, Error> {
        let seat = self.seat(session)?;
        let sealed = seat.claim(epoch)?.rows;
        Ok(Box::new(Counting { seat, epoch, sealed }))
    }

    fn show(&self, session: SessionId, epoch: u64, _: Showing) -> Result<(), Error> {
        Ok(self.seat(session)?.session().check_epoch(epoch)?)
    }

    fn commit(&self, finish: &Finish) -> Result<(Session, Published), Error> {
        self.seat(finish.session)?.with(|state| {
            let hello = finish.hello(&state.session);
            let Facts { domain, dimension } = state.own;
            let schema = conventions::of_domain(domain, dimension);
            state.session.commit(finish.epoch, &hello, |at| fingerprint(&schema, at.rows, at.digest))?;
            state.session.finalize(0);
            let run_rows = finish.total_rows;
            let published = Published { version: 0, changed: false, table_rows: 0, run_rows };
            Ok((state.session.clone(), published))
        })
    }

    fn abort(&self, session: SessionId, epoch: u64) -> Result<Session, Error> {
        self.seat(session)?.with(|state| {
            state.session.abort(epoch)?;
            Ok(state.session.clone())
        })
    }
}

impl Attempt for Counting {
    fn table(&self) -> (&'static Domain, usize) {
        self.seat.with(|state| (state.own.domain, state.own.dimension))
    }

    fn counts_only(&self) -> bool {
        true
    }

    fn admit(&self, chunk: ChunkRange) -> Result<Admission, Error> {
        Ok(self.seat.with(|state| state.session.admit(self.epoch, chunk))?)
    }

    fn append(&mut self, chunk: ChunkRange, batch: RecordBatch) -> Result<Admission, Error> {
        self.skip(chunk, batch.num_rows() as u64)
    }

    fn skip(&mut self, chunk: ChunkRange, rows: u64) -> Result<Admission, Error> {
        let found = Position { rows, digest: chunk.digest };
        Ok(self.seat.with(|state| state.session.take(self.epoch, chunk, found))?)
    }

    fn unsealed_bytes(&self) -> usize {
        0
    }

    fn seal(&mut self) -> Option<Box<dyn Group>> {
        let position = self.seat.session().taken();
        if position.rows == self.sealed {
            return None;
        }
        self.sealed = position.rows;
        Some(Box::new(Counts { seat: Arc::clone(&self.seat), epoch: self.epoch, position }))
    }
}

impl Group for Counts {
    fn secure(self: Box<Self>) -> Result<Position, Error> {
        self.seat.with(|state| state.session.secure(self.epoch, self.position))?;
        Ok(self.position)
    }
}
