//! A session as several calls of one server share it: its state behind a lock, and which epoch has its stream.

use std::sync::{Mutex, PoisonError};

use crate::session::{Position, Refusal, Session};

/// A session, and what its store keeps with it.
#[derive(Debug)]
pub(in crate::store) struct Seat<T> {
    state: Mutex<State<T>>,
}

/// What the lock guards.
#[derive(Debug)]
pub(in crate::store) struct State<T> {
    pub(in crate::store) session: Session,
    pub(in crate::store) own: T,
    /// The last epoch that was given a stream.
    streamed: u64,
}

impl<T> Seat<T> {
    pub(in crate::store) fn new(session: Session, own: T) -> Self {
        Self { state: Mutex::new(State { session, own, streamed: 0 }) }
    }

    /// Looks at the session, or changes it.
    pub(in crate::store) fn with<R>(&self, act: impl FnOnce(&mut State<T>) -> R) -> R {
        // Every change is one assignment after all checks, so that a panic elsewhere leaves a sound state.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The session as it is now.
    pub(in crate::store) fn session(&self) -> Session {
        self.with(|state| state.session.clone())
    }

    /// Gives the stream of `epoch` out, once: rows of two streams could not be told apart.
    pub(in crate::store) fn claim(&self, epoch: u64) -> Result<Position, Refusal> {
        self.with(|state| {
            state.session.check_epoch(epoch)?;
            if state.streamed >= epoch {
                return Err(Refusal::SessionUnknown);
            }
            state.streamed = epoch;
            Ok(state.session.durable())
        })
    }
}
