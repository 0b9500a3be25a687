//! `brine stream --proto`: sends a data set to somebody else's RPC.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::anyhow;
use clap::{ArgMatches, parser::ValueSource};
use serde_json::json;

use super::{
    super::{
        figures::{bytes, count, rate},
        progress::Printed,
        report::{Exit, Failure, Output},
        runtime,
    },
    receipt::{self, Receipt},
};
use crate::{
    client::{
        message::{self, Confirmed, Error, Feed, Options, Report, Source, Standing},
        push::{self, Nulls, Sizes},
    },
    server::shutdown_signal,
    wire::Mapped,
};

/// Which RPC.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "To an RPC of your own")]
pub(super) struct Foreign {
    /// The .proto file that describes the RPC; without it the data set goes to a Batch Server
    #[arg(long, value_name = "FILE", env = "BRINE_PROTO", requires = "rpc")]
    proto: Option<PathBuf>,
    /// A folder in which the .proto file's imports are looked for, beside its own; may be given again
    #[arg(long, value_name = "DIR", requires = "proto")]
    proto_path: Vec<PathBuf>,
    /// The RPC, as PACKAGE.SERVICE/METHOD: one that takes a stream, or one that takes a message, called for each chunk
    #[arg(long, value_name = "RPC", env = "BRINE_RPC", requires = "proto")]
    rpc: Option<String>,
    /// Which column goes where, where names do not say so: see schemas/messages/recruit.toml
    #[arg(long, value_name = "FILE", env = "BRINE_MAP", requires = "proto")]
    map: Option<PathBuf>,
}

/// Options of the built-in contract, by their names in clap.
const NOT_OF_RPCS: [&str; 7] =
    ["dialect", "require", "mode", "new_run", "attempts", "retry_delay", "timeout"];

/// The option of the built-in contract that was typed beside an RPC. Variables of the environment are for all commands, and
/// not meant for this one.
pub(in crate::cli) fn typed_beside_rpc(matches: &ArgMatches) -> Option<&'static str> {
    matches.value_source("rpc")?;
    NOT_OF_RPCS.into_iter().find(|name| matches.value_source(name) == Some(ValueSource::CommandLine))
}

impl Foreign {
    /// The RPC, if one is named.
    pub(super) fn source(&self) -> Option<Source> {
        let (proto, rpc) = (self.proto.clone()?, self.rpc.clone()?);
        Some(Source { proto, includes: self.proto_path.clone(), rpc, map: self.map.clone() })
    }
}

pub(super) fn send(options: &Options, receipt: Option<&Path>, output: Output) -> Result<(), Failure> {
    let (runtime, confirmed) = (runtime()?, Confirmed::default());
    let sent = runtime.block_on(async {
        let (stop, progress) = (shutdown_signal(), Arc::new(Printed::new(output)));
        tokio::select! {
            sent = message::send(options, progress, &confirmed) => Some(sent),
            () = stop => None,
        }
    });
    // A thread that still encodes must not hold up the answer.
    runtime.shutdown_background();
    let what =
        || format!("stream {} to {} at {}", options.dataset.display(), options.source.rpc, options.target);
    let standing = confirmed.standing();
    let ended = match sent {
        None => Err(interrupted(standing)),
        Some(sent) => sent.map_err(|error| failure(error, what())),
    };
    if let Some(path) = receipt {
        write_receipt(path, options, &ended, standing)?;
    }
    let report = ended?;
    Ok(output.result(&report_json(&report), &report_text(&report))?)
}

/// What was confirmed, also if the send failed. There are no digests: somebody else's service makes none.
fn write_receipt(
    path: &Path,
    options: &Options,
    ended: &Result<Report, Failure>,
    Standing { first_row, sizes }: Standing,
) -> Result<(), Failure> {
    let receipt = Receipt {
        dataset: &options.dataset,
        target: &options.target,
        is_complete: ended.is_ok(),
        acknowledged: first_row..first_row + sizes.rows,
        error: ended.as_ref().err().map(Failure::sentence),
    };
    let said = match ended {
        Ok(report) => report_json(report),
        Err(_) => json!({
            "rpc": options.source.rpc, "rows_confirmed": sizes.rows, "chunks": sizes.chunks, "bytes": sizes.bytes,
        }),
    };
    receipt::write(path, said, receipt)
}

fn interrupted(confirmed: Standing) -> Failure {
    let text = format!(
        "interrupted: rows confirmed: {}; what the server kept of the others is not known",
        confirmed.sizes.rows
    );
    Failure::new(Exit::Interrupted, anyhow!(text))
}

fn failure(error: Error, what: String) -> Failure {
    let exit = match &error {
        Error::Remote { failed, .. } if failed.is_unreachable() => Exit::Unreachable,
        Error::Remote { .. } => Exit::Refused,
        Error::Local(push::Error::Selection { .. }) => Exit::Usage,
        _ => Exit::Input,
    };
    Failure::new(exit, anyhow::Error::new(error).context(what))
}

