//! `brine convert`: pickles become data sets.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::{
    figures::{bytes, count, rate},
    report::{Exit, Failure, Output, plain},
};
use crate::{
    columnar::{Mixed, OnBadRow, Vectors},
    file::{
        DatasetOptions, Error, Generate, Only, VectorEncoding,
        pickle::{self, Choice, LOST_ATTRS, Options, Report, TableReport},
    },
    limits::Limits,
    schema,
};

const EXAMPLES: &str = "\
Examples:
  brine convert recruit.pkl -o out/
  brine convert jobs.pkl.zst -o out/ --schema my_domain.toml --on-bad-row quarantine
  brine convert frame.pkl -o out/ --schema auto --vectors f32 --json
  brine convert jobs_without_ids.pkl -o out/ --generate-ids v5
  ssh host cat frame.pkl.xz | brine convert - -o out/ --name frame

For each table OUT gets NAME.parquet (for analytics), NAME.arrow (mapped by `brine stream`), NAME.ids and NAME.json.
The pickle is never executed: what is no data is refused, with its name and byte offset.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 input refused, 7 done with rows quarantined";

/// Turn pandas pickles into typed Parquet and Arrow.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Pickles, plain or packed (gzip, bzip2, xz, lzma, zlib, zstd, lz4, zip, tar); - is standard input
    #[arg(required = true, value_name = "IN.pkl")]
    inputs: Vec<PathBuf>,
    /// The folder for the data sets
    #[arg(short, long, value_name = "DIR", env = "BRINE_OUTPUT")]
    output: PathBuf,
    /// A domain's name, a schema file, or `auto` to go by the cells [default: the domain whose columns are all there]
    #[arg(long, value_name = "NAME|FILE|auto", env = "BRINE_SCHEMA")]
    schema: Option<String>,
    /// Name of the data set [default: the file's stem]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Convert one member of a dict, list or tuple, by its path, such as `train` or `splits.0`
    #[arg(long, value_name = "PATH")]
    select: Option<String>,
    /// Replace data sets of the same name
    #[arg(long)]
    overwrite: bool,
    /// Refuse files that hold anything besides tables
    #[arg(long)]
    strict: bool,
    /// Write one of the two table files
    #[arg(long, value_enum)]
    only: Option<OnlyArg>,
    /// Element type of vectors that no domain types; without --schema it means `--schema auto` [default: as in the file]
    #[arg(long, value_enum, env = "BRINE_VECTORS")]
    vectors: Option<VectorsArg>,
    /// What becomes of a column whose cells have no one type: it is refused, or kept as JSON text
    #[arg(long, value_enum, default_value = "refuse", env = "BRINE_MIXED")]
    mixed: MixedArg,
    /// How Parquet stores vectors: plain, or bytes of like significance together and zstd
    #[arg(long, value_enum, default_value = "plain", env = "BRINE_VECTOR_ENCODING")]
    vector_encoding: EncodingArg,
    /// What becomes of rows that do not fit: the first stops everything, or they are left out, or listed in
    /// NAME.rejected.parquet
    #[arg(long, value_enum, default_value = "fail", env = "BRINE_ON_BAD_ROW")]
    on_bad_row: OnBadRowArg,
    /// Make a key column of UUIDs for tables that have none: v5 by the row's content, so that the same rows have the same
    /// ids again, or v7 by the clock
    #[arg(long, value_enum, value_name = "VERSION", env = "BRINE_GENERATE_IDS")]
    generate_ids: Option<GenerateArg>,
    /// How many bad rows may be left out
    #[arg(long, value_name = "N", env = "BRINE_MAX_BAD_ROWS")]
    max_bad_rows: Option<u64>,
    /// Move a bound on the input, by the name that the error tells, such as `nesting=512` or `graph-bytes=1GiB`
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    limits: Vec<(String, u64)>,
    /// Where packed and piped input is unpacked [default: the output folder]
    #[arg(long, value_name = "DIR", env = "BRINE_TEMP_DIR")]
    temp_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnlyArg {
    Parquet,
    Arrow,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum VectorsArg {
    F32,
    F64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EncodingArg {
    Plain,
    ByteStreamSplit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MixedArg {
    Refuse,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GenerateArg {
    V5,
    V7,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnBadRowArg {
    Fail,
    Skip,
    Quarantine,
}

impl Args {
    fn options(&self) -> Result<Options, Failure> {
        self.check()?;
        Ok(Options {
            choice: self.choice()?,
            vectors: match self.vectors {
                None => Vectors::AsIs,
                Some(VectorsArg::F32) => Vectors::F32,
                Some(VectorsArg::F64) => Vectors::F64,
            },
            mixed: match self.mixed {
                MixedArg::Refuse => Mixed::Refuse,
                MixedArg::Json => Mixed::Json,
            },
            on_bad_row: match self.on_bad_row {
                OnBadRowArg::Fail => OnBadRow::Fail,
                OnBadRowArg::Skip => OnBadRow::Skip,
                OnBadRowArg::Quarantine => OnBadRow::Quarantine,
            },
            bad_rows_max: self.max_bad_rows,
            generate_ids: self.generate_ids.map(|version| match version {
                GenerateArg::V5 => Generate::V5,
                GenerateArg::V7 => Generate::V7,
            }),
            name: self.name.clone(),
            select: self.select.clone(),
            strict: self.strict,
            written: HashSet::new(),
            temporary_folder: self.temp_dir.clone(),
            dataset: DatasetOptions {
                overwrite: self.overwrite,
                only: self.only.map(|only| match only {
                    OnlyArg::Parquet => Only::Parquet,
                    OnlyArg::Arrow => Only::Arrow,
                }),
                vector_encoding: match self.vector_encoding {
                    EncodingArg::Plain => VectorEncoding::Plain,
                    EncodingArg::ByteStreamSplit => VectorEncoding::ByteStreamSplit,
                },
                ..DatasetOptions::default()
            },
            limits: limits_of(&self.limits)?,
        })
    }

    /// Refuses what contradicts itself, before anything is read.
    fn check(&self) -> Result<(), Failure> {
        let refused = |told| Err(Failure::new(Exit::Usage, told));
        if self.name.is_some() && self.inputs.len() > 1 {
            return refused(anyhow!("--name names one data set, but there are several inputs"));
        }
        let mut inputs = HashMap::new();
        for input in &self.inputs {
            let name = pickle::data_set_name(input);
            if let Some(other) = inputs.insert(name.clone(), input) {
                let (first, second) = (other.display(), input.display());
                return refused(anyhow!(
                    "{first} and {second} would both become {name}: convert them one by one with --name, or into folders of their own"
                ));
            }
        }
        if self.vectors.is_some() && self.schema.as_ref().is_some_and(|schema| schema != "auto") {
            return refused(anyhow!(
                "--vectors is of --schema auto: a domain says itself what its vectors are"
            ));
        }
        if self.max_bad_rows.is_some() && matches!(self.on_bad_row, OnBadRowArg::Fail) {
            return refused(anyhow!(
                "--max-bad-rows bounds the rows that --on-bad-row skip or quarantine leaves out; without that the first stops everything"
            ));
        }
        Ok(())
    }

    fn choice(&self) -> Result<Choice, Failure> {
        let Some(schema) = &self.schema else { return Ok(Choice::Matching) };
        if schema == "auto" {
            return Ok(Choice::Inferred);
        }
        if let Some(domain) = schema::find(schema) {
            return Ok(Choice::Domain(Arc::new(domain.clone())));
        }
        read_schema(Path::new(schema)).map_err(|error| Failure::new(Exit::Input, error))
    }
}

/// The bounds, with those moved that are named.
pub(super) fn limits_of(named: &[(String, u64)]) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    for (name, value) in named {
        let set = limits.set(name, *value);
        set.map_err(|error| Failure::new(Exit::Usage, anyhow::Error::new(error)))?;
    }
    Ok(limits)
}

/// `NAME=N`, N in bytes with KiB, MiB or GiB.
pub(super) fn limit(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=N")?;
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let parsed = units
        .iter()
        .find_map(|(unit, bytes)| value.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*bytes));
    let value = parsed.ok_or_else(|| format!("{value:?} is no whole number"))?;
    Limits::default().set(name, value).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value))
}

fn read_schema(path: &Path) -> anyhow::Result<Choice> {
    let known: Vec<&str> = schema::builtin().iter().map(|domain| domain.name.as_str()).collect();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "--schema {}: neither a domain ({}) nor a file that can be read",
            path.display(),
            known.join(", ")
        )
    })?;
    let domain = schema::parse(&text, &path.display().to_string()).context("the schema file has faults")?;
    Ok(Choice::Domain(Arc::new(domain)))
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let mut options = args.options()?;
    let mut done = Done::default();
    let converted = args.inputs.iter().try_for_each(|input| done.convert(input, args, &mut options, output));
    // What was converted is told also if what came after it was not.
    let mut object = json!({ "inputs": done.objects });
    if let Err(failure) = &converted {
        object["error"] = failure.sentence().into();
    }
    if output.json || !done.objects.is_empty() {
        output.result(&object, &done.text.trim_end())?;
    }
    converted?;
    if done.bad_rows > 0 { Err(Failure::quarantined(done.bad_rows)) } else { Ok(()) }
}

