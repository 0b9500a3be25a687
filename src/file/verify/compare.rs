//! Two tables against each other: by key where both have the same one, else row by row in their order.
//!
//! Both have been read whole; what is walked here are the hashes of their rows, and the keys in the order of the two
//! indexes.

use std::{cmp::Ordering, iter::Peekable};

use serde::Serialize;

use super::{
    Options,
    check::Table,
    columns::{self, ColumnDifference},
    row::{self, RowDifference, Seen},
    scan::{Scan, View},
};
use crate::file::{
    Error,
    ids::{Ids, Key},
    manifest::hex,
};

/// What two tables have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The same rows in the same order.
    Identical,
    /// The same row for each key, in another order, or without rows that a later one replaces.
    SameByKey,
    /// Every row of the first table is in the second, which has others too, and may.
    Contained,
    /// They differ.
    Different,
}

/// Two tables, compared.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// What they have in common.
    pub verdict: Verdict,
    /// The key column by which rows were found; none if they were taken in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_key: Option<String>,
    /// How the columns differ. Only those that both have with values of one type are compared then.
    pub columns: Vec<ColumnDifference>,
    /// Columns that were compared.
    pub compared_columns: usize,
    /// The first table, of the compared columns.
    pub source: Sums,
    /// The second.
    pub target: Sums,
    /// Rows, or keys, that only the first table has.
    pub only_source: u64,
    /// Rows, or keys, that only the second table has.
    pub only_target: u64,
    /// Rows that both have, with different values.
    pub differing: u64,
    /// Rows of the second table whose key it has more often than the first.
    pub doubled: u64,
    /// The same rows stand in another order, in tables without a key: what is counted above may follow from that.
    pub reordered: bool,
    /// The first row that counts as a difference, in the order of the first table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<RowDifference>,
}

/// Rows and digests of a table, recomputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// `parquet` or `arrow`: the file whose rows were compared.
    pub part: &'static str,
    /// Rows.
    pub rows: u64,
    /// Sum of their digests, each bound to its row number.
    #[serde(with = "hex")]
    pub d: u128,
    /// Sum of their digests over the last row of each key.
    #[serde(with = "hex")]
    pub k: u128,
}

impl Sums {
    fn of(table: &Table, scan: &Scan) -> Self {
        Self { part: table.source.part(), rows: scan.digest.rows, d: scan.digest.d, k: scan.digest.k }
    }
}

/// What walking two tables counts.
#[derive(Debug, Default)]
struct Tally {
    only_source: u64,
    only_target: u64,
    differing: u64,
    doubled: u64,
    first_here: Option<[Option<u64>; 2]>,
    first_there: Option<u64>,
}

/// Compares two tables.
pub(super) fn compare(source: &Table, target: &Table, options: &Options<'_>) -> Result<Comparison, Error> {
    let (here, there) = (source.source.schema(), target.source.schema());
    let columns = columns::differences(here, there);
    if columns.is_empty() {
        let views = [&source.view, &target.view];
        return Sides { tables: [source, target], views, scans: [&source.scan, &target.scan] }
            .compared(columns, options.subset);
    }
    let [mine, theirs] = columns::shared(here, there);
    let again = |table: &Table, view| {
        let (scan, broken) = Scan::run(&table.source, view, options)?;
        broken.map_or(Ok(scan), Err)
    };
    let (one, two) = rayon::join(|| again(source, &mine), || again(target, &theirs));
    let scans = [&one?, &two?];
    Sides { tables: [source, target], views: [&mine, &theirs], scans }.compared(columns, options.subset)
}

