//! The deciding half of a session's stream: plain code without async, one chunk after another.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    super::ingest::Refusal,
    hello::{Announced, digest},
    securing::{Secured, Securing},
};
use crate::{
    limits::{server::GROUP_BYTES, wire::ChunkLimits},
    proto::embedding::ChunkHeader,
    schema::{self, Domain},
    session::{Admission, ChunkRange, Refusal as State, Session, SessionId},
    store::{
        Sessions, Store,
        sessions::{Attempt, Showing},
    },
    wire::{self, ChunkDecoder},
};

/// The stream of one epoch.
pub(in crate::service) struct Intake {
    store: Arc<dyn Store>,
    session: SessionId,
    epoch: u64,
    attempt: Box<dyn Attempt>,
    decoder: ChunkDecoder,
    securing: Option<Securing>,
    is_flushed: bool,
    chunks: u64,
    duplicate_rows: u64,
}

/// The store's sessions.
pub(in crate::service) fn sessions(store: &dyn Store) -> Result<&dyn Sessions, Refusal> {
    store.sessions().ok_or(Refusal::NoSessions)
}

impl Intake {
    /// Begins the stream that `announced` names. `secured` is told of every group that is durable.
    pub(in crate::service) fn begin(
        store: Arc<dyn Store>,
        announced: &Announced,
        limits: ChunkLimits,
        secured: Secured,
    ) -> Result<Self, Refusal> {
        let (session, epoch) = (announced.hello.session, announced.epoch);
        let known = sessions(&*store)?.status(session)?.ok_or(State::SessionUnknown)?;
        if *known.hello() != announced.hello {
            return Err(State::FingerprintMismatch.into());
        }
        announced.check_start(known.durable())?;
        let attempt = sessions(&*store)?.attempt(session, epoch)?;
        let (domain, dimension) = attempt.table();
        let decoder = ChunkDecoder::new(domain, dimension, limits).map_err(in_chunk(1))?;
        let securing = Some(Securing::start(secured));
        let (is_flushed, chunks, duplicate_rows) = (false, 0, 0);
        Ok(Self { store, session, epoch, attempt, decoder, securing, is_flushed, chunks, duplicate_rows })
    }

    /// Takes one chunk. After an error that is a refusal the stream may go on with another.
    pub(in crate::service) fn take(&mut self, request: &Bytes) -> Result<(), Refusal> {
        let peeked = wire::peek(request).map_err(in_chunk(self.chunks + 1))?;
        let range = range(&peeked.header.ok_or(Refusal::NoHeader)?)?;
        let admission = match self.attempt.admit(range)? {
            Admission::Duplicate => Admission::Duplicate,
            Admission::Next => self.append(request, range)?,
        };
        self.chunks += 1;
        if admission == Admission::Duplicate {
            self.duplicate_rows += range.row_count;
        }
        if self.attempt.counts_only() || self.attempt.unsealed_bytes() >= GROUP_BYTES {
            self.seal()?;
        }
        Ok(())
    }

    fn append(&mut self, request: &Bytes, range: ChunkRange) -> Result<Admission, Refusal> {
        if self.attempt.counts_only() {
            let rows = self.decoder.count(request).map_err(in_chunk(self.chunks + 1))?.rows as u64;
            return Ok(self.attempt.skip(range, rows)?);
        }
        let decoded = self.decoder.decode(request).map_err(in_chunk(self.chunks + 1))?;
        let (_, batch) = decoded.chunk.ok_or(State::ChunkCorrupt { first_row: range.first_row })?;
        Ok(self.attempt.append(range, batch)?)
    }

    /// Has everything taken so far made durable, on the other thread. Also tells, when nothing is left to hand over, that
    /// a group failed: a client that waits for its acknowledgement sends nothing more.
    pub(in crate::service) fn seal(&mut self) -> Result<(), Refusal> {
        let goes_on = match (&self.securing, self.attempt.seal()) {
            (Some(securing), Some(group)) => securing.push(group),
            (Some(securing), None) => !securing.has_failed(),
            (None, group) => group.is_none(),
        };
        if goes_on { Ok(()) } else { self.failed() }
    }

    /// Makes everything taken so far durable, and waits for it: what is told after this finds it done.
    pub(in crate::service) fn secure(&mut self) -> Result<(), Refusal> {
        self.seal()?;
        if self.securing.as_ref().is_none_or(Securing::wait) { Ok(()) } else { self.failed() }
    }

    fn failed(&mut self) -> Result<(), Refusal> {
        // A group before this one failed.
        self.securing.take().map_or(Ok(()), Securing::finish)?;
        Err(State::SessionUnknown.into())
    }

