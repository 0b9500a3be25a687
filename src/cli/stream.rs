//! `brine stream`: pushes a data set to a Batch Server, or to an RPC of the user's own.

mod message;

use std::{
    ops::Range,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

pub(super) use message::typed_beside_rpc;

use anyhow::anyhow;
use serde_json::json;

use super::{
    connect::Connect,
    figures::{bytes, count},
    progress::{Printed, Standing},
    report::{Exit, Failure, Output},
    retry::Retry,
    runtime, seconds,
};
use crate::{
    client::{
        Target,
        message::{self as foreign, Source},
        push::{
            self, ChunkRows, ChunkSize, Dialect, Feed, Options, Report, Selection, SessionOptions, Sizes,
        },
    },
    limits::{client as limits, wire::SEND_BYTES_MAX},
    server::shutdown_signal,
    session::Mode,
};

mod receipt;
mod told;

use receipt::Receipt;

const EXAMPLES: &str = "\
Examples:
  brine stream out/recruit --to http://localhost:50052
  brine stream out/recruit --to http://localhost:50052 --chunk-rows auto --bandwidth 1000 --json
  brine stream out/recruit --to http://localhost:9090 --dialect json-v1
  brine stream out/recruit --to https://ingest.example.com --token-file token
  brine stream out/recruit --to http://localhost:50052 --shard 1/4 --receipt recruit-1.json
  brine stream out/recruit --dry-run --bandwidth 1000
  brine stream out/orders --to http://localhost:50060 --proto shop.proto \\
    --rpc shop.Orders/Import --map orders.toml

Dialects, and what is guaranteed once the command has succeeded:
  session   rows with positions, acknowledged when they are durable: every row is in the
            server's storage exactly once, whatever broke on the way; a run that was
            interrupted goes on where it stood (brine batch-server); --attempts bounds how
            often it is looked for, and once it was reached only --deadline ends the waiting
  typed-v1  typed messages of package embedding: every row arrived at least once; a stream
            that fails is repeated whole, at most 3 times in all (--attempts), so only a
            server that upserts by key holds each row once
  json-v1   JSON text in package com.alpha.backend.grpc, as the published Java server takes
            it: at least once, as above
  auto      session; typed-v1 if the server does not know sessions; json-v1 if it does not
            know that either. With --require exactly-once: session, or nothing

An RPC of your own (--proto, --rpc) has no dialect. To it nothing is sent twice: a send stops
at the first failure and says how many rows were confirmed.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 data set refused, 4 refused by the server,
5 server not reached, 6 interrupted (run the same command again), 8 another run of the same
rows has taken over";

/// Push a data set to a Batch Server, or to an RPC of your own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The data set, as DIR/NAME
    dataset: PathBuf,
    /// The server, as http://HOST:PORT or https://HOST:PORT
    #[arg(long, value_name = "URL", env = "BRINE_TO", required_unless_present = "dry_run")]
    to: Option<Target>,
    /// How the server wants its rows
    #[arg(long, value_enum, env = "BRINE_DIALECT", default_value_t = Wanted::Auto)]
    dialect: Wanted,
    /// Rows in a message, or `auto`: what the bandwidth carries in 100 ms [default: 1000 at 384 dimensions, 500 at 768;
    /// 100 in json-v1]
    #[arg(long, value_name = "N|auto", env = "BRINE_CHUNK_ROWS")]
    chunk_rows: Option<Rows>,
    /// The line's bandwidth in Mbit/s, for `--chunk-rows auto` and the estimate of `--dry-run`
    #[arg(long, value_name = "MBPS", env = "BRINE_BANDWIDTH", default_value_t = limits::BANDWIDTH_MBPS)]
    bandwidth: f64,
    /// Bytes of a message at most
    #[arg(long, value_name = "BYTES", env = "BRINE_MAX_MESSAGE", default_value_t = SEND_BYTES_MAX)]
    max_message: usize,
    /// What must hold: with exactly-once a server that keeps no sessions is refused
    #[arg(long, value_enum, env = "BRINE_REQUIRE", default_value_t = Required::AtLeastOnce)]
    require: Required,
    /// Send only these rows, as FIRST..END counted from 0
    #[arg(long, value_name = "A..B", conflicts_with = "shard")]
    rows: Option<Part>,
    /// Send only the Ith of N parts of nearly one size
    #[arg(long, value_name = "I/N")]
    shard: Option<Part>,
    /// When readers of the server's table see the rows of a session: all at once at the end (pending, as without this),
    /// or whenever the stream pauses
    #[arg(long, value_enum, env = "BRINE_MODE")]
    mode: Option<Visible>,
    /// Send rows that were sent before once more, as a run of this name; without a name one is made up
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    new_run: Option<String>,
    /// Write what was acknowledged, or confirmed, to a JSON file, also if the run fails
    #[arg(long, value_name = "FILE", env = "BRINE_RECEIPT")]
    receipt: Option<PathBuf>,
    /// Seconds that everything may take; in a session, that may pass without an acknowledgement
    #[arg(long, value_name = "S", env = "BRINE_DEADLINE", value_parser = seconds::positive, default_value = "600")]
    deadline: Duration,
    /// Seconds that one stream may take, in typed-v1 and json-v1 [default: what is left of the deadline]
    #[arg(long, value_name = "S", env = "BRINE_STREAM_TIMEOUT", value_parser = seconds::positive)]
    timeout: Option<Duration>,
    /// Encode everything and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    retry: Retry,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    message: message::Foreign,
}

