//! Fields over the rows of a batch, each in loops for the type of its column.
//!
//! What a field is and what its column holds is looked at once for a batch: the first pass then adds up the lengths of all
//! rows field by field, the second asks each field once for each row. A column that no loop knows, or in which something
//! does not fit, is looked at cell by cell, which also says what does not fit.

#![allow(clippy::inline_always, reason = "calls for each cell can be measured in the encoding")]

mod values;

use std::ops::Range;

use arrow_buffer::NullBuffer;

use super::field::Cell;
use crate::{
    columnar::cells::{ByteStrings, Cells, Column, Integer, Integers, Spans, Visit},
    wire::{
        plan::{FieldPlan, Missing, Shape},
        scalar::{IntegerForm, Scalar},
        varint::Wire,
    },
};

use values::{Coded, Copied, Floats, Head, ManyTexts, Packed, Scalars, Strings, Texts, Values};

/// A field over the rows of a batch.
pub(super) trait Lane {
    /// Adds the bytes of each of `rows` to `lens`; none if one of them does not fit.
    fn add_lens(&self, rows: Range<usize>, lens: &mut [usize]) -> Option<()>;

    /// Appends the field of `row`, which fits.
    fn put(&self, row: usize, out: &mut Vec<u8>);
}

/// Values of one type, and what stands in place of nulls.
struct Typed<'a, V> {
    values: V,
    nulls: Option<&'a NullBuffer>,
    /// None if nulls are refused.
    missing: Option<Vec<u8>>,
}

impl<V: Values> Lane for Typed<'_, V> {
    fn add_lens(&self, rows: Range<usize>, lens: &mut [usize]) -> Option<()> {
        let Some(nulls) = self.nulls else {
            return lens.iter_mut().zip(rows).try_for_each(|(len, row)| {
                *len += self.values.len(row)?;
                Some(())
            });
        };
        let missing_len = self.missing.as_ref().map(Vec::len);
        lens.iter_mut().zip(rows).try_for_each(|(len, row)| {
            *len += if nulls.is_valid(row) { self.values.len(row) } else { missing_len }?;
            Some(())
        })
    }

    fn put(&self, row: usize, out: &mut Vec<u8>) {
        if self.nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            return self.values.put(row, out);
        }
        out.extend_from_slice(self.missing.as_deref().unwrap_or_default());
    }
}

/// The loops of one field over one column; none if its cells are to be looked at one by one.
pub(super) fn lane<'a>(field: &'a FieldPlan, column: &'a Column) -> Option<Box<dyn Lane + 'a>> {
    let build = Build { head: Head::of(field), nulls: column.nulls(), missing: missing_bytes(field) };
    match (&field.shape, column.cells()) {
        (Shape::Bytes, Cells::Bytes(texts)) => build.texts(texts),
        (Shape::Bytes, Cells::Dictionary(keys, texts)) => build.coded(keys, without_nulls(texts)?),
        (Shape::Scalar(scalar), Cells::Integer(values)) => build.scalars(scalar, values),
        (Shape::Scalar(scalar), Cells::Fixed(values)) if scalar.is_copied(&field.data_type) => {
            let head = build.head;
            Some(build.lane(Floats { head, values }))
        }
        (shape, Cells::List(spans, items)) => build.list(shape, spans, without_nulls(items)?),
        _ => None,
    }
}

fn without_nulls(column: &Column) -> Option<&Cells> {
    Some(column.cells()).filter(|_| column.nulls().is_none())
}

/// What stands in place of a null; none if nulls are refused.
fn missing_bytes(field: &FieldPlan) -> Option<Vec<u8>> {
    let cell = match &field.missing {
        Missing::Refused => return None,
        Missing::Absent => Cell::Absent,
        Missing::Bytes(bytes) => Cell::Bytes(bytes),
        Missing::Word(word) => Cell::Word(*word),
    };
    let mut bytes = Vec::new();
    field.put(field.unless_empty(cell), &mut [].iter(), &mut bytes).ok()?;
    Some(bytes)
}

