//! Tables without pandas, and members of containers: what is a table, under which path, with which columns.

use std::collections::BTreeMap;

use super::written::{frame, range};
use arrow_array::RecordBatch;
use arrow_schema::DataType;
use brine::{
    columnar::{Mixed, Table, Vectors},
    limits::Limits,
    pandas::tables,
    pickle::{self, UnknownGlobals},
};
use serde_pickle::{HashableValue, SerOptions, Value};

/// The path of a member, and its rows or why it is no table.
type Found = (String, Result<RecordBatch, String>);

fn members(bytes: &[u8]) -> Result<Vec<Found>, String> {
    let limits = Limits::default();
    let graph = pickle::load_with(bytes, &limits, UnknownGlobals::Keep).map_err(|error| error.to_string())?;
    let members = tables(&graph, &limits).map_err(|error| error.to_string())?;
    let read = |found: brine::pandas::Found| {
        let frame = found.parse(&graph, &limits).map_err(|error| error.to_string())?;
        let table = Table::inferred(&frame, Vectors::AsIs, Mixed::Refuse, &limits)
            .map_err(|error| error.to_string())?;
        Ok(table.convert(0..table.rows()).map_err(|error| error.to_string())?.batch)
    };
    Ok(members.into_iter().map(|member| (member.path, member.found.and_then(read))).collect())
}

fn written(value: &Value) -> Vec<u8> {
    serde_pickle::value_to_vec(value, SerOptions::new()).unwrap()
}

fn only(value: &Value) -> RecordBatch {
    only_of(&written(value))
}

fn only_of(bytes: &[u8]) -> RecordBatch {
    let mut members = members(bytes).unwrap();
    assert_eq!(members.len(), 1, "{members:?}");
    members.pop().unwrap().1.unwrap()
}

fn dict<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(key, value)| (HashableValue::String(key.to_owned()), value));
    Value::Dict(BTreeMap::from(entries))
}

