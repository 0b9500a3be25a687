//! Where tables go on that have outgrown the heap: unlinked files in the folder for temporary ones, mapped.
//!
//! The pages of a shared mapping are no private memory. They are in the page cache while there is room, and on the disk
//! when there is none.

use std::{
    fmt::Debug,
    io,
    path::{Path, PathBuf},
};

use super::{map::Scratch, spool::unnamed};
use crate::growing::{Annex, Ground, NoRoom};

/// Builds annexes in a folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl<T: Copy + Debug + Send + Sync + 'static> Ground<T> for Folder {
    fn annex(&self) -> Result<Box<dyn Annex<T>>, NoRoom> {
        let file = unnamed(&self.0).map_err(|error| no_room(&error))?;
        Ok(Box::new(Scratch::new(file)))
    }
}

impl<T: Copy + Debug + Send + Sync> Annex<T> for Scratch<T> {
    fn entries(&self) -> &[T] {
        self
    }

    fn entries_mut(&mut self) -> &mut [T] {
        self
    }

    fn extend(&mut self, entries: &[T]) -> Result<(), NoRoom> {
        Self::extend(self, entries).map_err(|error| no_room(&error))
    }

    fn truncate(&mut self, len: usize) {
        Self::truncate(self, len);
    }
}

fn no_room(error: &io::Error) -> NoRoom {
    NoRoom { os_error: error.raw_os_error().unwrap_or_default() }
}
