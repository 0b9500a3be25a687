//! The `brine` program: everything it does stands in [`brine::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    brine::cli::run()
}
