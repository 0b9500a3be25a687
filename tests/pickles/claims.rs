//! Small files that claim or name much: what they cost is what they hold.

use std::{ops::Range, sync::Arc};

use brine::{
    columnar::Attrs,
    limits::Limits,
    numpy::{Data, Octets},
    pandas::{Values, tables},
    pickle,
};

use super::{
    chain,
    written::{block, frame, range},
};

/// Names, or rows, of which any number may be named.
const MANY: usize = 20_000;

const TEXT: &str = "cnumpy\ndtype\n(VS0\nI00\nI01\ntR";
const OBJECTS: &str = "cnumpy\ndtype\n(VO8\nI00\nI01\ntR";
const BYTES: &str = "cnumpy\ndtype\n(Vi1\nI00\nI01\ntR";

/// What is written for each of some numbers, one behind the other.
fn each(numbers: Range<usize>, written: impl Fn(usize) -> String) -> String {
    numbers.map(written).collect()
}

/// An array of this shape, its data as they are written in the file.
fn array(shape: &[usize], dtype: &str, data: &str) -> String {
    let shape = each(0..shape.len(), |axis| format!("I{}\n", shape[axis]));
    let call = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR";
    format!("{call}(I1\n({shape}t{dtype}I00\n{data}tb")
}

/// An array with a mask of nothing.
fn masked(shape: &[usize], dtype: &str, data: &str, mask: &str) -> String {
    let plain = array(shape, dtype, &format!("{data}{mask}N"));
    let call = "cnumpy.ma.core\n_mareconstruct\n(cnumpy.ma.core\nMaskedArray\ncnumpy\nndarray\n(I0\ntVb\ntR";
    format!("{call}{}", &plain[plain.find("(I1\n").unwrap()..])
}

/// A dtype of records: the names and the dict of their fields as they are written in the file.
fn record(names: &str, fields: &str, itemsize: u64) -> String {
    format!("cnumpy\ndtype\n(VV8\nI00\nI01\ntR(I3\nV|\nN({names}t(d{fields}I{itemsize}\nI1\nI16\ntb")
}

/// A field of a record.
fn field(name: &str, dtype: &str, offset: u64) -> String {
    format!("V{name}\n({dtype}I{offset}\nts")
}

/// Bytes, as protocol 2 writes them.
fn bytes(count: usize) -> String {
    format!("c_codecs\nencode\n(V{}\nVlatin1\ntR", "\0".repeat(count))
}

fn said(value: &str) -> Result<usize, String> {
    chain::run(format!("{value}.").as_bytes())
}

fn refused(value: &str) -> String {
    said(value).unwrap_err()
}

/// One text, named again and again.
fn same(text: &str, count: usize) -> String {
    format!("V{text}\np1\n{}", "g1\n".repeat(count - 1))
}

#[test]
fn vectors_without_rows_are_as_long_as_the_file_says_and_cost_nothing() {
    let vector = format!("cnumpy\ndtype\n(VV8\nI00\nI01\ntR(I3\nV|\n({BYTES}(I{}\ntt", 1_u64 << 40);
    let vector = format!("{vector}NNI8\nI1\nI0\ntb");
    let dtype = record("Va\n", &field("a", &vector, 0), 1 << 40);
    let reason = refused(&masked(&[0], &dtype, &bytes(0), &bytes(0)));
    assert!(reason.contains("the first has 1099511627776"), "{reason}");
}

#[test]
fn text_in_records_takes_no_room_for_what_its_dtype_says() {
    let wide = "cnumpy\ndtype\n(VS4000000000\nI00\nI01\ntR";
    let fields = [field("a", OBJECTS, 0), field("b", wide, 8)].concat();
    let dtype = record("Va\nVb\n", &fields, 4_000_000_008);
    let rows = array(&[2], &dtype, "(l(NVx\nta(NVy\nta");
    assert_eq!(said(&rows), Ok(2));
}

#[test]
fn records_inside_records_are_looked_at_a_bounded_number_of_times() {
    let mut dtype = record("", "", 0);
    for level in 0..7 {
        let names = each(0..20, |name| format!("Vf{name}\n"));
        let first = format!("Vf0\n({dtype}I0\ntp{level}\ns");
        let fields = each(1..20, |name| format!("Vf{name}\ng{level}\ns"));
        dtype = record(&names, &(first + &fields), 0);
    }
    let reason = refused(&array(&[0], &dtype, &bytes(0)));
    assert!(reason.contains("named fields of records"), "{reason}");
}

