//! Which failures are worth another stream, and when.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use tokio::time::Instant;
use tonic::Code;

use super::Failed;
use crate::limits::client as limits;

/// The pauses between attempts: doubling, bounded, and spread so that many clients do not return at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The shortest pause.
    pub min: Duration,
    /// The longest pause.
    pub max: Duration,
}

/// The attempts so far.
#[derive(Debug)]
pub(super) struct History {
    attempt: u32,
    attempts: u32,
    backoff: Backoff,
    internal: Option<(String, u64)>,
}

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Again(Duration),
    GiveUp,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { min: limits::BACKOFF_MIN, max: limits::BACKOFF_MAX }
    }
}

impl Backoff {
    /// The pause after the `attempt`th attempt: anywhere from the shortest pause to twice that for the first attempt,
    /// four times for the second, up to the longest.
    pub(in crate::client) fn pause(&self, attempt: u32) -> Duration {
        let ceiling = self.min.saturating_mul(1 << attempt.min(16)).min(self.max);
        let random = RandomState::new().hash_one(attempt) >> 32;
        self.min + ceiling.saturating_sub(self.min).mul_f64(random as f64 / f64::from(u32::MAX))
    }
}

impl History {
    pub(super) fn new(attempts: u32, backoff: Backoff) -> Self {
        Self { attempt: 1, attempts, backoff, internal: None }
    }

    /// The attempt that runs now, from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether to try again after `failed`.
    pub(super) fn judge(&mut self, failed: &Failed, deadline: Instant) -> Verdict {
        if self.attempt >= self.attempts || !failed.may_pass() || self.repeats(failed) {
            return Verdict::GiveUp;
        }
        let pause = self.backoff.pause(self.attempt);
        if Instant::now() + pause >= deadline {
            return Verdict::GiveUp;
        }
        self.attempt += 1;
        Verdict::Again(pause)
    }

    /// Old servers answer INTERNAL to everything, bad rows included: the same words about the same place will not change.
    fn repeats(&mut self, failed: &Failed) -> bool {
        let Failed::Status { status, chunks } = failed else { return false };
        if status.code() != Code::Internal {
            return false;
        }
        let now = (status.message().to_owned(), *chunks);
        // How far ahead of the server the connection had run differs from attempt to attempt.
        let same = |(text, at): &(String, u64)| *text == now.0 && at.abs_diff(now.1) <= limits::AHEAD_CHUNKS;
        let repeats = self.internal.as_ref().is_some_and(same);
        self.internal = Some(now);
        repeats
    }
}

/// Whether the cause may go away by itself.
pub(in crate::client) fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::Aborted
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Internal
            | Code::Unknown
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;
    use tonic::{Code, Status};

    use super::{Backoff, Failed, History, Verdict};

    const QUICK: Backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(2) };

    fn failed(code: Code, message: &str, chunks: u64) -> Failed {
        Failed::Status { status: Box::new(Status::new(code, message)), chunks }
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    fn again(history: &mut History, failed: &Failed) -> bool {
        history.judge(failed, later()) != Verdict::GiveUp
    }

    #[test]
    fn passing_faults_get_three_attempts() {
        let codes = [
            Code::Unavailable,
            Code::Aborted,
            Code::ResourceExhausted,
            Code::Unknown,
            Code::DeadlineExceeded,
        ];
        for code in codes {
            let mut history = History::new(3, QUICK);
            let failed = failed(code, "x", 0);
            assert!(again(&mut history, &failed) && again(&mut history, &failed), "{code:?}");
            assert!(!again(&mut history, &failed), "{code:?} got a fourth attempt");
            assert_eq!(history.attempt(), 3);
        }
    }

    #[test]
    fn refusals_are_final() {
        let codes = [
            Code::InvalidArgument,
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::Unimplemented,
            Code::FailedPrecondition,
        ];
        for code in codes {
            assert!(!again(&mut History::new(3, QUICK), &failed(code, "x", 0)), "{code:?}");
        }
    }

    #[test]
    fn the_same_internal_error_at_the_same_chunk_ends_it() {
        let mut history = History::new(9, QUICK);
        assert!(again(&mut history, &failed(Code::Internal, "row 7", 100)));
        assert!(again(&mut history, &failed(Code::Internal, "disk", 100)));
        assert!(again(&mut history, &failed(Code::Internal, "disk", 5)));
        assert!(!again(&mut history, &failed(Code::Internal, "disk", 6)));
    }

    #[test]
    fn no_attempt_begins_after_the_deadline() {
        let mut history = History::new(3, QUICK);
        assert_eq!(history.judge(&failed(Code::Unavailable, "x", 0), Instant::now()), Verdict::GiveUp);
    }

    #[test]
    fn pauses_grow_from_two_to_ten_seconds() {
        let backoff = Backoff::default();
        for (attempt, most) in [(1, 4), (2, 8), (3, 10), (40, 10)] {
            let pause = backoff.pause(attempt);
            assert!(
                pause >= Duration::from_secs(2) && pause <= Duration::from_secs(most),
                "{attempt}: {pause:?}"
            );
        }
    }
}
