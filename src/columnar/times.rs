//! Times and durations among objects: `Timestamp(unit[, zone])` and `Duration(unit)`.
//!
//! NumPy counts in any unit and any multiple of one; Arrow knows seconds and their thousandths. Longer steps become
//! seconds, shorter ones nanoseconds, exactly, or the row is refused.

use arrow_array::{ArrayRef, make_array};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, TimeUnit};

use crate::numpy::{Step, Unit, calendar::days};

/// The Arrow unit that holds multiples of `step`.
pub(super) fn unit_of(step: Step) -> TimeUnit {
    match step.unit {
        Unit::Milli => TimeUnit::Millisecond,
        Unit::Micro => TimeUnit::Microsecond,
        Unit::Nano | Unit::Pico | Unit::Femto | Unit::Atto => TimeUnit::Nanosecond,
        _ => TimeUnit::Second,
    }
}

/// Steps of `unit` in a second.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// `value` steps in [`unit_of`] the step; `None` if that is not exact, or too large.
pub(super) fn exact(value: i64, step: Step, is_duration: bool) -> Option<i64> {
    let steps = i128::from(value) * i128::from(step.count);
    let wide = match step.unit {
        Unit::Second | Unit::Milli | Unit::Micro | Unit::Nano => steps,
        Unit::Minute => steps * 60,
        Unit::Hour => steps * 3_600,
        Unit::Day => steps * 86_400,
        Unit::Week => steps * 604_800,
        Unit::Pico => divided(steps, 1_000)?,
        Unit::Femto => divided(steps, 1_000_000)?,
        Unit::Atto => divided(steps, 1_000_000_000)?,
        Unit::Month if !is_duration => days_of_month(steps)? * 86_400,
        Unit::Year if !is_duration => days_of_month(steps * 12)? * 86_400,
        Unit::Month | Unit::Year | Unit::Generic => return None,
    };
    i64::try_from(wide).ok()
}

fn divided(steps: i128, by: i128) -> Option<i128> {
    (steps % by == 0).then_some(steps / by)
}

/// Days from 1970 to the first of a month, months counted from January 1970.
fn days_of_month(months: i128) -> Option<i128> {
    const YEARS_MAX: i128 = 1 << 40;
    let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
    (year.abs() < YEARS_MAX).then(|| days(year, month, 1))
}

/// An array of 64-bit integers of any logical type, and which of them are there.
pub(super) fn of_values(
    data_type: &DataType,
    values: ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let count = values.len();
    let data = ArrayData::builder(data_type.clone()).len(count).add_buffer(values.into_inner()).nulls(nulls);
    // There are as many values as the array has, and every bit pattern is one.
    data.build().map_or_else(|_| arrow_array::new_null_array(data_type, count), make_array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_exact_or_refused() {
        let step = |unit, count| Step { unit, count };
        assert_eq!(exact(2, step(Unit::Day, 1), false), Some(172_800));
        assert_eq!(exact(3, step(Unit::Second, 25), false), Some(75));
        assert_eq!(exact(50, step(Unit::Year, 1), false), Some(1_577_836_800), "2020-01-01");
        assert_eq!(exact(-1, step(Unit::Month, 1), false), Some(-2_678_400), "1969-12-01");
        assert_eq!(exact(1, step(Unit::Month, 1), true), None);
        assert_eq!(exact(2_000, step(Unit::Pico, 1), false), Some(2));
        assert_eq!(exact(2_001, step(Unit::Pico, 1), false), None);
        assert_eq!(exact(i64::MAX, step(Unit::Week, 1), false), None);
        assert_eq!(exact(i64::MAX, step(Unit::Year, u32::MAX), false), None);
    }
}
