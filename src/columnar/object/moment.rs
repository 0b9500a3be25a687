//! Dates, times and durations as objects: those of the standard library, of pandas and of NumPy.

use arrow_schema::TimeUnit;

use super::value::{Made, Value, int};
use crate::{
    columnar::{
        calendar::{DAY_SECONDS, days_of_date},
        times::{exact, per_second, unit_of},
    },
    numpy::{Step, Unit, array::bytes_of},
    pandas::Zone,
    pickle::{Global, Graph, Node, NodeId},
};

/// A point in time: steps since 1970, in UTC if there is a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::columnar) struct Moment {
    pub(in crate::columnar) value: i64,
    pub(in crate::columnar) unit: TimeUnit,
    pub(in crate::columnar) zone: Option<Zone>,
}

const MICROS: i64 = 1_000_000;

/// `date`, `time`, `datetime` or `timedelta` of the standard library.
pub(super) fn of_standard<'g>(graph: &'g Graph<'g>, made: Made<'g>) -> Option<Value<'g>> {
    if made.by == Global::TimeDelta {
        return duration_micros(graph, made.args)
            .map(|micros| Value::Duration(micros, TimeUnit::Microsecond));
    }
    let (first, zone) = match *made.args {
        [first] => (first, None),
        [first, zone] => (first, Some(zone).filter(|zone| *zone != NodeId::NONE)),
        _ => return None,
    };
    let bytes = bytes_of(graph, first)?;
    match (made.by, bytes.as_ref(), zone) {
        (Global::Date, &[high, low, month, day], None) => {
            Some(Value::Date(days_of_date(year(high, low), month, day)?))
        }
        (Global::Time, &[hour, minute, second, high, mid, low], None) => {
            // The top bit of the hour tells the second of two equal times of a clock that is set back.
            clock(hour & 0x7f, minute, second, [high, mid, low]).map(Value::Time)
        }
        (Global::Time, _, Some(_)) => Some(Value::Other("a time of day with a zone".to_owned())),
        (Global::DateTime, &[high, low, month, day, hour, minute, second, a, b, c], zone) => {
            let days = i64::from(days_of_date(year(high, low), month & 0x7f, day)?);
            let micros = days * DAY_SECONDS * MICROS + clock(hour, minute, second, [a, b, c])?;
            Some(zone.map_or_else(|| moment(micros, None), |zone| in_zone(graph, micros, zone)))
        }
        _ => None,
    }
}

fn year(high: u8, low: u8) -> i32 {
    i32::from(high) << 8 | i32::from(low)
}

fn clock(hour: u8, minute: u8, second: u8, [high, mid, low]: [u8; 3]) -> Option<i64> {
    let micros = i64::from(high) << 16 | i64::from(mid) << 8 | i64::from(low);
    let valid = hour < 24 && minute < 60 && second < 60 && micros < MICROS;
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    valid.then_some(seconds * MICROS + micros)
}

fn moment<'g>(value: i64, zone: Option<Zone>) -> Value<'g> {
    Value::Moment(Moment { value, unit: TimeUnit::Microsecond, zone })
}

/// What a clock in `zone` shows, as a point in time.
fn in_zone<'g>(graph: &'g Graph<'g>, micros: i64, id: NodeId) -> Value<'g> {
    let Some(zone) = Zone::parse(graph, id) else {
        return Value::Other("a datetime in a zone that cannot be named".to_owned());
    };
    match (distance(graph, id, &zone), zone) {
        (Some(seconds), zone) => moment(micros - seconds * MICROS, Some(zone)),
        (None, Zone::Named(zone)) => Value::WallTime { micros, zone },
        (None, _) => Value::Other("a datetime in a zone that cannot be named".to_owned()),
    }
}

/// Seconds east of UTC. A zone of pytz carries the distance that holds for its time; other named zones do not.
fn distance(graph: &Graph<'_>, id: NodeId, zone: &Zone) -> Option<i64> {
    match zone {
        Zone::Utc => Some(0),
        Zone::Fixed(seconds) => Some(i64::from(*seconds)),
        Zone::Named(_) => match Made::of(graph, id)? {
            Made { by: Global::PytzZone, args: [_, seconds, ..], .. } => {
                int(graph, *seconds).filter(|seconds| seconds.abs() < DAY_SECONDS)
            }
            _ => None,
        },
    }
}

/// `timedelta(days, seconds, microseconds)`.
fn duration_micros(graph: &Graph<'_>, args: &[NodeId]) -> Option<i64> {
    let part = |at: usize| args.get(at).map_or(Some(0), |id| int(graph, *id));
    let seconds = part(0)?.checked_mul(DAY_SECONDS)?.checked_add(part(1)?)?;
    seconds.checked_mul(MICROS)?.checked_add(part(2)?)
}

/// `Timestamp` or `Timedelta`.
pub(super) fn of_pandas<'g>(graph: &'g Graph<'g>, made: Made<'g>) -> Option<Value<'g>> {
    let value = int(graph, *made.args.first()?)?;
    if value == i64::MIN {
        return Some(Value::Missing);
    }
    let resolution = |at: usize| made.args.get(at).map_or(Some(TimeUnit::Nanosecond), |id| unit(graph, *id));
    if made.by == Global::Timedelta {
        return Some(Value::Duration(value, resolution(1)?));
    }
    let zone = match made.args.get(2).copied().filter(|zone| *zone != NodeId::NONE) {
        None => None,
        Some(id) => match Zone::parse(graph, id) {
            Some(zone) => Some(zone),
            None => return Some(Value::Other("a Timestamp in a zone that cannot be named".to_owned())),
        },
    };
    Some(Value::Moment(Moment { value, unit: resolution(3)?, zone }))
}

/// NumPy's number of a unit (`NPY_DATETIMEUNIT`).
fn unit(graph: &Graph<'_>, id: NodeId) -> Option<TimeUnit> {
    match graph.node(id) {
        Node::Int(7) => Some(TimeUnit::Second),
        Node::Int(8) => Some(TimeUnit::Millisecond),
        Node::Int(9) => Some(TimeUnit::Microsecond),
        Node::Int(10) | Node::None => Some(TimeUnit::Nanosecond),
        _ => None,
    }
}

/// A `datetime64`: whole days are dates.
pub(super) fn of_datetime64<'g>(value: i64, step: Step) -> Value<'g> {
    if value == i64::MIN {
        return Value::Missing;
    }
    let date = |seconds: i64| (seconds / DAY_SECONDS).try_into().ok().map(Value::Date);
    let read = exact(value, step, false).and_then(|value| match step.unit {
        Unit::Day | Unit::Week => date(value),
        _ => Some(Value::Moment(Moment { value, unit: unit_of(step), zone: None })),
    });
    read.unwrap_or_else(|| Value::Other("a datetime64 of a unit or range that Arrow has not".to_owned()))
}

/// A `timedelta64`.
pub(super) fn of_timedelta64<'g>(value: i64, step: Step) -> Value<'g> {
    if value == i64::MIN {
        return Value::Missing;
    }
    let read = exact(value, step, true).map(|value| Value::Duration(value, unit_of(step)));
    read.unwrap_or_else(|| Value::Other("a timedelta64 of a unit or range that Arrow has not".to_owned()))
}

/// Steps of `from` as steps of `to`; `None` if that is not exact.
pub(in crate::columnar) fn rescaled(value: i64, from: TimeUnit, to: TimeUnit) -> Option<i64> {
    let (from, to) = (per_second(from), per_second(to));
    if to >= from {
        return value.checked_mul(to / from);
    }
    (value % (from / to) == 0).then_some(value / (from / to))
}
