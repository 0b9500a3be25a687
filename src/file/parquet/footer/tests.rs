//! Footers whose schemas are no trees, or trees that cost more than their bytes.

use std::{io::Write as _, path::Path};

use super::*;
use crate::file::{
    map::{Access, Contents},
    parquet::ParquetSource,
};

/// A schema element: a name, and how many children if it is a group.
fn element(name: &str, children: Option<i32>) -> Vec<u8> {
    // A number if it has no children, and neither missing nor repeated.
    let mut bytes = if children.is_some() { b"\x35\0\x18".to_vec() } else { b"\x15\x02\x25\0\x18".to_vec() };
    number(&mut bytes, name.len() as u64);
    bytes.extend(name.bytes());
    if let Some(children) = children {
        bytes.push(0x15);
        number(&mut bytes, u64::from(((children << 1) ^ (children >> 31)) as u32));
    }
    bytes.push(0);
    bytes
}

fn number(into: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// A file that is nothing but a footer with this schema, and no rows.
fn file(elements: &[Vec<u8>]) -> Vec<u8> {
    with(elements, b"")
}

/// The same with one more field, number 5 or above.
fn with(elements: &[Vec<u8>], more: &[u8]) -> Vec<u8> {
    let mut footer = b"\x15\x02\x19\xfc".to_vec();
    number(&mut footer, elements.len() as u64);
    footer.extend([&elements.concat()[..], b"\x16\0\x19\x0c", more, b"\0"].concat());
    let length = (footer.len() as u32).to_le_bytes();
    [b"PAR1", &footer[..], &length, b"PAR1"].concat()
}

fn refused(elements: &[Vec<u8>]) -> ThriftWhy {
    why(&file(elements))
}

fn why(bytes: &[u8]) -> ThriftWhy {
    match checked(bytes).unwrap_err() {
        Damage::Thrift { part: PART, fault } => fault.why,
        other => panic!("{other}"),
    }
}

fn open(bytes: &[u8]) -> Result<ParquetSource, crate::file::Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    ParquetSource::open(Contents::of_file(file, Path::new("made"), Access::Read)?)
}

#[test]
fn a_field_that_the_library_would_count_without_end_is_refused() {
    let schema = [element("root", Some(1)), element("x", None)];
    assert!(open(&with(&schema, b"\x68\x05later")).is_ok());
    let endless = with(&schema, b"\x69\xf1\xff\xff\xff\xff\x07");
    assert!(matches!(why(&endless), ThriftWhy::Count { .. }));
    let error = open(&endless).unwrap_err().to_string();
    assert!(error.contains("its footer claims 2147483647 elements where 1 bytes are left"), "{error}");
    assert_eq!(why(&with(&schema, b"\x69\x12\x01")), ThriftWhy::Booleans);
}

#[test]
fn a_schema_is_a_tree_whose_children_are_all_there() {
    let (leaf, group) = (element("x", None), |children| element("g", Some(children)));
    let whole = [group(2), group(1), leaf.clone(), element("y", Some(0))];
    let bytes = file(&whole);
    assert_eq!(checked(&bytes), Ok(&bytes[4..bytes.len() - 8]));
    assert_eq!(refused(&whole[..3]), ThriftWhy::Tree);
    assert_eq!(refused(&[group(i32::MAX), leaf.clone()]), ThriftWhy::Tree);
    assert_eq!(refused(&[group(-1), leaf]), ThriftWhy::Tree);
}

#[test]
fn groups_stand_in_each_other_to_a_bound() {
    let nested = |depth| [vec![element("g", Some(1)); depth], vec![element("x", None)]].concat();
    // The library reads what is let through, on a thread of a test with its small stack.
    let deepest = open(&file(&nested(PARQUET_SCHEMA_DEPTH_MAX))).unwrap();
    assert_eq!(deepest.schema().fields().len(), 1);
    let limit = PARQUET_SCHEMA_DEPTH_MAX;
    assert_eq!(refused(&nested(limit + 1)), ThriftWhy::Depth { limit });
    // One after the other they are as many as one likes.
    let flat = (0..1_000).flat_map(|_| [element("g", Some(1)), element("x", None)]);
    let flat: Vec<_> = [element("root", Some(1_000))].into_iter().chain(flat).collect();
    assert!(checked(&file(&flat)).is_ok());
}

#[test]
fn a_long_name_is_paid_for_by_every_column_below_it() {
    let long = "g".repeat(1 << 20);
    let below = |columns: usize| {
        let groups = [element(&long, Some(1)), element(&long, Some(columns as i32))];
        [groups.to_vec(), vec![element("x", None); columns]].concat()
    };
    assert!(checked(&file(&below(63))).is_ok(), "the root's name is on no path");
    assert_eq!(refused(&below(64)), ThriftWhy::Paths { limit: PARQUET_PATHS_BYTES_MAX });
}

#[test]
fn a_footer_lies_inside_its_file() {
    let bytes = file(&[element("root", None)]);
    let outside = [&bytes[..bytes.len() - 8], &u32::MAX.to_le_bytes(), b"PAR1"].concat();
    assert_eq!(checked(&outside), Err(Damage::OutOfBounds { what: PART }));
    for short in [&b""[..], b"PAR1", b"\0\0PAR1", &bytes[..bytes.len() - 1]] {
        assert_eq!(checked(short), Err(Damage::Magic));
    }
    let encrypted = [&bytes[..bytes.len() - 4], b"PARE"].concat();
    assert!(checked(&encrypted).unwrap_err().to_string().contains("encrypted"));
}

#[test]
fn rows_of_no_columns_are_not_as_many_as_the_footer_says() {
    let of_rows = |rows: &[u8]| {
        let group =
            [b"\x15\x02\x19\x1c\x48\x04root\x15\0\0\x16", rows, b"\x19\x1c\x19\x0c\x16\0\x16", rows, b"\0\0"];
        let footer = group.concat();
        let length = (footer.len() as u32).to_le_bytes();
        open(&[b"PAR1", &footer[..], &length, b"PAR1"].concat())
    };
    assert_eq!(of_rows(b"\x80\x01").unwrap().rows(), 64);
    for many in [&b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"[..], b"\x01"] {
        let error = of_rows(many).unwrap_err().to_string();
        assert!(error.contains("more than the"), "{error}");
    }
}
