//! Whether a service can do its work: asked again and again, and told to those who watch its health.

use std::sync::Arc;

use tokio::{task::JoinHandle, time};
use tracing::{error, info};

use super::status;
use crate::{limits::server as limits, server::Health, store};

/// Has `health` say of the services `names` what `check`, which may touch the disk, says of what they need.
pub(super) fn watch(
    health: Health,
    names: &'static [&'static str],
    check: impl Fn() -> Result<(), store::Error> + Send + Sync + 'static,
) -> Watching {
    let check = Arc::new(check);
    Watching(tokio::spawn(async move {
        let mut was_able = true;
        loop {
            time::sleep(limits::PROBE_INTERVAL).await;
            let check = Arc::clone(&check);
            let is_able = match tokio::task::spawn_blocking(move || check()).await {
                Ok(Ok(())) => true,
                Ok(Err(reason)) => {
                    if was_able {
                        error!("not serving: {}", status::sentence(&reason));
                    }
                    false
                }
                // The runtime ends.
                Err(failed) if failed.is_cancelled() => return,
                Err(_) => false,
            };
            if is_able && !was_able {
                info!("serving again");
            }
            tell(&health, names, is_able);
            was_able = is_able;
        }
    }))
}

/// A watch that ends when it is dropped.
pub(super) struct Watching(JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn tell(health: &Health, names: &[&str], is_able: bool) {
    for name in names {
        if is_able { health.serving(name) } else { health.not_serving(name) }
    }
}
