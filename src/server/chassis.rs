//! What a server serves: services, each registered with the descriptors that reflection and metrics know it by.

use std::{collections::HashSet, convert::Infallible, fmt};

use axum::response::IntoResponse;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::{body::Body, server::NamedService, service::Routes};
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::Builder;

use super::{Error, Health, health};

/// Services, and what comes with them: nobody can register one without health, reflection and the layers.
#[derive(Default)]
pub struct Chassis {
    routes: Routes,
    names: Vec<&'static str>,
    descriptors: Vec<&'static [u8]>,
    health: Health,
    drains: Vec<Box<dyn FnOnce() + Send>>,
}

/// A chassis that is complete.
pub(super) struct Assembled {
    pub(super) routes: Routes,
    /// The paths of all methods: what metrics may be labelled with.
    pub(super) methods: HashSet<String>,
    pub(super) health: Health,
    pub(super) drains: Vec<Box<dyn FnOnce() + Send>>,
}

impl fmt::Debug for Chassis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chassis").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Chassis {
    /// One without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `service`, of which `descriptors`, an encoded `FileDescriptorSet`, tells everything.
    ///
    /// # Panics
    ///
    /// If a service of this name is registered already.
    #[must_use]
    pub fn register<S>(mut self, service: S, descriptors: &'static [u8]) -> Self
    where
        S: tower_service::Service<http::Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes = self.routes.add_service(service);
        self.names.push(S::NAME);
        self.health.know(S::NAME);
        if !self.descriptors.contains(&descriptors) {
            self.descriptors.push(descriptors);
        }
        self
    }

    /// Calls `drain` when the server is about to stop, while its connections are still open.
    #[must_use]
    pub fn on_drain(mut self, drain: impl FnOnce() + Send + 'static) -> Self {
        self.drains.push(Box::new(drain));
        self
    }

    /// What the services say of themselves.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Adds health and reflection.
    pub(super) fn assemble(self) -> Result<Assembled, Error> {
        let Self { routes, names, mut descriptors, health, drains } = self;
        descriptors.extend([
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ]);
        let reflection = || {
            let builder = Builder::configure();
            let builder = descriptors
                .iter()
                .fold(builder, |builder, set| builder.register_encoded_file_descriptor_set(set));
            let all = names.iter().chain(&[health::NAME, V1, V1_ALPHA]);
            all.fold(builder, |builder, name| builder.with_service_name(*name))
        };
        let routes = routes
            .add_service(HealthServer::new(health.clone()))
            .add_service(reflection().build_v1().map_err(|error| Error::Descriptors(error.into()))?)
            .add_service(reflection().build_v1alpha().map_err(|error| Error::Descriptors(error.into()))?);
        Ok(Assembled { routes, methods: methods(&descriptors)?, health, drains })
    }
}

const V1: &str = "grpc.reflection.v1.ServerReflection";
const V1_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";

/// The path of every method in `descriptors`.
fn methods(descriptors: &[&[u8]]) -> Result<HashSet<String>, Error> {
    let mut paths = HashSet::new();
    for set in descriptors {
        let set = FileDescriptorSet::decode(*set).map_err(|error| Error::Descriptors(error.into()))?;
        for file in &set.file {
            for service in &file.service {
                let methods = service.method.iter();
                paths.extend(
                    methods.map(|method| format!("/{}.{}/{}", file.package(), service.name(), method.name())),
                );
            }
        }
    }
    Ok(paths)
}
