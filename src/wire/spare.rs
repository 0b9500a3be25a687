//! Memory of messages that went out, kept for those that follow: fresh pages cost more than the bytes put into them.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Buffers for the messages of one stream.
#[derive(Debug, Clone, Default)]
pub struct Spare {
    buffers: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How many are kept: a taker who held many messages and lets them all go leaves no more than these.
    kept_max: usize,
}

/// A message's bytes, whose memory goes back when nobody holds them any more.
struct Lent {
    bytes: Vec<u8>,
    home: Spare,
}

impl Spare {
    /// One that keeps no more than `kept_max` buffers.
    pub(super) fn new(kept_max: usize) -> Self {
        Self { buffers: Arc::default(), kept_max }
    }

    /// An empty buffer with room for `capacity` bytes.
    pub(super) fn take(&self, capacity: usize) -> Vec<u8> {
        let spare = self.with(Vec::pop).filter(|spare| spare.capacity() >= capacity);
        spare.unwrap_or_else(|| Vec::with_capacity(capacity))
    }

    /// The bytes as a message; their memory is taken again once it is dropped.
    pub(super) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { bytes, home: self.clone() })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Vec<u8>>) -> T) -> T {
        act(&mut self.buffers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let kept_max = self.home.kept_max;
        self.home.with(|spare| {
            if spare.len() < kept_max {
                spare.push(bytes);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_again_when_the_last_holder_lets_go() {
        let spare = Spare::new(2);
        let mut bytes = spare.take(8);
        bytes.extend_from_slice(b"brine");
        let place = bytes.as_ptr();
        let message = spare.lend(bytes);
        let part = message.slice(1..);
        drop(message);
        let other = spare.take(8);
        assert_ne!(other.as_ptr(), place, "somebody still reads it");
        drop(part);
        let again = spare.take(8);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn a_buffer_that_is_too_small_is_not_used() {
        let spare = Spare::new(2);
        drop(spare.lend(spare.take(4)));
        assert!(spare.take(4_096).capacity() >= 4_096);
    }

    #[test]
    fn no_more_is_kept_than_was_said() {
        let spare = Spare::new(2);
        let held: Vec<Bytes> = (0..5).map(|_| spare.lend(spare.take(8))).collect();
        drop(held);
        assert_eq!(spare.with(|spare| spare.len()), 2);
    }
}
