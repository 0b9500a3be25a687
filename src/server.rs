//! The chassis under every gRPC face: sockets, TLS, HTTP/2 settings, layers, health, reflection, metrics, drain. It knows no
//! service.
//!
//! [`Config`] is plain data. [`Config::bind`] opens sockets and reads the files of certificates and tokens, so that what is
//! wrong with them is known before anything else starts. A [`Chassis`] holds what is served: whoever registers a service gets
//! health, reflection and all layers with it. [`Bound::run`] serves until the shutdown future ends and then drains within
//! bounds.

mod accept;
mod admin;
mod backlog;
mod bound;
mod chassis;
mod config;
mod connection;
mod error;
mod farewell;
mod health;
mod http2;
mod layers;
pub mod logs;
pub mod metrics;
mod peers;
mod quoted;
mod refusal;
mod seldom;
mod signals;
mod tls;
mod tokens;
#[cfg(feature = "otel")]
mod traces;

pub(crate) use backlog::{Away, Backlog};
pub use bound::{Bound, Drained, Reload};
pub use chassis::Chassis;
pub use config::{Config, Patience, TlsFiles, Windows};
pub use error::Error;
pub use health::Health;
pub(crate) use peers::Peer;
pub use signals::shutdown_signal;
