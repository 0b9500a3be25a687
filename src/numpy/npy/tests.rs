//! Headers as NumPy writes them, and as nobody does.

use super::*;

fn file(version: u8, header: &str) -> Vec<u8> {
    let length = header.len() as u32;
    let length =
        if version == 1 { length.to_le_bytes()[..2].to_vec() } else { length.to_le_bytes().to_vec() };
    [MAGIC, &[version, 0], &length, header.as_bytes(), b"data"].concat()
}

fn parse(header: &str) -> Result<Header> {
    Header::parse(&file(1, header))
}

#[test]
fn headers_are_read_in_every_version() {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }    \n";
    for (version, data) in [(1, 10), (2, 12), (3, 12)] {
        let header = Header::parse(&file(version, text)).unwrap();
        assert_eq!((header.shape, header.fortran, header.data), (vec![3, 5], false, data + text.len()));
        assert_eq!(header.items.bytes(), Some(4));
    }
}

#[test]
fn records_are_taken_apart() {
    let descr = "[('id', '|S4'), ('', '|V3'), (('a title', 'v'), '<f4', (2, 3)), ('in', [('x', '<i2'), ('t', '<M8[10us]')])]";
    let header = parse(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (7L,), }}")).unwrap();
    let Items::Record { fields, item_bytes } = header.items else { panic!("no record") };
    let told: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.offset, field.bytes)).collect();
    assert_eq!(told, [("id", 0, 4), ("v", 7, 24), ("in.x", 31, 2), ("in.t", 33, 8)]);
    assert_eq!((item_bytes, fields[1].shape.as_slice(), header.shape), (41, &[2, 3][..], vec![7]));
}

#[test]
fn what_is_no_header_is_refused() {
    let shape = |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
    let descr = |descr: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': ()}}");
    let deep = format!("{}{}", "(".repeat(5000), ")".repeat(5000));
    let bad = [
        "{}".to_owned(),
        shape("3"),
        shape("(-1,)"),
        shape("(__import__('os'),)"),
        shape("(3,) + (4,)"),
        shape("(99999999999999999999999,)"),
        shape(&deep),
        descr("'<f4"),
        descr("'<q4'"),
        descr("'<f4[ns]'"),
        descr("[('a', '|O')]"),
        descr("[('a',)]"),
        descr("[('a', [('b', '<f4')], (2,))]"),
        "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}".to_owned(),
    ];
    for header in bad {
        assert!(parse(&header).is_err(), "{header}");
    }
    assert!(Header::parse(&file(4, "{}")).is_err());
}

#[test]
fn every_shorter_prefix_is_refused() {
    let whole = file(2, "{'descr': [('a', '<f4')], 'fortran_order': True, 'shape': (1,), }\n");
    let end = whole.len() - 4;
    assert!((0..end).all(|cut| Header::parse(&whole[..cut]).is_err()));
    assert!(Header::parse(&whole[..end]).is_ok());
}
