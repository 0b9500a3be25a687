//! Which keys a run brought, in which order, and the last row of each.

use std::collections::{HashMap, hash_map::Entry};

/// The keys of a run. Rows are numbered from 0; 20 bytes a key and a little for the table.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Key to position in `last`.
    slots: HashMap<[u8; 16], u32>,
    /// The last row of each key, in the order in which the keys first came.
    last: Vec<u32>,
}

/// A run as the merge sees it: each key's last row, and which of them replaced a row of the table.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    keys: &'a Keys,
    claimed: Vec<bool>,
}

impl Keys {
    /// Says that `row` has `key`; false if an earlier row has it too. Rows come in order.
    pub(super) fn insert(&mut self, key: [u8; 16], row: u32) -> bool {
        match self.slots.entry(key) {
            Entry::Occupied(slot) => {
                self.last[*slot.get() as usize] = row;
                false
            }
            Entry::Vacant(slot) => {
                // No more slots than rows, which are numbered in 32 bits.
                slot.insert(self.last.len() as u32);
                self.last.push(row);
                true
            }
        }
    }

    pub(super) fn claims(&self) -> Claims<'_> {
        Claims { keys: self, claimed: vec![false; self.last.len()] }
    }
}

impl Claims<'_> {
    /// The run's row that takes the place of the table's row with `key`.
    pub(super) fn claim(&mut self, key: &[u8; 16]) -> Option<u32> {
        let slot = *self.keys.slots.get(key)? as usize;
        self.claimed[slot] = true;
        Some(self.keys.last[slot])
    }

    /// The rows of keys that the table does not have, in the order in which the run brought the keys.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = u32> {
        self.keys.last.iter().zip(&self.claimed).filter(|(_, claimed)| !**claimed).map(|(row, _)| *row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_of_a_key_stands_at_its_first_place() {
        let mut keys = Keys::default();
        let fresh = (0..).zip([1_u8, 2, 1, 3]).map(|(row, key)| keys.insert([key; 16], row));
        assert_eq!(fresh.collect::<Vec<_>>(), [true, true, false, true]);
        let mut claims = keys.claims();
        assert_eq!(claims.claim(&[2; 16]), Some(1));
        assert_eq!(claims.claim(&[9; 16]), None);
        assert_eq!(claims.unclaimed().collect::<Vec<_>>(), [2, 3]);
    }
}
