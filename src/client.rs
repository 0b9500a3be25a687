//! Clients: what brings a data set to a server: [`push`] to servers that take `IngestDataStream`, [`message`] to any
//! RPC; and what fetches one: [`pull`] from servers of `StreamEmbedding`.

pub mod message;
pub mod pull;
pub mod push;
mod target;

pub use target::{Error as TargetError, Target};
