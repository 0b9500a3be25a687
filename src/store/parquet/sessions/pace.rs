//! How often the rows of a session in committed mode are shown while its stream lasts.
//!
//! Each time, the whole table is written. A client that flushes every row would have it written for every row, so rows
//! are shown when they are many beside the table, or when those before them were shown long enough ago.

use std::time::{Duration, Instant};

use crate::limits::server::{SHOW_INTERVAL, SHOW_SHARE};

/// What showing costs and how long it may wait.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::parquet) struct Pace {
    /// How long rows may be hidden, however few they are.
    pub(in crate::store::parquet) interval: Duration,
    /// Rows are shown sooner if they are the table's rows divided by this.
    pub(in crate::store::parquet) share: u64,
}

/// The last time that rows of a session were shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastShown {
    pub(super) at: Instant,
    /// Rows that the table then had.
    pub(super) table_rows: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { interval: SHOW_INTERVAL, share: SHOW_SHARE }
    }
}

impl Pace {
    /// Whether `hidden` rows are to be shown: also if none were shown yet, because then nobody sees anything.
    pub(super) fn is_due(self, hidden: u64, last: Option<LastShown>, now: Instant) -> bool {
        last.is_none_or(|last| {
            hidden >= last.table_rows / self.share || now.duration_since(last.at) >= self.interval
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_due_when_they_are_many_or_have_waited() {
        let pace = Pace { interval: Duration::from_secs(10), share: 8 };
        let at = Instant::now();
        let last = Some(LastShown { at, table_rows: 80 });
        let later = |seconds| at + Duration::from_secs(seconds);
        assert!(pace.is_due(1, None, at));
        assert!(!pace.is_due(9, last, at) && pace.is_due(10, last, at));
        assert!(!pace.is_due(1, last, later(9)) && pace.is_due(1, last, later(10)));
    }

    #[test]
    fn a_table_that_grows_row_by_row_is_written_a_bounded_number_of_times_over() {
        let pace = Pace { interval: Duration::MAX, share: 8 };
        let at = Instant::now();
        let (mut shown, mut written, mut times) = (0, 0, 0);
        for rows in 1..=100_000_u64 {
            let last = (shown > 0).then_some(LastShown { at, table_rows: shown });
            if pace.is_due(rows - shown, last, at) {
                (shown, written, times) = (rows, written + rows, times + 1);
            }
        }
        // A geometric series: each time the table has grown by an eighth.
        assert!(written <= 9 * 100_000 && times < 110, "{written} rows in {times} times");
    }
}
