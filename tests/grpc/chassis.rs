//! The chassis under every face: a small service of its own on a real server, stock clients, and peers that misbehave.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use brine::{
    proto::raw::Raw,
    server::{Chassis, Config, Drained, Error, Health, Reload},
};
use bytes::Bytes;
use tokio::{sync::oneshot, task::JoinHandle, time};
use tonic::{
    Request, Response, Status, Streaming,
    client::Grpc,
    transport::{Channel, Endpoint},
};

mod calls;
mod certificates;
mod connections;
mod drain;
mod parting;
mod probe;
mod tokens;
mod watching;

use probe::Probe;

/// A server of [`Probe`].
struct Server {
    address: SocketAddr,
    admin: Option<SocketAddr>,
    probe: Probe,
    health: Health,
    reload: Reload,
    stop: Option<oneshot::Sender<()>>,
    drained: JoinHandle<Result<Drained, Error>>,
}

impl Server {
    async fn start(set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new("127.0.0.1:0");
        // Servers that are dropped have nobody to wait for.
        config.patience.lame_duck = Duration::ZERO;
        set(&mut config);
        let bound = config.bind().await.unwrap();
        let (address, admin, reload) = (bound.address(), bound.admin_address(), bound.reload());
        let probe = Probe::default();
        let drains = Arc::clone(&probe.drains);
        let chassis = Chassis::new().register(probe.clone(), probe::descriptors());
        let chassis = chassis.on_drain(move || drains.add_permits(1));
        let health = chassis.health();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let drained = tokio::spawn(bound.run(chassis, stopped));
        Self { address, admin, probe, health, reload, stop: Some(stop), drained }
    }

    async fn plain() -> Self {
        Self::start(|_| {}).await
    }

    /// A connection of its own.
    async fn connect(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    async fn drained(self) -> Drained {
        self.drained.await.unwrap().unwrap()
    }
}

fn message(headers: &[(&'static str, &str)]) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from_static(b"hello"));
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// One message to `method`, one back.
async fn call(
    channel: &Channel,
    method: &str,
    headers: &[(&'static str, &str)],
) -> Result<Response<Bytes>, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = format!("/probe.v1.Probe/{method}").try_into().unwrap();
    client.unary(message(headers), path, Raw).await
}

/// One message to `method`, a stream back.
async fn stream(
    channel: &Channel,
    method: &str,
    headers: &[(&'static str, &str)],
) -> Result<Streaming<Bytes>, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = format!("/probe.v1.Probe/{method}").try_into().unwrap();
    client.server_streaming(message(headers), path, Raw).await.map(Response::into_inner)
}

/// Waits until it is so.
async fn eventually(what: &str, so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if so() {
            return;
        }
        time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: never");
}
