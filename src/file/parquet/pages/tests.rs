//! Page headers as the library meets them: in files of one column and one page, made by hand.

use std::{io::Write as _, path::Path};

use arrow_array::{RecordBatch, cast::AsArray as _, types::Int32Type};

use super::*;
use crate::file::{
    error::Error,
    map::{Access, Contents},
    parquet::{ParquetSource, ThriftWhy},
};

const UNCOMPRESSED: u8 = 0;
const SNAPPY: u8 = 1;

/// Four numbers.
const PAGE: &[u8] = b"\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0";

fn zigzag(value: i64) -> Vec<u8> {
    let mut rest = (value << 1 ^ value >> 63) as u64;
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// The header of a page of four numbers, up to the fields that no format has yet.
fn header(uncompressed: i64, compressed: i64) -> Vec<u8> {
    let sizes = [b"\x15\0\x15".to_vec(), zigzag(uncompressed), b"\x15".to_vec(), zigzag(compressed)];
    [&sizes.concat()[..], b"\x2c\x15\x08\x15\0\x15\x06\x15\x06\0"].concat()
}

/// A file of one page, and the footer that leads to it.
fn file(header: &[u8], page: &[u8], codec: u8) -> Vec<u8> {
    let schema = b"\x15\x02\x19\x2c\x48\x04root\x15\x02\0\x15\x02\x25\0\x18\x01x\0\x16\x08";
    let bytes = zigzag((header.len() + page.len()) as i64);
    let column = [
        &b"\x26\0\x1c\x15\x02\x19\x15\0\x19\x18\x01x\x15"[..],
        &[codec * 2],
        b"\x16\x08\x16",
        &bytes,
        b"\x16",
        &bytes,
        b"\x26\x08\0\0",
    ];
    let footer = [schema, &b"\x19\x1c\x19\x1c"[..], &column.concat(), b"\x16\x08\x16\x08\0\0"].concat();
    let length = (footer.len() as u32).to_le_bytes();
    [b"PAR1", header, page, &footer, &length, b"PAR1"].concat()
}

fn read(bytes: &[u8]) -> Result<Vec<RecordBatch>, Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    let contents = Contents::of_file(file, Path::new("made"), Access::Map)?;
    ParquetSource::open(contents)?.batches(1_024, None)?.collect()
}

type Result<T, E> = std::result::Result<T, E>;

fn refused(header: &[u8], codec: u8) -> Damage {
    match read(&file(header, PAGE, codec)) {
        Err(Error::Damaged { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

/// A page header with one more field, number 9.
fn with(field: &[u8]) -> Vec<u8> {
    [&header(16, 16)[..], field, &[0]].concat()
}

#[test]
fn what_is_sound_is_read_and_unknown_fields_are_passed_over() {
    for more in [&b""[..], b"\x41", b"\x48\x05later", b"\x49\x35\x02\x04\x06"] {
        let batches = read(&file(&with(more), PAGE, UNCOMPRESSED)).unwrap();
        assert_eq!(batches[0].column(0).as_primitive::<Int32Type>().values()[..], [1, 2, 3, 4]);
    }
}

#[test]
fn a_header_that_the_library_would_count_without_end_is_refused() {
    // The library skips a boolean without a byte, and does not notice the end of the file over the others.
    for element in [1, 2, 3, 7, 0xd] {
        let endless = with(&[0x49, 0xf0 | element, 0xff, 0xff, 0xff, 0xff, 7]);
        let Damage::Thrift { part, fault } = refused(&endless, UNCOMPRESSED) else { panic!("{element}") };
        assert!(part == "a page header" && fault.offset < 64, "{fault}");
        assert!(matches!(fault.why, ThriftWhy::Count { count, .. } if count == i32::MAX as u64), "{fault}");
    }
    let Damage::Thrift { fault, .. } = refused(&with(b"\x49\x32\x01\x01\x01"), UNCOMPRESSED) else {
        panic!()
    };
    assert_eq!(fault.why, ThriftWhy::Booleans);
}

#[test]
fn what_the_fuzzer_found_is_refused_for_its_header() {
    let bytes = std::fs::read("fuzz/corpus/parquet/endless_header").unwrap();
    let error = read(&bytes).unwrap_err().to_string();
    let expected = "a page header has a value of type 3 where the format has another (byte 0x2435)";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_page_takes_no_more_room_than_its_bytes_can_fill() {
    let of =
        |uncompressed, compressed| refused(&[header(uncompressed, compressed), vec![0]].concat(), SNAPPY);
    let (found, limit) = (i32::MAX as u64, Decompression::default().ratio_floor_bytes);
    assert_eq!(of(i32::MAX.into(), 16), Damage::TooLarge { what: "a page", found, limit });
    for outside in [of(-1, 16), of(16, -1), of(16, 1 << 20)] {
        assert_eq!(outside, Damage::OutOfBounds { what: "a page" });
    }
}

#[test]
fn a_header_is_walked_when_it_is_read_and_not_before() {
    let bytes = file(&with(b""), PAGE, UNCOMPRESSED);
    let pages = Pages::new(bytes.into());
    let mut read = Vec::new();
    pages.get_read(4).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, with(b""), "and no more");
    let mut no_header = pages.get_read(0).unwrap();
    assert_eq!(pages.refused(), None);
    assert!(no_header.read(&mut [0]).is_err());
    assert!(matches!(pages.refused(), Some(Damage::Thrift { .. })));
    assert!(pages.get_read(pages.len()).is_ok() && pages.get_read(pages.len() + 1).is_err());
}
