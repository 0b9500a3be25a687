//! Every bound in one place, with its default and its reason, and the budget that is spent before anything is allocated.

pub mod client;
pub mod files;
pub mod server;
pub mod wire;
