//! Every integration test in one crate, because each test binary is a link of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::float_cmp,
    clippy::match_same_arms,
    clippy::large_stack_arrays,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test that panics has failed, which is what it is for; the rest is about programs that run for long"
)]

mod arrays;
mod cli;
mod contract;
mod fuzz;
mod grpc;
mod ids;
mod interrupt;
mod joblib;
mod messages;
mod packed;
mod pickles;
mod properties;
mod session_model;
mod tidy;
