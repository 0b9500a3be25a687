//! Every integration test in one crate, because each test binary is a link of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics has failed, which is what it is for"
)]

mod cli;
mod grpc;
mod pickles;
mod properties;
mod tidy;
