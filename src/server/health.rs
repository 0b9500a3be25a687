//! `grpc.health.v1.Health`: who is serving, for every service and for the server as a whole.
//!
//! The service is our own because of its `Watch`: an unknown name is told as `SERVICE_UNKNOWN` and may become known, and
//! nothing changes any more once the server will stop.

use std::{collections::BTreeMap, pin::Pin, sync::Arc};

use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt as _, wrappers::WatchStream};
use tonic::{Request, Response, Status, async_trait};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server,
};

/// The path of every method begins with it.
pub(super) const PATH: &str = "/grpc.health.v1.Health/";

/// The service's name.
pub(super) const NAME: &str = "grpc.health.v1.Health";

/// Says which services serve. Clones say it of the same server.
#[derive(Debug, Clone)]
pub struct Health {
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Default, Clone)]
struct State {
    phase: Phase,
    /// Whether a service can serve, as far as itself is concerned.
    able: BTreeMap<String, bool>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Starting,
    Running,
    /// Nothing is serving, and never will again.
    Draining,
    /// Nobody needs to watch any more.
    Over,
}

impl Default for Health {
    fn default() -> Self {
        Self { state: Arc::new(watch::Sender::new(State::default())) }
    }
}

impl Health {
    /// `service` can serve. It is said to serve when the server does.
    pub fn serving(&self, service: &str) {
        self.set(service, true);
    }

    /// `service` cannot serve for now: its disk is full, its database is gone.
    pub fn not_serving(&self, service: &str) {
        self.set(service, false);
    }

    fn set(&self, service: &str, able: bool) {
        self.state.send_if_modified(|state| {
            let before = state.able.insert(service.to_owned(), able);
            before != Some(able)
        });
    }

    /// Makes `service` known, unless it has spoken for itself already.
    pub(super) fn know(&self, service: &str) {
        self.state.send_modify(|state| {
            state.able.entry(service.to_owned()).or_insert(true);
        });
    }

    pub(super) fn started(&self) {
        self.enter(Phase::Running);
    }

    pub(super) fn draining(&self) {
        self.enter(Phase::Draining);
    }

    /// Ends every `Watch`.
    pub(super) fn over(&self) {
        self.enter(Phase::Over);
    }

    fn enter(&self, phase: Phase) {
        self.state.send_modify(|state| state.phase = phase);
    }

    /// Whether the server serves, as it says of itself as a whole.
    pub(super) fn is_ready(&self) -> bool {
        self.state.borrow().status("") == Some(ServingStatus::Serving)
    }
}

impl State {
    /// What is said of `service`; of the server as a whole if the name is empty.
    fn status(&self, service: &str) -> Option<ServingStatus> {
        let able = if service.is_empty() { self.is_any_able() } else { *self.able.get(service)? };
        let serving = able && self.phase == Phase::Running;
        Some(if serving { ServingStatus::Serving } else { ServingStatus::NotServing })
    }

    /// Whether there is anything to come for. A balancer that asks for the whole must go on sending those whose service is well, and
    /// must send nobody where none is.
    fn is_any_able(&self) -> bool {
        self.able.is_empty() || self.able.values().any(|able| *able)
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[async_trait]
impl health_server::Health for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let status = self.state.borrow().status(&request.get_ref().service);
        let unknown = || Status::not_found("no service of this name is registered");
        status.map(|status| Response::new(answer(status))).ok_or_else(unknown)
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let states = WatchStream::new(self.state.subscribe()).take_while(|state| state.phase != Phase::Over);
        let mut told = None;
        let changes = states.filter_map(move |state| {
            let status = state.status(&service).unwrap_or(ServingStatus::ServiceUnknown);
            (told.replace(status) != Some(status)).then(|| Ok(answer(status)))
        });
        Ok(Response::new(Box::pin(changes)))
    }
}
