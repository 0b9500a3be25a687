//! `IngestDataStream` end to end: our server and stock clients, our client and our server, both and the faults between.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that panics has failed, which is what it is for"
)]

mod ages;
mod ailing;
mod bench;
mod chassis;
mod checks;
#[cfg(feature = "otel")]
mod collector;
mod dialects;
mod faults;
mod frames;
mod messages;
mod programs;
mod proxy;
mod pull;
mod pulling;
mod push;
mod raw;
mod resets;
mod scripted;
mod serve_program;
mod serving;
mod sessions;
mod tables;
mod tls;
