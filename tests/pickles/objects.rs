//! Columns of Python objects: each kind becomes its Arrow type, missing values stay missing, and what has no type in common
//! is refused by row, or kept as JSON.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
    FixedSizeBinaryArray, Float64Array, Int8Array, Int64Array, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array, cast::AsArray as _,
};
use arrow_schema::DataType;
use brine::{
    columnar::{Mixed, Table, Vectors},
    file::{
        Dataset,
        pickle::{Options, convert},
    },
    limits::{COLUMN_NESTING_MAX, Limits},
    pandas::Frame,
    pickle,
};
use proptest::prelude::*;

use super::written::{block, frame, objects, range};

fn pickle_of(cells: &[&[u8]]) -> Vec<u8> {
    frame(&block(&objects(cells.len(), &cells.concat())), &range("1"), &cells.len().to_string())
}

fn column_as(cells: &[&[u8]], mixed: Mixed) -> Result<ArrayRef, String> {
    let (bytes, limits) = (pickle_of(cells), Limits::default());
    let graph = pickle::load(&bytes, &limits).map_err(|error| error.to_string())?;
    let frame = Frame::parse(&graph, graph.root(), &limits).map_err(|error| error.to_string())?;
    let table = Table::inferred(&frame, Vectors::AsIs, mixed, &limits).map_err(|error| error.to_string())?;
    let converted = table.convert(0..cells.len()).map_err(|error| error.to_string())?;
    match converted.bad.first() {
        Some(bad) => Err(bad.to_string()),
        None => Ok(Arc::clone(converted.batch.column(0))),
    }
}

fn column(cells: &[&[u8]]) -> ArrayRef {
    column_as(cells, Mixed::Refuse).unwrap()
}

fn error(cells: &[&[u8]]) -> String {
    column_as(cells, Mixed::Refuse).unwrap_err()
}

fn json(cells: &[&[u8]]) -> Vec<Option<String>> {
    let texts = column_as(cells, Mixed::Json).unwrap();
    texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

const NONE: &[u8] = b"N";
const NAN: &[u8] = b"Fnan\n";
const NA: &[u8] = b"cpandas._libs.missing\nNA\n";
const NAT: &[u8] = b"cpandas._libs.tslibs.nattype\n__nat_unpickle\n(NtR";
/// 2020-01-02.
const DATE: &[u8] = b"cdatetime\ndate\n(C\x04\x07\xe4\x01\x02tR";
/// 2020-01-02 03:04:05.000006.
const CLOCK: &[u8] = b"cdatetime\ndatetime\n(C\x0a\x07\xe4\x01\x02\x03\x04\x05\x00\x00\x06tR";
const CLOCK_MICROS: i64 = 1_577_934_245_000_006;
const UUID: &[u8] = b"ccopy_reg\n_reconstructor\n(cuuid\nUUID\nc__builtin__\nobject\nNtR(dVint\nL258L\nsb";

fn decimal(text: &str) -> Vec<u8> {
    format!("cdecimal\nDecimal\n(V{text}\ntR").into_bytes()
}

fn zoned(zone: &str) -> Vec<u8> {
    let clock = &CLOCK[..CLOCK.len() - 2];
    [clock, zone.as_bytes(), b"tR"].concat()
}

#[test]
fn every_kind_of_cell_has_its_type() {
    let same = |cells: &[&[u8]], wanted: ArrayRef| assert_eq!(*column(cells), *wanted);
    same(
        &[b"Va\n", NONE, NAN, NA, NAT],
        Arc::new(StringArray::from(vec![Some("a"), None, None, None, None])),
    );
    same(&[b"I01\n", NA], Arc::new(BooleanArray::from(vec![Some(true), None])));
    same(&[b"I7\n", NAT], Arc::new(Int64Array::from(vec![Some(7), None])));
    same(&[b"F1.5\n", b"I2\n", NAN], Arc::new(Float64Array::from(vec![Some(1.5), Some(2.0), None])));
    same(&[b"L18446744073709551615L\n", b"I1\n"], Arc::new(UInt64Array::from(vec![u64::MAX, 1])));
    same(&[b"C\x02\xff\x00", NONE], Arc::new(BinaryArray::from(vec![Some(&[0xff, 0][..]), None])));
    same(&[DATE, NAT], Arc::new(Date32Array::from(vec![Some(18_263), None])));
    same(
        &[b"cdatetime\ntime\n(C\x06\x83\x04\x05\x00\x00\x06tR", NONE],
        Arc::new(Time64MicrosecondArray::from(vec![Some(11_045_000_006), None])),
    );
    same(&[CLOCK, NAT], Arc::new(TimestampMicrosecondArray::from(vec![Some(CLOCK_MICROS), None])));
    same(
        &[b"cdatetime\ntimedelta\n(I-1\nI2\nI3\ntR", NONE],
        Arc::new(DurationMicrosecondArray::from(vec![Some(-86_397_999_997), None])),
    );
    let uuid: ArrayRef = {
        let bytes = 258_u128.to_be_bytes();
        let uuids = [Some(bytes), None].into_iter();
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16).unwrap())
    };
    same(&[UUID, NONE], uuid);
    same(&[b"cfractions\nFraction\n(I1\nI3\ntR"], Arc::new(StringArray::from(vec!["1/3"])));
    same(&[b"cipaddress\nIPv4Address\n(I167772161\ntR"], Arc::new(StringArray::from(vec!["10.0.0.1"])));
    same(&[b"cpathlib\nPurePosixPath\n(V/\nVa\nVb\ntR"], Arc::new(StringArray::from(vec!["/a/b"])));
}

