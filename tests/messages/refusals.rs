//! What does not fit, said with column, field and reason; and what fits in ways of its own.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Date32Array, Float16Array, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, StructArray, TimestampSecondArray, UInt64Array,
    builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder},
    types::{Float64Type, Int32Type, Int64Type, UInt64Type},
};
use arrow_schema::{Field, Schema};
use brine::{
    schema::{self, message_map::MessageMap},
    wire::{Contract, Facts, Planned},
};
use prost_reflect::{DescriptorPool, DynamicMessage};

use super::{contract, descriptors};

const HEAD: &str = "syntax = \"proto3\"; package t;\n\
    import \"google/protobuf/timestamp.proto\"; import \"google/protobuf/duration.proto\";\n\
    import \"google/protobuf/wrappers.proto\"; import \"google/protobuf/struct.proto\";\n\
    enum Level { NONE = 0; LOW = 1; }\n\
    message Answer {} service S { rpc Put (stream Request) returns (Answer); }\n\
    message Request { repeated Row rows = 1; }\n";

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns
        .into_iter()
        .map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array))
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn map(text: &str) -> MessageMap {
    schema::parse_map(text, "my.toml").unwrap()
}

fn facts() -> Facts {
    let (table, file) = ("t".to_owned(), "t.pkl".to_owned());
    Facts { domain: None, table, file, dimension: None, rows: 7 }
}

fn planned(proto: &str, map: &MessageMap, batch: &RecordBatch) -> Result<Planned, String> {
    contract(proto).plan(&batch.schema(), map, &facts()).map_err(|error| error.to_string())
}

/// What is said of a column `c` for a row of these fields.
fn refused(fields: &str, array: ArrayRef) -> String {
    let batch = table(vec![("c", array)]);
    match planned(&format!("{HEAD}message Row {{ {fields} }}"), &MessageMap::default(), &batch) {
        Err(error) => error,
        Ok(planned) => planned.plan.encoded_len(&batch, 0..batch.num_rows()).unwrap_err().to_string(),
    }
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn lists() -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), Some(2)])]))
}

fn structs(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let fields = fields
        .into_iter()
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    Arc::new(StructArray::from(fields.collect::<Vec<_>>()))
}

fn nested_lists() -> ArrayRef {
    let mut outer = ListBuilder::new(ListBuilder::new(Int32Builder::new()));
    outer.values().append_value([Some(1)]);
    outer.append(true);
    Arc::new(outer.finish())
}

fn maps(keys: &[&str]) -> ArrayRef {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for (value, key) in keys.iter().enumerate() {
        maps.keys().append_value(key);
        maps.values().append_value(value as i32);
    }
    maps.append(true).unwrap();
    Arc::new(maps.finish())
}

