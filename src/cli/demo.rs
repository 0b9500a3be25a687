//! `brine demo`: placeholder
use super::report::{Failure, Output};
/// d
#[derive(Debug, clap::Args)]
pub(super) struct Args {}
pub(super) fn run(_args: Args, _output: Output) -> Result<(), Failure> {
    Ok(())
}