#[test]
fn numpy_scalars_keep_their_type() {
    let int8 = |byte: u8| {
        let dtype =
            b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(Vi1\nI00\nI01\ntR(I3\nV|\nNNNI-1\nI-1\nI0\ntb";
        [&dtype[..], &[b'C', 1, byte], b"tR"].concat()
    };
    assert_eq!(*column(&[&int8(1), &int8(0xff), NONE]), Int8Array::from(vec![Some(1), Some(-1), None]));
    let with_python = column(&[&int8(1), b"I300\n"]);
    assert_eq!(*with_python, Int64Array::from(vec![1, 300]), "a Python int has no width");
}

#[test]
fn decimals_and_long_integers_have_one_scale_or_are_text() {
    let [half, long, wide] = ["0.5", "-12.345", "123456789012345678901234567890.1"].map(decimal);
    let wanted = Decimal128Array::from(vec![Some(500), Some(-12_345), None]);
    let found = column(&[&half, &long, &decimal("NaN")]);
    assert_eq!(*found, wanted.with_precision_and_scale(5, 3).unwrap());
    assert_eq!(*column(&[&half, &wide, &decimal("1E-40")]).data_type(), DataType::Decimal256(70, 40));
    let text = column(&[&half, &decimal("Infinity")]);
    assert_eq!(*text, StringArray::from(vec!["0.5", "Infinity"]));
    let far = column(&[&half, &decimal("1E+90")]);
    assert_eq!(*far, StringArray::from(vec!["0.5", "1E+90"]));
    let huge = format!("L-{}L\n", "9".repeat(80));
    assert_eq!(*column(&[huge.as_bytes(), b"I1\n"]), StringArray::from(vec![&huge[1..82], "1"]));
    let wide = column(&[b"L-18446744073709551616L\n", b"I1\n"]);
    assert_eq!(*wide.data_type(), DataType::Decimal128(20, 0));
}

#[test]
fn times_keep_unit_and_zone() {
    let nanos = b"cpandas._libs.tslibs.timestamps\n_unpickle_timestamp\n(I1\nNNI10\ntR";
    let found = column(&[nanos, CLOCK]);
    assert_eq!(
        *found,
        TimestampNanosecondArray::from(vec![1, CLOCK_MICROS * 1_000]),
        "the finer unit holds both"
    );
    let hour = zoned("cdatetime\ntimezone\n(cdatetime\ntimedelta\n(I0\nI3600\nI0\ntRtR");
    let found = column(&[&hour, NAT]);
    let wanted = TimestampMicrosecondArray::from(vec![Some(CLOCK_MICROS - 3_600_000_000), None]);
    assert_eq!(*found, wanted.with_timezone("+01:00"));
    let paris = zoned("cpytz\n_p\n(VEurope/Paris\nI3600\nI0\nVCET\ntR");
    let zone = column(&[&paris]).data_type().clone();
    assert_eq!(zone, DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, Some("Europe/Paris".into())));
    let refused = error(&[&paris, &hour]);
    assert!(
        refused.contains("Europe/Paris in row 0 with a datetime in the zone +01:00 in row 1"),
        "{refused}"
    );
    let far = b"cdatetime\ndatetime\n(C\x0a\x27\x0f\x0c\x1f\x00\x00\x00\x00\x00\x00tR";
    assert!(error(&[nanos, far]).contains("mixes"), "no unit holds a nanosecond and the year 9999");
}

#[test]
fn a_python_2_str_is_text_if_all_of_the_column_is_ascii() {
    assert_eq!(*column(&[b"U\x01a", b"Vb\n"]), StringArray::from(vec!["a", "b"]));
    assert_eq!(*column(&[b"U\x01a", b"U\x01\xe9"]), BinaryArray::from(vec![&b"a"[..], b"\xe9"]));
    assert!(error(&[b"Vb\n", b"U\x01\xe9"]).contains("text in row 0 with a Python 2 str"));
}

#[test]
fn lists_are_rows_of_one_length_if_they_are_numbers() {
    let kind = |cells: &[&[u8]]| column(cells).data_type().to_string();
    assert_eq!(kind(&[b"(lF1\naF2\na", NONE, b"(F1\nF2\nt"]), "FixedSizeList(2 x non-null Float64)");
    assert_eq!(kind(&[b"(lI1\na", b"(lI2\na"]), "FixedSizeList(1 x Int64)");
    assert_eq!(kind(&[b"(lF1\na", b"(l"]), "List(Float64)");
    assert_eq!(kind(&[b"(lF1\naNa"]), "List(Float64)");
    assert_eq!(kind(&[b"(lVa\naNa", b"(l"]), "List(Utf8)");
    assert_eq!(kind(&[b"(l(lI1\naa"]), "List(List(Int64))");
    assert_eq!(kind(&[b"c__builtin__\nset\n((lVa\natR"]), "List(Utf8)");
    let both = column(&[b"(lF1\naFnan\na", b"(lF1\naNa"]);
    let items = both.as_list::<i32>().values().as_primitive::<arrow_array::types::Float64Type>().clone();
    assert!(items.value(1).is_nan() && items.is_null(3), "inside a list NaN is a number and None is missing");
}

#[test]
fn dicts_of_text_keys_are_structs_and_others_maps() {
    let found = column(&[b"(dVa\nI1\ns", b"(dVb\nVx\nsVa\nI2\nsVa\nI3\ns", NONE]);
    let structs = found.as_struct();
    assert_eq!(structs.column_names(), ["a", "b"], "in the order in which they come first");
    assert_eq!(
        **structs.column(0),
        Int64Array::from(vec![Some(1), Some(3), None]),
        "the later value of a key wins"
    );
    assert!(structs.is_null(2) && structs.column(1).is_null(0));
    let map = column(&[b"(dI1\nVa\nsI2\nVb\ns"]);
    assert_eq!(*map.as_map().keys().as_ref(), Int64Array::from(vec![1, 2]));
    assert!(matches!(column(&[b"(d"]).data_type(), DataType::Map(..)), "a struct needs a field");
    let refused = error(&[b"(dVa\nI1\ns", b"(dVa\nVx\ns"]);
    assert!(refused.contains(r#"column "0"["a"] mixes an int in row 0 with text in row 1"#), "{refused}");
}

#[test]
fn what_has_no_common_type_is_refused_by_row_or_kept_as_json() {
    let refused = error(&[NONE, b"I1\n", b"F1.5\n", b"Va\n"]);
    assert!(refused.contains("a float in row 1 with text in row 3"), "{refused}");
    assert!(refused.contains("--mixed json"), "{refused}");
    let inexact = error(&[b"F0.5\n", b"I9223372036854775807\n"]);
    assert!(inexact.contains("an int that no float holds"), "{inexact}");
    assert!(error(&[b"I01\n", b"I1\n"]).contains("a bool in row 0 with an int in row 1"));
    let cells: &[&[u8]] = &[
        b"I1\n",
        b"F1\n",
        b"V\"\\u00e9\\u000a\n",
        b"I01\n",
        NONE,
        NAN,
        b"C\x01\xff",
        DATE,
        CLOCK,
        UUID,
        NA,
        b"(dV$x\nI1\ns",
        b"(dVx\n(I1\nI2\nts",
        b"(dI1\nI2\ns",
    ];
    let wanted = [
        Some("1"),
        Some("1.0"),
        Some(r#""\"é\n""#),
        Some("true"),
        None,
        None,
        Some(r#"{"$bytes":"/w=="}"#),
        Some(r#"{"$date":"2020-01-02"}"#),
        Some(r#"{"$datetime":"2020-01-02T03:04:05.000006"}"#),
        Some(r#"{"$uuid":"00000000-0000-0000-0000-000000000102"}"#),
        None,
        Some(r#"{"$dict":[["$x",1]]}"#),
        Some(r#"{"x":[1,2]}"#),
        Some(r#"{"$dict":[[1,2]]}"#),
    ];
    assert_eq!(json(cells), wanted.map(|text| text.map(str::to_owned)));
    for document in json(cells).into_iter().flatten() {
        serde_json::from_str::<serde_json::Value>(&document).unwrap();
    }
    // A column that has a type keeps it.
    assert_eq!(*column_as(&[b"I1\n"], Mixed::Json).unwrap(), Int64Array::from(vec![1]));
}

#[test]
fn a_lone_surrogate_is_refused_as_text_and_an_escape_in_json() {
    let surrogate = b"X\x03\x00\x00\x00\xed\xa0\x80";
    assert!(error(&[b"Va\n", surrogate]).contains("row 1"));
    assert_eq!(json(&[surrogate, b"I1\n"])[0].as_deref(), Some(r#""\ud800""#));
}

#[test]
fn what_is_no_cell_is_refused_by_its_name() {
    for (cell, words) in [
        (&b"c__builtin__\nint\n"[..], "the class or function builtins.int"),
        (b"c__builtin__\nslice\n(I0\nI1\nNtR", "builtins.slice"),
        (b"cdatetime\ntime\n(C\x06\x03\x04\x05\x00\x00\x06cpytz\n_UTC\n(tRtR", "a time of day with a zone"),
        (b"cdatetime\ndate\n(C\x04\x07\xe4\x0d\x02tR", "datetime.date"),
        (b"cpandas.core.frame\nDataFrame\n(tR", "a DataFrame inside a cell"),
    ] {
        for mixed in [Mixed::Refuse, Mixed::Json] {
            let refused = column_as(&[NONE, cell], mixed).unwrap_err();
            assert!(refused.contains(words) && refused.contains("row 1"), "{refused}");
        }
    }
}

#[test]
fn a_zone_whose_rules_are_not_in_the_file_makes_no_time() {
    let paris = zoned("c__builtin__\ngetattr\n(czoneinfo\nZoneInfo\nV_unpickle\ntR(VEurope/Paris\nI1\ntR");
    assert!(error(&[&paris]).contains("Europe/Paris, whose rules are not in the file"));
    let document = json(&[&paris]).remove(0).unwrap();
    assert_eq!(document, r#"{"$walltime":"2020-01-02T03:04:05.000006","zone":"Europe/Paris"}"#);
}

/// A list of two of a list of two of … : 2^30 values in a few hundred bytes.
#[test]
fn shared_values_cannot_expand_without_bound() {
    for (start, around) in [("(lI1\na", ("(l", "a")), ("(dVa\nI1\ns", ("(dVa\n", "s"))] {
        let mut cell = format!("{start}p0\n");
        for level in 0..30 {
            let second = if around.0 == "(l" { format!("g{level}\na") } else { format!("Vb\ng{level}\ns") };
            cell = format!("{}{cell}{}{second}p{}\n", around.0, around.1, level + 1);
        }
        for mixed in [Mixed::Refuse, Mixed::Json] {
            let refused = column_as(&[cell.as_bytes()], mixed).unwrap_err();
            assert!(refused.contains("more bytes than are allowed"), "{refused}");
        }
    }
}

#[test]
fn values_inside_themselves_and_too_deep_ones_are_refused() {
    assert!(error(&[b"(lp0\ng0\na"]).contains("holds itself"));
    assert!(error(&[b"(lp0\n(lg0\naa"]).contains("holds itself"));
    for depth in [COLUMN_NESTING_MAX + 1, 1_000] {
        let deep = [&b"(l".repeat(depth)[..], &b"a".repeat(depth - 1)].concat();
        assert!(error(&[&deep]).contains("more than 32 deep"), "{}", error(&[&deep]));
    }
}

#[test]
fn the_deepest_nesting_that_is_read_can_be_written() {
    let depth = COLUMN_NESTING_MAX;
    let deep = [&b"(l".repeat(depth)[..], b"I1\na", &b"a".repeat(depth - 1)].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.pkl");
    std::fs::write(&path, pickle_of(&[&deep, NONE])).unwrap();
    let options = Options::default();
    convert(&path, folder.path(), &options, &mut |_, _| ()).unwrap();
    let dataset = Dataset::open(folder.path().join("deep")).unwrap();
    assert_eq!(dataset.batch(0).unwrap().num_rows(), 2);
}

proptest! {
    #[test]
    fn a_column_in_pieces_is_the_column(picked in prop::collection::vec(0..6_usize, 1..40), cut in 0..40_usize) {
        let [half, quarter, nan] = ["0.5", "-7.25", "NaN"].map(decimal);
        let kinds: [&[&[u8]]; 3] = [
            &[b"(lI1\naI2\na", b"(l", NONE, b"(lI3\na", NAN, b"(lNa"],
            &[b"(dVa\n(lVx\nas", b"(dVb\nI1\ns", NONE, b"(d", NA, b"(dVa\nNs"],
            &[&half, NONE, NAN, &quarter, NAT, &nan],
        ];
        for kind in kinds {
            let cells: Vec<&[u8]> = picked.iter().map(|at| kind[*at]).collect();
            let (bytes, limits) = (pickle_of(&cells), Limits::default());
            let graph = pickle::load(&bytes, &limits).unwrap();
            let frame = Frame::parse(&graph, graph.root(), &limits).unwrap();
            let table = Table::inferred(&frame, Vectors::AsIs, Mixed::Refuse, &limits).unwrap();
            let cut = cut.min(cells.len());
            let whole = table.convert(0..cells.len()).unwrap().batch;
            let pieces = [table.convert(0..cut).unwrap().batch, table.convert(cut..cells.len()).unwrap().batch];
            prop_assert_eq!(&arrow_select::concat::concat_batches(&whole.schema(), &pieces).unwrap(), &whole);
        }
    }
}
