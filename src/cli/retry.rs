//! How often, and after which pauses, a server that fails is asked again: what `pull` and `stream` have in common.

use std::time::Duration;

use super::seconds;
use crate::{client::push::Backoff, limits::client as limits};

/// How often, and after which pauses.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Retries")]
pub(super) struct Retry {
    /// Attempts that may fail one after the other, none of them bringing anything that stays
    #[arg(
        long, value_name = "N", env = "BRINE_ATTEMPTS", default_value_t = limits::ATTEMPTS,
        value_parser = clap::value_parser!(u32).range(1..=limits::ATTEMPTS_MAX)
    )]
    attempts: u32,
    /// Seconds before the second attempt; the pauses after it grow up to 10 s, or to this if it is longer. A session that
    /// has begun is asked for sooner
    #[arg(long, value_name = "S", env = "BRINE_RETRY_DELAY", value_parser = seconds::any, default_value = "2")]
    retry_delay: Duration,
}

impl Retry {
    /// Attempts in all.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The pauses between them.
    pub(super) fn backoff(&self) -> Backoff {
        Backoff { min: self.retry_delay, max: self.retry_delay.max(limits::BACKOFF_MAX) }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        retry: Retry,
    }

    fn backoff(arguments: &[&str]) -> Backoff {
        Line::try_parse_from([&["brine"], arguments].concat()).unwrap().retry.backoff()
    }

    #[test]
    fn pauses_are_those_of_the_design_unless_told_otherwise() {
        assert_eq!(backoff(&[]), Backoff::default());
        let quick = Backoff { min: Duration::from_millis(50), max: limits::BACKOFF_MAX };
        assert_eq!(backoff(&["--retry-delay", "0.05"]), quick);
        let slow = Duration::from_mins(1);
        assert_eq!(backoff(&["--retry-delay", "60"]), Backoff { min: slow, max: slow });
    }
}
