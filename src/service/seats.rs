//! Who may have a stream at a time: so many in all, and fewer of one peer.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::server::Peer;

/// The streams that run, by peer; those whose peer is unknown count as one peer's.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    all_max: usize,
    of_peer_max: usize,
    taken: Arc<Mutex<HashMap<Option<Peer>, usize>>>,
}

/// The right to be one of the streams, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    seats: Seats,
    peer: Option<Peer>,
}

impl Seats {
    /// At most `all_max` streams, and `of_peer_max` of one peer.
    pub(super) fn new(all_max: usize, of_peer_max: usize) -> Self {
        Self { all_max, of_peer_max, taken: Arc::default() }
    }

    /// A place for a stream of whoever is at `remote`, if there is one.
    pub(super) fn take(&self, remote: Option<SocketAddr>) -> Option<Slot> {
        let peer = remote.map(|remote| remote.ip().into());
        let mut taken = self.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&peer).copied().unwrap_or(0);
        if all >= self.all_max || own >= self.of_peer_max {
            return None;
        }
        taken.insert(peer, own + 1);
        Some(Slot { seats: self.clone(), peer })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<Peer>, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Whose stream it is, if that is known.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.peer
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
    use crate::limits::{server, serving};

    fn at(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().unwrap(), 7)
    }

    /// The bounds of receiving and of serving.
    fn both() -> [Seats; 2] {
        [
            Seats::new(server::INGEST_STREAMS_MAX, server::INGEST_STREAMS_OF_PEER_MAX),
            Seats::new(serving::STREAMS_MAX, serving::STREAMS_OF_PEER_MAX),
        ]
    }

    #[test]
    fn one_peer_leaves_places_for_others_and_places_come_back() {
        for seats in both() {
            let (own, all) = (seats.of_peer_max, seats.all_max);
            let [first, second] = ["127.0.0.1", "127.0.0.2"].map(|peer| Some(at(peer)));
            let mut held: Vec<Slot> = (0..own).map(|_| seats.take(first).unwrap()).collect();
            assert!(seats.take(first).is_none());
            assert!(seats.take(Some(at("::ffff:127.0.0.1"))).is_none(), "the same address, spelt for IPv6");
            held.extend((own..all).map(|_| seats.take(second).unwrap()));
            assert!(seats.take(second).is_none());
            held.remove(0);
            assert!(seats.take(second).is_some());
            drop(held);
            assert!(seats.lock().is_empty());
        }
    }

    #[test]
    fn the_addresses_of_one_network_of_ipv6_are_one_peer() {
        for seats in both() {
            let [first, second] = ["2001:db8::1", "2001:db8::ffff:0:0:2"].map(|peer| Some(at(peer)));
            let held: Vec<Slot> = (0..seats.of_peer_max)
                .map(|place| seats.take(if place % 2 == 0 { first } else { second }).unwrap())
                .collect();
            assert!(seats.take(first).is_none() && seats.take(second).is_none());
            assert!(seats.take(Some(at("2001:db8:0:1::1"))).is_some(), "the network beside it");
            drop(held);
            assert!(seats.take(second).is_some());
        }
    }
}
