//! What of a connection the server itself does not read. All streams of a connection share its window: those that wait for
//! the disk hold it, and then no other stream of that peer can send.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Extensions;
use tokio::time::Instant;

/// The streams of one connection whose readers are away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backlog(Arc<Mutex<Readers>>);

#[derive(Debug, Default)]
struct Readers {
    next: u64,
    /// Since when each is away.
    away: HashMap<u64, Instant>,
    /// The last times that readers came back: for how long they had been away.
    returned: Option<(Instant, Duration)>,
}

/// A reader that does something else, until this is dropped.
#[derive(Debug)]
pub(crate) struct Away {
    of: Backlog,
    number: u64,
}

impl Backlog {
    /// That of the connection by which a call came.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// A reader of a stream does something else from now on.
    pub(crate) fn leave(&self) -> Away {
        let mut readers = self.lock();
        let number = readers.next;
        readers.next += 1;
        readers.away.insert(number, Instant::now());
        Away { of: self.clone(), number }
    }

    /// Whether a reader was away at some time since `begin`, for `least` or longer.
    pub(crate) fn held_since(&self, begin: Instant, least: Duration) -> bool {
        let readers = self.lock();
        let returned = readers.returned.is_some_and(|(at, away)| at >= begin && away >= least);
        returned || readers.away.values().any(|since| since.elapsed() >= least)
    }

    fn lock(&self) -> MutexGuard<'_, Readers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        let mut readers = self.of.lock();
        let Some(since) = readers.away.remove(&self.number) else { return };
        let now = Instant::now();
        let away = now - since;
        // A short absence does not hide a long one that ended a moment ago.
        if readers.returned.is_none_or(|(at, before)| away >= before || now - at > before) {
            readers.returned = Some((now, away));
        }
    }
}
