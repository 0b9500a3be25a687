//! Variable-length integers and tags, as they are written.

/// How a field's value is delimited on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    GroupStart = 3,
    GroupEnd = 4,
    Fixed32 = 5,
}

/// The key of a field: number and wire type.
pub(super) const fn key(number: u32, wire: Wire) -> u32 {
    number << 3 | wire as u32
}

/// Bytes that `value` takes.
#[inline]
pub(super) fn varint_len(value: u64) -> usize {
    // Seven bits to a byte: ceil(bits / 7), and one byte for zero; the multiplication stands for the division.
    ((64 - (value | 1).leading_zeros()) as usize * 9 + 64) / 64
}

/// A signed number with its sign in the lowest bit, so that small ones are short.
#[inline]
pub(super) fn folded(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// Appends `value`.
#[inline]
pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes of a delimited value of `length`, with its key and its length.
#[inline]
pub(super) fn delimited_len(key: u32, length: usize) -> usize {
    varint_len(u64::from(key)) + varint_len(length as u64) + length
}

/// Appends the key and the length of a delimited value.
#[inline]
pub(super) fn put_delimited(key: u32, length: usize, out: &mut Vec<u8>) {
    put_varint(u64::from(key), out);
    put_varint(length as u64, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_bytes_at_every_power_of_two() {
        for value in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit]).chain([u64::MAX]) {
            let mut out = Vec::new();
            put_varint(value, &mut out);
            assert_eq!(out.len(), varint_len(value), "{value}");
            assert_eq!(out.len(), prost::encoding::encoded_len_varint(value), "{value}");
        }
    }
}
