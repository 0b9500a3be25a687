//! The value rules behind a column's `coerce`: pure functions, so that every case can be read and tested in one place.
//!
//! They refuse where the published system guessed: there an unreadable number of years became 0, here the row is bad.

/// Why a value cannot become what its column holds.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that does not say a number of years.
    #[error("{text:?} is not a number of years: expected forms are \"2y\", \"2\" and \"no_exp\"")]
    Years {
        /// The text, shortened if it is long.
        text: String,
    },
    /// A float where a whole number is wanted.
    #[error("{value} is not a whole number; `coerce = \"rounded\"` rounds")]
    Fraction {
        /// The float.
        value: f64,
    },
    /// More than 64 bits hold.
    #[error("{value} is out of range for a 64-bit integer")]
    Range {
        /// The float.
        value: f64,
    },
}

/// How much of a text that is refused stands in the error.
const QUOTED_CHARS_MAX: usize = 40;

/// Years of experience: `"2y"`, `"2Y"`, `" 2 y "` and `"2"` are 2, `"no_exp"` is 0, text that is empty or blank is missing.
///
/// Anything else, such as `"5+"`, `"2.5y"`, `"nan"` or a number beyond 32 bits, is refused.
pub fn years(text: &str) -> Result<Option<i32>, Error> {
    let trimmed = text.trim_ascii();
    match trimmed {
        "" => Ok(None),
        "no_exp" => Ok(Some(0)),
        _ => match without_unit(trimmed).parse() {
            Ok(years) => Ok(Some(years)),
            Err(_) => Err(Error::Years { text: shortened(text) }),
        },
    }
}

fn without_unit(text: &str) -> &str {
    text.strip_suffix(['y', 'Y']).unwrap_or(text).trim_ascii_end()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A float that holds a whole number, which is how pandas stores integers beside missing ones; NaN is missing.
pub fn whole(value: f64) -> Result<Option<i64>, Error> {
    if value.is_finite() && value.fract() != 0.0 {
        return Err(Error::Fraction { value });
    }
    rounded(value)
}

/// The nearest whole number, a half going to the even side as Python's `round` does; NaN is missing.
pub fn rounded(value: f64) -> Result<Option<i64>, Error> {
    // 2^63 is a float, i64::MAX is not: the comparison is exact.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.is_nan() {
        return Ok(None);
    }
    let nearest = value.round_ties_even();
    if (-LIMIT..LIMIT).contains(&nearest) { Ok(Some(nearest as i64)) } else { Err(Error::Range { value }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_read_in_every_form_the_files_have() {
        let cases = [
            ("2y", 2),
            ("10y", 10),
            ("0y", 0),
            ("no_exp", 0),
            ("5", 5),
            (" 5 y ", 5),
            ("3Y", 3),
            ("-1y", -1),
        ];
        for (text, expected) in cases {
            assert_eq!(years(text), Ok(Some(expected)), "{text:?}");
        }
    }

    #[test]
    fn blank_years_are_missing() {
        assert_eq!(years(""), Ok(None));
        assert_eq!(years(" \t"), Ok(None));
    }

    #[test]
    fn garbage_is_refused_and_never_zero() {
        let garbage = [
            "5+",
            "2.5y",
            "y",
            "yy",
            "2yy",
            "2 y y",
            "nan",
            "None",
            "No_Exp",
            "three",
            "2147483648y",
            "٣y",
            "1_0y",
        ];
        for text in garbage {
            assert_eq!(years(text), Err(Error::Years { text: text.to_owned() }));
        }
    }

    #[test]
    fn a_refusal_says_what_was_expected_and_stays_short() {
        let message = years(&"é".repeat(1000)).expect_err("not years").to_string();
        assert!(message.len() < 200, "{message}");
        assert_eq!(
            years("5+").expect_err("not years").to_string(),
            r#""5+" is not a number of years: expected forms are "2y", "2" and "no_exp""#
        );
    }

    #[test]
    fn whole_floats_are_integers_and_fractions_are_refused() {
        assert_eq!(whole(2.0), Ok(Some(2)));
        assert_eq!(whole(-0.0), Ok(Some(0)));
        assert_eq!(whole(f64::NAN), Ok(None));
        assert_eq!(whole(2.5), Err(Error::Fraction { value: 2.5 }));
        assert_eq!(whole(f64::INFINITY), Err(Error::Range { value: f64::INFINITY }));
    }

    #[test]
    fn rounding_is_python_rounding() {
        for (value, expected) in [(2.6, 3), (2.5, 2), (3.5, 4), (-0.4, 0), (1.499, 1)] {
            assert_eq!(rounded(value), Ok(Some(expected)), "{value}");
        }
        assert_eq!(rounded(f64::NAN), Ok(None));
    }

    #[test]
    fn the_edges_of_64_bits_are_exact() {
        assert_eq!(rounded(-9_223_372_036_854_775_808.0), Ok(Some(i64::MIN)));
        assert_eq!(rounded(9_223_372_036_854_774_784.0), Ok(Some(9_223_372_036_854_774_784)));
        assert!(matches!(rounded(9_223_372_036_854_775_808.0), Err(Error::Range { .. })));
        assert!(matches!(rounded(f64::NEG_INFINITY), Err(Error::Range { .. })));
    }
}
