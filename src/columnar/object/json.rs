//! Cells of any kind as JSON text, one document for each: what `--mixed json` makes of a column without a common type.
//!
//! What JSON has is written as such: `true`, numbers, text, arrays (of lists, tuples, sets, deques and arrays), objects
//! (of dicts whose keys are text). A float keeps a point or an exponent, so that `1.0` is no integer. Everything else is an
//! object with one key that begins with `$` and names the kind, so that a date is no text:
//!
//! ```text
//! {"$float": "NaN"}  {"$bytes": "aGk="}  {"$date": "2020-01-31"}  {"$time": "12:00:00.5"}
//! {"$datetime": "2020-01-31T12:00:00", "zone": "Europe/Paris"}    {"$timedelta": "90000000", "unit": "us"}
//! {"$decimal": "1.50"}  {"$uuid": "…"}  {"$fraction": "1/3"}  {"$address": "::1"}  {"$path": "/a"}
//! {"$period": 600, "frequency": "M"}, the number of periods since 1970
//! {"$complex": [1.0, 2.0]}  {"$range": [0, 3, 1]}  {"$interval": [0, 1], "closed": "right"}  {"$dict": [[1, "a"], …]}
//! ```
//!
//! A datetime in a zone is written in UTC, one whose zone's rules are not in the file as `$walltime`. A dict with a key
//! that begins with `$` is a `$dict` too. Lone surrogates are escapes, as Python's `json` writes them.

use std::{fmt::Write as _, sync::Arc};

use arrow_array::{ArrayRef, builder::StringBuilder};
use arrow_schema::TimeUnit;

use super::{build::Build, label::Label, moment::Moment, value::Value};
use crate::{
    columnar::{calendar::DAY_SECONDS, error::Reason, times::per_second},
    limits::{Limits, TEXT_BYTES_MAX},
    numpy::{calendar::civil, items::Number},
    pickle::{Graph, NodeId},
};

/// Documents, one for each value.
pub(super) struct Documents<'g> {
    graph: &'g Graph<'g>,
    limits: Limits,
    out: StringBuilder,
}

impl<'g> Documents<'g> {
    pub(super) fn new(graph: &'g Graph<'g>, limits: Limits) -> Self {
        Self { graph, limits, out: StringBuilder::new() }
    }
}

impl<'g> Build<'g> for Documents<'g> {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        if matches!(value, Value::Missing) {
            self.out.append_null();
            return Ok(());
        }
        let mut writer = Writer { graph: self.graph, limits: &self.limits, text: String::new() };
        match writer.put(value) {
            Ok(()) if writer.text.len() <= TEXT_BYTES_MAX => self.out.append_value(&writer.text),
            done => {
                self.out.append_null();
                return done.and(Err(Reason::TooLong));
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.out.finish())
    }
}

/// Writes one document. How deep values nest was bounded when their kind was inferred.
struct Writer<'g, 'l> {
    graph: &'g Graph<'g>,
    limits: &'l Limits,
    text: String,
}

