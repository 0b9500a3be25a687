//! Times and durations as Arrow arrays: from integers, a unit and a zone, whatever column or object they come from.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, PrimitiveArray,
    types::{
        DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    },
};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::TimeUnit;

use crate::pandas::Zone;

/// Seconds of a day.
pub(super) const DAY_SECONDS: i64 = 86_400;

/// Steps of `unit` in a second.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Arrow's name of a zone: a name of the IANA data base, or `+HH:MM`; `None` for a distance of odd seconds.
pub(super) fn zone_name(zone: &Zone) -> Option<Arc<str>> {
    Some(match zone {
        Zone::Utc => "UTC".into(),
        Zone::Named(name) => name.as_str().into(),
        Zone::Fixed(seconds) if seconds % 60 == 0 => {
            let minutes = seconds.abs() / 60;
            let sign = if *seconds < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60).into()
        }
        Zone::Fixed(_) => return None,
    })
}

/// Points in time.
pub(super) fn timestamps(
    values: ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
    unit: TimeUnit,
    zone: Option<Arc<str>>,
) -> ArrayRef {
    match unit {
        TimeUnit::Second => {
            Arc::new(PrimitiveArray::<TimestampSecondType>::new(values, nulls).with_timezone_opt(zone))
        }
        TimeUnit::Millisecond => {
            Arc::new(PrimitiveArray::<TimestampMillisecondType>::new(values, nulls).with_timezone_opt(zone))
        }
        TimeUnit::Microsecond => {
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::new(values, nulls).with_timezone_opt(zone))
        }
        TimeUnit::Nanosecond => {
            Arc::new(PrimitiveArray::<TimestampNanosecondType>::new(values, nulls).with_timezone_opt(zone))
        }
    }
}

/// Durations.
pub(super) fn durations(values: ScalarBuffer<i64>, nulls: Option<NullBuffer>, unit: TimeUnit) -> ArrayRef {
    match unit {
        TimeUnit::Second => Arc::new(PrimitiveArray::<DurationSecondType>::new(values, nulls)),
        TimeUnit::Millisecond => Arc::new(PrimitiveArray::<DurationMillisecondType>::new(values, nulls)),
        TimeUnit::Microsecond => Arc::new(PrimitiveArray::<DurationMicrosecondType>::new(values, nulls)),
        TimeUnit::Nanosecond => Arc::new(PrimitiveArray::<DurationNanosecondType>::new(values, nulls)),
    }
}

/// Days from 1970 to a date of the Gregorian calendar; `None` if there is no such date in Python.
pub(super) fn days_of_date(year: i32, month: u8, day: u8) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March end with the leap day, so that the days before a month follow one formula.
    let (year, month) =
        if month > 2 { (year, i32::from(month) - 3) } else { (year - 1, i32::from(month) + 9) };
    let in_year = (153 * month + 2) / 5 + i32::from(day) - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + in_year - 719_468)
}

/// Year, month and day of a day counted from 1970.
pub(super) fn date_of_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let (era, in_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_in_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year_in_era + era * 400 + carry, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_1970_and_back() {
        assert_eq!(days_of_date(1970, 1, 1), Some(0));
        assert_eq!(days_of_date(1969, 12, 31), Some(-1));
        assert_eq!(days_of_date(2000, 2, 29), Some(11_016));
        assert_eq!(days_of_date(1, 1, 1), Some(-719_162));
        assert_eq!(days_of_date(9999, 12, 31), Some(2_932_896));
        for (year, month, day) in [(1900, 2, 29), (2020, 0, 1), (2020, 13, 1), (2020, 4, 31), (0, 1, 1)] {
            assert_eq!(days_of_date(year, month, day), None);
        }
        for day in (-719_162..2_932_896).step_by(97) {
            let (year, month, date) = date_of_days(i64::from(day));
            assert_eq!(days_of_date(year as i32, month as u8, date as u8), Some(day));
        }
    }

    #[test]
    fn zones_have_names_that_arrow_knows() {
        assert_eq!(zone_name(&Zone::Fixed(-16_200)).as_deref(), Some("-04:30"));
        assert_eq!(zone_name(&Zone::Fixed(3_600)).as_deref(), Some("+01:00"));
        assert_eq!(zone_name(&Zone::Fixed(1)), None);
        assert_eq!(zone_name(&Zone::Utc).as_deref(), Some("UTC"));
    }
}
