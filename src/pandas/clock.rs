//! Times and durations as pandas prints them, for labels.

use super::zone::Zone;
use crate::numpy::{
    Step, Unit,
    calendar::{civil, days},
};

const NANOS_A_SECOND: i128 = 1_000_000_000;
const SECONDS_A_DAY: i128 = 86_400;

/// Nanoseconds of a number of steps; `None` for steps that have no fixed length, and for those far below.
fn nanos(value: i64, step: Step) -> Option<i128> {
    let value = i128::from(value) * i128::from(step.count);
    Some(match step.unit {
        Unit::Week => value * 7 * SECONDS_A_DAY * NANOS_A_SECOND,
        Unit::Day => value * SECONDS_A_DAY * NANOS_A_SECOND,
        Unit::Hour => value * 3_600 * NANOS_A_SECOND,
        Unit::Minute => value * 60 * NANOS_A_SECOND,
        Unit::Second => value * NANOS_A_SECOND,
        Unit::Milli => value * 1_000_000,
        Unit::Micro => value * 1_000,
        Unit::Nano => value,
        _ => return None,
    })
}

/// `str(Timestamp)`. Of a named zone the time in UTC is told: the rules of zones are not known here, and readers of
/// Parquet take labels in UTC too.
pub(super) fn time_text(value: i64, step: Step, zone: Option<&Zone>) -> String {
    let Some(nanos) = nanos(value, step).or_else(|| months_as_nanos(value, step)) else {
        return value.to_string();
    };
    let offset = match zone {
        Some(Zone::Fixed(seconds)) => i128::from(*seconds),
        _ => 0,
    };
    let local = nanos + offset * NANOS_A_SECOND;
    let (day, in_day) =
        (local.div_euclid(SECONDS_A_DAY * NANOS_A_SECOND), local.rem_euclid(SECONDS_A_DAY * NANOS_A_SECOND));
    let (year, month, date) = civil(day);
    let suffix = zone.map(|_| offset_text(offset)).unwrap_or_default();
    format!("{year:04}-{month:02}-{date:02} {}{suffix}", clock_text(in_day))
}

/// Steps of months and years, from the first of the month.
fn months_as_nanos(value: i64, step: Step) -> Option<i128> {
    let months = i128::from(value) * i128::from(step.count);
    let months = match step.unit {
        Unit::Year => months * 12,
        Unit::Month => months,
        _ => return None,
    };
    let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
    Some(days(year, month, 1) * SECONDS_A_DAY * NANOS_A_SECOND)
}

/// `str(Timedelta)`.
pub(super) fn duration_text(value: i64, step: Step) -> String {
    let Some(nanos) = nanos(value, step) else { return value.to_string() };
    let (days, in_day) =
        (nanos.div_euclid(SECONDS_A_DAY * NANOS_A_SECOND), nanos.rem_euclid(SECONDS_A_DAY * NANOS_A_SECOND));
    let sign = if days < 0 { "+" } else { "" };
    format!("{days} days {sign}{}", clock_text(in_day))
}

/// Hours to seconds, and six or nine places of a second where there are any.
fn clock_text(in_day: i128) -> String {
    let (seconds, nanos) = (in_day / NANOS_A_SECOND, in_day % NANOS_A_SECOND);
    let fraction = match nanos {
        0 => String::new(),
        nanos if nanos % 1_000 == 0 => format!(".{:06}", nanos / 1_000),
        nanos => format!(".{nanos:09}"),
    };
    format!("{:02}:{:02}:{:02}{fraction}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn offset_text(seconds: i128) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let rest = if seconds % 60 == 0 { String::new() } else { format!(":{:02}", seconds % 60) };
    format!("{sign}{:02}:{:02}{rest}", seconds / 3_600, seconds / 60 % 60)
}

/// `str(Period)` of the frequencies that labels have; of others the ordinal.
pub(super) fn period_text(ordinal: i64, frequency: &str) -> String {
    let base = frequency.trim_start_matches(|char: char| char.is_ascii_digit());
    let (base, anchor) = base.split_once('-').unwrap_or((base, ""));
    let value = i128::from(ordinal);
    let date = |day| {
        let (year, month, date) = civil(day);
        format!("{year:04}-{month:02}-{date:02}")
    };
    let clock = |unit, len: usize| {
        let text = time_text(ordinal, Step { unit, count: 1 }, None);
        text.get(..len).unwrap_or(&text).to_owned()
    };
    match base {
        "Y" => format!("{:04}", 1970 + value),
        "Q" => format!("{:04}Q{}", 1970 + value.div_euclid(4), value.rem_euclid(4) + 1),
        "M" => format!("{:04}-{:02}", 1970 + value.div_euclid(12), value.rem_euclid(12) + 1),
        "W" => {
            const ENDS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
            let end = ENDS.iter().position(|day| *day == anchor).unwrap_or(0) as i128;
            let last = value * 7 + end - 4;
            format!("{}/{}", date(last - 6), date(last))
        }
        "D" => date(value),
        "h" => clock(Unit::Hour, "2020-01-01 00:00".len()),
        "min" => clock(Unit::Minute, "2020-01-01 00:00".len()),
        "s" => clock(Unit::Second, "2020-01-01 00:00:00".len()),
        _ => ordinal.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(unit: Unit) -> Step {
        Step { unit, count: 1 }
    }

    #[test]
    fn times_are_written_as_pandas_writes_them() {
        let text = |value, unit, zone: Option<&Zone>| time_text(value, step(unit), zone);
        assert_eq!(text(0, Unit::Nano, None), "1970-01-01 00:00:00");
        assert_eq!(text(1_577_836_800_000_000_001, Unit::Nano, None), "2020-01-01 00:00:00.000000001");
        assert_eq!(text(-1, Unit::Milli, None), "1969-12-31 23:59:59.999000");
        assert_eq!(text(0, Unit::Second, Some(&Zone::Utc)), "1970-01-01 00:00:00+00:00");
        assert_eq!(text(0, Unit::Second, Some(&Zone::Fixed(-19_800))), "1969-12-31 18:30:00-05:30");
        assert_eq!(text(50, Unit::Year, None), "2020-01-01 00:00:00");
        assert_eq!(text(-1, Unit::Month, None), "1969-12-01 00:00:00");
        assert_eq!(time_text(2, Step { unit: Unit::Second, count: 25 }, None), "1970-01-01 00:00:50");
    }

    #[test]
    fn durations_are_written_as_pandas_writes_them() {
        assert_eq!(duration_text(90_000_000_000_000, step(Unit::Nano)), "1 days 01:00:00");
        assert_eq!(duration_text(-1, step(Unit::Second)), "-1 days +23:59:59");
    }

    #[test]
    fn periods_are_written_as_pandas_writes_them() {
        for (ordinal, frequency, text) in [
            (600, "M", "2020-01"),
            (200, "Q-DEC", "2020Q1"),
            (50, "Y-DEC", "2020"),
            (18_262, "D", "2020-01-01"),
            (2611, "W-SUN", "2020-01-06/2020-01-12"),
            (438_289, "2h", "2020-01-01 01:00"),
        ] {
            assert_eq!(period_text(ordinal, frequency), text);
        }
    }
}
