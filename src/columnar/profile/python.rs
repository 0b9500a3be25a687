//! What `sys.getsizeof` says of Python objects on 64-bit `CPython` 3.11, and of what pandas and NumPy put around them.

/// A reference to an object.
pub(in crate::columnar) const POINTER: u64 = 8;
/// `None`.
pub(in crate::columnar) const NONE: u64 = 16;
/// A float, of any value.
pub(in crate::columnar) const FLOAT: u64 = 24;
/// A bool.
pub(in crate::columnar) const BOOL: u64 = 28;
/// A bytes object without its bytes.
pub(in crate::columnar) const BYTES: u64 = 33;
/// An array without its items.
pub(in crate::columnar) const ARRAY: u64 = 112;

/// A text: one byte for each ASCII character; one, two or four for each of others.
pub(in crate::columnar) fn text(bytes: &[u8]) -> u64 {
    if bytes.is_ascii() {
        return 49 + bytes.len() as u64;
    }
    let text = String::from_utf8_lossy(bytes);
    let (count, most) =
        text.chars().fold((0_u64, '\0'), |(count, most), letter| (count + 1, most.max(letter)));
    match u32::from(most) {
        0..=0xff => 73 + count,
        0x100..=0xffff => 74 + 2 * count,
        _ => 76 + 4 * count,
    }
}

/// An integer: 30 bits in each of its digits of four bytes.
pub(in crate::columnar) fn int(value: i64) -> u64 {
    let bits = u64::from(u64::BITS - value.unsigned_abs().leading_zeros());
    24 + 4 * bits.div_ceil(30).max(1)
}

/// A list that was unpickled, without its items.
pub(in crate::columnar) fn list(items: usize) -> u64 {
    56 + 8 * items as u64
}

/// The hash table of an index of objects (khash in pandas): a power of two of buckets, at most 77 % of them taken.
pub(in crate::columnar) fn hash_table(labels: u64) -> u64 {
    let least = labels.next_power_of_two().max(4);
    let taken_max = (least as f64 * 0.77 + 0.5) as u64;
    let buckets = if labels > taken_max { 2 * least } else { least };
    40 + 4 * (buckets / 32).max(1) + 16 * buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_take_what_cpython_says() {
        for (value, bytes) in [("", 49), ("abc", 52), ("é", 74), ("дві", 80), ("𝄞", 80)] {
            assert_eq!(text(value.as_bytes()), bytes, "{value}");
        }
        let ints = [(0, 28), (-5, 28), ((1 << 30) - 1, 28), (1 << 30, 32), (1 << 60, 36), (i64::MIN, 36)];
        for (value, bytes) in ints {
            assert_eq!(int(value), bytes, "{value}");
        }
        assert_eq!(list(384), 3_128);
    }

    #[test]
    fn hash_tables_take_what_pandas_says() {
        // pandas 2.1.4: memory_usage(deep=True) of `Series(labels).astype("category")`, less codes and categories.
        for (labels, bytes) in [(5, 172), (30, 1_072), (10_894, 264_232)] {
            assert_eq!(hash_table(labels), bytes, "{labels}");
        }
    }
}
