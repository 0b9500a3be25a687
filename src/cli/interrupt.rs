//! Ctrl-C and SIGTERM in commands that write files and talk to nobody.

use std::{process, thread};

use super::report::{Exit, Failure};
use crate::{file::atomic::remove_unfinished, server::shutdown_signal};

/// Runs `work`; if the process is asked to stop meanwhile, it ends and leaves nothing half-written.
pub(super) fn leaving_nothing<T>(work: impl FnOnce() -> T) -> T {
    // Without this thread the signals end the process as ever, and what it left goes when it is written again.
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(end_when_asked);
    work()
}

#[allow(
    clippy::disallowed_methods,
    reason = "no thread but this one will ever end, and it has removed the files"
)]
fn end_when_asked() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async { shutdown_signal().await });
    // Held until the end: nothing is begun any more.
    let _nothing = remove_unfinished();
    let told = anyhow::anyhow!(
        "interrupted: nothing is left half-written; run the same command again, with --overwrite if a data set was complete"
    );
    let _ = Failure::new(Exit::Interrupted, told).report();
    process::exit(Exit::Interrupted as i32);
}
