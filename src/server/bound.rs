//! From the sockets to the last call: binding, serving, draining.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _},
    sync::Arc,
};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::{self, Instant},
};
use tracing::{error, info, warn};

use super::{
    Chassis, Config, Error, Health,
    accept::{Accepting, Greeting},
    admin::Admin,
    chassis::Assembled,
    layers, metrics,
    signals::reload_signals,
    tls::Tls,
    tokens::Tokens,
};
use crate::limits::server as limits;

/// A server that holds its sockets and what its files said, but does not serve yet.
#[derive(Debug)]
pub struct Bound {
    config: Arc<Config>,
    listener: TcpListener,
    address: SocketAddr,
    admin: Option<Admin>,
    reload: Reload,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every call had ended.
    Whole,
    /// Some calls were cut when the time for draining was over.
    CutShort,
}

/// Reads the files of a server again: certificates and tokens. SIGHUP does it too.
#[derive(Debug, Clone)]
pub struct Reload {
    tls: Option<Arc<Tls>>,
    tokens: Option<Arc<Tokens>>,
}

// === impl Config ===

impl Config {
    /// Opens the sockets and reads the files.
    pub async fn bind(&self) -> Result<Bound, Error> {
        self.check()?;
        let wanted = resolve(&self.listen)?;
        if !wanted.ip().is_loopback() && self.tls.is_none() && !self.insecure {
            return Err(Error::NotLoopback(wanted));
        }
        let tls = self.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new);
        let tokens = self.token_file.as_deref().map(Tokens::open).transpose()?.map(Arc::new);
        let listener = TcpListener::bind(wanted).await.map_err(|source| listen_error(wanted, source))?;
        let address = listener.local_addr().map_err(|source| listen_error(wanted, source))?;
        let admin = match &self.admin {
            Some(listen) => Some(admin(listen).await?),
            None => None,
        };
        if self.insecure && tokens.is_some() && !address.ip().is_loopback() {
            warn!("tokens travel over the network as clear text: whoever listens in can use them");
        }
        let reload = Reload { tls, tokens };
        Ok(Bound { config: Arc::new(self.clone()), listener, address, admin, reload })
    }

    /// Settings that cannot both be meant.
    fn check(&self) -> Result<(), Error> {
        let contradiction = |found: bool, what| if found { Err(Error::Contradiction(what)) } else { Ok(()) };
        let names_without_ca =
            self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_none() && !tls.client_names.is_empty());
        contradiction(
            names_without_ca,
            "--tls-client-name needs --tls-client-ca: names say nothing without who vouches for them",
        )?;
        contradiction(
            self.insecure && self.tls.is_some(),
            "--insecure and --tls-cert contradict each other",
        )?;
        contradiction(self.connections_max == 0, "--connections-max 0 would let nobody connect")?;
        contradiction(self.calls_max == 0, "--max-calls 0 would answer nobody")?;
        contradiction(self.deadline_max.is_zero(), "--deadline-max 0 would end every call at once")
    }
}

async fn admin(listen: &str) -> Result<Admin, Error> {
    // Before the sockets of services count anything.
    let handle = metrics::install()?;
    let address = match listen.trim_start_matches(':').parse() {
        Ok(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        Err(_) => resolve(listen)?,
    };
    let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::AdminInUse(address),
        _ => Error::Listen { address, source },
    })?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
    Ok(Admin { listener, address, handle })
}

fn resolve(listen: &str) -> Result<SocketAddr, Error> {
    let unresolved = |source| Error::Address { listen: listen.to_owned(), source };
    let mut addresses: Vec<SocketAddr> = listen.to_socket_addrs().map_err(unresolved)?.collect();
    // `localhost` may name ::1 first, which a container without IPv6 cannot bind.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let none = || unresolved(io::Error::new(io::ErrorKind::NotFound, "no address"));
    addresses.first().copied().ok_or_else(none)
}

fn listen_error(address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::InUse(address),
        _ => Error::Listen { address, source },
    }
}

// === impl Bound ===

impl Bound {
    /// The address with the port really taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the admin port.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.reload.tls.is_some()
    }

    /// Reads the files again when asked.
    pub fn reload(&self) -> Reload {
        self.reload.clone()
    }

    /// Serves `chassis` until `shutdown` ends, then drains: health and readiness say no, clients get a moment to notice,
    /// services are told, connections are asked to go, and what is left after the configured time is cut.
    pub async fn run(
        self,
        chassis: Chassis,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Drained, Error> {
        let Self { config, listener, address, admin, reload } = self;
        let Assembled { routes, methods, health, drains } = chassis.assemble()?;
        let (close, closing) = watch::channel(false);
        let (open, opened) = watch::channel(0);
        let router = layers::around(routes, &config, methods, reload.tokens.clone());
        let greeting = Greeting {
            config: Arc::clone(&config),
            tls: reload.tls.clone(),
            router,
            closing,
            handshakes: Arc::new(Semaphore::new(limits::HANDSHAKES_MAX)),
            failed: Arc::default(),
        };
        let accepting = Accepting::new(listener, greeting, open).run();
        let draining = async {
            health.started();
            info!(%address, encrypted = reload.tls.is_some(), "gRPC server started");
            shutdown.await;
            let end = Instant::now() + config.drain;
            lame_duck(&health, &config, opened).await;
            for drain in drains {
                drain();
            }
            health.over();
            close.send_replace(true);
            time::sleep_until(end).await;
        };
        let drained = tokio::select! {
            () = accepting => Drained::Whole,
            () = draining => Drained::CutShort,
            never = beside(admin, &health, &reload) => match never {},
        };
        info!(?drained, "gRPC server stopped");
        #[cfg(feature = "otel")]
        super::traces::flush().await;
        Ok(drained)
    }
}

/// Says that nothing is served any more and goes on serving while anybody is connected who may not know it yet.
async fn lame_duck(health: &Health, config: &Config, mut open: watch::Receiver<usize>) {
    health.draining();
    let connections = *open.borrow();
    info!(connections, "gRPC server stops");
    let time = config.patience.lame_duck.min(config.drain);
    // Either way it is time to go on; and who counts lives as long as this.
    let _ = time::timeout(time, open.wait_for(|open| *open == 0)).await;
}

/// What runs as long as the server does, and never ends by itself.
async fn beside(admin: Option<Admin>, health: &Health, reload: &Reload) -> std::convert::Infallible {
    let admin = async {
        match admin {
            Some(admin) => admin.serve(health.clone()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        never = admin => never,
        never = reload.when_asked() => never,
    }
}

// === impl Reload ===

impl Reload {
    /// Reads the files again. What cannot be read stays as it was.
    pub fn now(&self) -> Result<(), Error> {
        let tls = self.tls.as_ref().map_or(Ok(()), |tls| tls.reload());
        let tokens = self.tokens.as_ref().map_or(Ok(()), |tokens| tokens.reload());
        tls.and(tokens)
    }

    async fn when_asked(&self) -> std::convert::Infallible {
        let nothing = self.tls.is_none() && self.tokens.is_none();
        // Without files a hang-up keeps its usual meaning.
        let Some(mut signals) = (if nothing { None } else { reload_signals() }) else {
            return std::future::pending().await;
        };
        loop {
            signals.recv().await;
            match self.now() {
                Ok(()) => info!("certificates and tokens are read again"),
                Err(error) => error!("certificates and tokens stay as they were: {}", chain(&error)),
            }
        }
    }
}

fn chain(error: &Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