#[test]
fn types_that_a_field_cannot_carry_are_refused_before_a_row_is_read() {
    let int: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let doubles = ListArray::from_iter_primitive::<Float64Type, _, _>([Some([Some(0.1)])]);
    let cases: [(&str, ArrayRef, &str); 19] = [
        ("int32 c = 1;", texts(&["1"]), "column \"c\": field \"int32 c = 1\" cannot carry Utf8: no value"),
        ("float c = 1;", Arc::new(Float64Array::from(vec![0.1])), "values would be rounded"),
        (
            "repeated float c = 1;",
            Arc::new(doubles),
            "\"repeated float c = 1\" cannot carry List(Float64): values would be rounded",
        ),
        ("bool c = 1;", Arc::clone(&int), "cannot carry Int32"),
        ("string c = 1;", Arc::clone(&int), "cannot carry Int32"),
        ("bytes c = 1;", texts(&["a"]), "\"bytes c = 1\" cannot carry Utf8"),
        ("Level c = 1;", Arc::new(BooleanArray::from(vec![true])), "an enum takes its names"),
        ("int32 c = 1;", lists(), "a list needs a repeated field"),
        ("repeated int32 c = 1;", Arc::clone(&int), "a repeated field takes a column of lists"),
        ("repeated int32 c = 1;", nested_lists(), "lists of lists"),
        ("google.protobuf.Timestamp c = 1;", Arc::clone(&int), "takes timestamps"),
        ("google.protobuf.Duration c = 1;", Arc::new(TimestampSecondArray::from(vec![1])), "takes durations"),
        ("int64 c = 1;", Arc::new(TimestampSecondArray::from(vec![1])), "cannot carry Timestamp"),
        ("int32 c = 1;", Arc::new(Date32Array::from(vec![1])), "cannot carry Date32"),
        ("google.protobuf.Value c = 1;", Arc::clone(&int), "a message takes a column of structs"),
        (
            "google.protobuf.Int32Value c = 1;",
            texts(&["a"]),
            "google.protobuf.Int32Value c = 1\" cannot carry Utf8",
        ),
        (
            "map<string, int32> c = 1;",
            Arc::clone(&int),
            "\"map<string, int32> c = 1\" cannot carry Int32: a map field takes",
        ),
        ("int32 c = 1;", maps(&["a"]), "a map needs a map field"),
        (
            "map<int32, int32> c = 1;",
            structs(vec![("x", Arc::clone(&int))]),
            "names of a struct's fields are text",
        ),
    ];
    for (fields, array, words) in cases {
        let said = refused(fields, array);
        assert!(said.starts_with("column \"c\": field \"") && said.contains(words), "{fields}: {said}");
    }
    let inside = structs(vec![("x", texts(&["1"]))]);
    let said = refused("message M { int32 x = 4; } M c = 1;", inside);
    assert!(said.starts_with("column \"c.x\": field \"int32 x = 4\" cannot carry Utf8"), "{said}");
    let said = refused("message M { int32 y = 4; } M c = 1;", structs(vec![("x", int)]));
    assert_eq!(
        said,
        "column \"c.x\": message \"t.Row.M\" has no such field; a message map can name another, or omit the column"
    );
}

#[test]
fn values_that_a_field_cannot_carry_are_refused_by_row() {
    let null_inside: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([None])]));
    let unsigned: ArrayRef = Arc::new(ListArray::from_iter_primitive::<UInt64Type, _, _>([
        Some([Some(63), Some(0)]),
        Some([Some(1), Some(u64::MAX)]),
    ]));
    let late: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 253_402_300_800]));
    let cases: [(&str, ArrayRef, &str); 11] = [
        (
            "int32 c = 1;",
            Arc::new(Int64Array::from(vec![1, 1 << 31])),
            "row 1: 2147483648 does not fit int32",
        ),
        (
            "float c = 1;",
            Arc::new(Int32Array::from(vec![(1 << 24) + 1])),
            "row 0: 16777217 does not fit float",
        ),
        ("Level c = 1;", texts(&["LOW", "HIGH"]), "row 1: \"HIGH\" is no value of field \"t.Level c = 1\""),
        ("Level c = 1;", Arc::new(Int32Array::from(vec![1, 2])), "row 1: \"2\" is no value of field"),
        (
            "int32 c = 1;",
            Arc::new(Int32Array::from(vec![Some(1), None])),
            "row 1: null, which field \"int32 c = 1\" cannot carry",
        ),
        (
            "sint64 c = 1;",
            Arc::new(UInt64Array::from(vec![63, u64::MAX])),
            "row 1: 18446744073709551615 does",
        ),
        ("repeated sint64 c = 1;", unsigned, "row 1: 18446744073709551615 does not fit sint64"),
        ("repeated int32 c = 1;", Arc::clone(&null_inside), "row 0: null"),
        ("repeated google.protobuf.Int32Value c = 1;", null_inside, "row 0: null"),
        ("google.protobuf.Timestamp c = 1;", late, "row 1: 253402300800 s is outside the range"),
        ("map<string, int32> c = 1;", maps(&["a", "b", "a"]), "row 0: a key stands twice in the map"),
    ];
    for (fields, array, words) in cases {
        let said = refused(fields, array);
        assert!(said.starts_with("column \"c\", row ") && said.contains(words), "{fields}: {said}");
    }
}

