//! brine turns pandas pickles of embeddings into typed Arrow and Parquet, without ever running the pickle, and moves
//! them over gRPC.
//!
//! ```text
//! bytes ─► pickle ─► numpy ─► pandas ─► columnar ─┬─► file ─► store ─┬─► service ─► server ─► gRPC
//!          (VM)      arrays   frames    Arrow      │                  │
//!                                                  └─► wire ──────────┘
//! ```
//!
//! The modules below stand in the order of that drawing; each may import only what stands before it
//! (`tests/tidy.rs` holds the exact table).

pub mod limits;

pub mod cursor;
mod failpoint;
pub mod figures;
pub mod growing;
pub mod identifier;
pub mod proto;
pub mod schema;
pub mod session;

pub mod pickle;

pub mod numpy;

pub mod pandas;

pub mod columnar;

pub mod digest;

pub mod file;
pub mod wire;

pub mod server;
pub mod store;

pub mod client;
pub mod service;

pub mod cli;
