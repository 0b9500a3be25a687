//! Where a pull stands: by the rows' places, where the server says them, else by what was counted.

use super::{
    Error, Start,
    error::{Contradiction, Failed},
};
use crate::{proto::embedding::ChunkHeader, wire::About};

/// Where a pull stands.
#[derive(Debug, Default)]
pub(super) enum Standing {
    /// Before the first chunk.
    #[default]
    Unknown,
    /// At a server that says nothing of places.
    Counted,
    /// Behind rows that are known by their places and digests.
    Placed(Placed),
}

/// Rows of a table without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// The first row.
    pub(super) first: u64,
    /// The row behind the last one.
    pub(super) next: u64,
    /// What they add up to.
    pub(super) digest: u128,
    /// Rows of the whole table.
    pub(super) total_rows: u64,
    /// The whole table's fingerprint.
    pub(super) fingerprint: String,
}

/// What came with one chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived<'a> {
    pub(super) about: &'a About,
    pub(super) rows: usize,
    /// What the rows add up to, where the chunk says that they stand.
    pub(super) digest: u128,
}

impl Standing {
    /// Takes the next chunk of a pull that was asked to begin at `start`.
    pub(super) fn take(&mut self, arrived: &Arrived<'_>, start: &Start) -> Result<(), Fault> {
        if matches!(self, Self::Unknown) {
            *self = begin(arrived.about, start)?;
        }
        match (self, &arrived.about.header) {
            (Self::Placed(placed), Some(header)) => placed.take(header, arrived),
            (Self::Counted, None) => Ok(()),
            _ => Err(Contradiction::Mixed.into()),
        }
    }

    /// The rows' places, if they are known.
    pub(super) fn placed(&self) -> Option<&Placed> {
        match self {
            Self::Placed(placed) => Some(placed),
            Self::Unknown | Self::Counted => None,
        }
    }

    /// An error if the stream ended before the table's last row.
    pub(super) fn check_end(&self) -> Result<(), Failed> {
        match self.placed() {
            Some(Placed { next, total_rows, .. }) if next < total_rows => {
                Err(Failed::cut_short(*next, *total_rows))
            }
            _ => Ok(()),
        }
    }
}

/// Why a chunk is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Contradiction(Contradiction),
    /// The server does not know an option.
    Unsupported(&'static str),
    /// The table is another one than before.
    Changed,
}

impl From<Contradiction> for Fault {
    fn from(what: Contradiction) -> Self {
        Self::Contradiction(what)
    }
}

impl Fault {
    /// As the error of chunk `chunk`.
    pub(super) fn of_chunk(self, chunk: u64) -> Error {
        match self {
            Self::Contradiction(what) => Error::Contradiction { chunk, what },
            Self::Unsupported(option) => Error::Unsupported { option },
            Self::Changed => Error::Changed,
        }
    }
}

fn begin(about: &About, start: &Start) -> Result<Standing, Fault> {
    let Some(header) = &about.header else {
        return match start {
            Start::Row(row) if *row > 0 => Err(Fault::Unsupported("--start-row")),
            Start::Behind { strict: true, .. } => Err(Fault::Unsupported("--strict-checkpoint")),
            _ => Ok(Standing::Counted),
        };
    };
    let Some(fingerprint) = about.fingerprint.clone() else { return Err(Contradiction::Anonymous.into()) };
    let first = match start {
        Start::First => 0,
        Start::Row(row) => *row,
        // Where the row behind a checkpoint stands is for the server to say.
        Start::Behind { .. } => header.first_row,
    };
    // No rows are not sent: 0 is what an absent number means.
    let total_rows = about.total_rows.unwrap_or(0);
    Ok(Standing::Placed(Placed { first, next: first, digest: 0, total_rows, fingerprint }))
}

