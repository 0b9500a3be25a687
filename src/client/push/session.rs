//! Pushing by session: rows are acknowledged while they stream, and whatever breaks, the next attempt goes on behind the
//! last row that the server has. Nothing is kept here for that: the session's name follows from what is sent.
//!
//! ```text
//! Open ─► compare what the server has ─► Append, at most a window ahead of the acknowledgements ─► Commit
//!   ▲                                                   │ anything of unknown outcome                 │
//!   └───────────────────────────────────────────────────┴─────────────────────────────────────────────┘
//! ```

use std::{
    hash::{BuildHasher as _, RandomState},
    time::{Duration, Instant},
};

use tokio::time;

use super::{Dialect, Error, Failed, Feed, Guarantee, Push, Report, SessionReport, Sizes};
use crate::{failpoint, proto::embedding::session::v1::Limits, session::Mode, wire::append_start};

mod call;
mod identity;
mod patience;
mod stream;
mod verdict;
mod window;

use call::Call;
use identity::Identity;
use patience::Patience;
use verdict::Next;

/// How a session is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionOptions {
    /// When rows become visible.
    pub mode: Mode,
    /// Not empty to send the same rows once more, as another session.
    pub salt: String,
}

/// One session, over all its attempts.
struct Sending<'a> {
    push: &'a Push<'a>,
    feed: &'a Feed,
    identity: Identity,
    /// What went over the wire, in all attempts.
    sent: Sizes,
    attempts: u32,
    /// Rows that were there when the session was first opened.
    resumed_at: Option<u64>,
    /// Rows that are durable, as far as this process knows.
    acknowledged: u64,
}

/// A session that is finalized.
struct Done {
    version: u64,
    message: String,
}

/// A name for a run that nobody else makes up.
pub fn new_salt() -> String {
    let words = [0, 1].map(|word: u8| RandomState::new().hash_one(word));
    format!("{:016x}{:016x}", words[0], words[1])
}

/// What a session of `feed` would send to a server that has nothing of it.
pub(super) fn dry_run(feed: &Feed, options: &SessionOptions) -> Result<Sizes, Error> {
    let identity = Identity::of(feed, options)?;
    let start = append_start(identity.announce(1, None));
    let mut sizes = Sizes { bytes: start.len() as u64, ..Sizes::default() };
    for encoded in feed.encode_appending(identity.plan(feed, 0)?, 0, &Limits::default()) {
        let encoded = encoded?;
        sizes.add(encoded.rows.end - encoded.rows.start, encoded.message().len() as u64);
    }
    Ok(sizes)
}

/// Sends `feed` as a session.
pub(super) async fn run(push: &Push<'_>, feed: &Feed) -> Result<Report, Error> {
    let identity = Identity::of(feed, &push.options.session)?;
    let (sent, attempts, resumed_at, acknowledged) = (Sizes::default(), 0, None, 0);
    let mut sending = Sending { push, feed, identity, sent, attempts, resumed_at, acknowledged };
    let began = Instant::now();
    let done = sending.until_done().await?;
    sending.report(done, began.elapsed())
}

impl Sending<'_> {
    async fn until_done(&mut self) -> Result<Done, Error> {
        let options = self.push.options;
        let mut patience = Patience::new(options.attempts, options.backoff, options.deadline);
        loop {
            self.feed.check_unchanged()?;
            self.attempts += 1;
            let before = (self.resumed_at.is_some(), self.acknowledged);
            let failed = match self.attempt().await {
                Ok(done) => return Ok(done),
                Err(Next::Stop(error)) => return Err(error),
                Err(Next::Again(failed)) => failed,
            };
            // Where a server was, something else may answer while it starts again.
            let is_misfit = self.resumed_at.is_none() && matches!(failed, Failed::Misfit(_));
            if is_misfit || Push::is_unknown_method(&failed, self.attempts) {
                return Err(Error::Remote { failed, attempts: self.attempts });
            }
            self.push.progress.failed(&failed);
            let has_moved = before != (self.resumed_at.is_some(), self.acknowledged);
            let Some(pause) = patience.after(&failed, self.resumed_at.is_some(), has_moved) else {
                self.push.progress.gave_up(self.attempts, &failed);
                return Err(verdict::last_word(failed, self.attempts));
            };
            // How often is bounded only as long as the server was never reached.
            match self.resumed_at {
                Some(_) => self.push.progress.resuming(self.attempts + 1, pause),
                None => self.push.progress.retrying(self.attempts + 1, options.attempts, pause),
            }
            time::sleep(pause).await;
        }
    }

    /// Opens the session, sends what is missing, commits.
    async fn attempt(&mut self) -> Result<Done, Next> {
        let mut call = Call::connect(&self.push.options.target).await?;
        failpoint::hit("client.before_open");
        let at = call.open(&self.identity, self.feed).await?;
        failpoint::hit("client.after_open");
        self.identity.check(&at.outcome, self.feed)?;
        let rows = at.outcome.committed_rows;
        self.note(rows);
        self.resumed_at.get_or_insert(rows);
        if let Some(version) = at.finalized() {
            return Ok(Done { version, message: format!("already there, as version {version}") });
        }
        if rows > 0 {
            self.push.progress.resumed(rows);
        }
        if rows < self.identity.rows() {
            stream::send(self, &mut call, &at).await?;
        }
        failpoint::hit("client.before_commit");
        let (version, message) = call.commit(&self.identity, at.outcome.epoch).await?;
        failpoint::hit("client.after_commit");
        Ok(Done { version, message })
    }

    /// Notes how many rows are durable at the server.
    fn note(&mut self, rows: u64) {
        self.acknowledged = rows;
        self.push.progress.acknowledged(self.identity.hello.first_row, rows, self.identity.rows());
    }

    fn report(self, Done { version, message }: Done, send: Duration) -> Result<Report, Error> {
        let session = SessionReport {
            id: self.identity.hello.session.to_string(),
            first_row: self.identity.hello.first_row,
            rows: self.identity.rows(),
            resumed_at: self.resumed_at.unwrap_or(0),
            version,
        };
        let digest = self.identity.fingerprint().to_owned();
        let mut report = self.feed.report_of(self.sent, send, message)?;
        report.attempts = self.attempts;
        report.elapsed = self.push.started.elapsed();
        (report.guarantee, report.session, report.fingerprint) =
            (Guarantee::ExactlyOnce, Some(session), digest);
        debug_assert_eq!(report.dialect, Dialect::Session, "only sessions come here");
        Ok(report)
    }
}

impl Failed {
    /// A stream that ended in good order before everything was acknowledged.
    pub(super) fn unfinished(acknowledged: u64) -> Self {
        Self::Unfinished { acknowledged }
    }
}
