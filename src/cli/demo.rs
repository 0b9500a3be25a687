//! `brine demo`: the whole way on the samples: convert, start a Batch Server, stream, compare what is stored.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Value, json};

use super::{
    figures::{bytes, count},
    report::{Exit, Failure, Output},
    runtime,
};
use crate::{
    client::{
        Target,
        push::{self, Silent},
    },
    digest::{Digest, Digester},
    file::{
        Dataset, DatasetOptions,
        pickle::{self, TableReport},
    },
    limits::wire::{ChunkLimits, RECEIVE_BYTES_MAX, RECEIVE_ROWS_MAX},
    server::Config,
    service::{self, ingest::Ingest},
    store::ParquetStore,
};

/// Convert the samples, stream them into a Batch Server and compare what it stored.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the sample pickles
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Where the results go
    #[arg(short, long, value_name = "DIR", default_value = "out/demo")]
    output: PathBuf,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let start = Instant::now();
    let (converted, received) = (args.output.join("converted"), args.output.join("store"));
    let samples = convert(&args.data, &converted).map_err(|error| Failure::new(Exit::Input, error))?;
    let runtime = runtime()?;
    let (port, pushed) = runtime.block_on(stream(&samples, &converted, &received))?;
    let compared =
        samples.iter().map(|sample| compare(sample, &received)).collect::<anyhow::Result<Vec<_>>>()?;
    let story = Story { samples, port, pushed, compared, converted, store: received, time: start.elapsed() };
    output.result(&story.object(), &story.text())?;
    if story.compared.iter().all(|compared| compared.equal) {
        return Ok(());
    }
    Err(anyhow!("what is stored differs from the source").into())
}

struct Sample {
    table: TableReport,
    time: Duration,
    bytes: u64,
}

/// Every pickle right in `data`.
fn convert(data: &Path, folder: &Path) -> anyhow::Result<Vec<Sample>> {
    let listing = fs::read_dir(data).with_context(|| {
        format!("{}: run this in brine's own folder, or name the samples by --data", data.display())
    })?;
    let mut paths = listing.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pkl"));
    paths.sort();
    if paths.is_empty() {
        bail!("{}: no sample pickles (*.pkl) here", data.display());
    }
    let dataset = DatasetOptions { overwrite: true, ..DatasetOptions::default() };
    let options = pickle::Options { dataset, ..pickle::Options::default() };
    let mut samples = Vec::new();
    for path in paths {
        let start = Instant::now();
        let report = pickle::convert(&path, folder, &options, &mut |_, _| {})?;
        let (time, bytes) = (start.elapsed(), report.source_bytes);
        samples.extend(report.tables.into_iter().map(|table| Sample { table, time, bytes }));
    }
    Ok(samples)
}

/// Starts a Batch Server on a free port and pushes every data set into it.
async fn stream(samples: &[Sample], folder: &Path, store: &Path) -> anyhow::Result<(u16, Vec<push::Report>)> {
    let limits = ChunkLimits { rows_max: RECEIVE_ROWS_MAX, message_bytes_max: RECEIVE_BYTES_MAX };
    let ingest = Ingest::new(Arc::new(ParquetStore::open(store)?), limits);
    let bound = Config::new("localhost:0").bind().await?;
    let port = bound.address().port();
    let target: Target = format!("http://{}", bound.address()).parse().map_err(anyhow::Error::msg)?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        // The sender going away is a reason to stop as well.
        let _ = stopped.await;
    };
    let server = tokio::spawn(bound.run(service::batch_server(&ingest), shutdown));
    let mut reports = Vec::new();
    for sample in samples {
        let options = push::Options::new(folder.join(&sample.table.name), target.clone());
        reports.push(
            push::push(&options, Arc::new(Silent))
                .await
                .with_context(|| format!("stream {}", sample.table.name))?,
        );
    }
    drop(stop);
    server.await.context("stop the server")??;
    Ok((port, reports))
}

/// Rows that are read of a stored file at a time.
const DIGEST_ROWS: usize = 8_192;

struct Compared {
    table: String,
    rows: u64,
    k: u128,
    version: u64,
    equal: bool,
}

