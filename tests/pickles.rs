//! The reader against the pickles under `tests/fixtures/pickles`: what each must give, and what must never happen.

mod bad;
mod chain;
mod fixtures;
mod good;
mod hostile;
mod memory;
mod mutants;
mod oracle;
mod prefixes;
mod protocols;
mod truth;
mod written;