/// What all lanes of a field have in common.
struct Build<'a> {
    head: Head,
    nulls: Option<&'a NullBuffer>,
    missing: Option<Vec<u8>>,
}

type Built<'a> = Option<Box<dyn Lane + 'a>>;

impl<'a> Build<'a> {
    fn lane(self, values: impl Values + 'a) -> Box<dyn Lane + 'a> {
        Box::new(Typed { values, nulls: self.nulls, missing: self.missing })
    }

    fn texts(self, texts: &'a ByteStrings) -> Built<'a> {
        let (head, bytes) = (self.head, texts.bytes());
        match texts.spans() {
            Spans::Narrow(offsets) => Some(self.lane(Texts { head, strings: Strings { offsets, bytes } })),
            Spans::Wide(offsets) => Some(self.lane(Texts { head, strings: Strings { offsets, bytes } })),
            Spans::Fixed(_) => None,
        }
    }

    fn coded(self, keys: &'a Integers, values: &'a Cells) -> Built<'a> {
        let Cells::Bytes(texts) = values else { return None };
        let (head, bytes) = (self.head, texts.bytes());
        match texts.spans() {
            Spans::Narrow(offsets) => {
                Some(self.lane(Coded { head, keys, strings: Strings { offsets, bytes } }))
            }
            Spans::Wide(offsets) => {
                Some(self.lane(Coded { head, keys, strings: Strings { offsets, bytes } }))
            }
            Spans::Fixed(_) => None,
        }
    }

    fn scalars(self, scalar: &Scalar, values: &'a Integers) -> Built<'a> {
        let (form, wire) = (scalar.integer_form()?, scalar.wire());
        Some(values.visit_all(BuildScalars { build: self, form, wire }))
    }

    /// Lists of `items`, none of which is null.
    fn list(self, shape: &Shape, spans: &'a Spans, items: &'a Cells) -> Built<'a> {
        let head = self.head;
        match (shape, items) {
            (Shape::Packed { copied: true, .. }, Cells::Fixed(values)) => {
                Some(self.lane(Copied { head, spans, values }))
            }
            (Shape::Packed { scalar, .. }, Cells::Integer(values)) => {
                let (form, wire) = (scalar.integer_form()?, scalar.wire());
                Some(values.visit_all(BuildPacked { build: self, spans, form, wire }))
            }
            (Shape::ManyBytes, Cells::Bytes(texts)) => self.many_texts(spans, texts),
            _ => None,
        }
    }

    fn many_texts(self, spans: &'a Spans, texts: &'a ByteStrings) -> Built<'a> {
        let (head, bytes) = (self.head, texts.bytes());
        match texts.spans() {
            Spans::Narrow(offsets) => {
                Some(self.lane(ManyTexts { head, spans, strings: Strings { offsets, bytes } }))
            }
            Spans::Wide(offsets) => {
                Some(self.lane(ManyTexts { head, spans, strings: Strings { offsets, bytes } }))
            }
            Spans::Fixed(_) => None,
        }
    }
}

struct BuildScalars<'a> {
    build: Build<'a>,
    form: IntegerForm,
    wire: Wire,
}

impl<'a> Visit<'a> for BuildScalars<'a> {
    type Out = Box<dyn Lane + 'a>;

    fn visit<T: Integer>(self, values: &'a [T]) -> Self::Out {
        let Self { build, form, wire } = self;
        let head = build.head;
        build.lane(Scalars { head, values, form, wire })
    }
}

struct BuildPacked<'a> {
    build: Build<'a>,
    spans: &'a Spans,
    form: IntegerForm,
    wire: Wire,
}

impl<'a> Visit<'a> for BuildPacked<'a> {
    type Out = Box<dyn Lane + 'a>;

    fn visit<T: Integer>(self, values: &'a [T]) -> Self::Out {
        let Self { build, spans, form, wire } = self;
        let head = build.head;
        build.lane(Packed { head, spans, values, form, wire })
    }
}
