//! The row of every key seen, by the key's 128-bit hash: open addressing in a table that may outgrow the heap.

use std::sync::Arc;

use crate::{
    growing::{Growing, NoRoom},
    limits::Limits,
    pickle::Grounds,
};

/// Four words of hash and one of the row.
type Slot = [u32; 5];

/// No table has so many rows.
const VACANT: Slot = [u32::MAX; 5];

const SLOTS_MIN: usize = 1 << 10;

/// Rows by key.
#[derive(Debug, Default)]
pub struct RowsByKey {
    slots: Growing<Slot>,
    /// As many as there are slots, less one; the number of slots is a power of two.
    mask: usize,
    filled: usize,
    ground: Option<Arc<dyn Grounds>>,
}

impl RowsByKey {
    /// An empty one that may go on `ground`.
    pub fn on(ground: Option<&Arc<dyn Grounds>>) -> Self {
        Self { ground: ground.cloned(), ..Self::default() }
    }

    /// Gives `hash` to `row`, unless it is some row's already: then that row.
    pub(super) fn insert(&mut self, hash: u128, row: u32) -> Result<Option<u32>, NoRoom> {
        Ok(self.find_or_insert(hash, row)?.map(|found| *found))
    }

    /// Counts `hash`, in place of its row: how often it came before.
    pub fn count(&mut self, hash: u128) -> Result<u32, NoRoom> {
        Ok(self.find_or_insert(hash, 1)?.map_or(0, |times| {
            *times += 1;
            *times - 1
        }))
    }

    /// What stands beside `hash`; nothing if it is new, and then it is `word`.
    fn find_or_insert(&mut self, hash: u128, word: u32) -> Result<Option<&mut u32>, NoRoom> {
        // Linear probing stays short while a third of the slots is free.
        if 3 * (self.filled + 1) > 2 * self.slots.len() {
            self.grow()?;
        }
        let wanted = slot(hash, word);
        let place = self.place(&wanted);
        match self.slots.entry_mut(place) {
            Some(found) if *found != VACANT => Ok(Some(&mut found[4])),
            vacant => {
                if let Some(vacant) = vacant {
                    *vacant = wanted;
                }
                self.filled += 1;
                Ok(None)
            }
        }
    }

    /// Where the slot of a hash is, or the vacant one that it would take.
    fn place(&self, wanted: &Slot) -> usize {
        let mut place = wanted[0] as usize & self.mask;
        while let Some(found) = self.slots.get(place)
            && *found != VACANT
            && found[..4] != wanted[..4]
        {
            place = (place + 1) & self.mask;
        }
        place
    }

    fn grow(&mut self) -> Result<(), NoRoom> {
        let count = (2 * self.slots.len()).max(SLOTS_MIN);
        let ground = self.ground.clone().map(|ground| ground as _);
        let mut wider = Growing::on(ground, Limits::default().table_heap_bytes / 2);
        wider.fill(count, VACANT)?;
        let old = std::mem::replace(&mut self.slots, wider);
        self.mask = count - 1;
        for slot in (0..old.len()).filter_map(|place| old.get(place)).filter(|slot| **slot != VACANT) {
            let place = self.place(slot);
            if let Some(vacant) = self.slots.entry_mut(place) {
                *vacant = *slot;
            }
        }
        Ok(())
    }
}

fn slot(hash: u128, row: u32) -> Slot {
    [hash as u32, (hash >> 32) as u32, (hash >> 64) as u32, (hash >> 96) as u32, row]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_of_a_key_is_found_among_many() {
        let mut rows = RowsByKey::default();
        let hash = |key: u32| xxhash_rust::xxh3::xxh3_128(&key.to_le_bytes());
        assert!((0..50_000).all(|key| rows.insert(hash(key), key).unwrap().is_none()));
        assert!((0..50_000).all(|key| rows.insert(hash(key), 7).unwrap() == Some(key)));
        // Neighbours in the table that are not the same.
        assert_eq!(rows.insert(1 << 100, 1).unwrap(), None);
        assert_eq!(rows.insert(1 << 101, 2).unwrap(), None);
        assert_eq!(rows.insert(1 << 100, 3).unwrap(), Some(1));
    }

    #[test]
    fn hashes_are_counted() {
        let mut times = RowsByKey::default();
        for round in 0..3 {
            assert!((0..5_000_u128).all(|hash| times.count(hash << 7).unwrap() == round));
        }
    }
}
