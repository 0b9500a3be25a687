//! Decimal numbers, and integers beyond 64 bits, which are decimal numbers without a fraction.

use arrow_buffer::i256;

use super::value::Value;
use crate::{
    limits::Limits,
    pickle::{Graph, Node, NodeId},
};

/// Digits of the widest decimal type.
pub(in crate::columnar) const DIGITS_MAX: u32 = 76;

/// A decimal number: its digits, times a power of ten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::columnar) struct Decimal {
    negative: bool,
    /// Without zeros in front; none for zero.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Python's text of a number: `-1.50`, `1E+3`. `None` for infinity and what is no number.
    pub(in crate::columnar) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (number, exponent) = match text.split_once(['E', 'e']) {
            Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let exponent = exponent.checked_sub(fraction.len() as i64)?;
        Some(Self { negative, digits: digits.trim_start_matches('0').to_owned(), exponent })
    }

    pub(in crate::columnar) fn is_negative(&self) -> bool {
        self.negative
    }

    /// Digits before the point.
    pub(in crate::columnar) fn whole_digits(&self) -> u32 {
        let digits = (self.digits.len() as i64).saturating_add(self.exponent);
        if self.digits.is_empty() { 0 } else { digits.clamp(0, i64::from(u32::MAX)) as u32 }
    }

    /// Digits after the point.
    pub(in crate::columnar) fn scale(&self) -> u32 {
        self.exponent.saturating_neg().clamp(0, i64::from(u32::MAX)) as u32
    }

    /// The number times ten to the power of `scale`, in digits; `None` if that is no integer of at most
    /// [`DIGITS_MAX`] digits.
    fn unscaled(&self, scale: u32) -> Option<String> {
        let zeros = usize::try_from(i64::from(scale).checked_add(self.exponent)?).ok()?;
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        if self.digits.len().checked_add(zeros)? > DIGITS_MAX as usize {
            return None;
        }
        let sign = if self.negative { "-" } else { "" };
        Some(format!("{sign}{}{}", self.digits, "0".repeat(zeros)))
    }

    pub(in crate::columnar) fn to_i128(&self, scale: u32) -> Option<i128> {
        self.unscaled(scale)?.parse().ok()
    }

    pub(in crate::columnar) fn to_i256(&self, scale: u32) -> Option<i256> {
        i256::from_string(&self.unscaled(scale)?)
    }

    /// The digits of an integer.
    pub(in crate::columnar) fn int_text(&self) -> String {
        let digits = if self.digits.is_empty() { "0" } else { &self.digits };
        format!("{}{digits}", if self.negative { "-" } else { "" })
    }
}

/// `Decimal(text)`. NaN of a decimal is missing, as it is in pandas; a signalling one is not, and keeps its text.
pub(super) fn of_decimal<'g>(graph: &'g Graph<'g>, args: &[NodeId]) -> Option<Value<'g>> {
    let &[text] = args else { return None };
    let text = graph.text(text)?;
    if text.trim_start_matches(['-', '+']).eq_ignore_ascii_case("nan") {
        return Some(Value::Missing);
    }
    Some(Value::Decimal(Decimal::parse(text), text))
}

/// An integer beyond 64 bits; `None` if it has too many digits.
pub(super) fn of_int<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Option<Value<'g>> {
    Decimal::parse(&int_text(graph, id, limits)?)
        .map(|number| number.int_text().parse().map_or(Value::BigInt(number), Value::Int))
}

/// The digits of an integer of any size; `None` if it has too many.
pub(super) fn int_text(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Option<String> {
    match graph.node(id) {
        Node::Int(value) => Some(value.to_string()),
        Node::DecimalInt { len, offset } => {
            let digits = std::str::from_utf8(graph.span(offset, len)).ok()?;
            Some(digits.trim_start_matches('+').to_owned())
        }
        // A byte holds more than two digits.
        Node::BigInt { len, .. } if len as usize > limits.int_digits_max / 2 => None,
        Node::BigInt { len, offset } => {
            let text = digits_of(graph.span(offset, len));
            (text.len() <= limits.int_digits_max).then_some(text)
        }
        _ => None,
    }
}

/// Digits of a two's complement number, least significant byte first.
fn digits_of(bytes: &[u8]) -> String {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude = bytes.to_vec();
    if negative {
        let mut carry = true;
        for byte in &mut magnitude {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let mut limbs: Vec<u32> = magnitude
        .chunks(4)
        .map(|chunk| chunk.iter().rev().fold(0, |limb, byte| limb << 8 | u32::from(*byte)))
        .collect();
    let mut groups = Vec::new();
    while limbs.iter().any(|limb| *limb != 0) {
        let mut rest = 0_u64;
        for limb in limbs.iter_mut().rev() {
            let value = rest << 32 | u64::from(*limb);
            *limb = (value / 1_000_000_000) as u32;
            rest = value % 1_000_000_000;
        }
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        groups.push(rest);
    }
    let mut text = if negative { "-".to_owned() } else { String::new() };
    text.push_str(&groups.pop().unwrap_or(0).to_string());
    let rest = groups.iter().rev().map(|group| format!("{group:09}"));
    text.extend(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_digits_and_scale() {
        let parsed =
            |text| Decimal::parse(text).map(|it| (it.whole_digits(), it.scale(), it.to_i128(it.scale())));
        assert_eq!(parsed("1.50"), Some((1, 2, Some(150))));
        assert_eq!(parsed("-0.001"), Some((0, 3, Some(-1))));
        assert_eq!(parsed("1E+3"), Some((4, 0, Some(1000))));
        assert_eq!(parsed("0E-5"), Some((0, 5, Some(0))));
        assert_eq!(parsed("1E+999999999").map(|it| it.0), Some(1_000_000_000));
        for text in ["Infinity", "sNaN", "", "-", "1e", "1.2.3", "0x1"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn integers_of_any_size_have_their_digits() {
        assert_eq!(digits_of(&[0xff]), "-1");
        assert_eq!(digits_of(&[0, 0, 0, 0, 0, 0, 0, 0, 1]), "18446744073709551616");
        assert_eq!(digits_of(&i128::MIN.to_le_bytes()), i128::MIN.to_string());
        assert_eq!(digits_of(&i128::MAX.to_le_bytes()), i128::MAX.to_string());
        assert_eq!(digits_of(&1_000_000_000_000_000_000_000_i128.to_le_bytes()), "1000000000000000000000");
        assert_eq!(digits_of(&[]), "0");
    }
}
