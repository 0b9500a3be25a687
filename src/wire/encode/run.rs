//! Items of lists inside messages, in a loop for each type that a column can have: the type is looked at once for a list and
//! not once for an item, and so is whether one of them is null.
//!
//! The first pass finds lengths and refuses what does not fit; the second writes what the first let through.

#![allow(clippy::inline_always, reason = "calls for each item can be measured in the encoding")]

use std::ops::Range;

use super::field::Items;
use crate::{
    columnar::cells::{ByteStrings, Cells, Integer, Integers, Visit},
    wire::{
        scalar::{IntegerForm, Scalar},
        varint::{Wire, delimited_len, put_delimited, put_varint, varint_len},
    },
};

/// The integers of one list, none of them null, and how they are written.
#[derive(Clone)]
pub(super) struct IntegerRun<'a> {
    values: &'a Integers,
    items: Range<usize>,
    form: IntegerForm,
    wire: Wire,
}

impl<'a> IntegerRun<'a> {
    /// The integers of a list; none if its items are others, or one of them is null.
    #[inline(always)]
    pub(super) fn of(scalar: &Scalar, items: &Items<'a>) -> Option<Self> {
        let Cells::Integer(values) = items.column.cells() else { return None };
        let form = scalar.integer_form().filter(|_| items.column.all_valid(items.range.clone()))?;
        Some(Self { values, items: items.range.clone(), form, wire: scalar.wire() })
    }

    /// Bytes of all without keys; none if one is out of range.
    pub(super) fn len(&self) -> Option<usize> {
        self.values.visit(self.items.clone(), Measure { form: self.form, wire: self.wire })
    }

    /// Hands the word of each to `act`.
    pub(super) fn each(&self, act: impl FnMut(u64)) {
        self.values.visit(self.items.clone(), Each { form: self.form, act });
    }

    /// Appends all, which take `len` bytes.
    pub(super) fn put(&self, len: usize, out: &mut Vec<u8>) {
        self.values.visit(self.items.clone(), Put { form: self.form, wire: self.wire, len, out });
    }
}

struct Measure {
    form: IntegerForm,
    wire: Wire,
}

impl<'a> Visit<'a> for Measure {
    type Out = Option<usize>;

    #[inline(always)]
    fn visit<T: Integer>(self, values: &'a [T]) -> Option<usize> {
        words_len(values, self.form, self.wire)
    }
}

struct Each<F> {
    form: IntegerForm,
    act: F,
}

impl<'a, F: FnMut(u64)> Visit<'a> for Each<F> {
    type Out = ();

    #[inline(always)]
    fn visit<T: Integer>(mut self, values: &'a [T]) {
        for value in values {
            (self.act)(self.form.word(*value));
        }
    }
}

struct Put<'b> {
    form: IntegerForm,
    wire: Wire,
    len: usize,
    out: &'b mut Vec<u8>,
}

impl<'a> Visit<'a> for Put<'_> {
    type Out = ();

    #[inline(always)]
    fn visit<T: Integer>(self, values: &'a [T]) {
        put_words(values, self.form, self.wire, self.len, self.out);
    }
}

/// Bytes of integers, one after the other; none if one is out of range.
#[inline(always)]
pub(super) fn words_len<T: Integer>(values: &[T], form: IntegerForm, wire: Wire) -> Option<usize> {
    // All small is common, and every kind has small ones.
    if wire == Wire::Varint && values.iter().fold(0, |bits, value| bits | value.bits()) < form.small() {
        return Some(values.len());
    }
    // No branch for each: that one is out of range is looked at once.
    let fits = values.iter().fold(true, |fits, value| fits & form.has(*value));
    let len = match wire {
        Wire::Fixed32 => values.len() * 4,
        Wire::Fixed64 => values.len() * 8,
        _ => values.iter().map(|value| varint_len(form.word(*value))).sum(),
    };
    fits.then_some(len)
}

/// Appends integers, which take `len` bytes, one after the other.
#[inline(always)]
pub(super) fn put_words<T: Integer>(
    values: &[T],
    form: IntegerForm,
    wire: Wire,
    len: usize,
    out: &mut Vec<u8>,
) {
    let words = values.iter().map(|value| form.word(*value));
    match wire {
        Wire::Fixed32 => words.for_each(|word| out.extend_from_slice(&(word as u32).to_le_bytes())),
        Wire::Fixed64 => words.for_each(|word| out.extend_from_slice(&word.to_le_bytes())),
        // None takes more than one byte.
        _ if len == values.len() => out.extend(words.map(|word| word as u8)),
        _ => words.for_each(|word| put_varint(word, out)),
    }
}

/// The texts, or byte strings, of a list; none if its items are others, or one of them is null.
#[inline(always)]
pub(super) fn texts<'a>(items: &Items<'a>) -> Option<&'a ByteStrings> {
    match items.column.cells() {
        Cells::Bytes(values) if items.column.all_valid(items.range.clone()) => Some(values),
        _ => None,
    }
}

/// Bytes of texts, each behind `key` and its length.
pub(super) fn texts_len(key: u32, values: &ByteStrings, items: Range<usize>) -> usize {
    items.map(|at| delimited_len(key, values.value(at).len())).sum()
}

/// Appends texts, each behind `key` and its length.
pub(super) fn put_texts(key: u32, values: &ByteStrings, items: Range<usize>, out: &mut Vec<u8>) {
    for at in items {
        let text = values.value(at);
        put_delimited(key, text.len(), out);
        out.extend_from_slice(text);
    }
}
