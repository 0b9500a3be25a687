//! Progress of a pull on stderr: a bar on a terminal, plain lines elsewhere. The lines are those of the published client.

use std::{
    io::{self, IsTerminal as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::ProgressBar;

use super::super::{
    figures::{count, rate},
    progress::{Once, bar, log},
    report::Output,
};
use crate::{
    client::{
        pull::{Failed, Progress},
        push::Sizes,
    },
    limits::client::PROGRESS_CHUNKS,
};

/// Prints how a pull goes on.
#[derive(Debug)]
pub(super) struct Printed {
    bar: Option<ProgressBar>,
    quiet: bool,
    /// Rows received, and the last one's id.
    last: Mutex<Option<(u64, String)>>,
    failure: Once,
}

impl Printed {
    pub(super) fn new(output: Output) -> Self {
        let bar = (!output.quiet && io::stderr().is_terminal()).then(bar);
        Self { bar, quiet: output.quiet, last: Mutex::default(), failure: Once::default() }
    }

    /// Rows received, and the last one's id.
    pub(super) fn last(&self) -> Option<(u64, String)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, line: &str) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// What comes is not what was asked for: that is no progress, and told also to those who want none.
    fn warn(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| log(line)),
            None => log(line),
        }
    }
}

impl Progress for Printed {
    fn unknown_checkpoint(&self, checkpoint: &str) {
        self.warn(&format!("The server does not know checkpoint {checkpoint:?}: it sends all rows"));
    }

    fn expected(&self, rows: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(rows);
        }
    }

    fn chunk(&self, received: &Sizes, last_id: &str) {
        self.failure.forget();
        if received.rows > 0 {
            let last = (received.rows, last_id.to_owned());
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(received.rows);
            bar.set_message(rate(received.bytes, bar.elapsed()));
        } else if received.chunks.is_multiple_of(PROGRESS_CHUNKS) {
            self.line(&format!("Received {} chunks ({} rows)", count(received.chunks), count(received.rows)));
        }
    }

    fn completed(&self) {
        self.end();
        self.line("Stream completed successfully!");
    }

    fn failed(&self, failed: &Failed) {
        let failed = failed.to_string();
        if self.failure.is_new(&failed) {
            self.line(&failed);
        }
    }

    fn resuming(&self, attempt: u32, attempts: u32, pause: Duration) {
        let behind =
            self.last().map_or_else(String::new, |(rows, _)| format!(" behind {} rows", count(rows)));
        self.line(&format!(
            "attempt {attempt} of {attempts} goes on{behind} in {:.1} s",
            pause.as_secs_f64()
        ));
    }
}