#[test]
fn many_fields_are_found_by_name_at_once_and_many_names_are_paid_for() {
    let names = each(0..MANY, |name| format!("Vk{name}\n"));
    let fields = each(0..MANY, |at| field(&format!("k{at}"), BYTES, at as u64));
    let dtype = record(&names, &fields, MANY as u64);
    assert_eq!(said(&array(&[0], &dtype, &bytes(0))), Ok(0));
    let long = record(&same(&"a".repeat(1 << 20), MANY), &format!("g1\n({BYTES}I0\nts"), 1);
    let reason = refused(&array(&[0], &long, &bytes(0)));
    assert!(reason.contains("bytes of a table's cells"), "{reason}");
}

#[test]
fn rows_of_no_columns_and_items_of_no_bytes_are_not_as_many_as_the_file_says() {
    for (shape, dtype, data) in [
        ([1 << 50, 0], OBJECTS, "(l".to_owned()),
        ([1 << 50, 0], BYTES, bytes(0)),
        ([1 << 20, 1 << 15], TEXT, bytes(0)),
    ] {
        let reason = refused(&array(&shape, dtype, &data));
        assert!(reason.contains("is more than the limit"), "{reason}");
    }
    let records = record("Va\nVb\n", &[field("a", TEXT, 0), field("b", BYTES, 0)].concat(), 1);
    assert_eq!(said(&array(&[2], &records, &bytes(2))), Ok(2));
}

#[test]
fn objects_with_a_mask_are_walked_once() {
    let (rows, items) = (20, 10_000);
    let cells = format!("(l{}", "Na".repeat(rows * items));
    assert_eq!(said(&masked(&[rows, items], OBJECTS, &cells, &bytes(rows * items))), Ok(rows));
}

fn labelled(labels: &str) -> Result<usize, String> {
    let cells = array(&[MANY], OBJECTS, &format!("(l{labels}"));
    let index = format!(
        "cpandas.core.indexes.base\n_new_Index\n(cpandas.core.indexes.base\nIndex\n(dVdata\n{cells}sVname\nNstR"
    );
    let values = array(&[MANY, 0], BYTES, &bytes(0));
    let blocks =
        String::from_utf8(block(values.as_bytes())).unwrap().replace("I1\nI1\n", &format!("I{MANY}\nI1\n"));
    chain::run(&frame(blocks.as_bytes(), &index, "0"))
}

#[test]
fn columns_of_one_label_are_numbered_at_once_and_long_labels_are_paid_for() {
    assert_eq!(labelled(&format!("Vx\np1\na{}", "g1\na".repeat(MANY - 1))), Ok(0));
    let long = "x".repeat(1 << 20);
    let reason = labelled(&format!("V{long}\np1\na{}", "g1\na".repeat(MANY - 1))).unwrap_err();
    assert!(reason.contains("bytes of a table's cells"), "{reason}");
}

fn attrs(entries: &str) -> Attrs {
    let head =
        "ccopy_reg\n_reconstructor\n(cpandas.core.frame\nDataFrame\nc__builtin__\nobject\nNtR(dVattrs\n";
    let rest = frame(b"", &range("0"), "0");
    let rest = std::str::from_utf8(&rest).unwrap();
    let state = rest.find("V_mgr").unwrap();
    let (bytes, limits) = (format!("{head}(d{entries}s{}", &rest[state..]), Limits::default());
    let graph = pickle::load(bytes.as_bytes(), &limits).unwrap();
    let found = tables(&graph, &limits).unwrap().remove(0).found.unwrap();
    Attrs::of(&found.parse(&graph, &limits).unwrap())
}

#[test]
fn attributes_that_name_one_long_text_are_paid_for_before_they_are_looked_at() {
    const TOO_MUCH: &str = "all of them together are more than 16777216 bytes";
    let long = "a".repeat(6 << 20);
    let keys = attrs(&format!("V{long}\np1\nNs{}", "g1\nNs".repeat(MANY)));
    let json = keys.json.unwrap();
    assert_eq!(json.len(), 2 * ((6 << 20) + "'':null".len()) + "{,}".len());
    assert!(keys.lost[0].ends_with(TOO_MUCH), "{}", keys.lost[0]);
    assert_eq!(keys.lost.last().unwrap(), &format!("{} more", MANY - 1 - 20));
    let more = each(0..MANY, |key| format!("V{key}\ng1\ns"));
    let values = attrs(&format!("Vk\nV{long}\np1\ns{more}"));
    assert!(values.json.unwrap().len() < 16 << 20);
    assert_eq!(values.lost[0], format!("\"1\": {TOO_MUCH}"));
}

