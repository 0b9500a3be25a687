//! The command line: one file for each subcommand; the only place of clap and anyhow.

use std::process::ExitCode;

/// Runs the program named by the process arguments.
#[must_use]
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
