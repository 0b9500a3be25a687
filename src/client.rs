//! Clients: what brings a data set to a server: [`push`] to servers that take `IngestDataStream`, [`message`] to any RPC.

pub mod message;
pub mod push;
mod target;

pub use target::Target;
