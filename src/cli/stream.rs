//! `brine stream`: pushes a data set to a Batch Server, or to an RPC of the user's own.

mod message;

use std::{fmt::Write as _, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use anyhow::anyhow;
use serde_json::json;

use super::{
    figures::{bytes, count, rate},
    progress::Printed,
    report::{Exit, Failure, Output},
    runtime,
};
use crate::{
    client::{
        Target,
        message::{self as foreign, Source},
        push::{self, ChunkRows, ChunkSize, Feed, Guarantee, Nulls, Options, Report, Sizes},
    },
    limits::{client as limits, wire::SEND_BYTES_MAX},
    server::shutdown_signal,
};

const EXAMPLES: &str = "\
Examples:
  brine stream out/recruit --to http://localhost:50052
  brine stream out/recruit --to http://localhost:50052 --chunk-rows auto --bandwidth 1000 --json
  brine stream out/recruit --dry-run
  brine stream out/orders --to http://localhost:50060 --proto shop.proto --rpc shop.Orders/Import --map orders.toml

A Batch Server gets every row at least once: a stream that fails is repeated whole, at most 3 times in all. To an RPC of
your own (--proto) nothing is sent twice: a send stops at the first failure and says how many rows were confirmed.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 data set refused, 4 refused by the server, 5 server not reached,
6 interrupted (run the same command again)";

/// Push a data set to a Batch Server, or to an RPC of your own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The data set, as DIR/NAME
    dataset: PathBuf,
    /// The server, as http://HOST:PORT
    #[arg(long, value_name = "URL", env = "BRINE_TO", required_unless_present = "dry_run")]
    to: Option<Target>,
    /// Rows in a message, or `auto`: what the bandwidth carries in 100 ms [default: 1000 at 384 dimensions, 500 at 768]
    #[arg(long, value_name = "N|auto", env = "BRINE_CHUNK_ROWS")]
    chunk_rows: Option<Rows>,
    /// The line's bandwidth in Mbit/s, for `--chunk-rows auto`
    #[arg(long, value_name = "MBPS", env = "BRINE_BANDWIDTH", default_value_t = limits::BANDWIDTH_MBPS)]
    bandwidth: f64,
    /// Bytes of a message at most
    #[arg(long, value_name = "BYTES", env = "BRINE_MAX_MESSAGE", default_value_t = SEND_BYTES_MAX)]
    max_message: usize,
    /// Seconds that everything may take
    #[arg(long, value_name = "S", env = "BRINE_DEADLINE", default_value_t = limits::DEADLINE.as_secs_f64())]
    deadline: f64,
    /// Encode everything and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    message: message::Foreign,
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

pub(super) fn run(args: Args, output: Output) -> Result<(), Failure> {
    let chunks = args.chunk_size()?;
    if let Some(source) = args.message.source() {
        return foreign(args, source, chunks, output);
    }
    match args.to {
        Some(target) if !args.dry_run => {
            let deadline = seconds(args.deadline)?;
            let options = Options { chunks, deadline, ..Options::new(&args.dataset, target) };
            send(&options, output)
        }
        _ => dry_run(&args.dataset, chunks, output),
    }
}

/// To an RPC of the user's own.
fn foreign(args: Args, source: Source, chunks: ChunkSize, output: Output) -> Result<(), Failure> {
    match args.to {
        Some(target) if !args.dry_run => {
            let deadline = seconds(args.deadline)?;
            let dataset = args.dataset;
            message::send(&foreign::Options { dataset, source, target, chunks, deadline }, output)
        }
        _ => message::dry_run(&args.dataset, &source, chunks, output),
    }
}

impl Args {
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

fn seconds(number: f64) -> Result<Duration, Failure> {
    let positive = Duration::try_from_secs_f64(number).ok().filter(|time| !time.is_zero());
    positive
        .ok_or_else(|| Failure::new(Exit::Usage, anyhow!("--deadline {number}: expected seconds above 0")))
}

fn send(options: &Options, output: Output) -> Result<(), Failure> {
    let runtime = runtime()?;
    let sent = runtime.block_on(async {
        let (stop, progress) = (shutdown_signal(), Arc::new(Printed::new(output)));
        tokio::select! {
            sent = push::push(options, progress) => Some(sent),
            () = stop => None,
        }
    });
    // A thread that still encodes must not hold up the answer.
    runtime.shutdown_background();
    let report = sent.ok_or_else(interrupted)?.map_err(|error| failure(error, options))?;
    Ok(output.result(&report_json(&report), &report_text(&report))?)
}

fn interrupted() -> Failure {
    let text = "interrupted: a server that commits whole streams keeps nothing of this one; run the same command again to send it";
    Failure::new(Exit::Interrupted, anyhow!(text))
}

fn failure(error: push::Error, options: &Options) -> Failure {
    let exit = match &error {
        push::Error::Remote { failed, .. } if failed.is_unreachable() => Exit::Unreachable,
        push::Error::Remote { .. } => Exit::Refused,
        push::Error::Changed => Exit::Failed,
        _ => Exit::Input,
    };
    let what = format!("stream {} to {}", options.dataset.display(), options.target);
    Failure::new(exit, anyhow::Error::new(error).context(what))
}

fn dry_run(dataset: &std::path::Path, chunks: ChunkSize, output: Output) -> Result<(), Failure> {
    let refused = |error: push::Error| {
        let what = format!("encode {}", dataset.display());
        Failure::new(Exit::Input, anyhow::Error::new(error).context(what))
    };
    let feed = Feed::open(dataset, chunks).map_err(refused)?;
    let (sizes, nulls) = (feed.dry_run().map_err(refused)?, feed.nulls().map_err(refused)?);
    let Sizes { rows, chunks, bytes: size, largest } = sizes;
    let object = json!({
        "domain": feed.domain().name, "rows": rows, "chunks": chunks, "bytes": size, "largest_message_bytes": largest,
        "nulls_sent_as_empty": nulls_json(&nulls), "dry_run": true,
    });
    let mut text = format!(
        "would send {} rows of {} in {} chunks, {}; largest message {}",
        count(rows),
        feed.domain().name,
        count(chunks),
        bytes(size),
        bytes(largest),
    );
    nulls_text(&nulls, &mut text);
    Ok(output.result(&object, &text)?)
}

fn report_json(report: &Report) -> serde_json::Value {
    json!({
        "domain": report.domain,
        "rows": report.sent.rows,
        "bytes": report.sent.bytes,
        "chunks": report.sent.chunks,
        "largest_message_bytes": report.sent.largest,
        "seconds": report.elapsed.as_secs_f64(),
        "send_seconds": report.send.as_secs_f64(),
        "attempts": report.attempts,
        "guarantee": report.guarantee.name(),
        "nulls_sent_as_empty": nulls_json(&report.nulls),
        "fingerprint": report.fingerprint,
        "message": report.message,
    })
}

fn nulls_json(nulls: &[Nulls]) -> serde_json::Value {
    nulls.iter().map(|Nulls { column, cells }| (column.clone(), json!(cells))).collect()
}

fn report_text(report: &Report) -> String {
    let Sizes { rows, chunks, bytes: size, .. } = report.sent;
    let mut text = format!(
        "sent {} rows of {} in {} chunks, {} in {:.3} s ({})\n",
        count(rows),
        report.domain,
        count(chunks),
        bytes(size),
        report.send.as_secs_f64(),
        rate(size, report.send),
    );
    let _ = writeln!(text, "server: {}", report.message);
    let _ = write!(text, "{}", guarantee(report.guarantee, report.attempts));
    nulls_text(&report.nulls, &mut text);
    text
}

fn guarantee(guarantee: Guarantee, attempts: u32) -> String {
    let Guarantee::AtLeastOnce = guarantee;
    match attempts {
        1 => "guarantee: at least once; this stream was sent once and its counts agree".to_owned(),
        _ => format!(
            "guarantee: at least once; attempt {attempts} succeeded, so a server that does not upsert by key may hold rows twice"
        ),
    }
}

fn nulls_text(nulls: &[Nulls], text: &mut String) {
    for Nulls { column, cells } in nulls {
        let _ = write!(text, "\nnull cells sent as empty: {} in {column}", count(*cells));
    }
}
