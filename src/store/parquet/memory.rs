//! Memory that runs may hold their rows in, over all runs of a store; what does not fit goes to the disk.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What is left of a store's memory.
#[derive(Debug)]
pub(super) struct Memory(AtomicUsize);

/// What a run has taken; it comes back when this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Memory {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(bytes)))
    }
}

impl Taken {
    pub(super) fn none(memory: &Arc<Memory>) -> Self {
        Self { memory: Arc::clone(memory), bytes: 0 }
    }

    /// Takes `bytes` more, if they are left.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let left = |left: usize| left.checked_sub(bytes);
        let grown = self.memory.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok();
        self.bytes += if grown { bytes } else { 0 };
        grown
    }
}

impl Taken {
    /// The same memory, with nothing taken of it.
    pub(super) fn emptied(&self) -> Self {
        Self::none(&self.memory)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.memory.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back() {
        let memory = Memory::new(10);
        let (mut first, mut second) = (Taken::none(&memory), Taken::none(&memory));
        assert!(first.grow(7) && !second.grow(4) && second.grow(3));
        drop(first);
        assert!(second.grow(7) && !second.grow(1));
    }
}
