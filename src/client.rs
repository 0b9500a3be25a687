//! Clients: what brings a data set to a server: [`push`] to servers that take `IngestDataStream`, [`message`] to any
//! RPC; and what fetches one: [`pull`] from servers of `StreamEmbedding`.

mod connection;
mod credentials;
mod listening;
pub mod message;
mod misfit;
pub mod pull;
pub mod push;
mod target;

pub use credentials::{CredentialFiles, Error as CredentialError};
pub use misfit::Misfit;
pub use target::{Error as TargetError, Target};
