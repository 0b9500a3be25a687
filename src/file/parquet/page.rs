//! Pages as the format writes them: headers in thrift's compact protocol, runs of levels, numbers of a dictionary.
//!
//! Source: `parquet.thrift` and `Encodings.md` of apache/parquet-format.

/// Elements of a run worth its own header; shorter ones are packed by bits, eight at a time.
const RUN_MIN: usize = 8;

/// The value of `Encoding` for what a page holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held {
    Plain = 0,
    /// Numbers of entries in the chunk's dictionary.
    Numbers = 8,
}

/// The header of a data page (version 1) of `body` bytes.
pub(super) fn data_page_header(body: i32, values: i32, held: Held) -> Vec<u8> {
    const DATA_PAGE: i32 = 0;
    /// `data_page_header`, the struct two fields behind the sizes.
    const FIELD: u8 = (2 << 4) + 12;
    const RLE: i32 = 3;
    page_header([DATA_PAGE, body, body], FIELD, &[values, held as i32, RLE, RLE])
}

/// The header of a dictionary page of `body` bytes.
pub(super) fn dictionary_page_header(body: i32, values: i32) -> Vec<u8> {
    const DICTIONARY_PAGE: i32 = 2;
    /// `dictionary_page_header`, the struct four fields behind the sizes.
    const FIELD: u8 = (4 << 4) + 12;
    page_header([DICTIONARY_PAGE, body, body], FIELD, &[values, Held::Plain as i32])
}

/// A byte for each field's distance and type, then its value.
fn page_header(kind_and_sizes: [i32; 3], field: u8, about: &[i32]) -> Vec<u8> {
    /// The next field, an i32.
    const I32: u8 = (1 << 4) + 5;
    const END: u8 = 0;
    let mut header = Vec::with_capacity(32);
    let put = |header: &mut Vec<u8>, value: i32| {
        header.push(I32);
        put_varint(header, u64::from((value << 1 ^ value >> 31).cast_unsigned()));
    };
    for value in kind_and_sizes {
        put(&mut header, value);
    }
    header.push(field);
    for &value in about {
        put(&mut header, value);
    }
    header.extend_from_slice(&[END, END]);
    header
}

/// A run of one level, if it is not empty.
pub(super) fn put_run(out: &mut Vec<u8>, values: usize, level: u8) {
    if values > 0 {
        put_varint(out, (values as u64) << 1);
        out.push(level);
    }
}

/// Levels behind their length.
pub(super) fn put_levels(out: &mut Vec<u8>, levels: &[u8]) {
    out.extend_from_slice(&(levels.len() as u32).to_le_bytes());
    out.extend_from_slice(levels);
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Numbers below 2^`width`, in runs and packed by bits.
pub(super) fn put_numbers(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    let mut at = 0;
    while at < numbers.len() {
        let run = equal_from(numbers, at, usize::MAX);
        if run >= RUN_MIN {
            put_varint(out, (run as u64) << 1);
            out.extend_from_slice(&numbers[at].to_le_bytes()[..width.div_ceil(8) as usize]);
            at += run;
            continue;
        }
        let start = at;
        while at < numbers.len() && equal_from(numbers, at, RUN_MIN) < RUN_MIN {
            at += 8;
        }
        put_packed(out, &numbers[start..at.min(numbers.len())], width);
    }
}

/// How many numbers from `at` on are the one that stands there, counted up to `most`.
fn equal_from(numbers: &[u32], at: usize, most: usize) -> usize {
    numbers[at..].iter().take(most).take_while(|&&number| number == numbers[at]).count()
}

/// Groups of eight, lowest bit first; the last one is filled up with zeros.
fn put_packed(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    put_varint(out, (numbers.len().div_ceil(8) as u64) << 1 | 1);
    for group in numbers.chunks(8) {
        let (mut bits, mut held) = (0_u64, 0);
        for place in 0..8 {
            bits |= u64::from(group.get(place).copied().unwrap_or(0)) << held;
            held += width;
            while held >= 8 {
                out.push(bits as u8);
                bits >>= 8;
                held -= 8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_header_is_what_the_format_says() {
        assert_eq!(
            data_page_header(300, 96, Held::Plain),
            [0x15, 0, 0x15, 0xd8, 4, 0x15, 0xd8, 4, 0x2c, 0x15, 0xc0, 1, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0]
        );
        assert_eq!(dictionary_page_header(9, 2), [0x15, 4, 0x15, 18, 0x15, 18, 0x4c, 0x15, 4, 0x15, 0, 0, 0]);
    }

    /// The example of `Encodings.md`: the numbers 0 to 7 in three bits each.
    #[test]
    fn numbers_are_packed_from_the_lowest_bit() {
        let mut out = Vec::new();
        put_numbers(&mut out, &[0, 1, 2, 3, 4, 5, 6, 7], 3);
        assert_eq!(out, [3, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
    }

    #[test]
    fn long_runs_are_runs_and_the_last_group_is_filled_up() {
        let mut out = Vec::new();
        let numbers: Vec<u32> = [1, 2].into_iter().chain([5; 20]).chain([7]).collect();
        put_numbers(&mut out, &numbers, 9);
        // Eight packed numbers take six of the run with them; fourteen remain.
        assert_eq!(out[0], 3);
        assert_eq!(out[1 + 9..][..3], [14 << 1, 5, 0]);
        assert_eq!(out[1 + 9 + 3..], [3, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
