//! Things that strangers can make happen any number of times, and that are said once in a while.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long nothing is said after something was.
const QUIET: Duration = Duration::from_secs(1);

/// Says how often something happened, at most once in a second.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    said: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// It happened. How often since it was last said, if it is to be said now.
    pub(super) fn happened(&self) -> Option<u64> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unsaid += 1;
        if state.said.is_some_and(|said| now.duration_since(said) < QUIET) {
            return None;
        }
        state.said = Some(now);
        Some(std::mem::take(&mut state.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_said_once() {
        let seldom = Seldom::default();
        assert_eq!(seldom.happened(), Some(1));
        let said = (0..1_000).filter_map(|_| seldom.happened()).count();
        assert!(said < 1_000, "not each of them");
    }
}
