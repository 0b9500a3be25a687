//! The border to libraries that panic on some damaged files: a panic behind it is a result, and nobody else's business.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    thread,
};

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `read`, and says if it panicked. Nothing that `read` changes may be used afterwards if it did.
pub(super) fn guarded<T>(read: impl FnOnce() -> T) -> thread::Result<T> {
    let before = IS_GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(before);
    result
}

/// Lets panics that are caught here pass without a word on stderr; all others are told as before.
pub fn keep_quiet_about_caught_panics() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !IS_GUARDED.get() {
            tell(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_result_and_the_guard_is_down_again() {
        assert!(guarded(|| -> u8 { panic!("damaged") }).is_err());
        assert!(!IS_GUARDED.get());
        assert_eq!(guarded(|| guarded(|| 1).unwrap() + u8::from(IS_GUARDED.get())).unwrap(), 2);
    }
}
