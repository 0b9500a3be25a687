//! Dates of the Gregorian calendar, as Python has them: from year 1 to year 9999.

use crate::numpy::calendar::days;

/// Seconds of a day.
pub(super) const DAY_SECONDS: i64 = 86_400;

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
    i32::try_from(days(year.into(), month.into(), day.into())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numpy::calendar::civil;

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
            let (year, month, date) = civil(i128::from(day));
            assert_eq!(days_of_date(year as i32, month as u8, date as u8), Some(day));
        }
    }
}
