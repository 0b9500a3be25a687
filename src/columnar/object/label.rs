//! Objects whose text says all there is: fractions, addresses, paths; and UUIDs, which are sixteen bytes.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{
    decimal,
    value::{Made, Value},
};
use crate::{
    limits::Limits,
    pickle::{Global, Graph, NodeId},
};

/// What a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columnar) enum Label {
    /// Numerator and denominator.
    Fraction,
    /// An address of IPv4 or IPv6.
    Address,
    /// A path of files.
    Path,
}

impl Label {
    /// What it is, for messages.
    pub(in crate::columnar) fn in_words(self) -> &'static str {
        match self {
            Self::Fraction => "a fraction",
            Self::Address => "an IP address",
            Self::Path => "a path",
        }
    }
}

/// The text of a fraction, an address or a path: what Python's `str` gives.
pub(super) fn of<'g>(graph: &'g Graph<'g>, made: Made<'g>, limits: &Limits) -> Option<Value<'g>> {
    let first = made.args.first().copied();
    let text = |id: NodeId| graph.text(id).map(str::to_owned);
    let number = |id: NodeId| decimal::int_text(graph, id, limits);
    let (label, text) = match made.by {
        Global::Fraction => match *made.args {
            [text] => (Label::Fraction, graph.text(text)?.to_owned()),
            [over, under] => (Label::Fraction, fraction(number(over)?, &number(under)?)),
            _ => return None,
        },
        Global::Ipv4 => {
            let number: u32 = number(first?)?.parse().ok()?;
            (Label::Address, Ipv4Addr::from_bits(number).to_string())
        }
        Global::Ipv6 => {
            let text = text(first?).or_else(|| {
                let number: u128 = number(first?)?.parse().ok()?;
                Some(Ipv6Addr::from_bits(number).to_string())
            });
            (Label::Address, text?)
        }
        Global::Path => (Label::Path, path(graph, made.args)?),
        _ => return None,
    };
    Some(Value::Label(label, text))
}

fn fraction(over: String, under: &str) -> String {
    if under == "1" { over } else { format!("{over}/{under}") }
}

/// The parts of a path; the first may be the root, which ends in a separator.
fn path(graph: &Graph<'_>, parts: &[NodeId]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().map(|part| graph.text(*part)).collect::<Option<_>>()?;
    let separator = if parts.first().is_some_and(|root| root.ends_with('\\')) { "\\" } else { "/" };
    match parts.as_slice() {
        [] => Some(".".to_owned()),
        [root, rest @ ..] if root.ends_with(separator) => Some(format!("{root}{}", rest.join(separator))),
        parts => Some(parts.join(separator)),
    }
}

/// A UUID, whose state holds its number.
pub(super) fn uuid<'g>(graph: &'g Graph<'g>, made: Made<'g>, limits: &Limits) -> Option<Value<'g>> {
    let number = graph.dict_value(made.state?, "int")?;
    let number: u128 = decimal::int_text(graph, number, limits)?.parse().ok()?;
    Some(Value::Uuid(number.to_be_bytes()))
}
