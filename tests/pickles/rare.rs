//! What pandas no longer has, and what is rarely pickled: panels, sparse series and frames of old, series that are arrays,
//! tables with a mask, attributes, zones of dateutil 4. The files stand in `tests/fixtures/rare`.

use std::path::Path;

use arrow_array::{
    Array, RecordBatch,
    cast::AsArray as _,
    types::{Float64Type, Int32Type, Int64Type, TimestampMillisecondType, TimestampNanosecondType},
};
use arrow_schema::{DataType, TimeUnit};
use brine::{
    columnar::{Attrs, Mixed, Table, Vectors},
    limits::Limits,
    pandas::tables,
    pickle,
};
use rayon::prelude::*;

use super::chain;

/// The path of a member, and its columns as text or why it is no table.
type Told = (String, Result<Vec<String>, String>);

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.pkl"))).unwrap()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rare")
}

fn members(name: &str) -> Vec<Told> {
    let (bytes, limits) = (bytes(name), Limits::default());
    let graph = pickle::load(&bytes, &limits).unwrap();
    let read = |found: brine::pandas::Found| {
        let frame = found.parse(&graph, &limits).map_err(|error| error.to_string())?;
        let table = Table::inferred(&frame, Vectors::AsIs, Mixed::Refuse, &limits)
            .map_err(|error| error.to_string())?;
        Ok(told(&table.convert(0..table.rows()).map_err(|error| error.to_string())?.batch))
    };
    let members = tables(&graph, &limits).unwrap();
    members.into_iter().map(|member| (member.path, member.found.and_then(read))).collect()
}

/// Each column as its name and its cells, `-` for a missing one.
fn told(batch: &RecordBatch) -> Vec<String> {
    let column = |(field, column): (&arrow_schema::FieldRef, &arrow_array::ArrayRef)| {
        let cells = (0..column.len()).map(|row| cell(column, row)).collect::<Vec<_>>();
        format!("{}: {}", field.name(), cells.join(" "))
    };
    batch.schema().fields().iter().zip(batch.columns()).map(column).collect()
}

fn cell(column: &dyn Array, row: usize) -> String {
    use DataType as T;
    if column.is_null(row) {
        return "-".to_owned();
    }
    match column.data_type() {
        T::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        T::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        T::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        T::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        T::Timestamp(TimeUnit::Millisecond, None) => {
            column.as_primitive::<TimestampMillisecondType>().value(row).to_string()
        }
        T::Timestamp(TimeUnit::Nanosecond, None) => {
            column.as_primitive::<TimestampNanosecondType>().value(row).to_string()
        }
        T::FixedSizeList(_, _) => {
            let vector = column.as_fixed_size_list().value(row);
            let cells: Vec<String> = (0..vector.len()).map(|at| cell(&vector, at)).collect();
            format!("[{}]", cells.join(" "))
        }
        other => panic!("{other}"),
    }
}

