//! Bytes of an array: lent by the input, made for it alone, or shared with others that name the same text.

use std::{
    borrow::Cow,
    ops::{Deref, Range},
    sync::Arc,
};

/// Bytes, wherever they are.
#[derive(Debug, Clone)]
pub enum Octets<'g> {
    /// Of the input.
    Lent(&'g [u8]),
    /// Made for this array.
    Owned(Vec<u8>),
    /// A range of bytes that several arrays have.
    Shared(Arc<Vec<u8>>, Range<usize>),
}

impl Octets<'_> {
    /// All of these bytes, shared.
    pub fn shared(bytes: Arc<Vec<u8>>) -> Self {
        let all = 0..bytes.len();
        Self::Shared(bytes, all)
    }

    /// A part of them; nothing if it reaches beyond their end.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Lent(bytes) => Self::Lent(bytes.get(range).unwrap_or_default()),
            Self::Owned(bytes) => Self::Owned(bytes.get(range).unwrap_or_default().to_vec()),
            Self::Shared(bytes, whole) if range.start <= range.end && range.end <= whole.len() => {
                Self::Shared(Arc::clone(bytes), whole.start + range.start..whole.start + range.end)
            }
            Self::Shared(_, _) => Self::default(),
        }
    }
}

impl Default for Octets<'_> {
    fn default() -> Self {
        Self::Lent(&[])
    }
}

impl Deref for Octets<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes, range) => &bytes[range.clone()],
        }
    }
}

impl<'g> From<&'g [u8]> for Octets<'g> {
    fn from(bytes: &'g [u8]) -> Self {
        Self::Lent(bytes)
    }
}

impl From<Vec<u8>> for Octets<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Owned(bytes)
    }
}

impl FromIterator<u8> for Octets<'_> {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        Self::Owned(bytes.into_iter().collect())
    }
}

impl<'g> From<Cow<'g, [u8]>> for Octets<'g> {
    fn from(bytes: Cow<'g, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(bytes) => Self::Lent(bytes),
            Cow::Owned(bytes) => Self::Owned(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_part_is_a_part_and_nothing_lies_beyond_the_end() {
        let all: Vec<u8> = (0..10).collect();
        for octets in [Octets::Lent(&all), Octets::Owned(all.clone()), Octets::shared(Arc::new(all.clone()))]
        {
            assert_eq!(octets.part(2..8).part(1..3)[..], [3, 4]);
            assert!(octets.part(2..8).part(5..7).is_empty());
        }
    }
}
