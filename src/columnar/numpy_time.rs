//! Columns of NumPy times: `datetime64` and `timedelta64` of any unit and count.
//!
//! Arrow knows seconds, milliseconds, microseconds and nanoseconds. Longer steps become milliseconds (common readers of
//! Parquet lose the type of seconds), years and months by the calendar, shorter ones nanoseconds: always exactly, or the
//! row is refused.

use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, TimeUnit};

use super::{
    convert::{Convert, Faults},
    error::Reason,
    items::Items,
    times,
};
use crate::{
    numpy::{Array, Kind, Step, Unit},
    pandas::Zone,
};

/// The value that stands for a missing one.
const NOT_A_TIME: i64 = i64::MIN;

/// How steps become values of the Arrow type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// One step is so many units.
    Times(i64),
    /// A step is that many units, of which so many make one of Arrow's: what is no whole number is refused.
    Parts(i64, i64),
    /// Steps of so many months since 1970.
    Months(i64),
    /// Steps without a unit: all are missing.
    Nothing,
}

/// A column of times or durations.
struct Times<'g> {
    field: Field,
    items: Items<'g>,
    scale: Scale,
}

/// The converter of column `item` of an array of times, shown in `zone`, or of durations. `None` for other dtypes, for
/// durations of years and months, which have no length, and for zones that no reader knows.
pub(super) fn converter<'g>(
    name: &str,
    array: &'g Array<'g>,
    item: usize,
    zone: Option<&Zone>,
) -> Option<Box<dyn Convert + 'g>> {
    let (data_type, scale) = match array.dtype.kind {
        Kind::Datetime(step) => {
            let (unit, scale) = times(step);
            let zone = zone.map(|zone| zone.to_string().into());
            (DataType::Timestamp(unit, zone), scale)
        }
        Kind::Timedelta(step) => {
            let (unit, scale) = durations(step)?;
            (DataType::Duration(unit), scale)
        }
        _ => return None,
    };
    let items = Items::of(array, item)?;
    Some(Box::new(Times { field: Field::new(name, data_type, true), items, scale }))
}

/// The unit and scale of `datetime64`.
fn times(step: Step) -> (TimeUnit, Scale) {
    let count = i64::from(step.count);
    match step.unit {
        Unit::Year => (TimeUnit::Millisecond, Scale::Months(12 * count)),
        Unit::Month => (TimeUnit::Millisecond, Scale::Months(count)),
        Unit::Week => (TimeUnit::Millisecond, Scale::Times(7 * DAY_MILLIS * count)),
        Unit::Day => (TimeUnit::Millisecond, Scale::Times(DAY_MILLIS * count)),
        Unit::Hour => (TimeUnit::Millisecond, Scale::Times(3_600_000 * count)),
        Unit::Minute => (TimeUnit::Millisecond, Scale::Times(60_000 * count)),
        Unit::Second => (TimeUnit::Millisecond, Scale::Times(1_000 * count)),
        shorter => short(shorter, count),
    }
}

/// The unit and scale of `timedelta64`.
fn durations(step: Step) -> Option<(TimeUnit, Scale)> {
    let count = i64::from(step.count);
    Some(match step.unit {
        Unit::Year | Unit::Month => return None,
        Unit::Week => (TimeUnit::Second, Scale::Times(7 * 86_400 * count)),
        Unit::Day => (TimeUnit::Second, Scale::Times(86_400 * count)),
        Unit::Hour => (TimeUnit::Second, Scale::Times(3_600 * count)),
        Unit::Minute => (TimeUnit::Second, Scale::Times(60 * count)),
        Unit::Second => (TimeUnit::Second, Scale::Times(count)),
        shorter => short(shorter, count),
    })
}

fn short(unit: Unit, count: i64) -> (TimeUnit, Scale) {
    match unit {
        Unit::Milli => (TimeUnit::Millisecond, Scale::Times(count)),
        Unit::Micro => (TimeUnit::Microsecond, Scale::Times(count)),
        Unit::Pico => (TimeUnit::Nanosecond, Scale::Parts(count, 1_000)),
        Unit::Femto => (TimeUnit::Nanosecond, Scale::Parts(count, 1_000_000)),
        Unit::Atto => (TimeUnit::Nanosecond, Scale::Parts(count, 1_000_000_000)),
        Unit::Generic => (TimeUnit::Nanosecond, Scale::Nothing),
        _ => (TimeUnit::Nanosecond, Scale::Times(count)),
    }
}

const DAY_MILLIS: i64 = 86_400_000;

impl Scale {
    /// What `steps` are in Arrow's unit; `None` if that is no whole number or does not fit.
    fn apply(self, steps: i64) -> Option<i64> {
        match self {
            Self::Times(factor) => steps.checked_mul(factor),
            Self::Parts(factor, parts) => {
                let all = i128::from(steps) * i128::from(factor);
                (all % i128::from(parts) == 0).then(|| i64::try_from(all / i128::from(parts)).ok())?
            }
            Self::Months(months) => days_of_month(steps.checked_mul(months)?)?.checked_mul(DAY_MILLIS),
            Self::Nothing => None,
        }
    }
}

/// Days from 1970-01-01 to the first day of the month `months` after January 1970, in the calendar that NumPy uses.
fn days_of_month(months: i64) -> Option<i64> {
    let (year, month) = (1970_i64.checked_add(months.div_euclid(12))?, months.rem_euclid(12) + 1);
    // Beyond this no number of milliseconds fits, and below nothing overflows.
    if year.unsigned_abs() > 300_000_000 {
        return None;
    }
    // Years begin in March here, so that the leap day is the last of one.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

impl Convert for Times<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut values = self.items.numbers::<i64>(rows.clone());
        if self.scale != Scale::Times(1) {
            let scaled = values.iter().zip(rows).map(|(&steps, row)| {
                if steps == NOT_A_TIME {
                    return NOT_A_TIME;
                }
                self.scale.apply(steps).unwrap_or_else(|| {
                    faults.push(row, Reason::Inexact);
                    NOT_A_TIME
                })
            });
            values = scaled.collect();
        }
        let nulls = not_missing(&values);
        times::of_values(self.field.data_type(), values, nulls)
    }
}

/// Which values are not the one that stands for a missing one.
pub(super) fn not_missing(values: &ScalarBuffer<i64>) -> Option<NullBuffer> {
    let bits = BooleanBuffer::collect_bool(values.len(), |row| values[row] != NOT_A_TIME);
    Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_the_calendar() {
        for (months, days) in
            [(0, 0), (1, 31), (2, 59), (-1, -31), (25, 761), (26, 790), (360, 10_957), (-840, -25_567)]
        {
            assert_eq!(days_of_month(months), Some(days), "{months} months");
        }
        assert_eq!(days_of_month(i64::MAX), None);
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        assert_eq!(Scale::Parts(25, 1_000).apply(80), Some(2));
        assert_eq!(Scale::Parts(25, 1_000).apply(81), None);
        assert_eq!(Scale::Times(1_000).apply(i64::MAX / 999), None);
    }
}
