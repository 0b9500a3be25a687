//! Numbers and strings as JSON writes them, by `serde_json`, and how long they are.

use serde_json::ser::{CompactFormatter, Formatter as _};

/// Bytes of an integer of 64 bits, with its sign.
pub(super) const INTEGER_BYTES_MAX: usize = 20;
/// Bytes of a 32-bit float in the fewest digits that tell it from its neighbours: sign, point, nine digits and five
/// zeros before them. A longer one would be noticed when the message is finished.
pub(super) const FLOAT_BYTES_MAX: usize = 17;

/// Why writing cannot fail.
const MEMORY: &str = "memory takes every byte";

pub(super) fn put_integer(value: i128, out: &mut Vec<u8>) {
    CompactFormatter.write_i128(out, value).expect(MEMORY);
}

/// Appends a finite float.
#[inline]
pub(super) fn put_float(value: f32, out: &mut Vec<u8>) {
    CompactFormatter.write_f32(out, value).expect(MEMORY);
}

pub(super) fn put_quoted(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect(MEMORY);
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Bytes that [`put_quoted`] makes of `text`.
pub(super) fn quoted_len(text: &[u8]) -> usize {
    2 + text.iter().map(|byte| escaped_len(*byte)).sum::<usize>()
}

/// RFC 8259: quotes, backslashes and controls cannot stand for themselves, and five of the controls have a short form.
fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | 0x08 | 0x09 | 0x0a | 0x0c | 0x0d => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn float(value: f32) -> String {
        let mut out = Vec::new();
        put_float(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn is_bounded_and_itself(value: f32) {
        let text = float(value);
        assert!(text.len() <= FLOAT_BYTES_MAX, "{text}");
        assert_eq!(text.parse::<f32>().unwrap().to_bits(), value.to_bits(), "{text}");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((json.as_f64().unwrap() as f32).to_bits(), value.to_bits(), "{text} by way of a double");
    }

    #[test]
    fn floats_of_every_exponent_are_short_and_come_back_as_they_were() {
        // Mantissas that need all nine digits are most of the odd ones.
        let mantissas = (0..0x80_0000_u32).step_by(0x1_0007).chain([1, 0x7f_ffff]);
        for mantissa in mantissas {
            for exponent in 0..255 {
                for sign in [0, 1 << 31] {
                    is_bounded_and_itself(f32::from_bits(sign | exponent << 23 | mantissa));
                }
            }
        }
    }

    #[test]
    fn floats_take_the_fewest_digits() {
        for (value, text) in [(0.1, "0.1"), (-0.0, "-0.0"), (1.0, "1.0"), (16_777_216.0, "16777216.0")] {
            assert_eq!(float(value), text);
        }
    }

    proptest! {
        #[test]
        fn the_length_of_any_text_is_known_before_it_is_written(text in any::<String>(), controls in "[\\x00-\\x7f]*") {
            for text in [text, controls] {
                let mut out = Vec::new();
                put_quoted(&text, &mut out);
                prop_assert_eq!(out.len(), quoted_len(text.as_bytes()));
                prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
            }
        }
    }
}