/// The dialects by name, and the choice among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    Auto,
    Session,
    #[value(name = "typed-v1")]
    TypedV1,
    #[value(name = "json-v1")]
    JsonV1,
}

impl Wanted {
    /// The dialect to begin with.
    fn first(self) -> Dialect {
        match self {
            Self::Auto | Self::Session => Dialect::Session,
            Self::TypedV1 => Dialect::TypedV1,
            Self::JsonV1 => Dialect::JsonV1,
        }
    }
}

/// What a success must mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Required {
    ExactlyOnce,
    AtLeastOnce,
}

/// When rows become visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Visible {
    Pending,
    Committed,
}

/// Some of the rows, as A..B or I/N.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part(Selection);

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pair = |between: &str| {
            let (a, b) = text.split_once(between)?;
            Some((a.parse().ok()?, b.parse().ok()?))
        };
        match (pair(".."), pair("/")) {
            (Some((first, end)), _) if first < end => Ok(Self(Selection::Rows(first..end))),
            (_, Some((index, of))) if (1..=of).contains(&index) => Ok(Self(Selection::Shard { index, of })),
            _ => Err("expected FIRST..END with FIRST below END, or I/N with I from 1 to N"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    Fixed(usize),
    Auto,
}

impl FromStr for Rows {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(rows) if rows > 0 => Ok(Self::Fixed(rows)),
            _ => Err("expected a number of rows above 0, or `auto`"),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "every subcommand is given its arguments")]
pub(super) fn run(args: Args, output: Output) -> Result<(), Failure> {
    stream(&args, output).map_err(|failure| output.failed(failure))
}

fn stream(args: &Args, output: Output) -> Result<(), Failure> {
    if let Some(source) = args.message.source() {
        return foreign(args, source, output);
    }
    let options = args.options()?;
    match &args.to {
        Some(_) if !args.dry_run => {
            let downgrading = args.dialect == Wanted::Auto && args.require == Required::AtLeastOnce;
            send(&options, downgrading, args.receipt.as_deref(), output)
        }
        _ => dry_run(&options, args.bandwidth, output),
    }
}

/// To an RPC of the user's own.
fn foreign(args: &Args, source: Source, output: Output) -> Result<(), Failure> {
    let (dataset, rows, chunks) = (args.dataset.clone(), args.selection(), args.chunk_size()?);
    let (target, deadline) = (args.target()?, args.deadline);
    let options = foreign::Options { dataset, source, target, rows, chunks, deadline };
    match args.to {
        Some(_) if !args.dry_run => message::send(&options, args.receipt.as_deref(), output),
        _ => message::dry_run(&options, args.bandwidth, output),
    }
}

