//! `brine verify`: a data set against itself, and against another one.

use std::{
    fmt::{Display, Write as _},
    io::{self, IsTerminal as _},
    path::{self, Path, PathBuf},
};

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::{
    figures::count,
    report::{Exit, Failure, Output},
};
use crate::file::{
    Error,
    verify::{Check, Comparison, FileCheck, Options, Report, RowDifference, Verdict, verify},
};

const EXAMPLES: &str = "\
Examples:
  brine verify out/recruit                             every file against the manifest and the others
  brine verify out/recruit --against received/         and its rows against the table that a Batch Server stored
  brine verify out/march --against received/recruit --subset    one of several files that went into one table
  brine verify out/recruit --against backup/ --json

Everything is recomputed from the files: bytes (BLAKE3), rows, digests and checkpoints from the Parquet file and from the
Arrow file, the id index from the keys. Two tables are compared by key, the last row of each key counting; in another order
they are the same then. Tables without a key are compared row by row in their order. The first row that differs is named.

Without --subset, rows that only the second table has are a difference. With it, every row of the first must be in the
second, with the same values, and the second may hold more.

Exit codes: 0 nothing differs, 1 failed, 2 wrong usage, 3 no such data set or its manifest is damaged, 9 something differs";

/// Recompute counts and digests of a data set, alone or against another.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The data set, as DIR/NAME
    dataset: PathBuf,
    /// The data set it is compared with; in a folder, the one of the same name or domain
    #[arg(long, value_name = "DIR[/NAME]", env = "BRINE_AGAINST")]
    against: Option<PathBuf>,
    /// The second data set may hold more rows than the first
    #[arg(long, requires = "against")]
    subset: bool,
    /// Where what does not fit in memory goes [default: the system's temporary folder]
    #[arg(long, value_name = "DIR", env = "BRINE_TEMP_DIR")]
    temp_dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    args.against.as_deref().map_or(Ok(()), is_a_folder)?;
    let bar = (!output.quiet && io::stderr().is_terminal()).then(bar);
    let progress = |rows| bar.iter().for_each(|bar| bar.inc(rows));
    let options = Options {
        subset: args.subset,
        temporary_folder: args.temp_dir.clone().unwrap_or_else(std::env::temp_dir),
        progress: &progress,
    };
    let report = verify(&args.dataset, args.against.as_deref(), &options);
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let report = report.map_err(|error| failure(error, &args.dataset))?;
    output.result(&json!(report), &told(&report).trim_end())?;
    if report.equal { Ok(()) } else { Err(Failure::new(Exit::Difference, anyhow!("{}", short(&report)))) }
}

/// Addresses of databases are no folders, and looking for such a folder would only confuse.
fn is_a_folder(against: &Path) -> Result<(), Failure> {
    let text = against.to_string_lossy();
    let Some((scheme, _)) = text.split_once("://") else { return Ok(()) };
    let why = match scheme {
        "postgres" | "postgresql" => {
            "this version has no PostgreSQL store yet; tables there can be verified from the release on that brings it"
        }
        _ => "expected a folder",
    };
    Err(Failure::new(Exit::Usage, anyhow!("--against {scheme}://…: {why}")))
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} rows read  {per_sec}  {elapsed}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

fn failure(error: Error, dataset: &Path) -> Failure {
    let exit = match &error {
        Error::NoDataset { .. }
        | Error::Ambiguous { .. }
        | Error::NotFound { .. }
        | Error::Damaged { .. }
        | Error::NewerFormat { .. }
        | Error::Name { .. } => Exit::Input,
        _ => Exit::Failed,
    };
    Failure::new(exit, anyhow::Error::new(error).context(format!("verify {}", dataset.display())))
}

/// What stands on stderr when something differs.
fn short(report: &Report) -> String {
    let damaged = [Some(&report.source), report.target.as_ref()].into_iter().flatten();
    let damaged: Vec<_> =
        damaged.filter(|check| !check.is_sound()).map(|check| check.path.display().to_string()).collect();
    match (damaged.as_slice(), &report.target) {
        ([], Some(target)) => {
            format!("{} and {} differ", report.source.path.display(), target.path.display())
        }
        (damaged, _) => format!("{}: not what the manifest says", damaged.join(", ")),
    }
}

fn told(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = tell(&mut text, report);
    // Names and values come out of the files, and a terminal would obey what they hold.
    text.replace(|letter: char| letter.is_control() && letter != '\n', "·")
}