    /// Waits until everything taken is durable.
    pub(in crate::service) fn settle(&mut self) -> Result<(), Refusal> {
        self.seal()?;
        self.securing.take().map_or(Ok(()), Securing::finish).map_err(Refusal::from)
    }

    /// Rows of the stream that were there already.
    pub(in crate::service) fn duplicate_rows(&self) -> u64 {
        self.duplicate_rows
    }

    /// What a client asks for that waits for its rows: they are made durable, and from now on readers see them when it is
    /// worth it.
    pub(in crate::service) fn flush(&mut self) -> Result<(), Refusal> {
        self.is_flushed = true;
        self.tick()
    }

    /// What is done now and then while the stream lasts.
    pub(in crate::service) fn tick(&mut self) -> Result<(), Refusal> {
        self.seal()?;
        if self.is_flushed { self.show(Showing::WhenDue) } else { Ok(()) }
    }

    /// Lets readers see what a session in committed mode has.
    pub(in crate::service) fn show(&self, when: Showing) -> Result<(), Refusal> {
        Ok(sessions(&*self.store)?.show(self.session, self.epoch, when)?)
    }

    /// How far the session is.
    pub(in crate::service) fn status(&self) -> Result<Session, Refusal> {
        Ok(sessions(&*self.store)?.status(self.session)?.ok_or(State::SessionUnknown)?)
    }
}

/// A stream that broke off keeps what it took: the less is sent again.
impl Drop for Intake {
    fn drop(&mut self) {
        // Whoever is still there to hear of an error has asked for it with `settle`.
        let _ = self.settle();
    }
}

fn range(header: &ChunkHeader) -> Result<ChunkRange, Refusal> {
    let digest = digest(&header.range_digest, "range_digest")?;
    Ok(ChunkRange { first_row: header.first_row, row_count: u64::from(header.row_count), digest })
}

fn in_chunk(chunk: u64) -> impl FnOnce(wire::Error) -> Refusal {
    move |source| Refusal::Chunk { chunk, source }
}

/// The domain that a message names.
pub(in crate::service) fn domain(name: &str) -> Result<&'static Domain, Refusal> {
    schema::find(name).ok_or_else(|| Refusal::UnknownDomain(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use arrow_array::RecordBatch;

    use super::*;
    use crate::{
        session::Position,
        store::{self, Discard, sessions::Group},
    };

    struct Failing;

    impl Group for Failing {
        fn secure(self: Box<Self>) -> Result<Position, store::Error> {
            Err(State::ChunkCorrupt { first_row: 7 }.into())
        }
    }

    /// Has one group, which fails.
    struct OneGroup(Option<Box<dyn Group>>);

    impl Attempt for OneGroup {
        fn table(&self) -> (&'static Domain, usize) {
            (schema::find("recruit").unwrap(), 384)
        }

        fn admit(&self, _: ChunkRange) -> Result<Admission, store::Error> {
            Ok(Admission::Next)
        }

        fn append(&mut self, _: ChunkRange, _: RecordBatch) -> Result<Admission, store::Error> {
            Ok(Admission::Next)
        }

        fn skip(&mut self, _: ChunkRange, _: u64) -> Result<Admission, store::Error> {
            Ok(Admission::Next)
        }

        fn unsealed_bytes(&self) -> usize {
            0
        }

        fn seal(&mut self) -> Option<Box<dyn Group>> {
            self.0.take()
        }
    }

    #[test]
    fn a_group_that_fails_behind_the_last_chunk_is_told() {
        let (domain, limits) = (schema::find("recruit").unwrap(), ChunkLimits::default());
        let mut intake = Intake {
            store: Arc::new(Discard::default()),
            session: SessionId::from_bytes(&[7; 16]).unwrap(),
            epoch: 1,
            attempt: Box::new(OneGroup(Some(Box::new(Failing)))),
            decoder: ChunkDecoder::new(domain, 384, limits).unwrap(),
            securing: Some(Securing::start(Box::new(|_| {}))),
            is_flushed: false,
            chunks: 0,
            duplicate_rows: 0,
        };
        assert!(intake.seal().is_ok());
        // Nothing is left to hand over: only ticks come.
        let told = (0..5_000).find_map(|_| {
            thread::sleep(Duration::from_millis(1));
            intake.seal().err()
        });
        let is_its_own = |told: &Refusal| {
            matches!(told, Refusal::Store(store::Error::Session(State::ChunkCorrupt { first_row: 7 })))
        };
        assert!(told.as_ref().is_some_and(is_its_own), "{told:?}");
    }
}