/// What became of the inputs so far.
#[derive(Default)]
struct Done {
    objects: Vec<serde_json::Value>,
    text: String,
    /// Rows that were put aside.
    bad_rows: u64,
}

impl Done {
    fn convert(
        &mut self,
        input: &Path,
        args: &Args,
        options: &mut Options,
        output: Output,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        let mut progress = Progress::new(output, input);
        let report = pickle::convert(input, &args.output, options, &mut |done, all| progress.rows(done, all));
        progress.finish();
        let report = report.map_err(|error| failure(error, input))?;
        let quarantined = report.tables.iter().filter(|table| table.rejected.is_some());
        self.bad_rows += quarantined.map(|table| table.bad_rows).sum::<u64>();
        options.written.extend(report.tables.iter().map(|table| table.name.clone()));
        summary(&mut self.text, input, &args.output, &report, start.elapsed());
        self.objects.push(object(input, &args.output, &report, start.elapsed()));
        Ok(())
    }
}

pub(super) fn failure(error: Error, input: &Path) -> Failure {
    let exit = exit_of(&error);
    Failure::new(exit, anyhow::Error::new(error).context(format!("convert {}", input.display())))
}

pub(super) fn exit_of(error: &Error) -> Exit {
    match error {
        Error::AlreadyExists { .. }
        | Error::DiskFull { .. }
        | Error::Io { .. }
        | Error::PermissionDenied { .. } => Exit::Failed,
        Error::Name { .. } | Error::WrittenBefore { .. } => Exit::Usage,
        _ => Exit::Input,
    }
}