fn floats(values: &[f64]) -> Value {
    Value::List(values.iter().copied().map(Value::F64).collect())
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn types(batch: &RecordBatch) -> Vec<(String, DataType)> {
    batch.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

fn vector(elements: i32) -> DataType {
    let item = arrow_schema::Field::new("item", DataType::Float64, false);
    DataType::FixedSizeList(item.into(), elements)
}

#[test]
fn a_list_of_dicts_has_a_column_for_each_key_and_nulls_where_a_row_lacks_it() {
    let rows =
        [dict([("a", Value::I64(1)), ("b", text("x"))]), dict([("b", text("y")), ("c", Value::F64(0.5))])];
    let batch = only(&Value::List(rows.into()));
    let named = |name: &str, data_type| (name.to_owned(), data_type);
    assert_eq!(
        types(&batch),
        [named("a", DataType::Int64), named("b", DataType::Utf8), named("c", DataType::Float64)]
    );
    assert_eq!(batch.columns().iter().map(|column| column.null_count()).collect::<Vec<_>>(), [1, 0, 1]);
}

#[test]
fn a_list_of_tuples_has_numbered_columns() {
    let row = |id: i64, name: &str| Value::Tuple(vec![Value::I64(id), text(name)]);
    let batch = only(&Value::List(vec![row(1, "x"), row(2, "y"), row(3, "z")]));
    assert_eq!(types(&batch), [("0".to_owned(), DataType::Int64), ("1".to_owned(), DataType::Utf8)]);
    assert_eq!(batch.num_rows(), 3);
}

#[test]
fn a_list_of_float_lists_is_a_column_of_vectors() {
    let batch = only(&Value::List(vec![floats(&[1.0, 2.0]), floats(&[3.0, 4.0])]));
    assert_eq!(types(&batch), [("vector".to_owned(), vector(2))]);
}

#[test]
fn a_dict_of_lists_of_one_length_is_a_table_and_of_other_lengths_is_none() {
    let batch = only(&dict([("id", Value::List(vec![text("a"), text("b")])), ("x", floats(&[1.0, 2.0]))]));
    assert_eq!(types(&batch), [("id".to_owned(), DataType::Utf8), ("x".to_owned(), DataType::Float64)]);
    let members = members(&written(&dict([("a", floats(&[1.0])), ("b", floats(&[1.0, 2.0]))]))).unwrap();
    let paths: Vec<&str> = members.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a", "b"]);
    assert!(members.iter().all(|(_, found)| found.as_ref().unwrap_err().contains("single values")));
}

#[test]
fn a_dict_of_more_vectors_than_columns_is_keyed() {
    let entries =
        (0..1_001).map(|row| (HashableValue::String(format!("id-{row}")), floats(&[f64::from(row), 1.0])));
    let batch = only(&Value::Dict(entries.collect()));
    assert_eq!(types(&batch), [("key".to_owned(), DataType::Utf8), ("vector".to_owned(), vector(2))]);
    assert_eq!(batch.num_rows(), 1_001);
}

#[test]
fn a_dict_of_many_arrays_is_keyed_too() {
    // What `{f"w{i}": numpy.array([i, 1], "f4") for i in range(1001)}` pickles to.
    let array = |row: u32| {
        let values = [row as f32, 1.0].map(f32::to_le_bytes).concat();
        let bytes = values.iter().map(|byte| format!("\\x{byte:02x}")).collect::<Vec<_>>().concat();
        format!(
            "S'w{row}'\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nt\
             cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'{bytes}'\ntbs"
        )
    };
    let entries: String = (0..1_001).map(array).collect();
    let batch = only_of(format!("(dp0\n{entries}.").as_bytes());
    assert_eq!(types(&batch)[0], ("key".to_owned(), DataType::Utf8));
    assert_eq!((batch.num_columns(), batch.num_rows()), (2, 1_001));
}

#[test]
fn columns_that_share_a_list_are_bounded_by_the_file() {
    let list = format!("({}l", "I1\n".repeat(4_000));
    let columns = |count: usize| {
        let rest = (1..count).map(|column| format!("S'c{column}'\ng0\ns")).collect::<Vec<_>>().concat();
        members(format!("(dS'c0'\n{list}p0\ns{rest}.").as_bytes()).unwrap().pop().unwrap().1
    };
    assert_eq!(columns(20).unwrap().num_columns(), 20);
    let error = columns(3_000).unwrap_err();
    assert!(error.contains("cells that several columns share: 12000000 is more than the limit"), "{error}");
}

#[test]
fn members_whose_keys_read_the_same_have_paths_of_their_own() {
    let rows = |rows| Value::List(vec![dict([("a", Value::I64(1))]); rows]);
    let tuple = |text: &str, number| {
        HashableValue::Tuple(vec![HashableValue::String(text.to_owned()), HashableValue::I64(number)])
    };
    let word = |text: &str| HashableValue::String(text.to_owned());
    let keys = [HashableValue::I64(1), word("1"), word("1-2"), tuple("a", 1), tuple("b", 2)];
    let root = Value::Dict((1..).zip(keys).map(|(length, key)| (key, rows(length))).collect());
    let mut paths: Vec<String> =
        members(&written(&root)).unwrap().into_iter().map(|(path, _)| path).collect();
    paths.sort();
    assert_eq!(paths, ["('a', 1)", "('b', 2)", "1", "1-2", "1-3"]);
}

#[test]
fn members_of_nested_containers_are_named_by_their_path() {
    let rows = || Value::List(vec![dict([("a", Value::I64(1))]), dict([("a", Value::I64(2))])]);
    let root = dict([
        ("n", Value::I64(3)),
        ("splits", Value::Tuple(vec![rows(), rows()])),
        ("train", dict([("deep", rows()), ("note", text("x"))])),
    ]);
    let members = members(&written(&root)).unwrap();
    let found: Vec<(&str, bool)> =
        members.iter().map(|(path, found)| (path.as_str(), found.is_ok())).collect();
    assert_eq!(
        found,
        [("n", false), ("splits.0", true), ("splits.1", true), ("train.deep", true), ("train.note", false)]
    );
    assert!(members[0].1.as_ref().unwrap_err().contains("it is an int, and a single value is no table"));
}

#[test]
fn a_member_with_a_foreign_class_is_refused_and_the_others_are_read() {
    let rows = b"(lp1\n(dp2\nVa\nI1\nsa(dp3\nVa\nI2\nsa";
    let pickle = [b"(dVrows\n", &rows[..], b"sVmodel\nc__main__\nModel\n)Rs."].concat();
    let members = members(&pickle).unwrap();
    assert_eq!(members[0].1.as_ref().unwrap().num_rows(), 2);
    let (path, reason) = (&members[1].0, members[1].1.as_ref().unwrap_err());
    assert_eq!(path, "model");
    assert!(reason.contains("__main__.Model (named at byte 0x"), "{reason}");
}

#[test]
fn a_list_of_objects_of_a_program_is_refused_by_the_name_of_their_class() {
    let members = members(b"(lc__main__\nRow\n)\x81ac__main__\nRow\n)\x81a.").unwrap();
    let reason = members[0].1.as_ref().unwrap_err();
    assert!(
        reason.contains("objects of __main__.Row") && reason.contains("make dicts or a frame"),
        "{reason}"
    );
}

#[test]
fn a_foreign_name_that_no_member_holds_refuses_the_file() {
    let rows = b"(lp1\n(dp2\nVa\nI1\nsa";
    let popped = [b"cos\nsystem\n(Vecho\ntR0(dVrows\n", &rows[..], b"s."].concat();
    assert!(members(&popped).unwrap_err().contains("os.system"), "dropped from the stack");
    let key = [b"(dcos\nsystem\n", &rows[..], b"sVrows\n", &rows[..], b"s."].concat();
    assert!(members(&key).unwrap_err().contains("os.system"), "as a key");
    assert!(members(b"cos\nsystem\n(Vecho\ntR.").unwrap_err().contains("os.system"), "as the value");
    let cell = [b"(l(dVa\nc", &b"os\nsystem\nsa."[..]].concat();
    assert!(members(&cell).unwrap_err().contains("os.system"), "in a cell");
}

#[test]
fn a_shared_record_cannot_make_a_table_of_any_size() {
    // A dict of 500 keys that a list names 200,000 times: 100 million cells in 400 kB.
    let mut pickle = b"\x80\x04}\x94(".to_vec();
    for key in 0..500_u16 {
        pickle.extend_from_slice(b"M");
        pickle.extend_from_slice(&key.to_le_bytes());
        pickle.extend_from_slice(b"N");
    }
    pickle.extend_from_slice(b"u0](");
    for _ in 0..200_000 {
        pickle.extend_from_slice(b"h\x00");
    }
    pickle.extend_from_slice(b"e.");
    let reason = members(&pickle).unwrap().pop().unwrap().1.unwrap_err();
    assert!(reason.contains("bytes of a table's cells"), "{reason}");
}

#[test]
fn containers_inside_themselves_end() {
    for cycle in [&b"\x80\x04]\x94h\x00a."[..], b"\x80\x04}\x94\x8c\x01ah\x00s.", b"\x80\x04](]\x94h\x00ae."]
    {
        let members = members(cycle).unwrap();
        assert!(members.iter().all(|(_, found)| found.is_err()), "{members:?}");
    }
}

#[test]
fn a_table_that_is_named_again_and_again_is_read_some_times_only() {
    let mut pickle = b"\x80\x04]\x94}\x8c\x01aK\x01sa0](".to_vec();
    for _ in 0..5_000 {
        pickle.extend_from_slice(b"h\x00");
    }
    pickle.extend_from_slice(b"e.");
    let members = members(&pickle).unwrap();
    let read = members.iter().filter(|(_, found)| found.is_ok()).count();
    assert!((1..=16).contains(&read), "{read} of {}", members.len());
}

/// A frame of five rows, as a value inside a pickle of protocol 0.
fn framed() -> String {
    String::from_utf8(frame(b"", &range("0"), "5")).unwrap().trim_end_matches('.').to_owned()
}

/// The paths of members, and whether they are tables.
fn paths(pickle: &str) -> Vec<(String, bool)> {
    let members = members(pickle.as_bytes()).unwrap();
    members.into_iter().map(|(path, found)| (path, found.is_ok())).collect()
}

#[test]
fn a_container_that_stands_inside_itself_is_skipped_there() {
    let frame = framed();
    let members = members(format!("(dp0\nVk\n{frame}sVlist\n(lg0\nasVself\ng0\ns.").as_bytes()).unwrap();
    let found: Vec<(&str, bool)> =
        members.iter().map(|(path, found)| (path.as_str(), found.is_ok())).collect();
    assert_eq!(found, [("k", true), ("list.0", false), ("self", false)]);
    let reason = |member: usize| members[member].1.as_ref().unwrap_err().as_str();
    assert_eq!(reason(1), "it is the container 2 above, which stands inside itself");
    assert_eq!(reason(2), "it is the container 1 above, which stands inside itself");
}

#[test]
fn containers_that_hold_frames_are_no_tables_however_deep_the_frames_are() {
    let frame = framed();
    let named = |paths: &[&str]| paths.iter().map(|path| (path.to_string(), true)).collect::<Vec<_>>();
    let nested = format!("(dVa\n(l{frame}a(dVb\n({frame}{frame}tsas.");
    assert_eq!(paths(&nested), named(&["a.0", "a.1.b.0", "a.1.b.1"]));
    let deep = format!("{}{frame}{}.", "(l".repeat(100), "a".repeat(100));
    assert_eq!(paths(&deep), named(&[&vec!["0"; 100].join(".")]));
    let rows = format!("(l(I1\n(l{frame}ata(I2\n(l{frame}ata.");
    let found = paths(&rows);
    let of = |path: &str, is_table| (path.to_owned(), is_table);
    assert_eq!(found, [of("0.0", false), of("0.1.0", true), of("1.0", false), of("1.1.0", true)]);
    let records = format!("(l(dVx\n{frame}sa(dVx\nI1\nsa.");
    assert_eq!(paths(&records), [of("0.x", true), of("1.x", false)]);
    let beside = format!("(dVrows\n(l(dVx\nI1\nsa(dVx\nI2\nsasVframe\n{frame}s.");
    assert_eq!(paths(&beside), named(&["rows", "frame"]));
}

#[test]
fn containers_that_share_what_they_hold_are_gone_into_once() {
    // 2^60 ways to one frame.
    let twice = |level: usize| format!("(lg{0}\nag{0}\nap{level}\n0", level - 1);
    let twice: Vec<String> = (1..60).map(twice).collect();
    let pickle = format!("(l(l{}ap0\na{}g59\na.", framed(), twice.concat());
    let found = paths(&pickle);
    assert!(found.iter().any(|(_, is_table)| *is_table));
    assert!(found.len() <= 10_001, "{}", found.len());
}

/// Two arrays as protocol 4 writes them: the first one brings the names that the second one fetches.
#[test]
fn a_list_of_arrays_of_one_length_is_a_column_of_vectors() {
    let names = b"\x80\x04](cnumpy.core.multiarray\n_reconstruct\n\x94cnumpy\nndarray\n\x94K\x00\x85\x94C\x01b\x94\x87R";
    let dtype = b"(K\x01K\x02\x85cnumpy\ndtype\n(\x8c\x02f4\x89\x88tR(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x94";
    let first = b"\x89C\x08\0\0\x80?\0\0\0@tb";
    let second = b"h\x00h\x01h\x02h\x03\x87R(K\x01K\x02\x85h\x04\x89C\x08\0\0@@\0\0\x80@tbe.";
    let bytes = [&names[..], dtype, first, second].concat();
    let mut members = members(&bytes).unwrap();
    assert_eq!(members.len(), 1, "{members:?}");
    let batch = members.pop().unwrap().1.unwrap();
    assert_eq!((batch.num_rows(), batch.schema().field(0).name().as_str()), (2, "vector"));
    assert!(
        matches!(batch.column(0).data_type(), DataType::FixedSizeList(item, 2) if *item.data_type() == DataType::Float32)
    );
}
