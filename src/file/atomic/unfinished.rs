//! The files of this process that have no name yet: a process that is asked to end removes them first, and lets those that
//! are being named become a whole.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Held by those who give names. It is taken before the other lock.
static PUBLISHING: RwLock<()> = RwLock::new(());

/// As long as this is held the process begins no file.
#[must_use = "files are begun again when this is dropped"]
#[derive(Debug)]
pub struct NoMore {
    _unfinished: MutexGuard<'static, BTreeSet<PathBuf>>,
    _publishing: RwLockWriteGuard<'static, ()>,
}

/// Removes the files that were begun and have no name yet. Their writers may go on, in vain.
pub fn remove_unfinished() -> NoMore {
    let publishing = PUBLISHING.write().unwrap_or_else(PoisonError::into_inner);
    let unfinished = lock();
    for path in unfinished.iter() {
        // What cannot be removed goes when its name is written again.
        _ = fs::remove_file(path);
    }
    NoMore { _unfinished: unfinished, _publishing: publishing }
}

/// As long as this is held [`remove_unfinished`] waits: several files become one data set.
pub fn publishing() -> RwLockReadGuard<'static, ()> {
    PUBLISHING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a file, which counts as unfinished until [`forget`] hears of it.
pub(super) fn begin(path: &Path, make: impl FnOnce(&Path) -> io::Result<File>) -> io::Result<File> {
    let mut unfinished = lock();
    let file = make(path)?;
    unfinished.insert(path.to_owned());
    Ok(file)
}

/// The file has a name, or is gone.
pub(super) fn forget(path: &Path) {
    lock().remove(path);
}

fn lock() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