/// The bytes that a column shares with others.
fn shared(values: &Values<'_>) -> Arc<Vec<u8>> {
    let Values::Numbers { array, .. } = values else { panic!("{values:?}") };
    let Data::Bytes(Octets::Shared(bytes, _)) = &array.data else { panic!("{array:?}") };
    Arc::clone(bytes)
}

/// The first column of every table.
fn first_columns(bytes: &[u8], seen: impl FnOnce(Vec<Arc<Vec<u8>>>)) {
    let limits = Limits::default();
    let graph = pickle::load(bytes, &limits).unwrap();
    let members = tables(&graph, &limits).unwrap();
    // Each table is dropped before the next one is read, as in a conversion.
    let columns = members.iter().map(|member| {
        let frame = member.found.as_ref().unwrap().parse(&graph, &limits).unwrap();
        Arc::downgrade(&shared(&frame.columns[0].values))
    });
    let columns: Vec<_> = columns.collect();
    seen(columns.iter().map(|bytes| bytes.upgrade().unwrap()).collect());
}

#[test]
fn the_items_of_a_panel_share_what_its_block_decodes_to() {
    let path = "tests/fixtures/rare/pd203_panel.p2.pkl";
    first_columns(&std::fs::read(path).unwrap(), |items| {
        assert!(items.len() > 1 && items.iter().all(|item| Arc::ptr_eq(item, &items[0])));
    });
}

#[test]
fn columns_that_name_one_text_share_what_it_decodes_to() {
    const BYTES_EACH: usize = 1 << 12;
    let columns = 12;
    let first = bytes(BYTES_EACH).replace("\nVlatin1", "\np1\nVlatin1");
    let again = "c_codecs\nencode\n(g1\nVlatin1\ntR";
    let data = |column| if column == 0 { &first } else { again };
    let dict =
        each(0..columns, |column| format!("Vk{column}\n{}s", array(&[BYTES_EACH], BYTES, data(column))));
    let pickle = format!("(d{dict}.");
    let limits = Limits::default();
    let graph = pickle::load(pickle.as_bytes(), &limits).unwrap();
    let found = tables(&graph, &limits).unwrap().remove(0).found.unwrap();
    let frame = found.parse(&graph, &limits).unwrap();
    let one = shared(&frame.columns[0].values);
    assert_eq!((frame.columns.len(), frame.rows, one.len()), (columns, BYTES_EACH, BYTES_EACH));
    assert!(frame.columns.iter().all(|column| Arc::ptr_eq(&one, &shared(&column.values))));
    drop((one, frame));
    let frame = found.parse(&graph, &limits).unwrap();
    assert_eq!(Arc::strong_count(&shared(&frame.columns[0].values)), columns + 1, "nobody else keeps them");
}

/// The bytes of one text, named again.
const AGAIN: &str = "c_codecs\nencode\n(g1\nVlatin1\ntR";

#[test]
fn vectors_are_known_by_what_they_say_of_themselves_and_not_by_what_they_name() {
    // Longer than the vectors say: whoever looks sees that they are none, and so has decoded the text for each of them.
    let first = bytes(1 << 12).replace("\nVlatin1", "\np1\nVlatin1");
    let vectors = each(0..MANY, |row| array(&[3], BYTES, if row == 0 { &first } else { AGAIN }) + "a");
    let pickle = format!("(l{vectors}.");
    let limits = Limits::default();
    let graph = pickle::load(pickle.as_bytes(), &limits).unwrap();
    let members = tables(&graph, &limits).unwrap();
    assert_eq!(members.len(), 1);
    let frame = members[0].found.as_ref().unwrap().parse(&graph, &limits).unwrap();
    assert_eq!((frame.columns.len(), frame.rows), (1, MANY));
    let reason = refused(&format!("(l{vectors}"));
    assert!(reason.contains("column \"vector\""), "{reason}");
}
