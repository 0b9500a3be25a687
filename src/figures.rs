//! Figures as people read them.

use std::time::Duration;

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the decimal unit that leaves one to three digits.
pub fn bytes(number: u64) -> String {
    scaled(number as f64)
}

/// Bytes in the units that pandas counts memory in, of which it calls the MiB a MB.
pub(super) fn memory(bytes: u64) -> String {
    match bytes as f64 {
        few if few < 1024.0 => format!("{bytes} B"),
        more if more < 1_048_576.0 => format!("{:.1} KiB", more / 1024.0),
        many => format!("{:.2} MiB", many / 1_048_576.0),
    }
}

/// Bytes a second.
pub fn rate(number: u64, time: Duration) -> String {
    scaled(number as f64 / time.as_secs_f64().max(1e-9)) + "/s"
}

fn scaled(mut number: f64) -> String {
    for unit in ["B", "kB", "MB"] {
        if number < 999.5 {
            return if unit == "B" { format!("{number:.0} B") } else { format!("{number:.1} {unit}") };
        }
        number /= 1000.0;
    }
    format!("{number:.2} GB")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn figures_read_well() {
        let counts =
            [(0, "0"), (999, "999"), (1_000, "1,000"), (141_897, "141,897"), (1_234_567, "1,234,567")];
        for (number, text) in counts {
            assert_eq!(super::count(number), text);
        }
        let sizes = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (218_400_000, "218.4 MB"),
            (2_100_000_000, "2.10 GB"),
        ];
        for (number, text) in sizes {
            assert_eq!(super::bytes(number), text);
        }
        let sizes = [(1_023, "1023 B"), (1_536, "1.5 KiB"), (494_866_561, "471.94 MiB")];
        for (number, text) in sizes {
            assert_eq!(super::memory(number), text);
        }
        assert_eq!(super::rate(4_000_000_000, Duration::from_secs(2)), "2.00 GB/s");
    }
}