/// Digests the stored Parquet file anew and compares it with what the source's manifest says.
fn compare(sample: &Sample, store: &Path) -> anyhow::Result<Compared> {
    let source = &sample.table.manifest;
    let table = source.domain.clone().unwrap_or_else(|| sample.table.name.clone());
    let stored = Dataset::open(store.join(&table))?;
    let Digest { rows, k, .. } = digest_of_parquet(&stored)?;
    let equal = rows == source.rows && k == source.k && stored.manifest().k == source.k;
    Ok(Compared { table, rows, k, version: stored.manifest().generation, equal })
}

fn digest_of_parquet(stored: &Dataset) -> anyhow::Result<Digest> {
    let mut digester = Digester::new(stored.schema())?;
    for batch in stored.parquet()?.batches(DIGEST_ROWS, None)? {
        digester.update(&batch?)?;
    }
    Ok(digester.finish())
}

struct Story {
    samples: Vec<Sample>,
    port: u16,
    pushed: Vec<push::Report>,
    compared: Vec<Compared>,
    converted: PathBuf,
    store: PathBuf,
    time: Duration,
}

impl Story {
    fn object(&self) -> Value {
        let tables = self.samples.iter().zip(&self.pushed).zip(&self.compared).map(|((sample, pushed), compared)| {
            json!({
                "table": compared.table, "rows": compared.rows, "chunks": pushed.sent.chunks, "bytes": pushed.sent.bytes,
                "k": format!("{:032x}", compared.k), "version": compared.version, "equal": compared.equal,
                "fingerprint": sample.table.manifest.fingerprint,
            })
        });
        json!({
            "tables": tables.collect::<Vec<_>>(), "converted": self.converted, "store": self.store, "port": self.port,
            "seconds": self.time.as_secs_f64(),
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.tell(&mut text);
        text
    }

    fn tell(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "1  convert   pandas pickles to Parquet and Arrow, without running them")?;
        for Sample { table, time, bytes: size } in &self.samples {
            let (name, rows) = (&table.name, count(table.manifest.rows));
            let vectors =
                table.dimension.map_or_else(String::new, |elements| format!("vectors of {elements}"));
            let milliseconds = time.as_secs_f64() * 1e3;
            writeln!(
                text,
                "   {name:<20} {rows:>6} rows  {:>8}  {vectors}  {milliseconds:.0} ms",
                bytes(*size)
            )?;
        }
        writeln!(text, "2  stream    over gRPC into a Batch Server on port {}", self.port)?;
        for (sample, report) in self.samples.iter().zip(&self.pushed) {
            let sent = report.sent;
            let chunks = if sent.chunks == 1 { "chunk" } else { "chunks" };
            let (name, rows, size) = (&sample.table.name, count(sent.rows), bytes(sent.bytes));
            let milliseconds = report.send.as_secs_f64() * 1e3;
            writeln!(
                text,
                "   {name:<20} {rows:>6} rows  {size:>8}  in {} {chunks}  {milliseconds:.0} ms",
                sent.chunks
            )?;
        }
        writeln!(text, "3  compare   the stored rows, digested anew, with the source")?;
        for Compared { table, rows, k, version, equal } in &self.compared {
            let verdict = if *equal { "equal" } else { "DIFFERENT" };
            writeln!(
                text,
                "   {table:<20} {:>6} rows  {:032x}  version {version}  {verdict}",
                count(*rows),
                k
            )?;
        }
        let rows: u64 = self.compared.iter().map(|compared| compared.rows).sum();
        let milliseconds = self.time.as_secs_f64() * 1e3;
        if self.compared.iter().all(|compared| compared.equal) {
            writeln!(
                text,
                "\n{} rows in {milliseconds:.0} ms: nothing lost, nothing doubled, nothing executed.",
                count(rows)
            )?;
        }
        writeln!(text, "converted: {}/NAME.{{parquet,arrow,ids,json}}", self.converted.display())?;
        write!(text, "stored:    {}/NAME.{{parquet,arrow,ids,json}}", self.store.display())
    }
}
