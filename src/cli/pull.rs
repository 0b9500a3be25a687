//! `brine pull`: receives a table from a server, checks it, and writes it if wanted.

use std::{fmt::Write as _, path::PathBuf, sync::Arc, time::Duration};

use anyhow::anyhow;

use super::{
    connect::Connect,
    figures::count,
    report::{Exit, Failure, Output},
    retry::Retry,
    runtime, seconds,
};
use crate::{
    client::{
        Target,
        pull::{self, Compression, Error, Options, Start},
    },
    file,
    limits::client as limits,
    schema::{self, Domain},
    server::shutdown_signal,
};

mod progress;
mod told;

use progress::Printed;

const EXAMPLES: &str = "\
Examples:
  brine pull --from http://localhost:50051
  brine pull --from http://localhost:50051 --chunk-size 500 --json
  brine pull --from http://localhost:50051 --checkpoint c0ca96e7-85df-50df-a64e-d934cd02a170
  brine pull --from http://localhost:50051 --domain candidate -o copy
  brine pull --from https://rows.example.com --token-file token --compress zstd

What is checked: every vector has the dimension of the first, every row has an id, no id comes
twice. A server of ours also says where each chunk's rows stand and what they add up to: then
nothing can be missing, changed or doubled without being noticed.

A stream that breaks goes on behind the last row that arrived, after a pause: by the row's number
at a server of ours, by the last id at any other. It ends after 3 attempts (--attempts) without
any new row.

Exit codes: 0 done, 1 failed, 2 wrong usage, 4 refused by the server, 5 server not reached,
6 interrupted (the last line says how to go on)";

/// Pull a table from a server, check it, and write it if wanted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The server, as http://HOST:PORT, https://HOST:PORT or HOST:PORT
    #[arg(long, visible_alias = "server", value_name = "URL", env = "BRINE_FROM", value_parser = server)]
    from: Target,
    /// Which rows
    #[arg(
        help = "Which rows: recruit, candidate or skill_embedding_dic", long, value_name = "NAME", env = "BRINE_DOMAIN", default_value = "recruit", value_parser = domain)]
    domain: &'static Domain,
    /// Begin behind the row with this id
    #[arg(long, value_name = "ID", env = "BRINE_CHECKPOINT", conflicts_with = "start_row")]
    checkpoint: Option<String>,
    /// Fail if the server does not know the checkpoint, instead of beginning with the first row
    #[arg(long, env = "BRINE_STRICT_CHECKPOINT", requires = "checkpoint")]
    strict_checkpoint: bool,
    /// Begin with the row of this number, counted from 0
    #[arg(long, value_name = "N", env = "BRINE_START_ROW")]
    start_row: Option<u64>,
    /// Rows in a chunk; servers take 100 to 1000
    #[arg(
        long, value_name = "ROWS", env = "BRINE_CHUNK_SIZE", default_value_t = limits::PULL_CHUNK_ROWS,
        allow_negative_numbers = true
    )]
    chunk_size: i32,
    /// Write the rows to a data set in this folder
    #[arg(short, long, value_name = "DIR", env = "BRINE_OUTPUT")]
    output: Option<PathBuf>,
    /// The data set's name [default: the domain's]
    #[arg(long, value_name = "NAME", requires = "output")]
    name: Option<String>,
    /// Replace a data set of that name
    #[arg(long, requires = "output")]
    overwrite: bool,
    /// Let the server pack what it sends
    #[arg(long, value_enum, env = "BRINE_COMPRESS")]
    compress: Option<Packed>,
    /// Seconds that the server may be silent before an attempt has failed; to be reached it has 10 at most
    #[arg(long, value_name = "S", env = "BRINE_TIMEOUT", value_parser = seconds::positive, default_value = "120")]
    timeout: Duration,
    #[command(flatten)]
    retry: Retry,
    #[command(flatten)]
    connect: Connect,
}

/// How messages are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Packed {
    Gzip,
    Zstd,
}

