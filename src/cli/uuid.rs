//! `brine uuid`: ids, made and checked, as `brine convert` makes and checks them.

use std::{
    borrow::Cow,
    io::{self, Read as _},
};

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    figures::count,
    report::{Exit, Failure, Output},
};
use crate::{
    identifier::{self, Making},
    limits::{ID_NAMES_BYTES_MAX, IDS_MAX},
};

const EXAMPLES: &str = "\
Examples:
  brine uuid v5 python.org                 886313e1-3b8a-5372-9b90-0c9aee199e5d, today and always
  cut -d, -f1 jobs.csv | brine uuid v5 -   one id for each line of standard input
  brine uuid v7 -n 1000                    a thousand ids that sort by the time they were made
  brine uuid check c0ca96e7-85df-50df-a64e-d934cd02a170

Exit codes: 0 done, 1 some of what was checked is no UUID, 2 wrong usage, 3 standard input cannot be read as text";

const V5_EXAMPLES: &str = "\
Ids are made in the namespace DNS, as uuid.uuid5(uuid.NAMESPACE_DNS, NAME) makes them in Python. They are printed one to a
line, in the order of the names.";

const CHECK_HELP: &str = "\
Valid is what `brine convert` takes as a key of recruit and candidate: a UUID of any version as 36 characters,
8-4-4-4-12 hexadecimal digits in either case.

Exit codes: 0 all are valid, 1 some are not";

/// Make and check UUIDs.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The ids of names: the same name has the same id (version 5)
    #[command(after_help = V5_EXAMPLES)]
    V5 {
        /// Any text; - reads one name from each line of standard input
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// New ids that sort by the time they were made (version 7)
    V7 {
        /// How many, at most 1,000,000
        #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = batch_size)]
        count: usize,
    },
    /// Whether texts are UUIDs, and of which version
    #[command(after_help = CHECK_HELP)]
    Check {
        /// What is checked; - reads one from each line of standard input
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

fn batch_size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| (1..=IDS_MAX).contains(size));
    size.ok_or_else(|| format!("a whole number from 1 to {} is expected", count(IDS_MAX as u64)))
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.action {
        Action::V5 { names } => v5(&told_apart(names)?, output),
        Action::V7 { count } => v7(*count, output),
        Action::Check { ids } => check(&told_apart(ids)?, output),
    }
}

/// The arguments, and in place of `-` the lines of standard input.
fn told_apart(arguments: &[String]) -> Result<Vec<Cow<'_, str>>, Failure> {
    let mut all = Vec::new();
    for argument in arguments {
        if argument == "-" {
            all.extend(standard_input()?.lines().map(|line| Cow::Owned(line.to_owned())));
        } else {
            all.push(Cow::Borrowed(argument.as_str()));
        }
    }
    if all.len() > IDS_MAX {
        let (found, most) = (count(all.len() as u64), count(IDS_MAX as u64));
        return Err(too_many(&format!("{found} lines and arguments, at most {most} are taken at a time")));
    }
    Ok(all)
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(ID_NAMES_BYTES_MAX as u64 + 1).read_to_string(&mut text);
    read.context("read standard input").map_err(|error| Failure::new(Exit::Input, error))?;
    if text.len() > ID_NAMES_BYTES_MAX {
        return Err(too_many("standard input is longer than 256 MiB"));
    }
    Ok(text)
}

fn too_many(what: &str) -> Failure {
    Failure::new(Exit::Input, anyhow!("{what}; give them in parts"))
}

fn v5(names: &[Cow<'_, str>], output: Output) -> Result<(), Failure> {
    let ids: Vec<String> = names.iter().map(|name| identifier::of_name(name).to_string()).collect();
    let pairs: Vec<Value> =
        names.iter().zip(&ids).map(|(name, id)| json!({"name": name, "id": id})).collect();
    let object = json!({ "version": 5, "namespace": "dns", "ids": pairs });
    print(&object, &ids, output)
}

fn v7(count: usize, output: Output) -> Result<(), Failure> {
    let ids: Vec<String> = (0..count).map(|_| identifier::of_now().to_string()).collect();
    print(&json!({ "version": 7, "ids": ids }), &ids, output)
}

fn check(texts: &[Cow<'_, str>], output: Output) -> Result<(), Failure> {
    let found: Vec<Option<Making>> =
        texts.iter().map(|text| identifier::parse(text).map(|id| Making::of(&id))).collect();
    let invalid = found.iter().filter(|making| making.is_none()).count();
    let object = json!({
        "ids": texts.iter().zip(&found).map(|(text, making)| checked(text, *making)).collect::<Vec<_>>(),
        "valid": found.len() - invalid,
        "invalid": invalid,
    });
    let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).min(36);
    let line = |(text, making): (&Cow<'_, str>, &Option<Making>)| {
        // A terminal would obey what a text from elsewhere holds.
        let shown = text.replace(char::is_control, "·");
        match making {
            Some(making) => format!("{shown:<width$}  valid    {making}"),
            None => format!("{shown:<width$}  invalid  {}", fault(text)),
        }
    };
    let lines: Vec<String> = texts.iter().zip(&found).map(line).collect();
    print(&object, &lines, output)?;
    if invalid == 0 {
        return Ok(());
    }
    Err(anyhow!("{} of {} are no UUIDs", count(invalid as u64), count(texts.len() as u64)).into())
}

fn checked(text: &str, making: Option<Making>) -> Value {
    match making {
        Some(Making { version, variant }) => {
            json!({ "id": text, "valid": true, "version": version, "variant": variant })
        }
        None => json!({ "id": text, "valid": false, "reason": fault(text) }),
    }
}

/// Why a text is none.
fn fault(text: &str) -> String {
    identifier::parse_other_form(text).map_or_else(
        || "not 8-4-4-4-12 hexadecimal digits".to_owned(),
        |id| format!("written in another form than {id}"),
    )
}

/// Prints one line for each id; without any, nothing.
fn print(object: &Value, lines: &[String], output: Output) -> Result<(), Failure> {
    if lines.is_empty() && !output.json {
        return Ok(());
    }
    Ok(output.result(object, &lines.join("\n"))?)
}
