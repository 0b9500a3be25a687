//! Digests of a table's first rows, as far as they are known without hashing.

use std::sync::Arc;

/// `D` of the first rows at every checkpoint and at the end.
#[derive(Debug, Clone)]
pub struct Prefixes {
    every: u64,
    checkpoints: Arc<[u128]>,
    rows: u64,
    d: u128,
}

impl Prefixes {
    /// Of a table of `rows` rows that add up to `d`, with the sum of the first `every`, 2 × `every`, … of them.
    pub fn new(every: u64, checkpoints: &[u128], rows: u64, d: u128) -> Self {
        Self { every: every.max(1), checkpoints: checkpoints.into(), rows, d }
    }

    /// `D` of the first `rows` rows, if it is known.
    pub fn at(&self, rows: u64) -> Option<u128> {
        if rows == self.rows {
            return Some(self.d);
        }
        match rows.checked_sub(1) {
            None => Some(0),
            Some(_) if !rows.is_multiple_of(self.every) => None,
            Some(_) => self.checkpoints.get((rows / self.every - 1) as usize).copied(),
        }
    }

    /// The last place at or before `rows` whose digest is known, and that digest.
    pub fn before(&self, rows: u64) -> (u64, u128) {
        if let Some(d) = self.at(rows) {
            return (rows, d);
        }
        let known = (rows / self.every).min(self.checkpoints.len() as u64);
        (known * self.every, self.at(known * self.every).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Prefixes;

    #[test]
    fn known_places_are_the_start_the_checkpoints_and_the_end() {
        let prefixes = Prefixes::new(10, &[7, 9], 25, 30);
        assert_eq!([0, 10, 20, 25].map(|rows| prefixes.at(rows)), [Some(0), Some(7), Some(9), Some(30)]);
        assert_eq!([5, 24, 26, 30].map(|rows| prefixes.at(rows)), [None; 4]);
        assert_eq!([3, 10, 24, 25].map(|rows| prefixes.before(rows)), [(0, 0), (10, 7), (20, 9), (25, 30)]);
    }

    #[test]
    fn a_short_list_of_checkpoints_is_not_read_beyond() {
        assert_eq!(Prefixes::new(10, &[7], 95, 30).before(60), (10, 7));
        assert_eq!(Prefixes::new(0, &[], 5, 30).before(3), (0, 0));
    }
}