impl<'g> Writer<'g, '_> {
    fn put(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        match value {
            Value::Missing => self.text.push_str("null"),
            Value::Bool(value) | Value::Scalar(_, Number::Bool(value)) => self.plain(value),
            Value::Int(value) | Value::Scalar(_, Number::Int(value)) => self.plain(value),
            Value::Scalar(_, Number::Uint(value)) => self.plain(value),
            Value::BigInt(number) => self.text.push_str(&number.int_text()),
            Value::Nan => self.float(f64::NAN),
            Value::Float(value) | Value::Scalar(_, Number::Float(value)) => self.float(*value),
            Value::Text(bytes) => self.string(bytes),
            Value::OldText(bytes) if bytes.is_ascii() => self.string(bytes),
            Value::OldText(bytes) => self.tagged("bytes", &base64(bytes)),
            Value::Bytes(bytes) => self.tagged("bytes", &base64(bytes)),
            Value::Date(days) => self.tagged("date", &date(i64::from(*days))),
            Value::Time(micros) => self.tagged("time", &clock(*micros, TimeUnit::Microsecond)),
            Value::Moment(moment) => self.moment(moment),
            Value::WallTime { micros, zone } => {
                self.timed("walltime", &datetime(*micros, TimeUnit::Microsecond), Some(zone));
            }
            Value::Duration(value, unit) => self.duration(*value, *unit),
            Value::Decimal(_, text) => self.tagged("decimal", text),
            Value::Uuid(bytes) => self.tagged("uuid", &uuid(bytes)),
            Value::Label(label, text) => self.tagged(label.tag(), text),
            Value::Complex(re, im) => self.complex(*re, *im),
            Value::Range([start, stop, step]) => {
                self.formatted(format_args!("{{\"$range\":[{start},{stop},{step}]}}"));
            }
            Value::Period(ordinal, frequency) => {
                self.formatted(format_args!("{{\"$period\":{ordinal},\"frequency\":"));
                self.string(frequency.as_bytes());
                self.text.push('}');
            }
            Value::Interval(left, right, closed) => self.interval(*left, *right, closed)?,
            Value::Sequence(sequence) => {
                let (graph, limits) = (self.graph, self.limits);
                self.array(sequence.values(graph, limits))?;
            }
            Value::Dict(id) => self.dict(*id)?,
            Value::Other(words) => return Err(Reason::Unfit(words.clone())),
        }
        Ok(())
    }

    fn formatted(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("writing to a String cannot fail");
    }

    fn plain(&mut self, value: &impl std::fmt::Display) {
        self.formatted(format_args!("{value}"));
    }

    fn float(&mut self, value: f64) {
        match value {
            _ if value.is_finite() => self.formatted(format_args!("{value:?}")),
            _ if value.is_nan() => self.tagged("float", "NaN"),
            _ => self.tagged("float", if value > 0.0 { "Infinity" } else { "-Infinity" }),
        }
    }

    /// A text, whose lone surrogates become escapes.
    fn string(&mut self, bytes: &[u8]) {
        self.text.push('"');
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|letter| self.letter(letter));
            // A lone surrogate is three bytes that are no UTF-8, and each byte of them is a chunk that is not valid.
            if let [lead @ 0xed] = chunk.invalid() {
                let at = chunk.invalid().as_ptr() as usize - bytes.as_ptr() as usize;
                if let Some([_, mid, low]) = bytes.get(at..at + 3) {
                    let code =
                        u32::from(lead & 0x0f) << 12 | u32::from(mid & 0x3f) << 6 | u32::from(low & 0x3f);
                    self.formatted(format_args!("\\u{code:04x}"));
                }
            }
        }
        self.text.push('"');
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\n' => self.text.push_str("\\n"),
            _ if u32::from(letter) < 0x20 => self.formatted(format_args!("\\u{:04x}", u32::from(letter))),
            _ => self.text.push(letter),
        }
    }

    fn tagged(&mut self, tag: &str, text: &str) {
        self.timed(tag, text, None);
    }

    fn timed(&mut self, tag: &str, text: &str, zone: Option<&str>) {
        self.formatted(format_args!("{{\"${tag}\":"));
        self.string(text.as_bytes());
        if let Some(zone) = zone {
            self.text.push_str(",\"zone\":");
            self.string(zone.as_bytes());
        }
        self.text.push('}');
    }

    fn moment(&mut self, moment: &Moment) {
        let zone = moment.zone.as_ref().map(ToString::to_string);
        self.timed("datetime", &datetime(moment.value, moment.unit), zone.as_deref());
    }

    fn duration(&mut self, value: i64, unit: TimeUnit) {
        let unit = match unit {
            TimeUnit::Second => "s",
            TimeUnit::Millisecond => "ms",
            TimeUnit::Microsecond => "us",
            TimeUnit::Nanosecond => "ns",
        };
        self.formatted(format_args!("{{\"$timedelta\":\"{value}\",\"unit\":\"{unit}\"}}"));
    }

    fn complex(&mut self, re: f64, im: f64) {
        self.text.push_str("{\"$complex\":[");
        self.float(re);
        self.text.push(',');
        self.float(im);
        self.text.push_str("]}");
    }

    fn interval(&mut self, left: NodeId, right: NodeId, closed: &str) -> Result<(), Reason> {
        self.text.push_str("{\"$interval\":");
        let (graph, limits) = (self.graph, self.limits);
        self.array([left, right].into_iter().map(|id| Value::of_node(graph, id, limits)))?;
        self.text.push_str(",\"closed\":");
        self.string(closed.as_bytes());
        self.text.push('}');
        Ok(())
    }

    fn array(&mut self, values: impl Iterator<Item = Value<'g>>) -> Result<(), Reason> {
        self.text.push('[');
        for (at, value) in values.enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.put(&value)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn dict(&mut self, id: NodeId) -> Result<(), Reason> {
        let graph = self.graph;
        let entries: Vec<(NodeId, NodeId)> = graph.dict(id).into_iter().flatten().collect();
        let plain = |id: NodeId| graph.text(id).is_some_and(|key| !key.starts_with('$'));
        let object = entries.iter().all(|(key, _)| plain(*key));
        self.text.push_str(if object { "{" } else { "{\"$dict\":[" });
        for (at, (key, value)) in entries.into_iter().enumerate() {
            self.text.push_str(match (at, object) {
                (0, true) => "",
                (0, false) => "[",
                (_, true) => ",",
                (_, false) => ",[",
            });
            self.put(&Value::of_node(graph, key, self.limits))?;
            self.text.push(if object { ':' } else { ',' });
            self.put(&Value::of_node(graph, value, self.limits))?;
            if !object {
                self.text.push(']');
            }
        }
        self.text.push_str(if object { "}" } else { "]}" });
        Ok(())
    }
}

impl Label {
    fn tag(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Address => "address",
            Self::Path => "path",
        }
    }
}

fn date(days: i64) -> String {
    let (year, month, day) = civil(days.into());
    format!("{year:04}-{month:02}-{day:02}")
}

/// Hours to the finest digit that is not zero.
fn clock(steps: i64, unit: TimeUnit) -> String {
    let (second, rest) = (steps / per_second(unit), steps % per_second(unit));
    let text = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if rest == 0 {
        return text;
    }
    let digits = per_second(unit).ilog10() as usize;
    format!("{text}.{}", format!("{rest:0digits$}").trim_end_matches('0'))
}

fn datetime(value: i64, unit: TimeUnit) -> String {
    let day = DAY_SECONDS * per_second(unit);
    format!("{}T{}", date(value.div_euclid(day)), clock(value.rem_euclid(day), unit))
}

pub(super) fn uuid(bytes: &[u8; 16]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let parts = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]];
    parts.map(hex).join("-")
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let padded = chunk.iter().chain(&[0; 2]).take(3).fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        for at in 0..4 {
            let letter = LETTERS[(padded >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_times_and_ids_are_written_as_others_do() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|it| base64(it.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
        assert_eq!(datetime(-1, TimeUnit::Microsecond), "1969-12-31T23:59:59.999999");
        assert_eq!(datetime(1_500, TimeUnit::Millisecond), "1970-01-01T00:00:01.5");
        assert_eq!(datetime(-62_135_596_800, TimeUnit::Second), "0001-01-01T00:00:00");
        assert_eq!(uuid(&[0x12; 16]), "12121212-1212-1212-1212-121212121212");
    }
}
