//! What one peer may do: rates and numbers by address, in bounded memory.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::limits::server::PEERS_MAX;

/// Whom rates are counted for: an address, or the network that one host of IPv6 has to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

/// A token bucket for each peer.
#[derive(Debug)]
pub(super) struct Buckets {
    per_second: f64,
    burst: f64,
    levels: Mutex<HashMap<Peer, Level>>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

/// A number for each peer, with a bound.
#[derive(Debug)]
pub(super) struct Numbers {
    max: usize,
    numbers: Mutex<HashMap<Peer, usize>>,
}

/// One of the bounded number, until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    of: Arc<Numbers>,
    peer: Peer,
}

// === impl Peer ===

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()),
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

// === impl Buckets ===

impl Buckets {
    /// Buckets that hold `burst` and get `per_second` again.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: per_second.into(), burst: burst.into(), levels: Mutex::default() }
    }

    /// Takes one token, or says when there will be one.
    pub(super) fn take(&self, peer: Peer) -> Result<(), Duration> {
        self.take_at(peer, Instant::now())
    }

    /// Whether there is a token; says when there will be one.
    pub(super) fn look(&self, peer: Peer) -> Result<(), Duration> {
        let now = Instant::now();
        let levels = locked(&self.levels);
        let tokens = levels.get(&peer).map_or(self.burst, |level| self.filled(level, now));
        self.whole(tokens)
    }

    fn take_at(&self, peer: Peer, now: Instant) -> Result<(), Duration> {
        let mut levels = locked(&self.levels);
        if levels.len() >= PEERS_MAX && !levels.contains_key(&peer) {
            self.forget(&mut levels, now);
        }
        let level = levels.entry(peer).or_insert(Level { tokens: self.burst, at: now });
        *level = Level { tokens: self.filled(level, now), at: now };
        self.whole(level.tokens)?;
        level.tokens -= 1.0;
        Ok(())
    }

    fn filled(&self, level: &Level, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(level.at).as_secs_f64() * self.per_second;
        (level.tokens + gained).min(self.burst)
    }

    fn whole(&self, tokens: f64) -> Result<(), Duration> {
        if tokens >= 1.0 {
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - tokens) / self.per_second))
    }

    /// Forgets peers whose buckets are full again: that changes nothing for them. If none is, so many take part that rates
    /// of single ones say little, and all begin again.
    fn forget(&self, levels: &mut HashMap<Peer, Level>, now: Instant) {
        levels.retain(|_, level| self.filled(level, now) < self.burst);
        if levels.len() >= PEERS_MAX {
            levels.clear();
        }
    }
}

// === impl Numbers ===

impl Numbers {
    /// At most `max` for each peer.
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, numbers: Mutex::default() })
    }

    /// One more of `peer`, if it may have one.
    pub(super) fn count(self: &Arc<Self>, peer: Peer) -> Option<Counted> {
        let mut numbers = locked(&self.numbers);
        let number = numbers.entry(peer).or_default();
        if *number >= self.max {
            return None;
        }
        *number += 1;
        Some(Counted { of: Arc::clone(self), peer })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut numbers = locked(&self.of.numbers);
        if let Some(number) = numbers.get_mut(&self.peer) {
            *number -= 1;
            if *number == 0 {
                numbers.remove(&self.peer);
            }
        }
    }
}

/// Numbers are right after a panic too: nothing between the lock and its release can fail half-way.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u32) -> Peer {
        IpAddr::from(number.to_be_bytes()).into()
    }

    #[test]
    fn a_bucket_empties_fills_again_and_is_one_peers_own() {
        let buckets = Buckets::new(5, 20);
        let start = Instant::now();
        assert!((0..20).all(|_| buckets.take_at(peer(1), start).is_ok()));
        assert_eq!(buckets.take_at(peer(1), start), Err(Duration::from_millis(200)));
        assert!(buckets.take_at(peer(2), start).is_ok());
        let later = start + Duration::from_secs(1);
        assert_eq!((0..10).filter(|_| buckets.take_at(peer(1), later).is_ok()).count(), 5);
    }

    #[test]
    fn any_number_of_peers_takes_bounded_memory() {
        let buckets = Buckets::new(1, 2);
        let start = Instant::now();
        for number in 0..3 * PEERS_MAX as u32 {
            let _ = buckets.take_at(peer(number), start);
        }
        assert!(locked(&buckets.levels).len() <= PEERS_MAX);
    }

    #[test]
    fn a_number_is_given_back_and_hosts_of_ipv6_cannot_multiply() {
        let numbers = Numbers::new(1);
        let first: IpAddr = "2001:db8::1".parse().unwrap();
        let second: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        let held = numbers.count(first.into());
        assert!(held.is_some());
        assert!(numbers.count(second.into()).is_none());
        drop(held);
        assert!(numbers.count(second.into()).is_some());
        assert!(locked(&numbers.numbers).is_empty());
    }
}