impl Args {
    fn options(&self) -> Result<Options, Failure> {
        let dialect = self.dialect.first();
        if self.require == Required::ExactlyOnce && dialect != Dialect::Session {
            let text = format!("--require exactly-once: {dialect} can only deliver at least once");
            return Err(Failure::new(Exit::Usage, anyhow!(text)));
        }
        if dialect != Dialect::Session && (self.mode.is_some() || self.new_run.is_some()) {
            let text = format!("--mode and --new-run are of sessions; {dialect} has none");
            return Err(Failure::new(Exit::Usage, anyhow!(text)));
        }
        if self.dialect == Wanted::Session && self.timeout.is_some() {
            let text =
                "--timeout is of typed-v1 and json-v1; a session ends after --deadline without progress";
            return Err(Failure::new(Exit::Usage, anyhow!(text)));
        }
        let target = self.target()?;
        Ok(Options {
            dialect,
            rows: self.selection(),
            session: SessionOptions { mode: self.mode(), salt: self.salt() },
            chunks: self.chunk_size()?,
            deadline: self.deadline,
            timeout: self.timeout,
            attempts: self.retry.attempts(),
            backoff: self.retry.backoff(),
            ..Options::new(&self.dataset, target)
        })
    }

    fn target(&self) -> Result<Target, Failure> {
        // A dry run asks nobody.
        let nowhere = || {
            "http://localhost".parse().map_err(|error| Failure::new(Exit::Usage, anyhow::Error::new(error)))
        };
        let Some(target) = self.to.clone().filter(|_| !self.dry_run) else { return nowhere() };
        self.connect.to(target)
    }

    fn selection(&self) -> Selection {
        let part = self.rows.as_ref().or(self.shard.as_ref());
        part.map(|part| part.0.clone()).unwrap_or_default()
    }

    fn mode(&self) -> Mode {
        match self.mode {
            None | Some(Visible::Pending) => Mode::Pending,
            Some(Visible::Committed) => Mode::Committed,
        }
    }

    /// The name of a new run: no two that are made up are the same.
    fn salt(&self) -> String {
        match self.new_run.as_deref() {
            None => String::new(),
            Some("") => push::new_salt(),
            Some(name) => name.to_owned(),
        }
    }

    fn chunk_size(&self) -> Result<ChunkSize, Failure> {
        if !(self.bandwidth.is_finite() && self.bandwidth > 0.0) {
            return Err(Failure::new(
                Exit::Usage,
                anyhow!("--bandwidth {}: expected a number above 0", self.bandwidth),
            ));
        }
        let rows = match self.chunk_rows {
            None => ChunkRows::Default,
            Some(Rows::Fixed(rows)) => ChunkRows::Fixed(rows),
            Some(Rows::Auto) => ChunkRows::Auto(self.bandwidth),
        };
        Ok(ChunkSize { rows, message_bytes_max: self.max_message })
    }
}

fn send(options: &Options, downgrading: bool, receipt: Option<&Path>, output: Output) -> Result<(), Failure> {
    let runtime = runtime()?;
    let progress = Arc::new(Printed::new(output));
    let sent = runtime.block_on(async {
        let (stop, progress) = (shutdown_signal(), Arc::clone(&progress));
        let push = async {
            if downgrading {
                push::push_downgrading(options, progress).await
            } else {
                push::push(options, progress).await
            }
        };
        tokio::select! {
            sent = push => Some(sent),
            () = stop => None,
        }
    });
    // A thread that still encodes must not hold up the answer.
    runtime.shutdown_background();
    let standing = progress.standing();
    let ended = match sent {
        None => Err(interrupted(options, standing)),
        Some(sent) => sent.map_err(|error| failure(error, options)),
    };
    if let Some(path) = receipt {
        write_receipt(path, options, &ended, standing)?;
    }
    let report = ended?;
    Ok(output.result(&told::report_json(&report), &told::report_text(&report))?)
}