fn object(input: &Path, folder: &Path, report: &Report, time: Duration) -> serde_json::Value {
    let tables: Vec<_> = report.tables.iter().map(|table| table_object(folder, table)).collect();
    let skipped: Vec<_> =
        report.skipped.iter().map(|(path, reason)| json!({"path": path, "reason": reason})).collect();
    json!({
        "input": input, "bytes": report.source_bytes, "seconds": time.as_secs_f64(),
        "trailing_bytes": report.trailing_bytes, "tables": tables, "skipped": skipped,
    })
}

fn table_object(folder: &Path, table: &TableReport) -> serde_json::Value {
    let manifest = &table.manifest;
    json!({
        "name": table.name, "dataset": folder.join(&table.name), "domain": manifest.domain, "rows": manifest.rows,
        "columns": manifest.schema, "files": manifest.files, "fingerprint": manifest.fingerprint,
        "bad_rows": table.bad_rows, "rejected": table.rejected, "ignored_columns": table.ignored, "lost_attrs": table.lost_attrs,
        "generated_ids": table.made_ids.as_ref().map(|(column, version)| json!({"column": column, "version": version})),
        "rounded_values": table.rounded, "nulls": table.nulls.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "disk_seconds": table.timings.waited.as_secs_f64(),
    })
}