fn tell(text: &mut String, report: &Report) -> std::fmt::Result {
    for check in [Some(&report.source), report.target.as_ref()].into_iter().flatten() {
        tell_check(text, check)?;
    }
    let Some(target) = &report.target else { return Ok(()) };
    writeln!(text, "{} against {}", report.source.path.display(), target.path.display())?;
    match &report.comparison {
        Some(comparison) => {
            if !(report.source.is_sound() && target.is_sound()) {
                let (one, two) = (comparison.source.part, comparison.target.part);
                writeln!(text, "  compared are the rows of the {one} file and of the {two} file")?;
            }
            tell_comparison(text, comparison, [&report.source, target].map(|check| check.path.display()))
        }
        None => writeln!(text, "  not compared: the rows of one of them cannot be read"),
    }
}

fn tell_check(text: &mut String, check: &Check) -> std::fmt::Result {
    let domain = check.domain.as_ref().map_or_else(String::new, |name| format!(", domain {name}"));
    let verdict = if check.is_sound() { "sound" } else { "DAMAGED" };
    writeln!(text, "{}: {} rows{domain}: {verdict}", check.path.display(), count(check.rows))?;
    for file in &check.files {
        tell_file(text, file)?;
    }
    check
        .first
        .as_ref()
        .map_or(Ok(()), |first| tell_first(text, first, first.sides.each_ref().map(|side| side.part)))
}

fn tell_file(text: &mut String, file: &FileCheck) -> std::fmt::Result {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    if let Some(note) = file.note {
        return writeln!(text, "  {name}: {note}");
    }
    if file.is_sound() {
        let of = if file.part == "ids" { "keys" } else { "rows" };
        return writeln!(text, "  {name}: {} {of}, as the manifest says", count(file.rows));
    }
    file.findings.iter().try_for_each(|finding| writeln!(text, "  {name}: {finding}"))
}

fn tell_comparison(
    text: &mut String,
    comparison: &Comparison,
    names: [path::Display<'_>; 2],
) -> std::fmt::Result {
    for difference in &comparison.columns {
        writeln!(text, "  {difference}")?;
    }
    if !comparison.columns.is_empty() {
        let columns = comparison.compared_columns;
        writeln!(text, "  compared are the {columns} columns that both have with values of one type")?;
    }
    let (source, target) = (comparison.source, comparison.target);
    match comparison.verdict {
        Verdict::Identical => writeln!(text, "  identical: {} rows, D {:032x}", count(source.rows), source.d),
        Verdict::SameByKey => {
            let rows = count(target.rows);
            let merged = source.rows - target.rows.min(source.rows);
            writeln!(text, "  the same rows by key, in another order: {rows} rows, K {:032x}", source.k)?;
            if merged > 0 {
                writeln!(text, "  {} rows whose key comes again are merged in the second", count(merged))?;
            }
            Ok(())
        }
        Verdict::Contained => writeln!(
            text,
            "  contained: all {} rows are in the second, which has {} more",
            count(source.rows),
            count(comparison.only_target)
        ),
        _ => tell_differences(text, comparison, names),
    }
}

fn tell_differences(
    text: &mut String,
    comparison: &Comparison,
    names: [path::Display<'_>; 2],
) -> std::fmt::Result {
    let by = comparison.by_key.as_ref().map_or_else(|| "row number".to_owned(), |key| format!("key {key:?}"));
    writeln!(text, "  DIFFERENT, by {by}:")?;
    let (source, target) = (comparison.source.rows, comparison.target.rows);
    writeln!(text, "    {} rows in the first, {} in the second", count(source), count(target))?;
    for (rows, what) in [
        (comparison.only_source, "only in the first"),
        (comparison.only_target, "only in the second"),
        (comparison.differing, "in both, with different values"),
        (comparison.doubled, "doubled in the second: their key is there more often"),
    ] {
        if rows > 0 {
            writeln!(text, "    {} {what}", count(rows))?;
        }
    }
    if comparison.first.is_none() {
        writeln!(text, "    the columns only: the rows agree in those that were compared")?;
    }
    if comparison.reordered {
        writeln!(text, "    both hold the same rows, in another order")?;
    }
    comparison.first.as_ref().map_or(Ok(()), |first| tell_first(text, first, names))
}

/// The first row that differs; `names` are what the two tables are called.
fn tell_first<N: Display>(text: &mut String, first: &RowDifference, names: [N; 2]) -> std::fmt::Result {
    let key = first.key.as_ref().map_or_else(String::new, |key| format!(", key {key}"));
    writeln!(
        text,
        "  first difference{key}{}",
        first.column.as_ref().map_or_else(String::new, |column| format!(", column {column}"))
    )?;
    for (side, name) in first.sides.iter().zip(names) {
        match (side.row, &side.value) {
            (Some(row), Some(value)) => writeln!(text, "    {name}: row {row}: {value}")?,
            (Some(row), None) => writeln!(text, "    {name}: row {row}")?,
            (None, _) => writeln!(text, "    {name}: no such row")?,
        }
    }
    Ok(())
}