fn write_receipt(
    path: &Path,
    options: &Options,
    ended: &Result<Report, Failure>,
    standing: Option<Standing>,
) -> Result<(), Failure> {
    let receipt = Receipt {
        dataset: &options.dataset,
        target: &options.target,
        is_complete: ended.is_ok(),
        acknowledged: acknowledged(ended.as_ref().ok(), standing),
        error: ended.as_ref().err().map(Failure::sentence),
    };
    let mut said = ended.as_ref().map_or_else(|_| json!({}), told::report_json);
    said["run"] = options.session.salt.as_str().into();
    receipt::write(path, said, receipt)
}

/// Rows of the data set that the server has for certain: all or none of a stream without positions.
fn acknowledged(report: Option<&Report>, standing: Option<Standing>) -> Range<u64> {
    let range = |first: u64, rows: u64| first..first + rows;
    match (report, standing) {
        (Some(Report { session: Some(session), .. }), _) => range(session.first_row, session.rows),
        (Some(report), _) => range(report.first_row, report.sent.rows),
        (None, Some(Standing { first_row, acknowledged, .. })) => range(first_row, acknowledged),
        (None, None) => 0..0,
    }
}

fn interrupted(options: &Options, standing: Option<Standing>) -> Failure {
    let again = match options.session.salt.as_str() {
        "" => "run the same command again".to_owned(),
        salt => format!("run the same command again with --new-run={salt}"),
    };
    let text = match standing {
        Some(Standing { acknowledged, total, .. }) => format!(
            "interrupted: {} of {} rows are durable at the server; {again} to send the others",
            count(acknowledged),
            count(total),
        ),
        None => format!(
            "interrupted: a server that commits whole streams keeps nothing of this one; {again} to send it"
        ),
    };
    Failure::new(Exit::Interrupted, anyhow!(text))
}

fn failure(error: push::Error, options: &Options) -> Failure {
    let exit = match &error {
        push::Error::Remote { failed, .. } if failed.is_unreachable() => Exit::Unreachable,
        push::Error::Remote { .. } | push::Error::Refused { .. } | push::Error::Prefix { .. } => {
            Exit::Refused
        }
        push::Error::Fenced { .. } => Exit::Fenced,
        push::Error::Selection { .. } => Exit::Usage,
        push::Error::Changed => Exit::Failed,
        _ => Exit::Input,
    };
    let what = format!("stream {} to {}", options.dataset.display(), options.target);
    Failure::new(exit, anyhow::Error::new(error).context(what))
}

fn dry_run(options: &Options, bandwidth: f64, output: Output) -> Result<(), Failure> {
    let refused = |error: push::Error| {
        let exit = if matches!(error, push::Error::Selection { .. }) { Exit::Usage } else { Exit::Input };
        Failure::new(exit, anyhow::Error::new(error).context(format!("encode {}", options.dataset.display())))
    };
    let dialect = options.dialect;
    let feed =
        Feed::open(&options.dataset, options.chunks, dialect).and_then(|feed| feed.select(&options.rows));
    let feed = feed.map_err(refused)?;
    let sizes = push::dry_run(&feed, &options.session).map_err(refused)?;
    let nulls = feed.nulls().map_err(refused)?;
    let Sizes { rows, chunks, bytes: size, largest } = sizes;
    let seconds = size as f64 * 8.0 / (bandwidth * 1e6);
    let object = json!({
        "domain": feed.domain().name, "dialect": dialect.name(), "rows": rows, "chunks": chunks, "bytes": size,
        "largest_message_bytes": largest, "nulls_sent_as_empty": told::nulls_json(&nulls),
        "fields_sent_empty": feed.unfilled(), "bandwidth_mbps": bandwidth, "estimated_seconds": seconds,
        "dry_run": true,
    });
    let mut text = format!(
        "would send {} rows of {} in {} chunks of {dialect}, {}; largest message {}; {seconds:.1} s at {bandwidth} Mbit/s",
        count(rows),
        feed.domain().name,
        count(chunks),
        bytes(size),
        bytes(largest),
    );
    told::nulls_text(&nulls, &mut text);
    told::unfilled_text(feed.unfilled(), &mut text);
    Ok(output.result(&object, &text)?)
}
