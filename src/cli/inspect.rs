//! `brine inspect`: what is in a file, without running or converting it.

use std::{
    fmt::Write as _,
    io::{self, BufWriter, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use indicatif::ProgressBar;
use serde_json::json;

use super::{
    convert::{limit, limits_of},
    figures::{bytes, count, memory},
    report::{Exit, Failure, Output, PrintError, plain},
};
use crate::{
    columnar::profile::ColumnProfile,
    file::{
        Error,
        inspect::{Column, Inspection, Look, Memory, TableProfile, Verdict, inspect},
        pickle::{Choice, Options},
        spool::open_input,
    },
    pickle::Disassembly,
};

const EXAMPLES: &str = "\
Examples:
  brine inspect frame.pkl                  names, writer, tables, columns, verdict
  brine inspect big.pkl.gz --structure     without looking at the values
  brine inspect out/ --json                every data set of a folder, for programs
  brine inspect strange.pkl --opcodes      every instruction, up to the first fault

Nothing in the file is run or imported. The fields of --json stand in docs/formats.md.

Exit codes: 0 it can be converted, 1 failed, 2 wrong usage, 3 refused";

/// Show what is in pickles, Parquet and Arrow files and data sets.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Pickles, Parquet or Arrow files, data sets (DIR/NAME) or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    inputs: Vec<PathBuf>,
    /// Names and types only, without reading the values
    #[arg(long)]
    structure: bool,
    /// List the instructions of a pickle instead
    #[arg(long, conflicts_with_all = ["structure", "json"])]
    opcodes: bool,
    /// Types by the cells, even where a built-in domain fits
    #[arg(long)]
    auto: bool,
    /// Where packed and piped input is unpacked [default: the system's temporary folder]
    #[arg(long, value_name = "DIR", env = "BRINE_TEMP_DIR")]
    temp_dir: Option<PathBuf>,
    /// Move a bound on the input, by the name that the error says
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    limits: Vec<(String, u64)>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    if args.opcodes {
        return args.inputs.iter().try_for_each(|input| opcodes(input, args));
    }
    let choice = if args.auto { Choice::Inferred } else { Choice::Matching };
    let limits = limits_of(&args.limits)?;
    let options = Options { choice, limits, temporary_folder: args.temp_dir.clone(), ..Options::default() };
    let look = Look { structure: args.structure, options };
    let mut all = Vec::new();
    let failed = look_at(&args.inputs, &look, output, &mut all).err().or_else(|| refused(&all));
    let mut object = json!({ "inputs": all });
    if let Some(failure) = &failed {
        object["error"] = failure.sentence().into();
    }
    if output.json || !all.is_empty() {
        let text: Vec<String> = all.iter().map(told).collect();
        output.result(&object, &text.join("\n").trim_end())?;
    }
    failed.map_or(Ok(()), Err)
}

/// Looks at one input after the other; those before one that cannot be read are in `all`.
fn look_at(
    inputs: &[PathBuf],
    look: &Look,
    output: Output,
    all: &mut Vec<Inspection>,
) -> Result<(), Failure> {
    for input in inputs {
        let bar = (!output.quiet && io::stderr().is_terminal()).then(|| ProgressBar::new(0));
        let found = inspect(input, look, &mut |done, rows| {
            if let Some(bar) = &bar {
                bar.set_length(rows);
                bar.set_position(done);
            }
        });
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        all.extend(found.map_err(|error| failure(error, input))?);
    }
    Ok(())
}

fn refused(all: &[Inspection]) -> Option<Failure> {
    let each = all.iter().find(|each| matches!(each.verdict, Verdict::Refused { .. }))?;
    Some(Failure::new(Exit::Input, anyhow!("{}: it cannot be converted", each.path.display())))
}

fn failure(error: Error, input: &Path) -> Failure {
    let exit = match &error {
        Error::Io { .. } | Error::PermissionDenied { .. } | Error::DiskFull { .. } => Exit::Failed,
        _ => Exit::Input,
    };
    Failure::new(exit, anyhow::Error::new(error).context(format!("inspect {}", input.display())))
}

/// Lists the instructions as they are read: nothing is kept.
fn opcodes(path: &Path, args: &Args) -> Result<(), Failure> {
    let limits = limits_of(&args.limits)?;
    let temporary = args.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    let input = open_input(path, &temporary, &limits.unpacking).map_err(|error| failure(error, path))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut steps = Disassembly::new(&input, &limits);
    for step in &mut steps {
        let line = match step {
            Ok(step) => {
                let slot = step.slot.map_or_else(String::new, |slot| format!("m{slot}"));
                let name = step.opcode.name();
                let line =
                    format!("{:>10}  {name:<18} {:>5} {slot:>7}  {}", step.offset, step.depth, step.argument);
                line.trim_end().to_owned()
            }
            Err(error) => {
                out.flush().map_err(PrintError)?;
                return Err(Failure::new(
                    Exit::Input,
                    anyhow::Error::new(error).context(format!("{}: the listing ends here", path.display())),
                ));
            }
        };
        writeln!(out, "{line}").map_err(PrintError)?;
    }
    let trailing = input.len() as u64 - steps.end();
    if trailing > 0 {
        writeln!(out, "{} follow the end of the pickle", bytes(trailing)).map_err(PrintError)?;
    }
    Ok(out.flush().map_err(PrintError)?)
}

fn told(inspection: &Inspection) -> String {
    let mut text = String::new();
    let _ = tell(&mut text, inspection);
    // Names come out of the file, and a terminal would obey what they hold.
    text.replace(|letter: char| letter.is_control() && letter != '\n', "·")
}

fn tell(text: &mut String, inspection: &Inspection) -> std::fmt::Result {
    writeln!(text, "{}: {}, {}", inspection.path.display(), inspection.kind, bytes(inspection.bytes))?;
    tell_pickle(text, inspection)?;
    for table in &inspection.tables {
        tell_table(text, table)?;
    }
    for member in &inspection.unreadable {
        let path = if member.path.is_empty() { "its value" } else { &member.path };
        writeln!(text, "  unreadable {}: {}", plain(path), plain(&member.reason))?;
    }
    match &inspection.verdict {
        // What is no pickle need not be converted.
        Verdict::Safe if inspection.pickle.is_none() => Ok(()),
        Verdict::Safe => writeln!(text, "  verdict: safe to convert"),
        Verdict::Losses { losses } => {
            writeln!(text, "  verdict: converts with losses: {}", losses.join("; "))
        }
        Verdict::Refused { reason, .. } => writeln!(text, "  verdict: refused: {reason}"),
    }
}

fn tell_pickle(text: &mut String, inspection: &Inspection) -> std::fmt::Result {
    let Some(pickle) = &inspection.pickle else { return Ok(()) };
    let packed = if pickle.packed.is_empty() {
        String::new()
    } else {
        format!(", packed in {} ({} unpacked)", pickle.packed, bytes(pickle.unpacked_bytes))
    };
    writeln!(text, "  protocol {}{packed}", pickle.protocol)?;
    if pickle.trailing_bytes > 0 {
        writeln!(text, "  {} follow the end of the pickle", bytes(pickle.trailing_bytes))?;
    }
    for evidence in &pickle.writer {
        writeln!(text, "  written by {}: {} at byte {:#x}", evidence.shows, evidence.by, evidence.offset)?;
    }
    let width = pickle.globals.iter().map(|met| met.name.len()).max().unwrap_or(0).min(60);
    for met in &pickle.globals {
        let times = met.count.map_or_else(|| "-".to_owned(), count);
        let meaning = met.meaning.unwrap_or("UNKNOWN: not imported, not run");
        writeln!(text, "    {:<width$}  {times:>9} ×  first at {:#x}  {meaning}", met.name, met.offset)?;
    }
    Ok(())
}

fn tell_table(text: &mut String, table: &TableProfile) -> std::fmt::Result {
    let path = if table.path.is_empty() { "table" } else { &table.path };
    let domain = table.domain.as_ref().map_or_else(String::new, |name| format!(", domain {name}"));
    let columns = table.columns.len();
    writeln!(text, "  {}: {} rows, {columns} columns{domain}", plain(path), count(table.rows))?;
    let name = |column: &Column| match column {
        Column::Structure { name, .. } => name.chars().count(),
        Column::Profile(profile) => profile.name.chars().count(),
    };
    let width = table.columns.iter().map(name).max().unwrap_or(0).min(32);
    for column in &table.columns {
        match column {
            Column::Structure { name, data_type } => {
                writeln!(text, "    {:<width$}  {data_type}", plain(name))?;
            }
            Column::Profile(profile) => tell_column(text, profile, width, table.rows)?,
        }
    }
    table.memory.as_ref().filter(|all| all.arrow_bytes > 0).map_or(Ok(()), |all| tell_memory(text, all))
}

fn tell_memory(text: &mut String, all: &Memory) -> std::fmt::Result {
    write!(text, "    memory: pandas {}", memory(all.pandas_object_bytes))?;
    if all.pandas_bytes != all.pandas_object_bytes {
        let saved = saved(all.pandas_saves_percent);
        write!(text, ", with categories {} ({saved})", memory(all.pandas_bytes))?;
    }
    writeln!(text, ", Arrow {} ({})", memory(all.arrow_bytes), saved(all.arrow_saves_percent))
}

fn saved(percent: f64) -> String {
    match percent {
        much if much >= 0.05 => format!("{much:.1} % less"),
        little if little > -0.05 => "as much".to_owned(),
        more => format!("{:.1} % more", -more),
    }
}

fn tell_column(text: &mut String, column: &ColumnProfile, width: usize, rows: u64) -> std::fmt::Result {
    write!(text, "    {:<width$}  {}", plain(&column.name), column.data_type)?;
    if column.nulls > 0 {
        write!(text, ", {} missing", count(column.nulls))?;
    }
    if let Some(distinct) = column.distinct {
        let about = if distinct.exact { "" } else { "about " };
        write!(text, ", {about}{} distinct", count(distinct.count))?;
    }
    if let (Some(least), Some(most)) = (&column.minimum, &column.maximum) {
        write!(text, ", {} to {}", shortened(least), shortened(most))?;
    }
    if let Some(vectors) = &column.vectors {
        write!(text, ", dimension {}", vectors.dimension)?;
        if let (Some(least), Some(most)) = (vectors.norm_minimum, vectors.norm_maximum) {
            write!(text, ", norm {least:.4} to {most:.4}")?;
        }
        if vectors.not_finite > 0 {
            write!(text, ", {} not finite", count(vectors.not_finite))?;
        }
    }
    writeln!(text)?;
    if column.top.is_empty() { Ok(()) } else { tell_top(text, column, width, rows) }
}

/// The most frequent categories; if that is all of them, with what is missing, so that the shares add up.
fn tell_top(text: &mut String, column: &ColumnProfile, width: usize, rows: u64) -> std::fmt::Result {
    let share =
        |rows_of: u64| format!("{} ({:.1} %)", count(rows_of), 100.0 * rows_of as f64 / rows.max(1) as f64);
    let top = column.top.iter();
    let mut told: Vec<String> =
        top.map(|top| format!("{} {}", shortened(&top.value), share(top.rows))).collect();
    let whole = column.is_told_whole();
    if whole && column.nulls > 0 {
        told.push(format!("missing {}", share(column.nulls)));
    }
    writeln!(text, "    {:<width$}    {}: {}", "", if whole { "all" } else { "top" }, told.join(", "))
}

/// The start of a long value.
fn shortened(value: &str) -> String {
    const SHOWN: usize = 24;
    let short: String = plain(value).chars().take(SHOWN).collect();
    if value.chars().count() > SHOWN { short + "…" } else { short }
}
