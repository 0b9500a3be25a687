//! How long failures are answered by another attempt: full jitter, and a bound on the time without any progress.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    time::{Duration, Instant},
};

use super::super::{Backoff, Failed};
use crate::limits::client as limits;

/// The failures so far.
pub(super) struct Patience {
    /// Attempts before the server was ever reached.
    attempts: u32,
    backoff: Backoff,
    /// Time that may pass without progress.
    without_progress: Duration,
    moved: Instant,
    /// Failures since the last progress.
    failures: u32,
    /// How often each reason among them was met that is final in the end.
    repeats: HashMap<String, u32>,
}

impl Patience {
    pub(super) fn new(attempts: u32, backoff: Backoff, without_progress: Duration) -> Self {
        Self {
            attempts,
            backoff,
            without_progress,
            moved: Instant::now(),
            failures: 0,
            repeats: HashMap::new(),
        }
    }

    /// The pause before the next attempt; none if there is none. A server that was never reached is not waited for as
    /// long as one that took rows.
    pub(super) fn after(&mut self, failed: &Failed, was_reached: bool, has_moved: bool) -> Option<Duration> {
        if has_moved {
            (self.moved, self.failures) = (Instant::now(), 0);
            self.repeats.clear();
        }
        self.failures += 1;
        let pause = if was_reached {
            jittered(limits::SESSION_BACKOFF_MIN, limits::SESSION_BACKOFF_MAX, self.failures)
        } else {
            self.backoff.pause(self.failures)
        };
        let is_unreached = !was_reached && self.failures >= self.attempts;
        let is_over = is_unreached || self.is_final(failed);
        (!is_over && self.moved.elapsed() + pause <= self.without_progress).then_some(pause)
    }

    /// Counts a failure whose reason does not pass by itself.
    fn is_final(&mut self, failed: &Failed) -> bool {
        let Some((reason, most)) = failed.bounded(self.attempts) else { return false };
        let met = self.repeats.entry(reason.to_owned()).or_default();
        *met += 1;
        *met >= most
    }
}

/// Anywhere from nothing to `min` doubled for each failure before, up to `max`.
fn jittered(min: Duration, max: Duration, failures: u32) -> Duration {
    let ceiling = min.saturating_mul(1 << (failures - 1).min(16)).min(max);
    let random = RandomState::new().hash_one(failures) >> 32;
    ceiling.mul_f64(random as f64 / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    const QUICK: Backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(2) };

    fn broken() -> Failed {
        Failed::Status { status: Box::new(Status::unavailable("x")), chunks: 0 }
    }

    #[test]
    fn a_server_that_was_never_reached_gets_the_usual_attempts() {
        let mut patience = Patience::new(3, QUICK, Duration::from_mins(1));
        assert!(patience.after(&broken(), false, false).is_some());
        assert!(patience.after(&broken(), false, false).is_some());
        assert!(patience.after(&broken(), false, false).is_none());
    }

    #[test]
    fn one_that_was_reached_is_waited_for_and_progress_begins_the_count_anew() {
        let mut patience = Patience::new(3, QUICK, Duration::from_mins(10));
        for _ in 0..20 {
            assert!(patience.after(&broken(), true, false).is_some());
        }
        assert!(patience.after(&broken(), true, true).unwrap() <= limits::SESSION_BACKOFF_MIN);
        let mut patience = Patience::new(3, QUICK, Duration::ZERO);
        std::thread::sleep(Duration::from_millis(1));
        assert!(patience.after(&broken(), true, false).is_none());
    }

    #[test]
    fn what_does_not_pass_by_itself_is_tried_a_few_times_without_progress() {
        for (reason, most) in [("CHUNK_CORRUPT", limits::DAMAGED_ATTEMPTS), ("ROW_INVALID", 3)] {
            let damaged = Failed::Reason { reason: reason.to_owned(), message: String::new() };
            let mut patience = Patience::new(3, QUICK, Duration::from_mins(10));
            // Other failures are not counted with them.
            for _ in 0..5 {
                assert!(patience.after(&broken(), true, false).is_some());
            }
            for _ in 1..most {
                assert!(patience.after(&damaged, true, false).is_some());
                assert!(patience.after(&broken(), true, false).is_some());
            }
            assert!(patience.after(&damaged, true, true).is_some(), "after progress");
            for _ in 2..most {
                assert!(patience.after(&damaged, true, false).is_some());
            }
            assert!(patience.after(&damaged, true, false).is_none());
        }
    }

    #[test]
    fn pauses_stay_below_their_ceiling() {
        for failures in 1..40 {
            assert!(
                jittered(Duration::from_millis(100), Duration::from_secs(10), failures)
                    <= Duration::from_secs(10)
            );
        }
    }
}
