//! The memo: what PUT stored and GET fetches, four bytes a slot.
//!
//! A slot names a node, or a piece of an array whose pieces were folded into one node: such a piece comes back to life
//! only if somebody fetches it.

use std::sync::Arc;

use super::graph::NodeId;
use crate::growing::{Ground, Growing, NoRoom};

/// A piece of a packed array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The payload.
    Payload = 1,
    /// The shape tuple.
    Shape = 2,
    /// The tuple of arguments, or of state.
    Tuple = 3,
}

const PART_SHIFT: u32 = 30;
const ID_MASK: u32 = (1 << PART_SHIFT) - 1;

/// Slots by number.
#[derive(Debug, Default)]
pub(super) struct Memo {
    slots: Growing<u32>,
    filled: u64,
}

/// No node has this id, and no part of one.
const UNSET: u32 = u32::MAX;

impl Memo {
    /// In place of a value that no writer fetches, as it makes a new one each time: the tuples of an array's call.
    pub(super) const GONE: NodeId = NodeId(ID_MASK);

    /// An empty one.
    pub(super) fn on(ground: Option<Arc<dyn Ground<u32>>>, heap_bytes_max: usize) -> Self {
        Self { slots: Growing::on(ground, heap_bytes_max), filled: 0 }
    }

    /// How many slots are filled: the number of the slot that MEMOIZE takes.
    pub(super) fn filled(&self) -> u64 {
        self.filled
    }

    /// Fills a slot; returns by how many bytes the memo grew.
    pub(super) fn put(&mut self, slot: usize, id: NodeId) -> Result<usize, NoRoom> {
        let before = self.slots.len();
        if slot == before {
            self.slots.push(UNSET)?;
        } else if slot > before {
            self.slots.fill(slot + 1, UNSET)?;
        }
        if let Some(entry) = self.slots.entry_mut(slot)
            && std::mem::replace(entry, id.0) == UNSET
        {
            self.filled += 1;
        }
        Ok((self.slots.len() - before) * size_of::<u32>())
    }

    /// What a slot names.
    pub(super) fn entry(&self, slot: usize) -> Option<(NodeId, Option<Part>)> {
        let entry = *self.slots.get(slot).filter(|entry| **entry != UNSET && **entry != Self::GONE.0)?;
        let part = match entry >> PART_SHIFT {
            1 => Some(Part::Payload),
            2 => Some(Part::Shape),
            3 => Some(Part::Tuple),
            _ => None,
        };
        Some((NodeId(entry & ID_MASK), part))
    }

    /// Renames the slots that were filled last and name a node from `first` on. False, and nothing is renamed, if one of
    /// them has no new name.
    pub(super) fn rename_last(
        &mut self,
        first: NodeId,
        rename: impl Fn(NodeId) -> Option<(NodeId, Option<Part>)>,
    ) -> bool {
        let is_new = |entry: u32| {
            entry != UNSET && entry >> PART_SHIFT == 0 && entry >= first.0 && entry != Self::GONE.0
        };
        let mut start = self.slots.len();
        while let Some(entry) = start.checked_sub(1).and_then(|slot| self.slots.get(slot))
            && is_new(*entry)
        {
            if rename(NodeId(*entry)).is_none() {
                return false;
            }
            start -= 1;
        }
        for slot in start..self.slots.len() {
            if let Some(entry) = self.slots.entry_mut(slot)
                && let Some((id, part)) = rename(NodeId(*entry))
            {
                *entry = id.0 | part.map_or(0, |part| (part as u32) << PART_SHIFT);
            }
        }
        true
    }
}
