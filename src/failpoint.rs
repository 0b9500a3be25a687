//! Named places at which the program can be made to die, so that tests can see what a crash there leaves.
//!
//! Only with the feature `failpoints`; without it nothing of this is compiled in. `BRINE_FAIL=NAME:N` aborts the process
//! when it comes to place `NAME` for the `N`th time: no destructor runs and no buffer is flushed, as after a kill.

/// Dies here if the environment says so.
#[cfg(feature = "failpoints")]
pub(crate) fn hit(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };
    static CHOSEN: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let chosen = std::env::var("BRINE_FAIL").ok()?;
        let (name, nth) = chosen.rsplit_once(':')?;
        Some((name.to_owned(), nth.parse().ok()?))
    });
    static HITS: AtomicU32 = AtomicU32::new(0);
    let Some((chosen, nth)) = &*CHOSEN else { return };
    if chosen == name && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "it must cost nothing, in debug builds too")]
pub(crate) fn hit(_: &str) {}
