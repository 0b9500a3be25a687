//! Seconds as people type them.

use std::time::Duration;

use crate::limits::server::PATIENCE_MAX;

/// Any time, also none.
pub(super) fn any(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is expected".to_owned())?;
    let time = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if time <= PATIENCE_MAX { Ok(time) } else { Err("longer than a year".to_owned()) }
}

/// Some time.
pub(super) fn positive(text: &str) -> Result<Duration, String> {
    any(text).and_then(
        |time| if time.is_zero() { Err("seconds above 0 are expected".to_owned()) } else { Ok(time) },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_a_number_within_a_year() {
        assert_eq!(any("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(any("0"), Ok(Duration::ZERO));
        for text in ["", "soon", "-1", "NaN", "inf", "1e9", "1e300"] {
            assert!(any(text).is_err(), "{text}");
        }
        assert!(positive("0").is_err() && positive("1e-20").is_err());
    }
}
