//! Clients: what brings a data set to a server. So far [`push`], to servers that take `IngestDataStream`.

pub mod push;
mod target;

pub use target::Target;
