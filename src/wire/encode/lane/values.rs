//! The values of a field, a type for each kind of column that has a loop.

#![allow(clippy::inline_always, reason = "calls for each cell can be measured in the encoding")]

use arrow_buffer::ArrowNativeType;

use super::super::run::{put_words, words_len};
use crate::{
    columnar::cells::{Fixed, Integer, Integers, Spans},
    wire::{
        plan::FieldPlan,
        scalar::IntegerForm,
        varint::{Wire, put_delimited, put_varint, varint_len},
    },
};

/// Values that are not null.
pub(super) trait Values {
    /// Bytes of the field whose value stands at `at`; none if it does not fit.
    fn len(&self, at: usize) -> Option<usize>;

    /// Appends the field.
    fn put(&self, at: usize, out: &mut Vec<u8>);
}

/// What stands before a value, and whether an empty value is absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    key: u32,
    /// Bytes of the key.
    key_len: usize,
    skips_empty: bool,
}

impl Head {
    pub(super) fn of(field: &FieldPlan) -> Self {
        let key_len = varint_len(u64::from(field.key));
        Self { key: field.key, key_len, skips_empty: !field.presence }
    }

    /// Bytes of a delimited value that is there.
    #[inline(always)]
    fn item_len(self, len: usize) -> usize {
        // Two comparisons for nearly all lengths.
        let length_len = if len < 0x80 { 1 } else { varint_len(len as u64) };
        self.key_len + length_len + len
    }

    /// Bytes of a delimited value.
    #[inline(always)]
    fn delimited_len(self, len: usize) -> usize {
        if len == 0 && self.skips_empty { 0 } else { self.item_len(len) }
    }

    /// Appends what stands before a delimited value.
    #[inline(always)]
    fn put_length(self, len: usize, out: &mut Vec<u8>) {
        if self.key_len == 1 && len < 0x80 {
            out.extend_from_slice(&[self.key as u8, len as u8]);
        } else {
            put_delimited(self.key, len, out);
        }
    }

    /// Appends a delimited value that is there.
    #[inline(always)]
    fn put_item(self, bytes: &[u8], out: &mut Vec<u8>) {
        self.put_length(bytes.len(), out);
        out.extend_from_slice(bytes);
    }

    /// Appends a delimited value.
    #[inline(always)]
    fn put(self, bytes: &[u8], out: &mut Vec<u8>) {
        if !(bytes.is_empty() && self.skips_empty) {
            self.put_item(bytes, out);
        }
    }

    /// Bytes of one scalar.
    #[inline(always)]
    fn word_len(self, word: u64, wire: Wire) -> usize {
        let word_len = match wire {
            _ if word == 0 && self.skips_empty => return 0,
            Wire::Fixed32 => 4,
            Wire::Fixed64 => 8,
            _ => varint_len(word),
        };
        self.key_len + word_len
    }

    /// Appends one scalar.
    #[inline(always)]
    fn put_word(self, word: u64, wire: Wire, out: &mut Vec<u8>) {
        if word == 0 && self.skips_empty {
            return;
        }
        if self.key_len == 1 && word < 0x80 && wire == Wire::Varint {
            return out.extend_from_slice(&[self.key as u8, word as u8]);
        }
        put_varint(u64::from(self.key), out);
        match wire {
            Wire::Fixed32 => out.extend_from_slice(&(word as u32).to_le_bytes()),
            Wire::Fixed64 => out.extend_from_slice(&word.to_le_bytes()),
            _ => put_varint(word, out),
        }
    }
}

/// Texts, or byte strings.
#[derive(Clone, Copy)]
pub(super) struct Strings<'a, O> {
    pub(super) offsets: &'a [O],
    pub(super) bytes: &'a [u8],
}

impl<'a, O: ArrowNativeType> Strings<'a, O> {
    #[inline(always)]
    fn len(&self, at: usize) -> usize {
        self.offsets[at + 1].as_usize() - self.offsets[at].as_usize()
    }

    #[inline(always)]
    fn value(&self, at: usize) -> &'a [u8] {
        &self.bytes[self.offsets[at].as_usize()..self.offsets[at + 1].as_usize()]
    }
}

/// A text in each row.
pub(super) struct Texts<'a, O> {
    pub(super) head: Head,
    pub(super) strings: Strings<'a, O>,
}

impl<O: ArrowNativeType> Values for Texts<'_, O> {
    #[inline(always)]
    fn len(&self, at: usize) -> Option<usize> {
        Some(self.head.delimited_len(self.strings.len(at)))
    }

    #[inline(always)]
    fn put(&self, at: usize, out: &mut Vec<u8>) {
        self.head.put(self.strings.value(at), out);
    }
}