fn summary(text: &mut String, input: &Path, folder: &Path, report: &Report, time: Duration) {
    for table in &report.tables {
        let _ = table_summary(text, folder, table);
    }
    for (path, reason) in &report.skipped {
        let _ = writeln!(text, "  skipped {}: {}", plain(path), plain(reason));
    }
    if report.trailing_bytes > 0 {
        let _ = writeln!(
            text,
            "  {} follow the end of the pickle and were not read",
            bytes(report.trailing_bytes)
        );
    }
    let _ = writeln!(
        text,
        "{}: {} in {:.2} s ({})",
        input.display(),
        bytes(report.source_bytes),
        time.as_secs_f64(),
        rate(report.source_bytes, time)
    );
}

fn table_summary(text: &mut String, folder: &Path, table: &TableReport) -> std::fmt::Result {
    let manifest = &table.manifest;
    let schema = manifest
        .domain
        .as_ref()
        .map_or_else(|| "types by its cells".to_owned(), |name| format!("domain {name}"));
    writeln!(text, "{}: {} rows, {schema}", folder.join(&table.name).display(), count(manifest.rows))?;
    let missing: HashMap<&str, u64> =
        table.nulls.iter().map(|(name, cells)| (name.as_str(), *cells)).collect();
    for column in &manifest.schema {
        let from = column.source.as_ref().filter(|source| **source != column.name);
        let from = from.map_or_else(String::new, |source| format!("  from {source:?}"));
        let nulls = missing.get(column.name.as_str());
        let nulls = nulls.map_or_else(String::new, |cells| format!("  {} missing", count(*cells)));
        let made = table.made_ids.as_ref().filter(|(name, _)| *name == column.name);
        let made = made.map_or_else(String::new, |(_, version)| format!("  made, UUID v{version}"));
        writeln!(text, "  {:<20} {}{from}{nulls}{made}", plain(&column.name), column.data_type)?;
    }
    let files = [
        ("parquet", &manifest.files.parquet),
        ("arrow", &manifest.files.arrow),
        ("ids", &manifest.files.ids),
    ];
    let files =
        files.iter().filter_map(|(part, info)| Some(format!("{part} {}", bytes(info.as_ref()?.size))));
    writeln!(text, "  files: {}", files.collect::<Vec<_>>().join(", "))?;
    if table.rounded > 0 {
        writeln!(text, "  {} vector elements were rounded to 32 bits", count(table.rounded))?;
    }
    if !table.ignored.is_empty() {
        writeln!(text, "  not in the domain, left out: {}", plain(&table.ignored.join(", ")))?;
    }
    if !table.lost_attrs.is_empty() {
        writeln!(text, "  {LOST_ATTRS}: {}", plain(&table.lost_attrs.join(", ")))?;
    }
    if table.bad_rows > 0 {
        let listed = table
            .rejected
            .as_ref()
            .map_or_else(String::new, |path| format!(", listed in {}", path.display()));
        writeln!(text, "  bad rows left out: {}{listed}", count(table.bad_rows))?;
    }
    Ok(())
}

/// Rows done, on a terminal; nothing elsewhere, because a conversion takes seconds.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(super) fn new(output: Output, input: &Path) -> Self {
        let shown = !output.quiet && io::stderr().is_terminal();
        Self(shown.then(|| {
            let template = "{msg} {bar:30} {human_pos}/{human_len} rows  {per_sec}  ETA {eta}";
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
            bar.with_message(input.display().to_string())
        }))
    }

    pub(super) fn rows(&mut self, done: u64, all: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(all);
            bar.set_position(done);
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
