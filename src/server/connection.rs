//! One connection: who is at its other end, what calls it carries, and whether they are being read.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{
    backlog::Backlog,
    peers::{Counted, Peer},
};

/// What layers know of the connection that a call came by.
#[derive(Debug)]
pub(super) struct Connection {
    remote: SocketAddr,
    opened: Instant,
    /// A call of this connection had a good token.
    trusted: AtomicBool,
    /// Counts the connection among the silent ones until its first call.
    silent: Mutex<Option<Counted>>,
    calls_begun: AtomicU64,
    calls: Mutex<Vec<Weak<Call>>>,
    /// Milliseconds since `opened` at which the socket had no room for what is left to write; 0 if it had.
    blocked_since: AtomicU64,
    backlog: Backlog,
}

/// A call, as far as its reader is concerned.
#[derive(Debug)]
pub(super) struct Call {
    opened: Instant,
    /// Milliseconds since `opened` at which a chunk was handed out and nothing was asked for since; 0 if it was.
    waits_since: AtomicU64,
    cut: Notify,
}

/// What was found when the calls of a connection were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stalled {
    /// Calls that were ended because nobody reads them.
    pub(super) cut: usize,
    /// Calls that go on.
    pub(super) others: usize,
}

tokio::task_local! {
    /// The call that a task answers.
    static CURRENT: Arc<Call>;
}

/// Runs the tasks of the calls of one connection.
#[derive(Debug, Clone)]
pub(super) struct CallExecutor(pub(super) Arc<Connection>);

// === impl Connection ===

impl Connection {
    pub(super) fn new(remote: SocketAddr, silent: Counted) -> Arc<Self> {
        Arc::new(Self {
            remote,
            opened: Instant::now(),
            trusted: AtomicBool::new(false),
            silent: Mutex::new(Some(silent)),
            calls_begun: AtomicU64::new(0),
            calls: Mutex::default(),
            blocked_since: AtomicU64::new(0),
            backlog: Backlog::default(),
        })
    }

    pub(super) fn remote(&self) -> SocketAddr {
        self.remote
    }

    pub(super) fn peer(&self) -> Peer {
        self.remote.ip().into()
    }

    pub(super) fn backlog(&self) -> Backlog {
        self.backlog.clone()
    }

    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    pub(super) fn is_trusted(&self) -> bool {
        self.trusted.load(Relaxed)
    }

    pub(super) fn trust(&self) {
        self.trusted.store(true, Relaxed);
    }

    pub(super) fn has_called(&self) -> bool {
        self.calls_begun.load(Relaxed) > 0
    }

    fn begin(&self) -> Arc<Call> {
        self.calls_begun.fetch_add(1, Relaxed);
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).take();
        let call = Arc::new(Call { opened: self.opened, waits_since: AtomicU64::new(0), cut: Notify::new() });
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|call| call.strong_count() > 0);
        calls.push(Arc::downgrade(&call));
        call
    }

    /// Whether the socket takes what there is to write. Each time that it took something it counts as blocked anew.
    pub(super) fn set_blocked(&self, blocked: bool) {
        let now = self.opened.elapsed().as_millis() as u64;
        match blocked {
            // Asked again without having taken anything.
            true if self.blocked_since.load(Relaxed) > 0 => {}
            true => self.blocked_since.store(now.max(1), Relaxed),
            false => self.blocked_since.store(0, Relaxed),
        }
    }

    /// Whether any call runs, or the end of one is still being taken: within `patience` since the last of it was.
    pub(super) fn is_busy(&self, patience: Duration) -> bool {
        let blocked = match self.blocked_since.load(Relaxed) {
            0 => false,
            since => self.opened.elapsed().saturating_sub(Duration::from_millis(since)) < patience,
        };
        self.has_calls() || (blocked && self.has_called())
    }

    fn has_calls(&self) -> bool {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().any(|call| call.strong_count() > 0)
    }

    /// Ends the calls whose response nobody took on for `patience`.
    pub(super) fn cut_stalled(&self, patience: Duration) -> Stalled {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Stalled { cut: 0, others: 0 };
        for call in calls.iter().filter_map(Weak::upgrade) {
            if call.waits_for() >= patience {
                call.cut.notify_one();
                found.cut += 1;
            } else {
                found.others += 1;
            }
        }
        found
    }
}

// === impl Call ===

impl Call {
    /// The call that this task answers, if it answers one.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// A chunk was handed out.
    pub(super) fn offered(&self) {
        let now = self.opened.elapsed().as_millis() as u64;
        self.waits_since.store(now.max(1), Relaxed);
    }

    /// More is asked for.
    pub(super) fn taken(&self) {
        self.waits_since.store(0, Relaxed);
    }

    fn waits_for(&self) -> Duration {
        match self.waits_since.load(Relaxed) {
            0 => Duration::ZERO,
            since => self.opened.elapsed().saturating_sub(Duration::from_millis(since)),
        }
    }
}

// === impl CallExecutor ===

impl<F> hyper::rt::Executor<F> for CallExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, answering: F) {
        let call = self.0.begin();
        let until_cut = Arc::clone(&call);
        tokio::spawn(CURRENT.scope(call, async move {
            // Dropping what answers resets the stream and frees what waits in it, also inside the connection.
            tokio::select! {
                () = answering => {}
                () = until_cut.cut.notified() => {}
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::peers::Numbers;

    #[test]
    fn only_a_chunk_that_nobody_takes_on_is_a_stall() {
        let silent = Numbers::new(1).count(Peer::from(std::net::IpAddr::from([127, 0, 0, 1]))).unwrap();
        let connection = Connection::new(([127, 0, 0, 1], 1).into(), silent);
        let (read, unread) = (connection.begin(), connection.begin());
        let ended = connection.begin();
        ended.offered();
        drop(ended);
        for call in [&read, &unread] {
            call.offered();
        }
        read.taken();
        std::thread::sleep(Duration::from_millis(5));
        let found = connection.cut_stalled(Duration::from_millis(1));
        assert_eq!(found, Stalled { cut: 1, others: 1 });
        assert_eq!(connection.cut_stalled(Duration::from_mins(1)), Stalled { cut: 0, others: 2 });
        assert!(connection.has_called() && connection.silent.lock().unwrap().is_none());
    }
}
