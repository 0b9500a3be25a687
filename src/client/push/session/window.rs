//! How much may be on its way without an acknowledgement: what has to be sent again after a fault.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;

/// Chunks on their way.
#[derive(Debug)]
pub(super) struct Window {
    bytes_max: u64,
    state: Mutex<State>,
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The row behind each chunk, and its bytes.
    chunks: VecDeque<(u64, u64)>,
    bytes: u64,
}

impl Window {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, state: Mutex::default(), room: Notify::new() }
    }

    /// Waits until there is room for a chunk that ends before row `end`; one alone always has room.
    pub(super) async fn enter(&self, end: u64, bytes: u64) {
        loop {
            let room = self.room.notified();
            if self.with(|state| state.take(end, bytes, self.bytes_max)) {
                return;
            }
            room.await;
        }
    }

    /// Notes that every row before `rows` is durable.
    pub(super) fn acknowledge(&self, rows: u64) {
        self.with(|state| {
            while let Some((end, bytes)) = state.chunks.pop_front() {
                if end > rows {
                    state.chunks.push_front((end, bytes));
                    break;
                }
                state.bytes -= bytes;
            }
        });
        self.room.notify_one();
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn take(&mut self, end: u64, bytes: u64, bytes_max: u64) -> bool {
        let has_room = self.chunks.is_empty() || self.bytes + bytes <= bytes_max;
        if has_room {
            self.chunks.push_back((end, bytes));
            self.bytes += bytes;
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::time::timeout;

    use super::Window;

    async fn enters(window: &Arc<Window>, end: u64, bytes: u64) -> bool {
        timeout(Duration::from_millis(20), window.enter(end, bytes)).await.is_ok()
    }

    #[tokio::test]
    async fn chunks_wait_for_acknowledgements() {
        let window = Arc::new(Window::new(10));
        assert!(enters(&window, 5, 99).await, "one alone has room");
        assert!(!enters(&window, 6, 1).await);
        window.acknowledge(4);
        assert!(!enters(&window, 6, 1).await);
        window.acknowledge(5);
        assert!(enters(&window, 6, 4).await && enters(&window, 7, 6).await);
        assert!(!enters(&window, 8, 1).await);
        window.acknowledge(7);
        assert!(enters(&window, 8, 10).await);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let window = Arc::new(Window::new(1));
        window.enter(1, 1).await;
        let waiting = tokio::spawn({
            let window = Arc::clone(&window);
            async move { window.enter(2, 1).await }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        window.acknowledge(1);
        timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    }
}
