//! The reader against the pickles under `tests/fixtures/pickles`: what each must give, and what must never happen.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that cannot run says so"
)]

mod bad;
mod chain;
mod claims;
mod fixtures;
mod good;
mod hostile;
mod memory;
mod metadata;
mod mutants;
mod objects;
mod old;
mod oracle;
mod plain;
mod prefixes;
mod protocols;
mod rare;
mod refused;
mod truth;
mod written;