/// The columns of the one table there is.
fn only(name: &str) -> Vec<String> {
    let mut members = members(name);
    assert_eq!(members.len(), 1, "{name}: {members:?}");
    members.pop().unwrap().1.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Why the one member there is cannot be read.
fn refused(name: &str) -> String {
    let mut members = members(name);
    assert_eq!(members.len(), 1, "{name}: {members:?}");
    members.pop().unwrap().1.unwrap_err()
}

#[test]
fn each_item_of_a_panel_is_a_table_of_its_name() {
    let table = |path: &str, columns: &[&str]| {
        (path.to_owned(), Ok(columns.iter().map(ToString::to_string).collect()))
    };
    for protocol in [2, 4] {
        let lines = "line: r s";
        assert_eq!(
            members(&format!("pd203_panel.p{protocol}")),
            [
                table("a", &["x: 1.5 2.5", "y: NaN 3.5", lines]),
                table("b", &["x: 3.0 5.0", "y: NaN 7.0", lines])
            ]
        );
        assert_eq!(
            members(&format!("pd203_panel_kinds.p{protocol}")),
            [
                table(
                    "day",
                    &["x: 1483228800000000000 1483401600000000000", "y: - 1483488000000000000", lines]
                ),
                table("float", &["x: 1.5 2.5", "y: NaN 3.5", lines]),
                table("int", &["x: 1 3", "y: 2 4", lines]),
                table("text", &["x: u v", "y: - w", lines]),
            ]
        );
        assert_eq!(
            members(&format!("pd203_panel_fortran.p{protocol}")),
            [
                table("10", &["0: 0.0 2.0 4.0", "1: 1.0 3.0 5.0"]),
                table("20", &["0: 6.0 8.0 10.0", "1: 7.0 9.0 11.0"])
            ]
        );
    }
    let lines = "__index_level_0__: r s";
    assert_eq!(
        members("panel12"),
        [
            table("a", &["x: 6.0 9.0", "y: 7.0 10.0", "z: 8.0 11.0", lines]),
            table("b", &["x: 0.0 3.0", "y: 1.0 4.0", "z: 2.0 5.0", lines]),
            table("t", &["x: u x", "y: v y", "z: w z", lines]),
        ]
    );
}

#[test]
fn a_panel_whose_axes_do_not_fit_its_blocks_is_refused() {
    for (name, says) in [
        ("rows", "panel.blocks[0].values: a block: 2 rows where 1 are expected"),
        ("columns", "panel.blocks[0].values: a block: 2 columns where 1 are expected"),
        ("items", "panel.blocks[0].placement: the form"),
        ("item_twice", "panel.blocks[1]: column 1 is not covered by exactly one block"),
        ("item_nowhere", "panel.blocks: column 0 is not covered by exactly one block"),
        ("item_unknown", "panel.blocks[0].placement: the form"),
        ("flat", "panel.blocks[0].values: the form"),
        ("two_axes", "panel._mgr.axes: the form"),
        ("no_state", "panel.state: \"state\" is missing"),
        ("no_columns", "panel: \"columns\" is missing"),
    ] {
        let reason = refused(&format!("bad_panel_{name}"));
        assert!(reason.starts_with(says), "{name}: {reason}");
    }
}

#[test]
fn an_item_without_a_name_is_refused_and_the_others_are_read() {
    let members = members("bad_panel_unnamed");
    let found: Vec<(&str, bool)> =
        members.iter().map(|(path, found)| (path.as_str(), found.is_ok())).collect();
    assert_eq!(found, [("None", false), ("a", true), ("c", true)]);
    assert_eq!(members[0].1, Err("it is an item of a panel without a name".to_owned()));
}

#[test]
fn series_that_are_arrays_are_read_sparse_or_not() {
    let days = "__index_level_0__: mon tue wed";
    assert_eq!(only("series12"), ["x: 1.5 NaN 2.5", days]);
    assert_eq!(only("timeseries12"), ["x: 1.5 NaN 2.5", days]);
    assert_eq!(only("sparse_series12"), ["x: 1.5 0.0 2.5", days]);
    assert_eq!(only("sparse_time_series12"), ["0: NaN 1.5 2.5", days]);
    assert_eq!(only("sparse_frame12"), ["7: NaN 2.0 3.0", "a: 1.0 NaN NaN", days]);
    for protocol in [2, 4] {
        assert_eq!(
            only(&format!("pd203_sparse_series.p{protocol}")),
            ["s: 0.0 1.5 0.0", "__index_level_0__: a b c"]
        );
        assert_eq!(only(&format!("pd203_sparse_frame.p{protocol}")), ["p: NaN 1.5 2.5", "q: NaN NaN 3.5"]);
        assert_eq!(only(&format!("pd203_sparse_array.p{protocol}")), ["0: 0 7 0"]);
        assert_eq!(only(&format!("pd203_sparse_column.p{protocol}")), ["n: 1 2", "s: NaN 1.5"]);
    }
}

#[test]
fn sparse_series_and_frames_of_other_lengths_are_refused() {
    for (name, says) in [
        ("series12_values", "series.values: sparse values: 1 rows where 2 are expected"),
        ("series12_rows", "series: the series: 4 rows where 3 are expected"),
        ("frame12_column", "frame.series[\"a\"]: \"series\" is missing"),
        ("frame12_rows", "frame.series[\"a\"]: a sparse column: 2 rows where 3 are expected"),
    ] {
        assert_eq!(refused(&format!("bad_sparse_{name}")), says);
    }
}

#[test]
fn what_is_masked_is_missing() {
    assert_eq!(only("masked"), ["0: 0 2 4", "1: - 3 -"]);
    assert_eq!(only("masked_fortran"), ["0: 0 - 2", "1: 3 4 -"]);
    assert_eq!(only("masked_objects"), ["0: a -", "1: 1 2"]);
    assert_eq!(only("masked_text"), ["0: a - c"]);
    assert_eq!(only("masked_records"), ["n: 1 -", "v: [0.5 1.5] [2.5 3.5]"]);
    for protocol in [2, 4] {
        assert_eq!(only(&format!("pd203_masked.p{protocol}")), ["0: 1.5 3.5", "1: - 4.5"]);
        assert_eq!(only(&format!("pd203_masked_days.p{protocol}")), ["0: - 1483315200000"]);
        assert_eq!(only(&format!("pd203_masked_records.p{protocol}")), ["n: 1 -", "t: - v"]);
    }
}

#[test]
fn masks_that_do_not_fit_are_refused() {
    for (name, says) in [
        ("short", "array: the mask: 5 rows where 6 are expected"),
        ("cube", "values: the form is not one that this reader knows"),
        ("records_mask", "array: the mask: 2 rows where 6 are expected"),
        ("records_vector", "array: a vector lacks some of its elements, which no column of vectors can say"),
    ] {
        assert_eq!(refused(&format!("bad_masked_{name}")), says);
    }
}

#[test]
fn attributes_are_kept_as_json_and_what_json_has_not_is_named() {
    let attrs = |name: &str| {
        let (bytes, limits) = (bytes(name), Limits::default());
        let graph = pickle::load(&bytes, &limits).unwrap();
        let found = tables(&graph, &limits).unwrap().remove(0).found.unwrap();
        Attrs::of(&found.parse(&graph, &limits).unwrap())
    };
    let kept = attrs("attrs_kept");
    let json = r#"{"unit":"m","scale":[1,2.5,null,true],"of":{"é":[1,"x"]},"big":-4611686018427387904}"#;
    assert_eq!(kept, Attrs { json: Some(json.to_owned()), lost: Vec::new() });
    let lost = attrs("attrs_lost");
    assert_eq!(lost.json.as_deref(), Some(r#"{"unit":"m"}"#));
    assert_eq!(
        lost.lost,
        [
            "\"set\": an object",
            "an int: its key is no text",
            "\"nan\": a float that is no number",
            "\"in\": a key that is no text",
            "\"huge\": an int of more than 64 bits",
        ]
    );
    assert_eq!(attrs("attrs_none"), Attrs::default());
}

#[test]
fn zones_of_dateutil_4_are_those_of_their_name() {
    for (name, wanted) in [("dateutil4", "Europe/Paris"), ("dateutil4_utc", "UTC")] {
        for protocol in [0, 2, 5] {
            let (bytes, limits) = (bytes(&format!("{name}.p{protocol}")), Limits::default());
            let graph = pickle::load(&bytes, &limits).unwrap();
            let found = tables(&graph, &limits).unwrap().remove(0).found.unwrap();
            let frame = found.parse(&graph, &limits).unwrap();
            let table = Table::inferred(&frame, Vectors::AsIs, Mixed::Refuse, &limits).unwrap();
            let DataType::Timestamp(_, Some(zone)) = table.schema().field(0).data_type().clone() else {
                panic!("{name}: {}", table.schema())
            };
            assert_eq!(&*zone, wanted);
        }
    }
}

#[test]
fn no_changed_byte_makes_them_panic() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let small = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|end| end == "pkl") && path.metadata().unwrap().len() < 1_100
    };
    let files: Vec<_> = files.filter(small).collect();
    assert!(files.len() > 30, "only {} files", files.len());
    files.par_iter().for_each(|path| {
        let mut bytes = std::fs::read(path).unwrap();
        for at in (0..bytes.len()).step_by(5) {
            bytes[at] ^= 1;
            let _ = chain::run(&bytes);
            bytes[at] ^= 1;
        }
    });
}
