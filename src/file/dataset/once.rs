//! A part that is made when it is asked for, by the first who asks: others wait for what it makes.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A value that is there, or is to be made.
#[derive(Debug)]
pub(super) struct Once<T> {
    value: OnceLock<T>,
    making: Mutex<()>,
}

impl<T> Once<T> {
    /// To be made.
    pub(super) fn new() -> Self {
        Self { value: OnceLock::new(), making: Mutex::new(()) }
    }

    /// There.
    pub(super) fn with(value: T) -> Self {
        Self { value: OnceLock::from(value), making: Mutex::new(()) }
    }

    /// The value; who finds it missing makes it. After an error the next one tries.
    pub(super) fn or_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let made = make()?;
        Ok(self.value.get_or_init(|| made))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
        thread,
    };

    use super::*;

    #[test]
    fn what_many_ask_for_at_once_is_made_once() {
        const ASKING: usize = 8;
        let (part, begin) = (Once::new(), Barrier::new(ASKING));
        let (waiting, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let make = || {
            // Everybody else has asked by now, and would make it too.
            while waiting.load(SeqCst) < ASKING {
                thread::yield_now();
            }
            thread::sleep(std::time::Duration::from_millis(20));
            Ok::<_, ()>(made.fetch_add(1, SeqCst))
        };
        thread::scope(|scope| {
            for _ in 0..ASKING {
                scope.spawn(|| {
                    begin.wait();
                    waiting.fetch_add(1, SeqCst);
                    assert_eq!(part.or_make(make), Ok(&0));
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn what_could_not_be_made_is_tried_again() {
        let part = Once::new();
        assert_eq!(part.or_make(|| Err("full")), Err("full"));
        assert_eq!(part.or_make(|| Ok::<_, ()>(7)), Ok(&7));
        assert_eq!(Once::with(3).or_make(|| Err(())), Ok(&3));
    }
}
