//! Days and dates of the Gregorian calendar, which NumPy's days and months know for all years: eras of 400 years that begin
//! in March (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").

/// Year, month and day of a day since 1970.
pub fn civil(day: i128) -> (i128, i128, i128) {
    let day = day + 719_468;
    let (era, in_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let date = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i128::from(month <= 2), month, date)
}

/// The day since 1970 of a date, which need not be one of its month.
pub fn days(year: i128, month: i128, date: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_mirror_each_other() {
        assert_eq!(days(2000, 2, 29), 11_016);
        for day in (-1_000_000..1_000_000).step_by(997) {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), day);
        }
    }
}
