//! Whether a service can do its work: asked again and again, and told to those who watch its health.

use std::sync::Arc;

use tokio::{task::JoinHandle, time};
use tracing::{error, info};

use super::status;
use crate::{limits::server as limits, server::Health, store};

/// Has `health` say of the services `names` what `check`, which may touch the disk, says of what they need. Runs until it is
/// aborted.
pub(super) fn watch(
    health: Health,
    names: &'static [&'static str],
    check: impl Fn() -> Result<(), store::Error> + Send + Sync + 'static,
) -> JoinHandle<()> {
    let check = Arc::new(check);
    tokio::spawn(async move {
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
                Err(_) => return,
            };
            if is_able && !was_able {
                info!("serving again");
            }
            tell(&health, names, is_able);
            was_able = is_able;
        }
    })
}

fn tell(health: &Health, names: &[&str], is_able: bool) {
    for name in names {
        if is_able { health.serving(name) } else { health.not_serving(name) }
    }
}
