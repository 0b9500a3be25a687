//! Messages inside rows: structs, lists of structs, maps, scalars in a message of their own, times.
//!
//! The first pass notes the length of every struct and map entry in the order in which the second pass meets them, so
//! that depth costs nothing. Lengths of the others follow from their one value.

use std::{collections::HashSet, slice};

use super::{
    InnerLens, check_choices,
    field::{Cell, Items, Place},
    noted,
};
use crate::{
    columnar::cells::{Cells, Column},
    wire::{
        Error,
        moment::{Moment, Parts},
        plan::{Entry, FieldPlan, Fields, Inner, Missing, Shape},
        varint::{delimited_len, put_delimited},
    },
};

impl FieldPlan {
    /// Bytes of a field that holds messages.
    #[inline(never)]
    pub(super) fn inner_len(&self, cell: &Cell<'_>, lens: &mut InnerLens) -> Result<usize, Error> {
        match (cell, &self.shape) {
            (Cell::Inner(place), Shape::Inner(inner)) => {
                Ok(delimited_len(self.key, self.message_len(inner, *place, lens)?))
            }
            (Cell::Inner(place), Shape::Named(entries)) => self.named_len(entries, *place, lens),
            (Cell::Items(items), Shape::ManyInner(inner)) => {
                self.sum(items, |place| self.message_len(inner, place, lens))
            }
            (Cell::Items(items), Shape::Entries(fields)) => {
                self.check_keys(&fields.fields[0], items)?;
                self.sum(items, |place| fields.len(place, lens))
            }
            // The plan lets no other pair through.
            _ => Ok(0),
        }
    }

    /// Appends a field that holds messages.
    #[inline(never)]
    pub(super) fn put_inner(
        &self,
        cell: &Cell<'_>,
        lens: &mut slice::Iter<'_, usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match (cell, &self.shape) {
            (Cell::Inner(place), Shape::Inner(inner)) => self.put_message(inner, *place, lens, out),
            (Cell::Inner(place), Shape::Named(entries)) => self.put_named(entries, *place, lens, out),
            (Cell::Items(items), Shape::ManyInner(inner)) => {
                self.each(items, |place| self.put_message(inner, place, lens, out))
            }
            (Cell::Items(items), Shape::Entries(fields)) => self.each(items, |place| {
                put_delimited(self.key, noted(lens), out);
                fields.put(place, lens, out)
            }),
            _ => Ok(()),
        }
    }

    fn sum<'a>(
        &self,
        items: &Items<'a>,
        mut len: impl FnMut(Place<'a>) -> Result<usize, Error>,
    ) -> Result<usize, Error> {
        let mut sum = 0;
        self.each(items, |place| {
            sum += delimited_len(self.key, len(place)?);
            Ok(())
        })?;
        Ok(sum)
    }

    fn each<'a>(
        &self,
        items: &Items<'a>,
        mut act: impl FnMut(Place<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for at in items.range.clone() {
            let (cells, at) = items.column.resolve(at).ok_or_else(|| self.null(items.row))?;
            act(Place { cells, at, row: items.row })?;
        }
        Ok(())
    }

    fn message_len(&self, inner: &Inner, place: Place<'_>, lens: &mut InnerLens) -> Result<usize, Error> {
        match inner {
            Inner::Fields(fields) => fields.len(place, lens),
            Inner::Wrapper(wrapped) => wrapped.len(&wrapped.wrapped(place)?, lens),
            Inner::Moment(moment) => Ok(self.moment(*moment, place)?.len()),
        }
    }

    fn put_message(
        &self,
        inner: &Inner,
        place: Place<'_>,
        lens: &mut slice::Iter<'_, usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match inner {
            Inner::Fields(fields) => {
                put_delimited(self.key, noted(lens), out);
                fields.put(place, lens, out)
            }
            Inner::Wrapper(wrapped) => {
                // One scalar, text or bytes: no message whose length was noted.
                let len = wrapped.len(&wrapped.wrapped(place)?, &mut InnerLens::new())?;
                put_delimited(self.key, len, out);
                wrapped.put(wrapped.wrapped(place)?, lens, out)
            }
            Inner::Moment(moment) => {
                let parts = self.moment(*moment, place)?;
                put_delimited(self.key, parts.len(), out);
                parts.put(out);
                Ok(())
            }
        }
    }

    fn wrapped<'a>(&self, place: Place<'a>) -> Result<Cell<'a>, Error> {
        Ok(self.unless_empty(self.value(place.cells, place.at, place.row)?))
    }

    fn moment(&self, moment: Moment, place: Place<'_>) -> Result<Parts, Error> {
        let outside = |seconds| {
            let (column, field) = (self.name.clone(), self.field.clone());
            Error::Moment { column, row: place.row as u64, field, seconds }
        };
        moment.parts(place.cells, place.at).map_err(outside)
    }

    fn named_len(&self, entries: &[Entry], place: Place<'_>, lens: &mut InnerLens) -> Result<usize, Error> {
        let mut sum = 0;
        for entry in entries {
            let Some(cell) = entry.cell(place)? else { continue };
            let slot = note(lens);
            lens[slot] = entry.key.len() + entry.value.len(&cell, lens)?;
            sum += delimited_len(self.key, lens[slot]);
        }
        Ok(sum)
    }

    fn put_named(
        &self,
        entries: &[Entry],
        place: Place<'_>,
        lens: &mut slice::Iter<'_, usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for entry in entries {
            let Some(cell) = entry.cell(place)? else { continue };
            put_delimited(self.key, noted(lens), out);
            out.extend_from_slice(&entry.key);
            entry.value.put(cell, lens, out)?;
        }
        Ok(())
    }

    /// Refuses a map in which a key stands twice.
    fn check_keys(&self, key: &FieldPlan, items: &Items<'_>) -> Result<(), Error> {
        if items.range.len() < 2 {
            return Ok(());
        }
        let mut keys = HashSet::with_capacity(items.range.len());
        self.each(items, |place| {
            let Cells::Struct(columns) = place.cells else { return Ok(()) };
            let is_new = match key.cell(&columns[key.column], place.at, place.row)? {
                Cell::Word(word) => keys.insert((word, None)),
                Cell::Bytes(bytes) => keys.insert((0, Some(bytes))),
                // An empty key is absent on the wire: the only one of its kind.
                _ => keys.insert((0, None)),
            };
            if is_new { Ok(()) } else { Err(self.repeated(place.row)) }
        })
    }

    #[cold]
    fn repeated(&self, row: usize) -> Error {
        Error::RepeatedKey { column: self.name.clone(), row: row as u64, field: self.field.clone() }
    }
}

