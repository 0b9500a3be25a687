//! What a session is, derived from the data set: its name, its rows and their digests.

use super::{
    super::{Error, Feed},
    Next, SessionOptions,
};
use crate::{
    columnar::schema as conventions,
    digest::{Prefixes, RangeDigester, RowHasher, fingerprint},
    proto::embedding::{IngestOutcome, SessionHello, WriteMode},
    session::{Hello, Mode, SessionId},
    wire::AppendPlan,
};

/// The version of the session protocol.
const VERSION: u32 = 1;

/// A session of a feed's rows.
pub(super) struct Identity {
    pub(super) hello: Hello,
    pub(super) hasher: RowHasher,
    pub(super) prefixes: Prefixes,
    /// `D` of the data set's rows before the session's first.
    before: u128,
}

impl Identity {
    pub(super) fn of(feed: &Feed, options: &SessionOptions) -> Result<Self, Error> {
        let (manifest, range) = (feed.dataset().manifest(), feed.range());
        let schema = conventions::of_domain(feed.domain(), feed.dimension());
        // The receiver digests the columns of the domain.
        if fingerprint(&schema, manifest.rows, manifest.d) != manifest.fingerprint {
            return Err(Error::OtherColumns { domain: feed.domain().name.clone() });
        }
        let hasher = RowHasher::new(&schema).map_err(crate::wire::Error::from)?;
        let prefixes =
            Prefixes::new(manifest.checkpoint_rows, &manifest.checkpoints, manifest.rows, manifest.d);
        let before = digest_before(feed, &hasher, &prefixes, range.start)?;
        let digest = digest_before(feed, &hasher, &prefixes, range.end)?.wrapping_sub(before);
        let rows = range.end - range.start;
        let fingerprint = fingerprint(&schema, rows, digest);
        let session = SessionId::derive(&fingerprint, &feed.domain().name, "", options.mode, &options.salt);
        let hello =
            Hello { session, fingerprint, total_rows: rows, first_row: range.start, mode: options.mode };
        Ok(Self { hello, hasher, prefixes, before })
    }

    /// Rows of the session.
    pub(super) fn rows(&self) -> u64 {
        self.hello.total_rows
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.hello.fingerprint
    }

    /// The plan of a stream that begins behind `committed_rows`.
    pub(super) fn plan(&self, feed: &Feed, committed_rows: u64) -> Result<AppendPlan, Error> {
        let first = self.hello.first_row;
        let digests = RangeDigester::new(self.hasher.clone(), self.prefixes.clone());
        Ok(AppendPlan::new(feed.chunk_plan()?, digests, (first, first + committed_rows)))
    }

    /// Whether what the server has is what the data set begins with.
    pub(super) fn check(&self, at: &IngestOutcome, feed: &Feed) -> Result<(), Next> {
        if at.committed_rows > self.rows() {
            return Err(Next::Stop(Error::Prefix { rows: at.committed_rows }));
        }
        let end = self.hello.first_row + at.committed_rows;
        let digest = digest_before(feed, &self.hasher, &self.prefixes, end).map_err(Next::Stop)?;
        let equal = digest.wrapping_sub(self.before).to_le_bytes()[..] == at.prefix_digest[..];
        if equal { Ok(()) } else { Err(Next::Stop(Error::Prefix { rows: at.committed_rows })) }
    }

    /// The hello of a stream that begins at `start`.
    pub(super) fn announce(&self, epoch: u64, at: Option<&IngestOutcome>) -> SessionHello {
        let Hello { session, fingerprint, total_rows, first_row, mode } = self.hello.clone();
        SessionHello {
            protocol_version: VERSION,
            session_id: session.as_bytes().to_vec(),
            epoch,
            fingerprint,
            total_rows,
            start_row: at.map_or(0, |at| at.committed_rows),
            prefix_digest: at.map(|at| at.prefix_digest.clone()).unwrap_or_default(),
            mode: match mode {
                Mode::Committed => WriteMode::Committed,
                Mode::Pending => WriteMode::Pending,
            }
            .into(),
            first_row,
        }
    }
}

/// `D` of the data set's first `rows` rows: from the manifest, and hashed from its last checkpoint on.
fn digest_before(feed: &Feed, hasher: &RowHasher, prefixes: &Prefixes, rows: u64) -> Result<u128, Error> {
    let (known, mut digest) = prefixes.before(rows);
    let mut first = known;
    for batch in feed.batches(known..rows) {
        let batch = batch?;
        let part =
            hasher.range_digest(&batch, 0..batch.num_rows(), first).map_err(crate::wire::Error::from)?;
        digest = digest.wrapping_add(part);
        first += batch.num_rows() as u64;
    }
    Ok(digest)
}
