//! Times as protobuf's well-known messages: `Timestamp` and `Duration`, each seconds and nanoseconds.

use arrow_schema::{DataType, TimeUnit};

use super::varint::{Wire, key, put_varint, varint_len};
use crate::columnar::cells::Cells;

const SECONDS: u32 = key(1, Wire::Varint);
const NANOS: u32 = key(2, Wire::Varint);
/// From the first second of year 1 to the last of year 9999.
const TIMESTAMP_SECONDS: (i64, i64) = (-62_135_596_800, 253_402_300_799);
/// Ten thousand years either way.
const DURATION_SECONDS: (i64, i64) = (-315_576_000_000, 315_576_000_000);
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A column of times as a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    per_second: i64,
    is_duration: bool,
}

/// One time, as the message has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    seconds: i64,
    nanos: i32,
}

impl Moment {
    /// How `message` carries `data_type`; none if it does not.
    pub(super) fn of(message: &str, data_type: &DataType) -> Option<Self> {
        match (message, data_type) {
            // A time without a zone is taken for UTC, as pandas does when it is asked for an instant.
            ("google.protobuf.Timestamp", DataType::Timestamp(unit, _)) => {
                Some(Self { per_second: per_second(*unit), is_duration: false })
            }
            ("google.protobuf.Duration", DataType::Duration(unit)) => {
                Some(Self { per_second: per_second(*unit), is_duration: true })
            }
            _ => None,
        }
    }

    /// The time in `cells` at `at`; its seconds if they are outside the range of the message.
    pub(super) fn parts(self, cells: &Cells, at: usize) -> Result<Parts, i64> {
        // The plan lets only times through, which are integers.
        let Cells::Integer(values) = cells else { return Err(0) };
        let parts = self.split(values.bits(at) as i64);
        let (least, most) = if self.is_duration { DURATION_SECONDS } else { TIMESTAMP_SECONDS };
        if (least..=most).contains(&parts.seconds) { Ok(parts) } else { Err(parts.seconds) }
    }

    fn split(self, value: i64) -> Parts {
        let nanos_each = NANOS_PER_SECOND / self.per_second;
        // The two parts of a duration have one sign; nanoseconds of an instant always count forward.
        let (seconds, rest) = if self.is_duration {
            (value / self.per_second, value % self.per_second)
        } else {
            (value.div_euclid(self.per_second), value.rem_euclid(self.per_second))
        };
        Parts { seconds, nanos: (rest * nanos_each) as i32 }
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => NANOS_PER_SECOND,
    }
}

impl Parts {
    fn words(self) -> [(u32, u64); 2] {
        [(SECONDS, self.seconds as u64), (NANOS, i64::from(self.nanos) as u64)]
    }

    /// Bytes of the message.
    pub(super) fn len(self) -> usize {
        let present = self.words().into_iter().filter(|(_, word)| *word != 0);
        present.map(|(key, word)| varint_len(u64::from(key)) + varint_len(word)).sum()
    }

    /// Appends the message.
    pub(super) fn put(self, out: &mut Vec<u8>) {
        for (key, word) in self.words().into_iter().filter(|(_, word)| *word != 0) {
            put_varint(u64::from(key), out);
            put_varint(word, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(unit: TimeUnit, is_duration: bool, value: i64) -> (i64, i32) {
        let parts = Moment { per_second: per_second(unit), is_duration }.split(value);
        (parts.seconds, parts.nanos)
    }

    #[test]
    fn the_two_parts_of_a_duration_have_one_sign_and_those_of_an_instant_count_forward() {
        assert_eq!(split(TimeUnit::Millisecond, true, -1_500), (-1, -500_000_000));
        assert_eq!(split(TimeUnit::Millisecond, false, -1_500), (-2, 500_000_000));
        assert_eq!(split(TimeUnit::Nanosecond, false, i64::MIN), (-9_223_372_037, 145_224_192));
        assert_eq!(split(TimeUnit::Microsecond, true, 1), (0, 1_000));
        assert_eq!(split(TimeUnit::Second, false, 7), (7, 0));
    }
}
