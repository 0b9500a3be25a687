//! The wish to stop, as the operating system delivers it.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to stop, by SIGINT or SIGTERM.
pub async fn shutdown_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
