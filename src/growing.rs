//! Vectors that go on elsewhere when they have outgrown the heap.
//!
//! The tables behind a pickle of 5 GB have millions of entries. The first of them stand in a `Vec`, which is all that a
//! file of ordinary size needs; those beyond its share stand in an [`Annex`]. Who builds annexes is not known here: `file`
//! makes them of unlinked files that are mapped, so that their pages are the kernel's to write out, and the modules that
//! fill the tables still do no input or output.

use std::{fmt::Debug, ops::Range, sync::Arc};

/// What a table holds beyond its share of the heap.
pub trait Annex<T>: Debug + Send + Sync {
    /// The entries.
    fn entries(&self) -> &[T];
    /// The entries, to be changed.
    fn entries_mut(&mut self) -> &mut [T];
    /// Adds entries at the end.
    fn extend(&mut self, entries: &[T]) -> Result<(), NoRoom>;
    /// Forgets all entries from `len` on.
    fn truncate(&mut self, len: usize);
}

/// Where annexes are built.
pub trait Ground<T>: Debug + Send + Sync {
    /// A new, empty one.
    fn annex(&self) -> Result<Box<dyn Annex<T>>, NoRoom>;
}

/// The annex cannot be built or cannot grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what does not fit in memory found no room in the temporary folder (os error {os_error})")]
pub struct NoRoom {
    /// What the operating system calls it.
    pub os_error: i32,
}

/// A vector whose first entries stand in the heap and the others in an annex.
///
/// Entries that are added together stay together: they can be had as one slice. So the heap's share may end with a gap,
/// and positions are what [`Growing::len`] said, not a count.
#[derive(Debug)]
pub struct Growing<T> {
    heap: Vec<T>,
    /// Positions from here on are the annex's.
    heap_max: usize,
    /// Entries that the heap takes: `heap_max`, or 0 once the annex has been begun.
    heap_open: usize,
    annex: Option<Box<dyn Annex<T>>>,
    ground: Option<Arc<dyn Ground<T>>>,
}

impl<T> Default for Growing<T> {
    fn default() -> Self {
        Self { heap: Vec::new(), heap_max: usize::MAX, heap_open: usize::MAX, annex: None, ground: None }
    }
}

impl<T: Copy> Growing<T> {
    /// An empty one that takes `heap_bytes_max` of the heap and builds its annex on `ground`; all in the heap if there is none.
    pub fn on(ground: Option<Arc<dyn Ground<T>>>, heap_bytes_max: usize) -> Self {
        Self::beginning(Vec::new(), ground, heap_bytes_max)
    }

    /// The same with these entries in the heap.
    pub fn beginning(entries: Vec<T>, ground: Option<Arc<dyn Ground<T>>>, heap_bytes_max: usize) -> Self {
        let share = (heap_bytes_max / size_of::<T>()).max(entries.len()).max(1);
        let heap_max = if ground.is_some() { share } else { usize::MAX };
        Self { heap: entries, heap_max, heap_open: heap_max, annex: None, ground }
    }

    /// The position behind the last entry.
    #[inline]
    pub fn len(&self) -> usize {
        if self.heap_open > 0 { self.heap.len() } else { self.heap_max + self.beyond().len() }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry at a position.
    #[inline]
    pub fn get(&self, position: usize) -> Option<&T> {
        match self.heap.get(position) {
            Some(entry) => Some(entry),
            None => self.entry_beyond(position),
        }
    }

    /// The entry at a position, to be changed.
    #[inline]
    pub fn entry_mut(&mut self, position: usize) -> Option<&mut T> {
        match self.heap.get_mut(position) {
            Some(entry) => Some(entry),
            None => self.annex.as_mut()?.entries_mut().get_mut(position.checked_sub(self.heap_max)?),
        }
    }

    /// Entries that are [together](Growing::are_together).
    ///
    /// # Panics
    ///
    /// As a slice does, if they are not.
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> &[T] {
        match self.heap.get(range.clone()) {
            Some(entries) => entries,
            None if range.is_empty() => &[],
            None => &self.beyond()[range.start - self.heap_max..range.end - self.heap_max],
        }
    }

    /// Whether a range can be had as one slice.
    pub fn are_together(&self, range: &Range<usize>) -> bool {
        range.end <= self.heap.len() || range.start >= self.heap_max
    }

    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: T) -> Result<(), NoRoom> {
        if self.heap.len() < self.heap_open {
            self.heap.push(entry);
            return Ok(());
        }
        self.extend_beyond(&[entry])
    }

