//! One field of one row: what it has to say, how long that is, and the bytes of it.

use std::{ops::Range, slice};

use super::InnerLens;
use crate::{
    columnar::cells::{Cells, Column},
    wire::{
        Error,
        plan::{FieldPlan, Missing, Shape},
        scalar::{Scalar, Unfit},
        varint::{delimited_len, put_delimited, put_varint, varint_len},
    },
};

/// What a field has to say of one row.
pub(super) enum Cell<'a> {
    Absent,
    Bytes(&'a [u8]),
    Word(u64),
    Items(Items<'a>),
    Inner(Place<'a>),
}

/// Where a value stands that is a message, and the row it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) cells: &'a Cells,
    pub(super) at: usize,
    pub(super) row: usize,
}

/// The items of a list, and the row it stands in.
pub(super) struct Items<'a> {
    pub(super) column: &'a Column,
    pub(super) range: Range<usize>,
    pub(super) row: usize,
}

impl FieldPlan {
    /// The value at `at`, which belongs to `row`; absent also if it is the empty value of a field that cannot tell the two
    /// apart.
    #[inline]
    pub(super) fn cell<'a>(&'a self, column: &'a Column, at: usize, row: usize) -> Result<Cell<'a>, Error> {
        let cell = match (column.resolve(at), &self.missing) {
            (Some((cells, at)), _) => self.value(cells, at, row)?,
            (None, Missing::Refused) => return Err(self.null(row)),
            (None, Missing::Absent) => return Ok(Cell::Absent),
            (None, Missing::Bytes(bytes)) => Cell::Bytes(bytes),
            (None, Missing::Word(word)) => Cell::Word(*word),
        };
        Ok(self.unless_empty(cell))
    }