impl Fields {
    /// Bytes of the message, noted before those of the messages inside it.
    fn len(&self, place: Place<'_>, lens: &mut InnerLens) -> Result<usize, Error> {
        let (slot, mut len) = (note(lens), 0);
        let columns = children(place);
        for field in &self.fields {
            len += field.len(&field.cell(&columns[field.column], place.at, place.row)?, lens)?;
        }
        if !self.choices.is_empty() {
            let is_there = |_: usize, field: &FieldPlan| -> Result<bool, Error> {
                Ok(!matches!(field.cell(&columns[field.column], place.at, place.row)?, Cell::Absent))
            };
            check_choices(&self.choices, &self.fields, place.row, is_there)?;
        }
        lens[slot] = len;
        Ok(len)
    }

    fn put(
        &self,
        place: Place<'_>,
        lens: &mut slice::Iter<'_, usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let columns = children(place);
        for field in &self.fields {
            field.put(field.cell(&columns[field.column], place.at, place.row)?, lens, out)?;
        }
        Ok(())
    }
}

impl Entry {
    /// The value of the entry; none if the map has no such key in this row. A value that is empty is none on the wire, but
    /// its key is there.
    fn cell<'a>(&'a self, place: Place<'a>) -> Result<Option<Cell<'a>>, Error> {
        let column = &children(place)[self.value.column];
        let cell = self.value.cell(column, place.at, place.row)?;
        let has_default = matches!(self.value.missing, Missing::Bytes(_) | Missing::Word(_));
        let is_there = !matches!(cell, Cell::Absent) || has_default || column.resolve(place.at).is_some();
        Ok(is_there.then_some(cell))
    }
}

/// The columns of a struct.
fn children(place: Place<'_>) -> &[Column] {
    match place.cells {
        Cells::Struct(columns) => columns,
        // The plan lets only structs through.
        _ => &[],
    }
}

fn note(lens: &mut InnerLens) -> usize {
    lens.push(0);
    lens.len() - 1
}