    /// Adds entries, together; returns their range.
    #[inline]
    pub fn extend(&mut self, entries: &[T]) -> Result<Range<usize>, NoRoom> {
        if entries.len() <= self.heap_open.saturating_sub(self.heap.len()) {
            self.heap.extend_from_slice(entries);
        } else {
            self.extend_beyond(entries)?;
        }
        Ok(self.len() - entries.len()..self.len())
    }

    /// Adds copies of `entry` until there are `len` entries.
    pub fn fill(&mut self, len: usize, entry: T) -> Result<(), NoRoom> {
        const PIECE: usize = 1 << 10;
        let in_heap = len.min(self.heap_open);
        if in_heap > self.heap.len() {
            self.heap.resize(in_heap, entry);
        }
        let piece = vec![entry; PIECE.min(len.saturating_sub(self.len()))];
        while self.len() < len {
            let missing = len - self.len();
            self.extend_beyond(&piece[..missing.min(PIECE)])?;
        }
        Ok(())
    }

    /// Forgets all entries from position `len` on.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        if self.heap_open > 0 {
            return self.heap.truncate(len);
        }
        let beyond = len.checked_sub(self.heap_max);
        if let Some(annex) = &mut self.annex {
            annex.truncate(beyond.unwrap_or(0));
        }
        if beyond.is_none() {
            self.heap.truncate(len);
            self.heap_open = self.heap_max;
        }
    }

    #[cold]
    fn entry_beyond(&self, position: usize) -> Option<&T> {
        self.beyond().get(position.checked_sub(self.heap_max)?)
    }

    fn beyond(&self) -> &[T] {
        self.annex.as_ref().map_or(&[], |annex| annex.entries())
    }

    #[cold]
    fn extend_beyond(&mut self, entries: &[T]) -> Result<(), NoRoom> {
        let annex = match (&mut self.annex, &self.ground) {
            (Some(annex), _) => annex,
            (vacant, Some(ground)) => vacant.insert(ground.annex()?),
            (None, None) => {
                self.heap.extend_from_slice(entries);
                return Ok(());
            }
        };
        annex.extend(entries)?;
        self.heap_open = 0;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An annex in the heap, for tests of what stands on the boundary.
    #[derive(Debug)]
    struct Shed<T>(Vec<T>);

    /// Builds them.
    #[derive(Debug)]
    pub(crate) struct Yard;

    impl<T: Copy + Debug + Send + Sync> Annex<T> for Shed<T> {
        fn entries(&self) -> &[T] {
            &self.0
        }

        fn entries_mut(&mut self) -> &mut [T] {
            &mut self.0
        }

        fn extend(&mut self, entries: &[T]) -> Result<(), NoRoom> {
            self.0.extend_from_slice(entries);
            Ok(())
        }

        fn truncate(&mut self, len: usize) {
            self.0.truncate(len);
        }
    }

    impl<T: Copy + Debug + Send + Sync + 'static> Ground<T> for Yard {
        fn annex(&self) -> Result<Box<dyn Annex<T>>, NoRoom> {
            Ok(Box::new(Shed(Vec::new())))
        }
    }

    fn of_four() -> Growing<u8> {
        Growing::on(Some(Arc::new(Yard)), 4)
    }

    #[test]
    fn what_is_added_together_stays_together() {
        let mut growing = of_four();
        let first = growing.extend(&[1, 2, 3]).unwrap();
        let second = growing.extend(&[4, 5]).unwrap();
        assert_eq!((first, second), (0..3, 4..6), "one entry of the heap stays empty");
        assert_eq!((growing.slice(0..3), growing.slice(4..6)), (&[1, 2, 3][..], &[4, 5][..]));
        assert!(growing.are_together(&(4..6)) && !growing.are_together(&(2..5)));
        assert_eq!(
            [growing.get(2), growing.get(3), growing.get(5), growing.get(6)],
            [Some(&3), None, Some(&5), None]
        );
    }

    #[test]
    fn it_shrinks_over_the_boundary_and_grows_again() {
        let mut growing = of_four();
        growing.fill(7, 9).unwrap();
        assert_eq!(growing.len(), 7);
        growing.truncate(5);
        growing.push(8).unwrap();
        assert_eq!((growing.len(), growing.get(5)), (6, Some(&8)));
        growing.truncate(2);
        growing.push(7).unwrap();
        *growing.entry_mut(0).unwrap() = 1;
        assert_eq!((growing.len(), growing.slice(0..3)), (3, &[1, 9, 7][..]));
    }

    #[test]
    fn without_a_ground_all_of_it_is_in_the_heap() {
        let mut growing = Growing::default();
        growing.fill(5, 1_u8).unwrap();
        growing.extend(&[2, 3]).unwrap();
        assert_eq!(growing.slice(0..7), [1, 1, 1, 1, 1, 2, 3]);
    }
}