impl Placed {
    fn take(&mut self, header: &ChunkHeader, arrived: &Arrived<'_>) -> Result<(), Fault> {
        let Arrived { about, rows, digest } = *arrived;
        let other_rows = about.total_rows.is_some_and(|total_rows| total_rows != self.total_rows);
        if other_rows || about.fingerprint.as_ref().is_some_and(|other| *other != self.fingerprint) {
            return Err(Fault::Changed);
        }
        if header.first_row != self.next {
            return Err(Contradiction::Place { expected: self.next, found: header.first_row }.into());
        }
        if header.row_count as usize != rows {
            return Err(Contradiction::Rows { announced: header.row_count, found: rows }.into());
        }
        let next = self.next.saturating_add(rows as u64);
        if next > self.total_rows {
            return Err(Contradiction::Beyond { total_rows: self.total_rows }.into());
        }
        // No rows add up to nothing, which need not be said.
        let is_said = rows > 0 || !header.range_digest.is_empty();
        if is_said && header.range_digest != digest.to_le_bytes() {
            return Err(Contradiction::Digest.into());
        }
        (self.next, self.digest) = (next, self.digest.wrapping_add(digest));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: &str = "rows-v1:00";

    fn header(first_row: u64, row_count: u32, digest: u128) -> ChunkHeader {
        ChunkHeader { first_row, row_count, range_digest: digest.to_le_bytes().to_vec() }
    }

    fn first(header: ChunkHeader, total_rows: u64) -> About {
        let fingerprint = Some(FINGERPRINT.to_owned());
        About { header: Some(header), total_rows: Some(total_rows), fingerprint }
    }

    fn later(header: ChunkHeader) -> About {
        About { header: Some(header), ..About::default() }
    }

    fn take(standing: &mut Standing, about: &About, rows: usize, digest: u128) -> Result<(), Fault> {
        standing.take(&Arrived { about, rows, digest }, &Start::First)
    }

    #[test]
    fn rows_that_follow_each_other_and_add_up_are_taken() {
        let mut standing = Standing::default();
        take(&mut standing, &first(header(0, 3, u128::MAX), 5), 3, u128::MAX).unwrap();
        assert_eq!(standing.check_end().unwrap_err().details, "the stream ended before row 3 of 5");
        take(&mut standing, &later(header(3, 2, 7)), 2, 7).unwrap();
        standing.check_end().unwrap();
        let placed = standing.placed().unwrap();
        assert_eq!((placed.first, placed.next, placed.digest, placed.total_rows), (0, 5, 6, 5));
    }

    #[test]
    fn every_contradiction_is_named() {
        use Contradiction::{Anonymous, Beyond, Digest, Mixed, Place, Rows};
        let cases = [
            (later(header(2, 1, 7)), Place { expected: 3, found: 2 }),
            (later(header(4, 1, 7)), Place { expected: 3, found: 4 }),
            (later(header(3, 2, 7)), Rows { announced: 2, found: 1 }),
            (later(header(3, 1, 8)), Digest),
            (About::default(), Mixed),
        ];
        for (about, what) in cases {
            let mut standing = Standing::default();
            take(&mut standing, &first(header(0, 3, 1), 5), 3, 1).unwrap();
            assert_eq!(take(&mut standing, &about, 1, 7), Err(Fault::Contradiction(what)));
        }
        let anonymous = take(&mut Standing::default(), &later(header(0, 1, 7)), 1, 7);
        assert_eq!(anonymous, Err(Fault::Contradiction(Anonymous)));
        let beyond = take(&mut Standing::default(), &first(header(0, 3, 1), 2), 3, 1);
        assert_eq!(beyond, Err(Fault::Contradiction(Beyond { total_rows: 2 })));
        let mut counted = Standing::default();
        take(&mut counted, &About::default(), 1, 0).unwrap();
        assert_eq!(take(&mut counted, &later(header(1, 1, 7)), 1, 7), Err(Fault::Contradiction(Mixed)));
    }

    #[test]
    fn another_table_is_noticed_wherever_it_shows() {
        for (total_rows, fingerprint) in [(6, FINGERPRINT), (5, "rows-v1:01")] {
            let mut standing = Standing::default();
            take(&mut standing, &first(header(0, 3, 1), 5), 3, 1).unwrap();
            let mut about = first(header(3, 1, 7), total_rows);
            about.fingerprint = Some(fingerprint.to_owned());
            assert_eq!(take(&mut standing, &about, 1, 7), Err(Fault::Changed));
        }
    }

    #[test]
    fn a_server_without_places_cannot_be_asked_for_one() {
        let checkpoint = || "x".to_owned();
        let cases = [
            (Start::Row(1), Some("--start-row")),
            (Start::Row(0), None),
            (Start::Behind { checkpoint: checkpoint(), strict: true }, Some("--strict-checkpoint")),
            (Start::Behind { checkpoint: checkpoint(), strict: false }, None),
        ];
        for (start, refused) in cases {
            let about = About::default();
            let taken = Standing::default().take(&Arrived { about: &about, rows: 1, digest: 0 }, &start);
            assert_eq!(taken.err(), refused.map(Fault::Unsupported), "{start:?}");
        }
    }

    #[test]
    fn an_empty_table_is_a_whole_one() {
        let mut standing = Standing::default();
        let mut about = first(ChunkHeader::default(), 0);
        about.total_rows = None;
        take(&mut standing, &about, 0, 0).unwrap();
        standing.check_end().unwrap();
    }
}
