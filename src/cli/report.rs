//! How a subcommand ends: its exit code, the chain of causes, and what it prints on stdout.

use std::{
    fmt::Display,
    io::{self, Write as _},
    iter,
    process::ExitCode,
};

use tonic::Status;

/// A name out of a file, on one line: a terminal would obey the control characters that it holds.
pub(super) fn plain(name: &str) -> String {
    name.replace(char::is_control, "·")
}

/// What kind of ending an exit code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// Failed for a reason that has no code of its own.
    Failed = 1,
    /// The arguments contradict each other.
    Usage = 2,
    /// The input is not what it should be.
    Input = 3,
    /// The server refused.
    Refused = 4,
    /// The server was not reached.
    Unreachable = 5,
    /// Interrupted; the same command goes on.
    Interrupted = 6,
    /// Done, but rows were put aside.
    Quarantined = 7,
    /// A newer run has taken over.
    Fenced = 8,
    /// `verify` found a difference.
    Difference = 9,
}

/// Why a subcommand failed and what the process answers.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    pub(super) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// Everything is done, but `rows` rows were put aside.
    pub(super) fn quarantined(rows: u64) -> Self {
        Self::new(Exit::Quarantined, anyhow::anyhow!("done, but bad rows were put aside: {rows}"))
    }

    /// The error and its causes in one line.
    pub(super) fn sentence(&self) -> String {
        self.told().join(": ")
    }

    /// The error and its causes, without those that add nothing to what the one above says.
    fn told(&self) -> Vec<String> {
        let mut told = vec![self.error.to_string()];
        let mut above = told[0].clone();
        for cause in self.error.chain().skip(1).map(said) {
            if !above.contains(&cause) {
                told.push(cause.clone());
            }
            above = cause;
        }
        told
    }

    /// Prints the error and its causes, one to a line, and gives the exit code.
    #[allow(clippy::print_stderr, reason = "the command line's errors go to stderr")]
    pub(super) fn report(&self) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        for (title, line) in iter::once("error").chain(iter::repeat("caused by")).zip(self.told()) {
            eprintln!("{title}: {line}");
        }
        ExitCode::from(self.exit as u8)
    }

    /// Whoever read our output has seen enough: `brine … | head -1` is no failure.
    fn is_broken_pipe(&self) -> bool {
        self.error
            .downcast_ref::<PrintError>()
            .is_some_and(|error| error.0.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What a cause says. A status prints its code, which the sentence above it stands for, and its bytes.
fn said(cause: &(dyn std::error::Error + 'static)) -> String {
    let status = cause.downcast_ref::<Box<Status>>().map(AsRef::as_ref).or_else(|| cause.downcast_ref());
    status.map_or_else(|| cause.to_string(), |status: &Status| status.message().to_owned())
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Failed, error }
    }
}

impl From<PrintError> for Failure {
    fn from(error: PrintError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

/// Stdout could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write to stdout")]
pub(super) struct PrintError(#[source] pub(super) io::Error);

/// How results are printed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Output {
    /// Print one JSON object on stdout and nothing else there.
    #[arg(long, global = true, env = "BRINE_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    pub(super) json: bool,
    /// No progress on stderr; warnings and errors are told.
    #[arg(long, short, global = true, env = "BRINE_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub(super) quiet: bool,
}

impl Output {
    /// Prints `object` under `--json`, else `text`.
    pub(super) fn result(self, object: &serde_json::Value, text: &dyn Display) -> Result<(), PrintError> {
        if self.json { print(object) } else { print(text) }
    }

    /// Prints under `--json` that nothing came of it, and why.
    pub(super) fn failed(self, failure: Failure) -> Failure {
        let object = serde_json::json!({ "error": failure.sentence() });
        if self.json {
            // Why it failed matters more than that this cannot be printed.
            let _ = print(&object);
        }
        failure
    }
}

fn print(line: &dyn Display) -> Result<(), PrintError> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(PrintError)
}
