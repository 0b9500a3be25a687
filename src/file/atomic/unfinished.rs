//! The files of this process that have no name yet: a process that is asked to end removes them first.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// As long as this is held the process begins no file.
#[must_use = "files are begun again when this is dropped"]
pub struct NoMore(
    #[allow(dead_code, reason = "it is held, not looked at")] MutexGuard<'static, BTreeSet<PathBuf>>,
);

/// Removes the files that were begun and have no name yet. Their writers may go on, in vain.
pub fn remove_unfinished() -> NoMore {
    let unfinished = lock();
    for path in unfinished.iter() {
        // What cannot be removed goes when its name is written again.
        _ = fs::remove_file(path);
    }
    NoMore(unfinished)
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
