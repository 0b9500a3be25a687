//! Pulling a table: rows are counted, checked and, if wanted, written as a data set; a stream that breaks goes on behind the
//! last row that arrived.
//!
//! Messages come off the connection encoded (`call`) and wait, bounded by their bytes, for a thread of their own (`intake`),
//! which has several at a time opened on all cores (`opened`) and takes them in order. A server of ours says with each
//! chunk where its rows stand and what they add up to (`standing`); of any other the ids are all there is to go by.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time;
use tonic::codec::CompressionEncoding;

use super::{Target, push::Backoff};
use crate::{file::DatasetWriter, limits::client as limits, schema::Domain};

mod call;
mod error;
mod intake;
mod opened;
mod progress;
mod report;
mod row;
mod standing;

pub use error::{Error, Failed};
pub use progress::{Progress, Silent};
pub use report::{Report, Written};
pub use row::Row;

use call::End;
use intake::Intake;

/// The reason for which a server of ours refuses to go on in a table that is another one by now.
const MISMATCH: &str = "FINGERPRINT_MISMATCH";

/// What to pull, from where, and what to do with it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub target: Target,
    /// The domain whose rows are wanted.
    pub domain: &'static Domain,
    /// The first row wanted.
    pub start: Start,
    /// Rows in a chunk; what is allowed is the server's to say.
    pub chunk_rows: i32,
    /// Where the rows are written; none: they are only checked.
    pub output: Option<Output>,
    /// How messages may be packed.
    pub compression: Option<Compression>,
    /// Attempts in a row without any progress.
    pub attempts: u32,
    /// The pauses between attempts.
    pub backoff: Backoff,
    /// How long the server may be silent, and take to be reached.
    pub silence: Duration,
}

/// The first row wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Start {
    /// The table's.
    #[default]
    First,
    /// The row of this number, counted from 0.
    Row(u64),
    /// The row behind the one with this id.
    Behind {
        /// The id.
        checkpoint: String,
        /// An unknown id is an error, and not the table's beginning.
        strict: bool,
    },
}

/// How messages are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As gzip does.
    Gzip,
    /// As zstd does.
    Zstd,
}

impl From<Compression> for CompressionEncoding {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Gzip => Self::Gzip,
            Compression::Zstd => Self::Zstd,
        }
    }
}

/// Where a pulled data set is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The folder.
    pub folder: PathBuf,
    /// The data set's name.
    pub name: String,
    /// Replace a data set of that name.
    pub overwrite: bool,
}

impl Options {
    /// Pulls `domain` from `target` from the first row on, and writes nothing.
    pub fn new(target: Target, domain: &'static Domain) -> Self {
        Self {
            target,
            domain,
            start: Start::default(),
            chunk_rows: limits::PULL_CHUNK_ROWS,
            output: None,
            compression: None,
            attempts: limits::ATTEMPTS,
            backoff: Backoff::default(),
            silence: limits::PULL_SILENCE,
        }
    }
}

/// All rows, checked; not written yet.
pub struct Received {
    intake: Box<Intake>,
    started: Instant,
    attempts: u32,
    time_to_first_chunk: Option<Duration>,
}

/// Pulls a table. Dropping the future while it receives ends the stream and leaves nothing.
pub async fn pull(options: &Options, progress: Arc<dyn Progress>) -> Result<Report, Error> {
    receive(options, progress).await?.finish()
}

/// Receives all rows, in as many attempts as it takes. Dropping the future ends the stream and leaves nothing.
pub async fn receive(options: &Options, progress: Arc<dyn Progress>) -> Result<Received, Error> {
    if let Some(Output { folder, name, overwrite }) = &options.output {
        DatasetWriter::check_place(folder, name, *overwrite)?;
    }
    let (started, mut attempts, mut time_to_first_chunk) = (Instant::now(), 0, None);
    let mut intake = Box::new(Intake::new(options, Arc::clone(&progress)));
    let mut patience = Patience { attempts: options.attempts, backoff: options.backoff, in_vain: 0 };
    loop {
        attempts += 1;
        let rows_before = intake.rows();
        let attempt = Box::pin(call::run(options, intake, &progress)).await;
        intake = attempt.intake;
        time_to_first_chunk = time_to_first_chunk.or(attempt.to_first_chunk);
        let failed = match attempt.end {
            Ok(()) => break,
            // What was lost is the end of the stream, and not a row of it.
            Err(End::Remote(_)) if intake.has_all() => break,
            Err(End::Remote(failed)) => failed,
            Err(End::Local(error)) => return Err(error),
        };
        if intake.is_resuming() && failed.reason.as_deref() == Some(MISMATCH) {
            return Err(Error::Changed);
        }
        let (was_reached, has_moved) = (intake.rows() > 0, intake.rows() > rows_before);
        let Some(pause) = patience.after(&failed, was_reached, has_moved) else {
            return Err(Error::Remote { failed, attempts });
        };
        intake.check_resumable(&failed)?;
        progress.failed(&failed);
        progress.resuming(patience.in_vain + 1, options.attempts, pause);
        time::sleep(pause).await;
    }
    intake.check_content()?;
    progress.completed();
    Ok(Received { intake, started, attempts, time_to_first_chunk })
}

impl Received {
    /// Writes the data set, if one is wanted, and says what was received.
    pub fn finish(self) -> Result<Report, Error> {
        let report = self.intake.finish()?;
        let (attempts, time_to_first_chunk) = (self.attempts, self.time_to_first_chunk);
        Ok(Report { attempts, time_to_first_chunk, elapsed: self.started.elapsed(), ..report })
    }
}

/// How many failures in a row are answered by another attempt.
struct Patience {
    attempts: u32,
    backoff: Backoff,
    /// Attempts in a row that brought no row, the last one among them whatever it brought.
    in_vain: u32,
}

impl Patience {
    /// The pause before the next attempt; none if there is none. Where a server was reached, something else may answer while it
    /// starts again.
    fn after(&mut self, failed: &Failed, was_reached: bool, has_moved: bool) -> Option<Duration> {
        self.in_vain = if has_moved { 1 } else { self.in_vain + 1 };
        let may_pass = failed.may_pass() || (was_reached && failed.misfit.is_some());
        (self.in_vain < self.attempts && may_pass).then(|| self.backoff.pause(self.in_vain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Misfit;

    #[test]
    fn something_else_than_the_server_is_waited_out_where_the_server_was() {
        let of = || Patience { attempts: 3, backoff: Backoff::default(), in_vain: 0 };
        let elsewhere = Failed::from(Misfit::OtherProtocol);
        assert!(of().after(&elsewhere, false, false).is_none());
        let mut patience = of();
        let pauses = [(); 3].map(|()| patience.after(&elsewhere, true, false).is_some());
        assert_eq!(pauses, [true, true, false]);
    }
}