#[test]
fn the_first_row_that_does_not_fit_is_named_whichever_column_it_is_in() {
    let proto = format!("{HEAD}message Row {{ string a = 1; int32 b = 2; repeated sint32 c = 3; }}");
    let wide = i64::from(i32::MAX) + 1;
    let said = |texts: [Option<&str>; 4], numbers: [i64; 4], items: [i64; 4]| {
        let lists = items.map(|item| Some([Some(0), Some(item)]));
        let batch = table(vec![
            ("a", Arc::new(StringArray::from(texts.to_vec()))),
            ("b", Arc::new(Int64Array::from(numbers.to_vec()))),
            ("c", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))),
        ]);
        let plan = planned(&proto, &MessageMap::default(), &batch).unwrap().plan;
        let from_second = plan.encode(&batch, 1..4).unwrap_err().to_string();
        assert_eq!(plan.split(&batch, 0..4, 2, 1_000).unwrap_err().to_string(), from_second);
        // A row before it that is too long comes first.
        let long = plan.split(&batch, 0..4, 2, 15).unwrap_err().to_string();
        assert!(long.contains("row 0"), "{long}");
        from_second
    };
    let (word, long) = (Some("x"), Some("a text that is too long"));
    let error = said([long, word, word, None], [0, 0, wide, 0], [0, wide, 0, 0]);
    assert!(error.contains("column \"c\"") && error.contains("row 1"), "{error}");
    let error = said([long, word, word, None], [0, 0, wide, 0], [0, 0, 0, wide]);
    assert!(error.contains("column \"b\"") && error.contains("row 2"), "{error}");
    let error = said([long, word, word, None], [0, 0, 0, 0], [0, 0, 0, wide]);
    assert!(error.contains("column \"a\"") && error.contains("row 3"), "{error}");
}

#[test]
fn what_older_syntax_has_is_sent_or_refused() {
    let proto = |row: &str| {
        let head =
            HEAD.replace("proto3", "proto2").replace("Level { NONE = 0;", "Level { NONE = 0; HIGH = 3;");
        format!("{head}message Row {{ {row} }}")
    };
    let plain = MessageMap::default();
    let batch = table(vec![("c", Arc::new(Int32Array::from(vec![0])))]);
    let sent = planned(&proto("required int32 c = 1; repeated int32 d = 2;"), &plain, &batch).unwrap();
    // Zero is a value where presence counts.
    assert_eq!(&*sent.plan.encode(&batch, 0..1).unwrap(), [0x0a, 2, 8, 0]);
    let said = planned(&proto("optional int32 c = 1; required int32 d = 2;"), &plain, &batch).unwrap_err();
    assert_eq!(said, "message \"t.Row\": field \"required int32 d = 2\" is required, and nothing fills it");
    let nulls = table(vec![("c", Arc::new(Int32Array::from(vec![None])))]);
    let sent = planned(&proto("required int32 c = 1;"), &plain, &nulls).unwrap();
    assert!(sent.plan.encoded_len(&nulls, 0..1).unwrap_err().to_string().contains("null"));
    let request = "repeated Row rows = 1;";
    let rows =
        proto("required int32 c = 1;").replace(request, "repeated Row rows = 1; required string key = 2;");
    let said = planned(&rows, &plain, &batch).unwrap_err();
    assert_eq!(
        said,
        "message \"t.Request\": field \"required string key = 2\" is required, and nothing fills it"
    );
    assert!(planned(&rows, &map("[every]\nkey = \"k\""), &batch).is_ok());
    let group = table(vec![("c", structs(vec![("x", Arc::new(Int32Array::from(vec![1])))]))]);
    let said = planned(&proto("optional group C = 1 { optional int32 x = 1; }"), &plain, &group).unwrap_err();
    assert!(said.contains("groups are not sent"), "{said}");
}