    #[inline]
    pub(super) fn unless_empty<'a>(&self, cell: Cell<'a>) -> Cell<'a> {
        if !self.presence && cell.is_empty() { Cell::Absent } else { cell }
    }

    #[inline]
    pub(super) fn value<'a>(&self, cells: &'a Cells, at: usize, row: usize) -> Result<Cell<'a>, Error> {
        Ok(match (&self.shape, cells) {
            (Shape::Scalar(scalar), cells) => Cell::Word(self.word(scalar, cells, at, row)?),
            (Shape::Inner(_) | Shape::Named(_), cells) => Cell::Inner(Place { cells, at, row }),
            (_, Cells::Bytes(values)) => Cell::Bytes(values.value(at)),
            (_, Cells::List(spans, column)) => Cell::Items(Items { column, range: spans.range(at), row }),
            // The plan lets no other pair through.
            _ => Cell::Absent,
        })
    }

    #[inline]
    pub(super) fn len(&self, cell: &Cell<'_>, inner_lens: &mut InnerLens) -> Result<usize, Error> {
        let key_len = varint_len(u64::from(self.key));
        match (cell, &self.shape) {
            (Cell::Bytes(bytes), _) => Ok(delimited_len(self.key, bytes.len())),
            (Cell::Word(word), Shape::Scalar(scalar)) => Ok(key_len + scalar.word_len(*word)),
            (Cell::Items(items), Shape::Packed { scalar, copied }) => {
                Ok(delimited_len(self.key, self.run_len(scalar, *copied, items)?))
            }
            (Cell::Items(items), Shape::Many(scalar)) => {
                Ok(items.range.len() * key_len + self.run_len(scalar, false, items)?)
            }
            (Cell::Inner(_), _)
            | (Cell::Items(_), Shape::Inner(_) | Shape::ManyInner(_) | Shape::Entries(_) | Shape::Named(_)) => {
                self.inner_len(cell, inner_lens)
            }
            (Cell::Items(items), _) => {
                let lens = items
                    .range
                    .clone()
                    .map(|at| Ok(delimited_len(self.key, self.item_bytes(items, at)?.len())));
                lens.sum()
            }
            _ => Ok(0),
        }
    }

    #[inline]
    pub(super) fn put(
        &self,
        cell: Cell<'_>,
        inner_lens: &mut slice::Iter<'_, usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match (cell, &self.shape) {
            (Cell::Bytes(bytes), _) => self.put_bytes(bytes, out),
            (Cell::Word(word), Shape::Scalar(scalar)) => self.put_scalar(scalar, word, out),
            (Cell::Items(items), Shape::Packed { scalar, copied }) => {
                put_delimited(self.key, self.run_len(scalar, *copied, &items)?, out);
                self.put_run(scalar, *copied, &items, out)?;
            }
            (Cell::Items(items), Shape::Many(scalar)) => {
                for at in items.range.clone() {
                    self.put_scalar(scalar, self.item_word(scalar, &items, at)?, out);
                }
            }
            (cell @ Cell::Inner(_), _)
            | (
                cell @ Cell::Items(_),
                Shape::Inner(_) | Shape::ManyInner(_) | Shape::Entries(_) | Shape::Named(_),
            ) => self.put_inner(&cell, inner_lens, out)?,
            (Cell::Items(items), _) => {
                for at in items.range.clone() {
                    self.put_bytes(self.item_bytes(&items, at)?, out);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn put_bytes(&self, bytes: &[u8], out: &mut Vec<u8>) {
        put_delimited(self.key, bytes.len(), out);
        out.extend_from_slice(bytes);
    }

    fn put_scalar(&self, scalar: &Scalar, word: u64, out: &mut Vec<u8>) {
        put_varint(u64::from(self.key), out);
        scalar.put_word(word, out);
    }

    /// Bytes of a run of scalars, without keys.
    fn run_len(&self, scalar: &Scalar, copied: bool, items: &Items<'_>) -> Result<usize, Error> {
        if let Some(run) = self.copied_run(copied, items)? {
            return Ok(run.len());
        }
        items.range.clone().map(|at| Ok(scalar.word_len(self.item_word(scalar, items, at)?))).sum()
    }

    fn put_run(
        &self,
        scalar: &Scalar,
        copied: bool,
        items: &Items<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if let Some(run) = self.copied_run(copied, items)? {
            out.extend_from_slice(run);
            return Ok(());
        }
        for at in items.range.clone() {
            scalar.put_word(self.item_word(scalar, items, at)?, out);
        }
        Ok(())
    }

    /// The bytes of the items, if they are what goes on the wire.
    #[inline]
    fn copied_run<'a>(&self, copied: bool, items: &Items<'a>) -> Result<Option<&'a [u8]>, Error> {
        let Cells::Fixed(values) = items.column.cells() else { return Ok(None) };
        if !copied {
            return Ok(None);
        }
        if !items.column.all_valid(items.range.clone()) {
            return Err(self.null(items.row));
        }
        Ok(Some(values.bytes(items.range.clone())))
    }

    fn item_word(&self, scalar: &Scalar, items: &Items<'_>, at: usize) -> Result<u64, Error> {
        let (cells, at) = items.column.resolve(at).ok_or_else(|| self.null(items.row))?;
        self.word(scalar, cells, at, items.row)
    }

    fn item_bytes<'a>(&self, items: &Items<'a>, at: usize) -> Result<&'a [u8], Error> {
        match items.column.resolve(at) {
            Some((Cells::Bytes(values), at)) => Ok(values.value(at)),
            _ => Err(self.null(items.row)),
        }
    }

    #[inline]
    fn word(&self, scalar: &Scalar, cells: &Cells, at: usize, row: usize) -> Result<u64, Error> {
        scalar.word(cells, at).map_err(|unfit| self.unfit(scalar, unfit, row))
    }

    #[cold]
    fn unfit(&self, scalar: &Scalar, unfit: Unfit, row: usize) -> Error {
        let (column, row, field) = (self.name.clone(), row as u64, self.field.clone());
        match unfit {
            Unfit::Overflow(value) => Error::Overflow { column, row, field, value, kind: scalar.name() },
            Unfit::EnumName(value) => Error::EnumName { column, row, field, value },
            Unfit::EnumNumber(value) => Error::EnumName { column, row, field, value: value.to_string() },
        }
    }

    #[cold]
    pub(super) fn null(&self, row: usize) -> Error {
        Error::Null { column: self.name.clone(), row: row as u64, field: self.field.clone() }
    }
}

impl Cell<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Word(word) => *word == 0,
            Self::Items(items) => items.range.is_empty(),
            Self::Inner(_) => false,
        }
    }
}
