//! Progress of a push on stderr: a bar on a terminal, plain lines elsewhere. The lines are those of the published client.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::report::Output;
use crate::{
    client::push::{Dialect, Failed, Progress, Sizes, code_name},
    limits::client::PROGRESS_CHUNKS,
};

/// Prints how a push goes on.
#[derive(Debug)]
pub(super) struct Printed {
    bar: Option<ProgressBar>,
    quiet: bool,
    standing: Mutex<Option<Standing>>,
    failure: Once,
}

/// The last failure that was told: a server that stays away is told once.
#[derive(Debug, Default)]
pub(super) struct Once(Mutex<String>);

impl Once {
    /// Whether `failure` is another one than the last, which it is from now on.
    pub(super) fn is_new(&self, failure: &str) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *last != failure;
        failure.clone_into(&mut last);
        is_new
    }

    /// Something went well since.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its first row in the data set.
    pub(super) first_row: u64,
    /// Rows that are durable at the server.
    pub(super) acknowledged: u64,
    /// All rows.
    pub(super) total: u64,
}

impl Printed {
    pub(super) fn new(output: Output) -> Self {
        let bar = (!output.quiet && io::stderr().is_terminal()).then(bar);
        Self { bar, quiet: output.quiet, standing: Mutex::default(), failure: Once::default() }
    }

    /// How far the session is, if the push is one.
    pub(super) fn standing(&self) -> Option<Standing> {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, line: &str) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// What is done is not quite what was asked for: that is no progress, and told also to those who want none.
    fn warn(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| log(line)),
            None => log(line),
        }
    }
}

/// A stderr that is gone takes nothing away from the work.
pub(super) fn log(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

pub(super) fn bar() -> ProgressBar {
    let template = "{bar:30} {human_pos}/{human_len} rows  {per_sec}  {msg}  ETA {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

impl Progress for Printed {
    fn begins(&self, dialect: Dialect, unfilled: &[String]) {
        if !unfilled.is_empty() {
            let fields = unfilled.join(", ");
            self.warn(&format!("Fields of {dialect} that the data set lacks, sent empty: {fields}"));
        }
    }

    fn downgraded(&self, dialect: Dialect, older: Dialect) {
        self.warn(&format!("The server does not know {dialect}: trying {older}"));
    }

    fn metadata(&self, domain: &str, dimension: usize, rows: u64) {
        self.line(&format!("Sent metadata: domain={domain}, vector_dim={dimension}"));
        self.began(rows);
    }

    fn began(&self, rows: u64) {
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.set_length(rows);
        }
    }

    fn chunk(&self, sent: &Sizes) {
        self.failure.forget();
        if let Some(bar) = &self.bar {
            bar.set_position(sent.rows);
            bar.set_message(super::figures::rate(sent.bytes, bar.elapsed()));
        } else if sent.chunks.is_multiple_of(PROGRESS_CHUNKS) {
            self.line(&format!("Sent {} chunks ({} rows)", sent.chunks, sent.rows));
        }
    }

    fn completed(&self, sent: &Sizes) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.line(&format!("Completed: sent {} chunks ({} rows)", sent.chunks, sent.rows));
    }

    fn failed(&self, failed: &Failed) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let said = format!("gRPC error: code={}, details={}", code_name(failed.code()), failed.details());
        if self.failure.is_new(&said) {
            self.line(&said);
        }
    }

    fn resumed(&self, rows: u64) {
        self.line(&format!("The server has {rows} rows already: going on behind them"));
    }

    fn acknowledged(&self, first_row: u64, acknowledged: u64, total: u64) {
        let standing = Standing { first_row, acknowledged, total };
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
    }

    fn resuming(&self, attempt: u32, pause: Duration) {
        self.line(&format!(
            "attempt {attempt} asks the server where to go on, in {:.1} s",
            pause.as_secs_f64()
        ));
    }

    fn retrying(&self, attempt: u32, attempts: u32, pause: Duration) {
        self.line(&format!("attempt {attempt} of {attempts} follows in {:.1} s", pause.as_secs_f64()));
    }

    fn gave_up(&self, attempts: u32, failed: &Failed) {
        if attempts > 1 {
            self.line(&format!("Failed after {attempts} retries: {failed}"));
        }
    }
}
