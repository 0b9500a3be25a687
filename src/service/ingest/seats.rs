//! Who may send at a time: so many streams in all, and fewer of one peer.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::limits::server as limits;

/// The streams that run, by peer; those whose peer is unknown count as one peer's.
#[derive(Debug, Clone, Default)]
pub(super) struct Seats(Arc<Mutex<HashMap<Option<IpAddr>, usize>>>);

/// The right to be one of the streams, given back when it is dropped.
#[derive(Debug)]
pub(in crate::service) struct Slot {
    seats: Seats,
    peer: Option<IpAddr>,
}

impl Seats {
    /// A place for a stream of `peer`, if there is one.
    pub(super) fn take(&self, peer: Option<IpAddr>) -> Option<Slot> {
        let mut taken = self.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&peer).copied().unwrap_or(0);
        if all >= limits::INGEST_STREAMS_MAX || own >= limits::INGEST_STREAMS_OF_PEER_MAX {
            return None;
        }
        taken.insert(peer, own + 1);
        Some(Slot { seats: self.clone(), peer })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        let left = taken.get(&self.peer).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.peer);
        } else {
            taken.insert(self.peer, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_leaves_places_for_others_and_places_come_back() {
        let seats = Seats::default();
        let peers = [[127, 0, 0, 1], [127, 0, 0, 2]].map(|peer| Some(IpAddr::from(peer)));
        let (own, all) = (limits::INGEST_STREAMS_OF_PEER_MAX, limits::INGEST_STREAMS_MAX);
        let mut held: Vec<Slot> = (0..own).map(|_| seats.take(peers[0]).unwrap()).collect();
        assert!(seats.take(peers[0]).is_none());
        held.extend((own..all).map(|_| seats.take(peers[1]).unwrap()));
        assert!(seats.take(peers[1]).is_none());
        held.remove(0);
        assert!(seats.take(peers[1]).is_some());
        drop(held);
        assert!(seats.lock().is_empty());
    }
}
