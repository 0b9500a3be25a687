//! Walks over structs that are sound, cut short, or claim more than they hold.

use super::*;
use crate::file::parquet::structs::{FILE_META_DATA, PAGE_HEADER};

/// A data page of 16 bytes, 8 of them packed, four values, with statistics.
const HEADER: &[u8] = b"\x15\0\x15\x20\x15\x10\x15\x9a\x05\x1c\x15\x08\x15\0\x15\x06\x15\x06\
    \x1c\x18\x04abcd\x18\x03abc\x16\0\x28\x01z\x18\0\x11\x12\0\0\0";
/// Field numbers that no struct of the format has yet, and values of every type.
const UNKNOWN_FIELDS: &[u8] =
    b"\x02\x82\x01\x11\x13\x7f\x14\x01\x15\x03\x16\x05\x17abcdefgh\x18\x02xy\x19\x38\0\x01a\0\
    \x1a\x15\x02\x1b\x01\x58\x02\x01k\x1b\0\x1c\x15\x02\0\x1dabcdefghijklmnop\x19\xf3\x10abcdefghijklmnop\0";

struct Nobody;

impl Watch for Nobody {}

fn walked(bytes: &[u8]) -> Result<usize, ThriftFault> {
    walk(bytes, 0..bytes.len(), &PAGE_HEADER, &mut Nobody)
}

fn refused(bytes: &[u8]) -> ThriftWhy {
    walked(bytes).unwrap_err().why
}

/// A field that the library skips: number 9, of the page header, and its value.
fn skipped(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[0x90 | kind], value, &[0]].concat()
}

#[test]
fn what_is_sound_ends_where_it_ends() {
    assert_eq!(walked(HEADER), Ok(HEADER.len()));
    let followed = [HEADER, b"page"].concat();
    assert_eq!(walked(&followed), Ok(HEADER.len()));
    assert_eq!(walked(UNKNOWN_FIELDS), Ok(UNKNOWN_FIELDS.len()));
    let within = [b"PAR1", HEADER].concat();
    assert_eq!(walk(&within, 4..within.len(), &PAGE_HEADER, &mut Nobody), Ok(within.len()));
}

#[test]
fn every_shorter_prefix_is_refused() {
    for whole in [HEADER, UNKNOWN_FIELDS] {
        for length in 0..whole.len() {
            let fault = walked(&whole[..length]).unwrap_err();
            // A count is compared with what is left before its elements are.
            assert!(
                matches!(fault.why, ThriftWhy::Ended { .. } | ThriftWhy::Count { .. }),
                "{length}: {fault}"
            );
            assert!(fault.offset <= length as u64);
        }
    }
}

#[test]
fn the_bytes_behind_a_part_are_not_its_own() {
    for length in 0..HEADER.len() {
        assert!(walk(HEADER, 0..length, &PAGE_HEADER, &mut Nobody).is_err(), "{length}");
    }
}

#[test]
fn containers_of_booleans_are_refused_whatever_they_claim() {
    for element in [BOOLEAN_TRUE, BOOLEAN_FALSE] {
        for container in [LIST, SET] {
            assert_eq!(refused(&skipped(container, &[0x10 | element, 1])), ThriftWhy::Booleans);
            let endless = skipped(container, &[0xf0 | element, 0xff, 0xff, 0xff, 0xff, 7]);
            assert_eq!(refused(&endless), ThriftWhy::Count { count: i32::MAX as u64, left: 1 });
        }
        for types in [element << 4 | I8, I8 << 4 | element, element << 4 | element] {
            assert_eq!(refused(&skipped(MAP, &[1, types, 1, 1])), ThriftWhy::Booleans);
        }
    }
    let within = skipped(LIST, &[0x10 | LIST, 0x21, 1, 1]);
    assert_eq!(refused(&within), ThriftWhy::Booleans);
}

#[test]
fn no_container_has_more_elements_than_there_are_bytes() {
    for element in I8..=UUID {
        let claimed = skipped(LIST, &[0xf0 | element, 0x80, 0x80, 0x80, 0x80, 8]);
        assert_eq!(refused(&claimed), ThriftWhy::Count { count: 1 << 31, left: 1 });
    }
    assert_eq!(refused(&skipped(MAP, &[4, 0x33, 1, 2, 3, 4])), ThriftWhy::Count { count: 4, left: 6 });
    // As many elements as bytes, but of eight bytes each.
    assert!(matches!(refused(&skipped(LIST, &[0x47, 1, 2, 3, 4])), ThriftWhy::Ended { .. }));
    assert_eq!(refused(&skipped(BINARY, &[5, 1, 2, 3])), ThriftWhy::Ended { needed: 1 });
    assert_eq!(walked(&skipped(LIST, &[0])), Ok(3), "an empty list without a type");
}

#[test]
fn values_stand_in_each_other_to_a_bound() {
    let nested = |depth: usize| [vec![0x9c; depth], vec![0; depth + 1]].concat();
    assert_eq!(walked(&nested(THRIFT_NESTING_MAX)), Ok(2 * THRIFT_NESTING_MAX + 1));
    assert_eq!(refused(&nested(THRIFT_NESTING_MAX + 1)), ThriftWhy::Nesting);
    for deep in [vec![0x9c; 1 << 20], [vec![0x99], vec![0x19; 1 << 20]].concat()] {
        assert_eq!(refused(&deep), ThriftWhy::Nesting);
    }
    let maps: Vec<u8> = [0x9b].into_iter().chain([1, 0x3b, 0].repeat(1_000)).collect();
    assert_eq!(refused(&maps), ThriftWhy::Nesting);
}

#[test]
fn numbers_have_the_bits_of_their_type() {
    let longest = [&[0xff; 9][..], &[1]].concat();
    assert_eq!(walked(&skipped(I64, &longest)), Ok(12));
    assert_eq!(refused(&skipped(I64, &[&[0xff; 9][..], &[2]].concat())), ThriftWhy::Number);
    assert_eq!(refused(&skipped(I64, &[0x80; 1_000])), ThriftWhy::Number);
    // The library would cut the compressed size to its lower 32 bits.
    assert_eq!(refused(b"\x35\x80\x80\x80\x80\x20\0"), ThriftWhy::Number);
    assert_eq!(walked(b"\x35\xff\xff\xff\xff\x0f\0"), Ok(7));
    // Field numbers have 16 bits, and are added up.
    assert_eq!(refused(b"\x05\x80\x80\x08\0\0"), ThriftWhy::Number);
    assert_eq!(refused(b"\x05\xfe\xff\x03\0\x15\0\0"), ThriftWhy::Number);
}

#[test]
fn a_field_that_the_library_reads_has_its_type_and_comes_once() {
    // A page type of bytes: the library would read their length as the number, and the rest as fields.
    assert_eq!(refused(b"\x18\x07\x99\xf1\xff\xff\xff\xff\x07\0"), ThriftWhy::Type { found: BINARY });
    assert_eq!(refused(b"\x51\0"), ThriftWhy::Type { found: BOOLEAN_TRUE });
    assert_eq!(refused(b"\x1e\0"), ThriftWhy::Type { found: 14 });
    assert_eq!(refused(b"\x10\0"), ThriftWhy::Type { found: 0 });
    assert_eq!(refused(b"\x15\0\x05\x02\0\0"), ThriftWhy::Twice { field: 1 });
    let schema_of_numbers = b"\x29\x15\0\0";
    let footer = walk(schema_of_numbers, 0..4, &FILE_META_DATA, &mut Nobody);
    assert_eq!(footer.unwrap_err(), ThriftFault { offset: 2, why: ThriftWhy::Type { found: I32 } });
}