/// The published client takes a server without a scheme.
fn server(text: &str) -> Result<Target, crate::client::TargetError> {
    if text.contains("://") { text.parse() } else { format!("http://{text}").parse() }
}

fn domain(name: &str) -> Result<&'static Domain, String> {
    schema::find(name).ok_or_else(|| {
        let names: Vec<_> = schema::builtin().iter().map(|domain| domain.name.as_str()).collect();
        format!("expected one of: {}", names.join(", "))
    })
}

impl Args {
    fn options(&self) -> Result<Options, Failure> {
        let start = match (&self.checkpoint, self.start_row) {
            (Some(checkpoint), _) => {
                Start::Behind { checkpoint: checkpoint.clone(), strict: self.strict_checkpoint }
            }
            (None, Some(row)) => Start::Row(row),
            (None, None) => Start::First,
        };
        let output = self.output.clone().map(|folder| pull::Output {
            folder,
            name: self.name.clone().unwrap_or_else(|| self.domain.name.clone()),
            overwrite: self.overwrite,
        });
        let compression = self.compress.map(|packed| match packed {
            Packed::Gzip => Compression::Gzip,
            Packed::Zstd => Compression::Zstd,
        });
        let options = Options::new(self.connect.to(self.from.clone())?, self.domain);
        let (attempts, backoff) = (self.retry.attempts(), self.retry.backoff());
        let (chunk_rows, silence) = (self.chunk_size, self.timeout);
        Ok(Options { start, chunk_rows, output, compression, attempts, backoff, silence, ..options })
    }
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    pull(args, output).map_err(|failure| output.failed(failure))
}

fn pull(args: &Args, output: Output) -> Result<(), Failure> {
    let (options, runtime) = (args.options()?, runtime()?);
    let progress = Arc::new(Printed::new(output));
    let received = runtime.block_on(async {
        let (stop, progress) = (shutdown_signal(), Arc::clone(&progress));
        tokio::select! {
            received = pull::receive(&options, progress) => Some(received),
            () = stop => None,
        }
    });
    let Some(received) = received else {
        progress.end();
        // The thread that writes removes what it has written.
        runtime.shutdown_timeout(limits::PULL_END);
        return Err(interrupted(&options, &progress));
    };
    progress.end();
    let report = received.and_then(pull::Received::finish);
    let report = report.map_err(|error| failure(error, &options, progress.last()))?;
    Ok(output.result(&told::report_json(&report), &told::report_text(&report, &options.start))?)
}

fn interrupted(options: &Options, progress: &Printed) -> Failure {
    let text = match progress.last() {
        None => "interrupted before the first chunk: run the same command again".to_owned(),
        Some(last) => format!("interrupted {}", after(&last, options)),
    };
    Failure::new(Exit::Interrupted, anyhow!(text))
}

/// How far a pull came that did not come to its end, and how to go on.
fn after((rows, id): &(u64, String), options: &Options) -> String {
    let rows = count(*rows);
    match &options.output {
        Some(_) => format!("after {rows} rows; nothing was written: run the same command again"),
        None => format!("after {rows} rows: go on with --checkpoint {id}"),
    }
}

fn failure(error: Error, options: &Options, last: Option<(u64, String)>) -> Failure {
    let exit = match &error {
        Error::Remote { failed, .. } if failed.is_unreachable() => Exit::Unreachable,
        Error::Remote { .. } | Error::Unsupported { .. } | Error::OtherDomain { .. } => Exit::Refused,
        Error::File(error) if matches!(**error, file::Error::Name { .. }) => Exit::Usage,
        _ => Exit::Failed,
    };
    let mut what = format!("pull {} from {}", options.domain.name, options.target);
    if let Error::Remote { attempts: attempts @ 2.., .. } = error {
        let _ = write!(what, ": given up after {attempts} attempts");
    }
    if let (Error::Remote { .. }, Some(last)) = (&error, last) {
        let _ = write!(what, ", {}", after(&last, options));
    }
    Failure::new(exit, anyhow::Error::new(error).context(what))
}