pub(super) fn dry_run(options: &Options, bandwidth: f64, output: Output) -> Result<(), Failure> {
    let Options { dataset, source, chunks, rows, .. } = options;
    let refused = |error: Error| failure(error, format!("encode {} for {}", dataset.display(), source.rpc));
    let feed = Feed::open(dataset, source, *chunks, rows).map_err(refused)?;
    let began = Instant::now();
    let sizes = feed.dry_run().map_err(refused)?;
    let (elapsed, nulls) = (began.elapsed(), feed.nulls().map_err(refused)?);
    let (planned, estimated) = (feed.planned(), sizes.bytes as f64 * 8.0 / (bandwidth * 1e6));
    let object = json!({
        "rpc": feed.contract().name(), "row_message": planned.row, "rows_in": planned.rows,
        "rows": sizes.rows, "chunks": sizes.chunks, "bytes": sizes.bytes, "largest_message_bytes": sizes.largest,
        "mapping": feed.mapping().iter().map(mapped_json).collect::<Vec<_>>(),
        "fields_without_column": planned.plan.unfilled(), "null_cells": nulls_json(&nulls),
        "bandwidth_mbps": bandwidth, "estimated_seconds": estimated,
        "seconds": elapsed.as_secs_f64(), "dry_run": true,
    });
    let text = dry_run_text(&feed, &sizes, &nulls);
    Ok(output.result(&object, &format!("{text}; {estimated:.1} s at {bandwidth} Mbit/s"))?)
}

fn mapped_json(mapped: &Mapped) -> serde_json::Value {
    let Mapped { column, data_type, field, null: becomes } = mapped;
    json!({ "column": column, "type": data_type.to_string(), "field": field, "null": becomes })
}

fn dry_run_text(feed: &Feed, sizes: &Sizes, nulls: &[Nulls]) -> String {
    let planned = feed.planned();
    let place =
        if planned.rows == "." { "as the request".to_owned() } else { format!("in {}", planned.rows) };
    let mut text = format!("{}: rows are {} {place}\n", feed.contract().name(), planned.row);
    let mut lines = vec![["column", "type", "field", "a null becomes"].map(str::to_owned)];
    let mapping = feed.mapping();
    lines.extend(mapping.into_iter().map(|one| [one.column, one.data_type.to_string(), one.field, one.null]));
    write_table(&lines, &mut text);
    if !planned.plan.unfilled().is_empty() {
        let _ = writeln!(text, "fields without a column: {}", planned.plan.unfilled().join(", "));
    }
    for Nulls { column, cells } in nulls {
        let _ = writeln!(text, "null cells: {} in {column}", count(*cells));
    }
    let Sizes { rows, chunks, bytes: size, largest } = *sizes;
    let _ = write!(
        text,
        "would send {} rows in {} chunks, {}; largest {}",
        count(rows),
        count(chunks),
        bytes(size),
        bytes(largest)
    );
    text
}

fn write_table(lines: &[[String; 4]], text: &mut String) {
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or_default();
    let [first, second, third] = [width(0), width(1), width(2)];
    for [column, data_type, field, null] in lines {
        let _ = writeln!(text, "  {column:first$}  {data_type:second$}  {field:third$}  {null}");
    }
}

fn nulls_json(nulls: &[Nulls]) -> serde_json::Value {
    nulls.iter().map(|Nulls { column, cells }| (column.clone(), json!(cells))).collect()
}

fn report_json(report: &Report) -> serde_json::Value {
    json!({
        "rpc": report.rpc,
        "rows": report.sent.rows,
        "rows_confirmed": report.sent.rows,
        "bytes": report.sent.bytes,
        "chunks": report.sent.chunks,
        "largest_message_bytes": report.sent.largest,
        "seconds": report.elapsed.as_secs_f64(),
        "send_seconds": report.send.as_secs_f64(),
        "guarantee": if report.is_stream { "one-stream" } else { "one-call-a-chunk" },
        "null_cells": nulls_json(&report.nulls),
        "fingerprint": report.fingerprint,
        "answer": report.answer,
    })
}

fn report_text(report: &Report) -> String {
    let Sizes { rows, chunks, bytes: size, .. } = report.sent;
    let mut text = format!(
        "sent {} rows to {} in {} {}, {} in {:.3} s ({})\n",
        count(rows),
        report.rpc,
        count(chunks),
        if report.is_stream { "chunks" } else { "calls" },
        bytes(size),
        report.send.as_secs_f64(),
        rate(size, report.send),
    );
    if let Some(answer) = &report.answer {
        let _ = writeln!(text, "{}: {answer}", if report.is_stream { "answer" } else { "last answer" });
    }
    text + guarantee(report.is_stream)
}

fn guarantee(is_stream: bool) -> &'static str {
    if is_stream {
        "guarantee: sent once, in one stream that the server answered OK; what the answer says is for you to judge"
    } else {
        "guarantee: each chunk sent once, in order, each call answered OK; what the answers say is for you to judge"
    }
}