struct Sides<'a> {
    tables: [&'a Table; 2],
    views: [&'a View; 2],
    scans: [&'a Scan; 2],
}

impl Sides<'_> {
    fn compared(self, columns: Vec<ColumnDifference>, subset: bool) -> Result<Comparison, Error> {
        let [source, target] = [0, 1].map(|side| Sums::of(self.tables[side], self.scans[side]));
        let by_key = self.key();
        let same = source.rows == target.rows && source.d == target.d;
        let mut tally = match &by_key {
            _ if same => Tally::default(),
            Some((_, ids)) => self.by_key(*ids),
            None => self.by_position(),
        };
        if subset {
            tally.first_there = None;
        }
        let verdict = tally.verdict(same, columns.is_empty(), subset);
        let reordered = by_key.is_none() && !same && source.rows == target.rows && source.k == target.k;
        Ok(Comparison {
            verdict,
            by_key: by_key.map(|(name, _)| name.to_owned()),
            columns,
            compared_columns: self.views[0].schema.fields().len(),
            source,
            target,
            only_source: tally.only_source,
            only_target: tally.only_target,
            differing: tally.differing,
            doubled: tally.doubled,
            reordered,
            first: self.first(&tally)?,
        })
    }

    /// The key column, if both have the same one and every row has a key.
    fn key(&self) -> Option<(&str, [&Ids; 2])> {
        let [name, other] = self.views.map(View::key_name);
        let ids = [self.scans[0].ids.as_ref()?, self.scans[1].ids.as_ref()?];
        let complete = ids.iter().zip(self.scans).all(|(ids, scan)| ids.len() as u64 == scan.digest.rows);
        (name == other && complete).then_some((name?, ids))
    }

    fn by_position(&self) -> Tally {
        let [one, two] = self.scans.map(|scan| scan.digest.rows);
        let mut tally = Tally {
            only_source: one.saturating_sub(two),
            only_target: two.saturating_sub(one),
            ..Tally::default()
        };
        for row in 0..one.min(two) {
            if self.scans[0].hash(row) != self.scans[1].hash(row) {
                tally.differing += 1;
                tally.meet([Some(row); 2]);
            }
        }
        if one > two {
            tally.meet([Some(two), None]);
        }
        tally.first_there = (two > one).then_some(one);
        tally
    }

    fn by_key(&self, ids: [&Ids; 2]) -> Tally {
        let mut tally = Tally::default();
        let (mut one, mut two) = (Groups::of(ids[0]), Groups::of(ids[1]));
        let (mut here, mut there) = (one.next(), two.next());
        loop {
            let order = match (&here, &there) {
                (None, None) => return tally,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(here), Some(there)) => here.key.cmp(&there.key),
            };
            match (order, &here, &there) {
                (Ordering::Equal, Some(here), Some(there)) => self.both(here, there, &mut tally),
                (Ordering::Less, Some(here), _) => {
                    tally.only_source += 1;
                    tally.meet([Some(here.row), None]);
                }
                (_, _, Some(there)) => {
                    tally.only_target += 1;
                    tally.doubled += there.rows - 1;
                    tally.meet_there(there.row);
                }
                _ => {}
            }
            if order.is_le() {
                here = one.next();
            }
            if order.is_ge() {
                there = two.next();
            }
        }
    }

    fn both(&self, here: &Group, there: &Group, tally: &mut Tally) {
        let differs = self.scans[0].hash(here.row) != self.scans[1].hash(there.row);
        tally.differing += u64::from(differs);
        let doubled = there.rows.saturating_sub(here.rows);
        tally.doubled += doubled;
        if differs || doubled > 0 {
            tally.meet([Some(here.row), Some(there.row)]);
        }
    }

    fn first(&self, tally: &Tally) -> Result<Option<RowDifference>, Error> {
        let Some(rows) = tally.first_here.or(tally.first_there.map(|row| [None, Some(row)])) else {
            return Ok(None);
        };
        let seen = [0, 1].map(|side| Seen { source: &self.tables[side].source, view: self.views[side] });
        row::compare(&seen, rows).map(Some)
    }
}

impl Tally {
    fn meet(&mut self, rows: [Option<u64>; 2]) {
        if self.first_here.is_none_or(|first| rows[0] < first[0]) {
            self.first_here = Some(rows);
        }
    }

    fn meet_there(&mut self, row: u64) {
        self.first_there = Some(self.first_there.map_or(row, |first| first.min(row)));
    }

    fn verdict(&self, same: bool, columns_agree: bool, subset: bool) -> Verdict {
        let lost = self.only_source + self.differing + self.doubled;
        match (columns_agree && lost == 0, self.only_target) {
            (true, 0) if same => Verdict::Identical,
            (true, 0) => Verdict::SameByKey,
            (true, _) if subset => Verdict::Contained,
            _ => Verdict::Different,
        }
    }
}

/// The rows of one key.
struct Group {
    key: Key,
    /// The last of them, which counts.
    row: u64,
    rows: u64,
}

/// The rows of an index, key by key.
struct Groups<I: Iterator<Item = (Key, u64)>>(Peekable<I>);

impl<'a> Groups<Box<dyn Iterator<Item = (Key, u64)> + 'a>> {
    fn of(ids: &'a Ids) -> Self {
        let entries: Box<dyn Iterator<Item = _>> = Box::new(ids.iter());
        Self(entries.peekable())
    }
}

impl<I: Iterator<Item = (Key, u64)>> Iterator for Groups<I> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let (key, row) = self.0.next()?;
        let mut group = Group { key, row, rows: 1 };
        while let Some((_, row)) = self.0.next_if(|(next, _)| *next == key) {
            group.row = row;
            group.rows += 1;
        }
        Some(group)
    }
}
