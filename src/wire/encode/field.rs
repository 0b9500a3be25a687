//! One field of one row: what it has to say, how long that is, and the bytes of it.

#![allow(clippy::inline_always, reason = "calls for each cell can be measured in the encoding")]

use std::{ops::Range, slice};

use super::{
    InnerLens, noted,
    run::{IntegerRun, put_texts, texts, texts_len},
};
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

    #[inline(always)]
    pub(super) fn unless_empty<'a>(&self, cell: Cell<'a>) -> Cell<'a> {
        if !self.presence && cell.is_empty() { Cell::Absent } else { cell }
    }

    #[inline(always)]
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

    #[inline(always)]
    pub(super) fn len(&self, cell: &Cell<'_>, inner_lens: &mut InnerLens) -> Result<usize, Error> {
        let key_len = varint_len(u64::from(self.key));
        match (cell, &self.shape) {
            (Cell::Bytes(bytes), _) => Ok(delimited_len(self.key, bytes.len())),
            (Cell::Word(word), Shape::Scalar(scalar)) => Ok(key_len + scalar.word_len(*word)),
            (Cell::Items(items), Shape::Packed { copied: true, .. }) => {
                Ok(delimited_len(self.key, self.copied_run(items)?.len()))
            }
            (Cell::Items(items), Shape::Packed { scalar, .. }) => {
                let len = self.run_len(scalar, items)?;
                inner_lens.push(len);
                Ok(delimited_len(self.key, len))
            }
            (Cell::Items(items), Shape::Many(scalar)) => {
                Ok(items.range.len() * key_len + self.run_len(scalar, items)?)
            }
            (Cell::Inner(_), _)
            | (Cell::Items(_), Shape::Inner(_) | Shape::ManyInner(_) | Shape::Entries(_) | Shape::Named(_)) => {
                self.inner_len(cell, inner_lens)
            }
            (Cell::Items(items), _) => self.texts_len(items),
            _ => Ok(0),
        }
    }

    #[inline(always)]
    pub(super) fn put(
        &self,
        cell: Cell<'_>,
        inner_lens: &mut slice::Iter<'_, usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match (cell, &self.shape) {
            (Cell::Bytes(bytes), _) => self.put_bytes(bytes, out),
            (Cell::Word(word), Shape::Scalar(scalar)) => self.put_scalar(scalar, word, out),
            (Cell::Items(items), Shape::Packed { copied: true, .. }) => {
                self.put_bytes(self.copied_run(&items)?, out);
            }
            (Cell::Items(items), Shape::Packed { scalar, .. }) => {
                let len = noted(inner_lens);
                put_delimited(self.key, len, out);
                self.put_run(scalar, &items, len, out)?;
            }
            (Cell::Items(items), Shape::Many(scalar)) => {
                self.put_keyed(scalar, &items, out)?;
            }
            (cell @ Cell::Inner(_), _)
            | (
                cell @ Cell::Items(_),
                Shape::Inner(_) | Shape::ManyInner(_) | Shape::Entries(_) | Shape::Named(_),
            ) => self.put_inner(&cell, inner_lens, out)?,
            (Cell::Items(items), _) => self.put_texts(&items, out)?,
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn put_bytes(&self, bytes: &[u8], out: &mut Vec<u8>) {
        put_delimited(self.key, bytes.len(), out);
        out.extend_from_slice(bytes);
    }

    #[inline]
    fn put_scalar(&self, scalar: &Scalar, word: u64, out: &mut Vec<u8>) {
        put_varint(u64::from(self.key), out);
        scalar.put_word(word, out);
    }

    /// Bytes of scalars, without keys.
    #[inline(always)]
    fn run_len(&self, scalar: &Scalar, items: &Items<'_>) -> Result<usize, Error> {
        match IntegerRun::of(scalar, items).and_then(|run| run.len()) {
            Some(len) => Ok(len),
            None => self.words_len(scalar, items),
        }
    }

    /// The same one by one, which tells what is wrong with one of them.
    #[inline(never)]
    fn words_len(&self, scalar: &Scalar, items: &Items<'_>) -> Result<usize, Error> {
        let mut len = 0;
        self.each_word(scalar, items, |word| len += scalar.word_len(word))?;
        Ok(len)
    }

    #[inline(always)]
    fn put_run(
        &self,
        scalar: &Scalar,
        items: &Items<'_>,
        len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if let Some(run) = IntegerRun::of(scalar, items) {
            run.put(len, out);
            return Ok(());
        }
        self.each_word(scalar, items, |word| scalar.put_word(word, out))
    }

    fn put_keyed(&self, scalar: &Scalar, items: &Items<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(run) = IntegerRun::of(scalar, items) {
            run.each(|word| self.put_scalar(scalar, word, out));
            return Ok(());
        }
        self.each_word(scalar, items, |word| self.put_scalar(scalar, word, out))
    }

    fn each_word(&self, scalar: &Scalar, items: &Items<'_>, mut act: impl FnMut(u64)) -> Result<(), Error> {
        for at in items.range.clone() {
            let (cells, at) = items.column.resolve(at).ok_or_else(|| self.null(items.row))?;
            act(self.word(scalar, cells, at, items.row)?);
        }
        Ok(())
    }

    #[inline(always)]
    fn texts_len(&self, items: &Items<'_>) -> Result<usize, Error> {
        if let Some(values) = texts(items) {
            return Ok(texts_len(self.key, values, items.range.clone()));
        }
        items.range.clone().map(|at| Ok(delimited_len(self.key, self.item_bytes(items, at)?.len()))).sum()
    }

    #[inline(always)]
    fn put_texts(&self, items: &Items<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(values) = texts(items) {
            put_texts(self.key, values, items.range.clone(), out);
            return Ok(());
        }
        items.range.clone().try_for_each(|at| {
            self.put_bytes(self.item_bytes(items, at)?, out);
            Ok(())
        })
    }

    /// The bytes of the items, which are what goes on the wire.
    #[inline(always)]
    fn copied_run<'a>(&self, items: &Items<'a>) -> Result<&'a [u8], Error> {
        match items.column.cells() {
            Cells::Fixed(values) if items.column.all_valid(items.range.clone()) => {
                Ok(values.bytes(items.range.clone()))
            }
            _ => Err(self.null(items.row)),
        }
    }

    fn item_bytes<'a>(&self, items: &Items<'a>, at: usize) -> Result<&'a [u8], Error> {
        match items.column.resolve(at) {
            Some((Cells::Bytes(values), at)) => Ok(values.value(at)),
            _ => Err(self.null(items.row)),
        }
    }

    #[inline(always)]
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
    #[inline]
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
