//! What the operating system asks for: to stop, or to read the files again.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ends when the process is asked to stop, by SIGINT or SIGTERM. Both are caught from the call on, so that none is lost before
/// somebody waits.
///
/// # Panics
///
/// Outside an async runtime.
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + use<> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// The wishes to read the files again, by SIGHUP; `None` if they cannot be caught.
pub(super) fn reload_signals() -> Option<Signal> {
    signal(SignalKind::hangup()).ok()
}