/// The number of a text in each row.
pub(super) struct Coded<'a, O> {
    pub(super) head: Head,
    pub(super) keys: &'a Integers,
    pub(super) strings: Strings<'a, O>,
}

impl<O: ArrowNativeType> Values for Coded<'_, O> {
    #[inline(always)]
    fn len(&self, at: usize) -> Option<usize> {
        Some(self.head.delimited_len(self.strings.len(self.keys.bits(at) as usize)))
    }

    #[inline(always)]
    fn put(&self, at: usize, out: &mut Vec<u8>) {
        self.head.put(self.strings.value(self.keys.bits(at) as usize), out);
    }
}

/// An integer in each row.
pub(super) struct Scalars<'a, T> {
    pub(super) head: Head,
    pub(super) values: &'a [T],
    pub(super) form: IntegerForm,
    pub(super) wire: Wire,
}

impl<T: Integer> Values for Scalars<'_, T> {
    #[inline(always)]
    fn len(&self, at: usize) -> Option<usize> {
        let value = self.values[at];
        let len = self.head.word_len(self.form.word(value), self.wire);
        self.form.has(value).then_some(len)
    }

    #[inline(always)]
    fn put(&self, at: usize, out: &mut Vec<u8>) {
        self.head.put_word(self.form.word(self.values[at]), self.wire, out);
    }
}

/// A float in each row, as wide as its field.
pub(super) struct Floats<'a> {
    pub(super) head: Head,
    pub(super) values: &'a Fixed,
}

impl Floats<'_> {
    #[inline(always)]
    fn word(&self, at: usize) -> (u64, Wire) {
        let bytes = self.values.bytes(at..at + 1);
        match (<[u8; 4]>::try_from(bytes), <[u8; 8]>::try_from(bytes)) {
            (Ok(single), _) => (u64::from(u32::from_le_bytes(single)), Wire::Fixed32),
            (_, Ok(double)) => (u64::from_le_bytes(double), Wire::Fixed64),
            // The field has the width of the column, and there are two.
            _ => (0, Wire::Fixed64),
        }
    }
}

impl Values for Floats<'_> {
    #[inline(always)]
    fn len(&self, at: usize) -> Option<usize> {
        let (word, wire) = self.word(at);
        Some(self.head.word_len(word, wire))
    }

    #[inline(always)]
    fn put(&self, at: usize, out: &mut Vec<u8>) {
        let (word, wire) = self.word(at);
        self.head.put_word(word, wire, out);
    }
}

/// Floats in each row that go on the wire as they stand in memory.
pub(super) struct Copied<'a> {
    pub(super) head: Head,
    pub(super) spans: &'a Spans,
    pub(super) values: &'a Fixed,
}

impl Values for Copied<'_> {
    #[inline(always)]
    fn len(&self, at: usize) -> Option<usize> {
        Some(self.head.delimited_len(self.spans.range(at).len() * self.values.width()))
    }

    #[inline(always)]
    fn put(&self, at: usize, out: &mut Vec<u8>) {
        self.head.put(self.values.bytes(self.spans.range(at)), out);
    }
}

/// Integers in each row, in one run.
pub(super) struct Packed<'a, T> {
    pub(super) head: Head,
    pub(super) spans: &'a Spans,
    pub(super) values: &'a [T],
    pub(super) form: IntegerForm,
    pub(super) wire: Wire,
}

impl<T: Integer> Values for Packed<'_, T> {
    #[inline(always)]
    fn len(&self, at: usize) -> Option<usize> {
        let len = words_len(&self.values[self.spans.range(at)], self.form, self.wire)?;
        Some(self.head.delimited_len(len))
    }

    #[inline(always)]
    fn put(&self, at: usize, out: &mut Vec<u8>) {
        let values = &self.values[self.spans.range(at)];
        if values.is_empty() && self.head.skips_empty {
            return;
        }
        // To measure them again costs less than to keep what was measured.
        let len = words_len(values, self.form, self.wire).unwrap_or_default();
        self.head.put_length(len, out);
        put_words(values, self.form, self.wire, len, out);
    }
}

/// Texts in each row, each with its key.
pub(super) struct ManyTexts<'a, O> {
    pub(super) head: Head,
    pub(super) spans: &'a Spans,
    pub(super) strings: Strings<'a, O>,
}

impl<O: ArrowNativeType> Values for ManyTexts<'_, O> {
    #[inline(always)]
    fn len(&self, at: usize) -> Option<usize> {
        Some(self.spans.range(at).map(|item| self.head.item_len(self.strings.len(item))).sum())
    }

    #[inline(always)]
    fn put(&self, at: usize, out: &mut Vec<u8>) {
        for item in self.spans.range(at) {
            self.head.put_item(self.strings.value(item), out);
        }
    }
}
