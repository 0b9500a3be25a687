//! The command line: one file for each subcommand; the only place of clap and anyhow.
//!
//! A subcommand is a struct of arguments and a `run` that returns `report::Failure` with the exit code it stands for.
//! Results go to stdout, through `report::Output`; everything else goes to stderr.

use std::{io, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind};

mod batch_server;
mod connect;
mod convert;
mod demo;
mod inspect;
mod interrupt;
mod listen;
mod progress;
mod pull;
mod report;
mod retry;
mod seconds;
mod serve;
mod stream;
mod uuid;
mod verify;

use crate::{figures, limits::server as limits};
use report::{Failure, Output};

const EXIT_CODES: &str = "\
Exit codes:
  0 done                   4 refused by the server
  1 failed                 5 server not reached
  2 wrong usage            6 interrupted; run the same command again
  3 input refused          7 done, with rows quarantined
  8 fenced by a newer run  9 verify found a difference

Most options can also be given as a variable, such as BRINE_LISTEN for --listen; the help of a command names them.";

/// Turns pandas pickles of embeddings into typed Arrow and Parquet, and moves them over gRPC.
#[derive(Debug, Parser)]
#[command(name = "brine", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(convert::Args),
    Inspect(inspect::Args),
    Stream(stream::Args),
    Pull(pull::Args),
    Verify(verify::Args),
    Serve(serve::Args),
    BatchServer(batch_server::Args),
    Demo(demo::Args),
    Uuid(uuid::Args),
}

/// Runs the program named by the process arguments.
#[must_use]
pub fn run() -> ExitCode {
    crate::file::guard::keep_quiet_about_caught_panics();
    let Cli { output, command } = match parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let done = match command {
        Command::Convert(args) => interrupt::leaving_nothing(|| convert::run(&args, output)),
        Command::Inspect(args) => inspect::run(&args, output),
        Command::Demo(args) => demo::run(&args, output),
        Command::Uuid(args) => uuid::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Stream(args) => stream::run(args, output),
        Command::Serve(args) => serve::run(args, output),
        Command::Pull(args) => pull::run(&args, output),
        Command::BatchServer(args) => batch_server::run(args, output),
    };
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

fn parse() -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    if let Some(("stream", of_stream)) = matches.subcommand()
        && let Some(typed) = stream::typed_beside_rpc(of_stream)
    {
        let told = format!("the argument '--rpc <RPC>' cannot be used with '--{}'", typed.replace('_', "-"));
        let command = command.find_subcommand_mut("stream").expect("it was just found");
        return Err(command.error(ErrorKind::ArgumentConflict, told));
    }
    Cli::from_arg_matches(&matches)
}

/// Help and version are results, anything else is wrong usage; clap knows the code of each.
fn usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to tell if even this cannot be printed.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The async runtime of a subcommand that moves bulk data.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    keep_message_memory();
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|source: io::Error| {
        Failure::from(anyhow::Error::new(source).context("start the async runtime"))
    })
}

/// Has the allocator keep the memory of freed messages for the next ones. glibc takes the size of a block that was mapped
/// for itself and then freed as the new bound between heap and mapping, and twice that as the bound of what it gives
/// back; without this every message of a stream is fresh memory, and half of the time goes into page faults. Other
/// allocators see an allocation that is never touched.
fn keep_message_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(limits::KEPT_BYTES)));
}