#[test]
fn a_oneof_takes_one_column_a_row() {
    let proto = format!("{HEAD}message Row {{ oneof kind {{ int32 a = 1; string b = 2; }} int32 c = 3; }}");
    let column = |value| -> ArrayRef { Arc::new(Int32Array::from(value)) };
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None]));
    let batch = table(vec![("b", Arc::clone(&text)), ("a", column(vec![None, Some(0)]))]);
    let plan = planned(&proto, &MessageMap::default(), &batch).unwrap().plan;
    assert_eq!(&*plan.encode(&batch, 0..2).unwrap(), [0x0a, 3, 0x12, 1, b'x', 0x0a, 2, 8, 0]);
    let both = table(vec![("b", text), ("a", column(vec![Some(1), Some(0)]))]);
    let said = plan.encoded_len(&both, 0..2).unwrap_err().to_string();
    assert_eq!(said, "row 0: oneof \"kind\" takes one value, columns [\"a\", \"b\"] have more");
}

#[test]
fn entries_of_maps_keep_their_order_and_floats_their_sign() {
    let proto = format!("{HEAD}message Row {{ map<string, int32> m = 1; double d = 2; float h = 3; }}");
    let half = Float16Array::from_iter_values([half::f16::from_f32(0.5)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("m", maps(&["z", "a"])),
        ("d", Arc::new(Float64Array::from(vec![-0.0]))),
        ("h", Arc::new(half)),
    ];
    let batch = table(columns);
    let plan = planned(&proto, &MessageMap::default(), &batch).unwrap().plan;
    let entries = [&[0x0a, 3, 0x0a, 1, b'z'][..], &[0x0a, 5, 0x0a, 1, b'a', 0x10, 1]].concat();
    // A negative zero is not the empty value.
    let floats = [&[0x11][..], &(-0.0_f64).to_le_bytes(), &[0x1d], &0.5_f32.to_le_bytes()].concat();
    let row = [entries, floats].concat();
    assert_eq!(&*plan.encode(&batch, 0..1).unwrap(), [&[0x0a, row.len() as u8][..], &row].concat());
}

#[test]
fn columns_match_fields_by_the_map() {
    let proto = format!(
        "{HEAD}message Row {{ string name = 1; int32 years = 2; double d = 3; Level level = 4; bool b = 5; }}"
    );
    let batch = table(vec![
        ("Full Name", Arc::new(StringArray::from(vec![None::<&str>]))),
        ("Exp Years", Arc::new(Int32Array::from(vec![None::<i32>]))),
        ("d", Arc::new(Float64Array::from(vec![None::<f64>]))),
        ("level", Arc::new(StringArray::from(vec![None::<&str>]))),
        ("b", Arc::new(BooleanArray::from(vec![None::<bool>]))),
        ("left", texts(&["out"])),
    ]);
    let rules = map("omit = [\"left\"]\n\
        [[column]]\ncolumn = \"Full Name\"\nfield = \"name\"\nnull = \"empty\"\n\
        [[column]]\ncolumn = \"Exp Years\"\nfield = \"years\"\nnull = { default = -1 }\n\
        [[column]]\ncolumn = \"d\"\nnull = { default = 0.5 }\n\
        [[column]]\ncolumn = \"level\"\nnull = { default = \"LOW\" }\n\
        [[column]]\ncolumn = \"b\"\nnull = { default = true }\n");
    let plan = planned(&proto, &rules, &batch).unwrap().plan;
    let mapping: Vec<_> = plan.mapping().into_iter().map(|one| (one.column, one.field, one.null)).collect();
    let expected = [
        ("Full Name", "string name = 1", "the empty value"),
        ("Exp Years", "int32 years = 2", "-1"),
        ("d", "double d = 3", "0.5"),
        ("level", "t.Level level = 4", "1"),
        ("b", "bool b = 5", "true"),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(mapping, expected);
    let row = DynamicMessage::decode(
        DescriptorPool::decode(descriptors(&proto).as_slice())
            .unwrap()
            .get_message_by_name("t.Request")
            .unwrap(),
        plan.encode(&batch, 0..1).unwrap(),
    );
    let said = serde_json::to_value(row.unwrap()).unwrap();
    assert_eq!(said, serde_json::json!({"rows": [{"years": -1, "d": 0.5, "level": "LOW", "b": true}]}));
}

#[test]
fn faults_of_a_map_name_its_line() {
    let proto = format!("{HEAD}message Row {{ string a = 1; int32 n = 2; }}");
    let batch = table(vec![("a", texts(&["x"]))]);
    let cases = [
        ("rows = \"nowhere\"", "my.toml:1: message \"t.Request\" has no field \"nowhere\""),
        ("\nrows = \"rows.a\"", "my.toml:2: only the last field of the way may be repeated, not \"rows\""),
        ("omit = [\"b\"]", "my.toml:1: the table has no column \"b\" that is sent"),
        (
            "[[column]]\ncolumn = \"a\"\nfield = \"z\"",
            "my.toml:1: column \"a\": message \"t.Row\" has no field \"z\"",
        ),
        ("[first]\nrows = \"x\"", "my.toml:2: field \"repeated t.Row rows = 1\" cannot be \"x\""),
        ("[first]\nname = \"x\"", "my.toml:2: message \"t.Request\" has no field \"name\""),
        ("[every]\nrows = []", "my.toml:2: field \"rows\" holds the rows of the table"),
        (
            "[[column]]\ncolumn = \"a\"\nnull = { default = 7 }",
            "column \"a\": its null policy does not fit field \"string a = 1\"",
        ),
    ];
    for (text, words) in cases {
        assert_eq!(planned(&proto, &map(text), &batch).unwrap_err(), words, "{text}");
    }
    let parse = |text: &str| schema::parse_map(text, "my.toml").unwrap_err().to_string();
    assert!(parse("colum = \"x\"").starts_with("my.toml:1: unknown key `colum`, did you mean `column`?"));
    assert!(parse("rows = \"a..b\"").starts_with("my.toml:1: `rows` cannot be \"a..b\""));
    assert!(parse("omit = [\"a\"]\n[[column]]\ncolumn = \"a\"").contains("names \"a\" twice"));
    assert!(parse("first = 7").contains("`first` must be a table"));
    assert!(
        parse("[[column]]\ncolumn = \"a\"\nnull = \"drop\"")
            .starts_with("my.toml:3: `null` cannot be \"drop\"")
    );
}

#[test]
fn two_columns_do_not_fill_one_field() {
    let proto = format!("{HEAD}message Row {{ string a = 1; }}");
    let batch = table(vec![("a", texts(&["x"])), ("b", texts(&["y"]))]);
    let said = planned(&proto, &map("[[column]]\ncolumn = \"b\"\nfield = \"a\""), &batch).unwrap_err();
    assert_eq!(said, "columns \"a\" and \"b\" both fill field \"string a = 1\"");
    let said = planned(&proto, &MessageMap::default(), &batch).unwrap_err();
    assert_eq!(
        said,
        "column \"b\": message \"t.Row\" has no such field; a message map can name another, or omit the column"
    );
}

/// A request with constants around its rows, and the JSON that a server reads of it.
fn around(
    requests: &str,
    map_text: &str,
) -> Result<(Option<serde_json::Value>, serde_json::Value, String), String> {
    let proto = format!(
        "syntax = \"proto3\"; package t; message Answer {{}} service S {{ rpc Put (stream Request) returns (Answer); }}\n{requests}"
    );
    let batch = table(vec![("a", texts(&["x"]))]);
    let planned = planned(&proto, &map(map_text), &batch)?;
    let pool = DescriptorPool::decode(descriptors(&proto).as_slice()).unwrap();
    let request = pool.get_message_by_name("t.Request").unwrap();
    let json = |bytes| serde_json::to_value(DynamicMessage::decode(request.clone(), bytes).unwrap()).unwrap();
    let message = json(planned.plan.encode(&batch, 0..1).unwrap());
    assert!(planned.plan.encoded_len(&batch, 0..1).unwrap() > 0);
    Ok((planned.first.map(json), message, planned.rows))
}

#[test]
fn constants_stand_around_the_rows() {
    use serde_json::json;
    let nested = "message Row { string a = 1; } message Head { string t = 1; int32 n = 2; repeated string tags = 3; }\n\
        message Chunk { int64 id = 3; repeated Row rows = 5; string end = 9; }\n\
        message Request { Head head = 1; oneof body { Chunk chunk = 2; string none = 4; } string key = 3; }";
    let text = "rows = \"chunk.rows\"\n\
        [first.head]\nt = \"{table}/{{{file}}}\"\nn = \"{rows}\"\ntags = [\"a\", \"b\"]\n\
        [every]\nkey = \"k\"\nchunk = { id = 4, end = \"e\" }\n";
    let (first, message, rows) = around(nested, text).unwrap();
    assert_eq!(first.unwrap(), json!({"head": {"t": "t/{t.pkl}", "n": 7, "tags": ["a", "b"]}}));
    assert_eq!(message, json!({"chunk": {"id": "4", "rows": [{"a": "x"}], "end": "e"}, "key": "k"}));
    assert_eq!(rows, "chunk.rows");
    let said = around(nested, "rows = \"chunk.rows\"\n[every]\nnone = \"x\"").unwrap_err();
    assert_eq!(said, "my.toml:3: oneof \"body\" holds the rows already");
    let said = around(nested, "rows = \"chunk.rows\"\n[first.head]\nt = \"{dimension}\"").unwrap_err();
    assert_eq!(said, "my.toml:3: the table has no column of vectors for {dimension} to stand for");
    let said = around(nested, "").unwrap_err();
    assert!(said.contains("no field is the only one that can carry rows"), "{said}");
    // One row a message: the request itself, or a field of it.
    let (_, message, rows) =
        around("message Request { string table = 2; string a = 1; }", "[every]\ntable = \"{table}\"")
            .unwrap();
    assert_eq!((message, rows.as_str()), (json!({"a": "x", "table": "t"}), "."));
    let inside = "message Row { string a = 1; } message Request { Row row = 1; string table = 2; }";
    let (_, message, rows) = around(inside, "rows = \"row\"\n[every]\ntable = \"c\"").unwrap();
    assert_eq!((message, rows.as_str()), (json!({"row": {"a": "x"}, "table": "c"}), "row"));
}

#[test]
fn rpcs_are_found_by_name() {
    let text = format!(
        "{HEAD}message Row {{}} service T {{ rpc Talk (stream Request) returns (stream Answer); rpc Call (Request) returns (Answer); }}"
    );
    let bytes = descriptors(&text);
    let said = |rpc: &str| Contract::find(&bytes, rpc).unwrap_err().to_string();
    assert_eq!(said("t.S/Get"), "no RPC \"t.S/Get\" in the .proto file; it has: t.S/Put, t.T/Talk, t.T/Call");
    assert!(said("t.T/Talk").contains("answers with a stream"));
    assert!(!Contract::find(&bytes, "t.T/Call").unwrap().is_client_streaming());
    let batch = table(vec![("a", texts(&["x"]))]);
    let call = Contract::find(&bytes, "/t.T/Call").unwrap();
    let rules = map("rows = \"rows\"\nomit = [\"a\"]\n[first]\n");
    let error = call.plan(&batch.schema(), &rules, &facts()).unwrap_err();
    assert!(error.to_string().contains("a call has no first message"), "{error}");
}
