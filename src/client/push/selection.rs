//! Which rows of a data set are sent.

use std::ops::Range;

use crate::digest::CHECKPOINT_ROWS;

/// Some of a data set's rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// From the first of these to before the last.
    Rows(Range<u64>),
    /// One of several parts of nearly one size, numbered from 1. Large parts begin where digests are known.
    Shard {
        /// Which.
        index: u64,
        /// Of how many.
        of: u64,
    },
}

impl Selection {
    /// The rows of a data set of `rows` rows; none if it has no such rows.
    pub fn of(&self, rows: u64) -> Option<Range<u64>> {
        match self {
            Self::All => Some(0..rows),
            Self::Rows(range) => {
                Some(range.clone()).filter(|range| range.start <= range.end && range.end <= rows)
            }
            Self::Shard { index, of } => {
                let is_large = rows / (*of).max(1) >= ALIGNED_ROWS_MIN;
                let end = |index: u64| match share(rows, index, *of) {
                    end if is_large && index < *of => aligned(end),
                    end => end,
                };
                (1..=*of).contains(index).then(|| end(index - 1)..end(*index))
            }
        }
    }
}

/// Rows of a part from which on it is no longer felt that it begins at a whole thousand.
const ALIGNED_ROWS_MIN: u64 = 10 * CHECKPOINT_ROWS;

fn share(rows: u64, index: u64, of: u64) -> u64 {
    // The product of two numbers of 64 bits fits, and the quotient is at most `rows`.
    (u128::from(rows) * u128::from(index) / u128::from(of)) as u64
}

fn aligned(row: u64) -> u64 {
    row - row % CHECKPOINT_ROWS
}

#[cfg(test)]
mod tests {
    use super::Selection;

    #[test]
    fn shards_are_the_whole_without_gap_or_overlap() {
        for rows in [0, 1, 999, 1_000, 141_897, u64::MAX] {
            for of in [1, 2, 3, 7, 1_000] {
                let mut next = 0;
                for index in 1..=of {
                    let range = Selection::Shard { index, of }.of(rows).unwrap();
                    assert_eq!(range.start, next, "{rows} {index}/{of}");
                    next = range.end;
                }
                assert_eq!(next, rows);
            }
        }
        let parts = |rows, of| (1..=of).map(move |index| Selection::Shard { index, of }.of(rows).unwrap());
        for (rows, of) in [(700, 4), (2_500, 4), (39_999, 4), (40_003, 4), (141_897, 7)] {
            let lengths: Vec<u64> = parts(rows, of).map(|part| part.end - part.start).collect();
            let even = rows / of;
            assert!(lengths.iter().all(|length| length.abs_diff(even) <= even / 10 + 1), "{lengths:?}");
        }
        assert!(parts(141_897, 7).all(|part| part.start % 1_000 == 0));
        assert_eq!(Selection::Shard { index: 0, of: 3 }.of(9), None);
        assert_eq!(Selection::Shard { index: 4, of: 3 }.of(9), None);
    }

    #[test]
    fn rows_must_be_there() {
        assert_eq!(Selection::Rows(3..9).of(9), Some(3..9));
        assert_eq!(Selection::Rows(3..10).of(9), None);
        #[allow(clippy::reversed_empty_ranges, reason = "it is what must be refused")]
        let reversed = Selection::Rows(5..3);
        assert_eq!(reversed.of(9), None);
    }
}
