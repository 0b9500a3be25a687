//! Work for all readers on few cores: peers take turns, so that who asks for much waits for itself.
//!
//! Each job that is handed in is one call of the pool, which then does the job of whoever's turn it is.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::server::Peer;

type Job = Box<dyn FnOnce() + Send>;

/// Jobs that wait, by the peer for whom they are.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    jobs: HashMap<Option<Peer>, VecDeque<Job>>,
    /// Peers that have jobs, the next one first.
    order: VecDeque<Option<Peer>>,
}

impl Turns {
    /// Has `job` done for `peer`, when it is its turn.
    pub(super) fn spawn(&self, peer: Option<Peer>, job: impl FnOnce() + Send + 'static) {
        self.lock().push(peer, Box::new(job));
        let turns = self.clone();
        rayon::spawn(move || turns.work());
    }

    fn work(&self) {
        // The lock is free while the job runs.
        let job = self.lock().pop();
        if let Some(job) = job {
            job();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, peer: Option<Peer>, job: Job) {
        let jobs = self.jobs.entry(peer).or_default();
        if jobs.is_empty() {
            self.order.push_back(peer);
        }
        jobs.push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let peer = self.order.pop_front()?;
        let jobs = self.jobs.get_mut(&peer)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.jobs.remove(&peer);
        } else {
            self.order.push_back(peer);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn peers_take_turns_and_each_keeps_its_order() {
        let (done, turns) = (Arc::new(Mutex::new(Vec::new())), Turns::default());
        let peer = |last| Some(Peer::from(std::net::IpAddr::from(Ipv4Addr::new(127, 0, 0, last))));
        for (peer, name) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (3, "c1"), (2, "b2")]
            .map(|(last, name)| (peer(last), name))
        {
            let done = Arc::clone(&done);
            turns.lock().push(peer, Box::new(move || done.lock().unwrap().push(name)));
        }
        (0..7).for_each(|_| turns.work());
        assert_eq!(*done.lock().unwrap(), ["a1", "b1", "c1", "a2", "b2", "a3"]);
        assert!(turns.lock().jobs.is_empty() && turns.lock().order.is_empty());
    }

    #[test]
    fn every_job_is_done() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let turns = Turns::default();
        for job in 0..100 {
            let sender = sender.clone();
            turns.spawn(None, move || sender.send(job).unwrap());
        }
        drop(sender);
        let mut done: Vec<i32> = receiver.iter().collect();
        done.sort_unstable();
        assert_eq!(done, (0..100).collect::<Vec<_>>());
    }
}
