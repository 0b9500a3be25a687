//! Every integration test in one crate, because each test binary is a link of its own.

mod cli;
mod grpc;
mod pickles;
mod properties;
mod tidy;
