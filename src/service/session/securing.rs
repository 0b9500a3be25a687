//! The thread that makes a stream's groups durable, one after the other, while the next rows arrive.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use crate::{
    session::Position,
    store::{self, sessions::Group},
};

/// Groups that wait while one is being written.
const WAITING: usize = 1;

/// Told of every group that is durable.
pub(super) type Secured = Box<dyn FnMut(Position) + Send>;

/// What the thread is handed.
enum Work {
    Group(Box<dyn Group>),
    /// Who waits for what came before.
    Told(SyncSender<()>),
}

/// The thread, and the way to it.
pub(super) struct Securing {
    groups: SyncSender<Work>,
    thread: JoinHandle<Result<(), store::Error>>,
}

impl Securing {
    pub(super) fn start(secured: Secured) -> Self {
        let (groups, queue) = sync_channel(WAITING);
        Self { groups, thread: thread::spawn(move || secure_all(&queue, secured)) }
    }

    /// Hands a group over; false if one before it failed, which [`Securing::finish`] then tells.
    pub(super) fn push(&self, group: Box<dyn Group>) -> bool {
        self.groups.send(Work::Group(group)).is_ok()
    }

    /// Waits until everything handed over is durable; false if a group failed.
    pub(super) fn wait(&self) -> bool {
        let (told, done) = sync_channel(1);
        self.groups.send(Work::Told(told)).is_ok() && done.recv().is_ok()
    }

    /// Whether it has ended, which it does before [`Securing::finish`] only when a group failed.
    pub(super) fn has_failed(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until everything handed over is durable.
    pub(super) fn finish(self) -> Result<(), store::Error> {
        drop(self.groups);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn secure_all(queue: &Receiver<Work>, mut secured: Secured) -> Result<(), store::Error> {
    while let Ok(work) = queue.recv() {
        match work {
            Work::Group(group) => secured(group.secure()?),
            // Nobody may wait any more.
            Work::Told(told) => _ = told.send(()),
        }
    }
    Ok(())
}
