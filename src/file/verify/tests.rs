//! What verification finds in data sets that were changed on purpose.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, StringArray, cast::AsArray as _,
    types::Float32Type,
};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;

use super::*;
use crate::file::{
    DatasetOptions, DatasetWriter, Manifest,
    testing::{self, batch, key},
};

const ROWS: usize = 3_500;

fn write(folder: &Path, batch: &RecordBatch) -> PathBuf {
    let options = DatasetOptions { overwrite: true, batch_rows: 700, ..DatasetOptions::default() };
    let mut writer = DatasetWriter::create(folder, "t", batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    folder.join("t")
}

/// The rows of these numbers, one batch.
fn rows(numbers: impl IntoIterator<Item = usize>) -> RecordBatch {
    let all = batch(0, ROWS);
    let picked: Vec<_> = numbers.into_iter().map(|row| all.slice(row, 1)).collect();
    concat_batches(&all.schema(), &picked).unwrap()
}

/// The same without a key.
fn keyless(batch: &RecordBatch) -> RecordBatch {
    let schema = Schema::new(batch.schema().fields().clone());
    RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap()
}

/// The batch with element 3 of the vector of `row` changed.
fn changed(batch: &RecordBatch, row: usize, to: f32) -> RecordBatch {
    let vectors = batch.column(4).as_fixed_size_list();
    let mut elements = vectors.values().as_primitive::<Float32Type>().values().to_vec();
    elements[row * testing::DIMENSION + 3] = to;
    let DataType::FixedSizeList(item, length) = vectors.data_type() else { unreachable!() };
    let vectors =
        FixedSizeListArray::new(Arc::clone(item), *length, Arc::new(Float32Array::from(elements)), None);
    let mut columns = batch.columns().to_vec();
    columns[4] = Arc::new(vectors);
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

fn options(subset: bool) -> Options<'static> {
    Options { subset, temporary_folder: std::env::temp_dir(), progress: &|_| {} }
}

fn compared(one: &RecordBatch, two: &RecordBatch, subset: bool) -> Comparison {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (write(here.path(), one), write(there.path(), two));
    let report = verify(&one, Some(&two), &options(subset)).unwrap();
    assert!(report.source.is_sound() && report.target.as_ref().unwrap().is_sound(), "{report:?}");
    report.comparison.unwrap()
}

fn counts(compared: &Comparison) -> [u64; 4] {
    [compared.only_source, compared.only_target, compared.differing, compared.doubled]
}

/// The data set at `path`, alone.
fn alone(path: &Path) -> Check {
    verify(path, None, &options(false)).unwrap().source
}

#[test]
fn rows_are_found_by_key_in_any_order() {
    let source = rows(0..ROWS);
    let identical = compared(&source, &source, false);
    assert_eq!((identical.verdict, identical.source), (Verdict::Identical, identical.target));
    let reversed = compared(&source, &rows((0..ROWS).rev()), false);
    assert_eq!((reversed.verdict, counts(&reversed)), (Verdict::SameByKey, [0; 4]));
    assert!(reversed.source.k == reversed.target.k && reversed.source.d != reversed.target.d);
}

#[test]
fn a_lost_a_strange_and_a_changed_row_are_counted_and_the_first_is_named() {
    let source = rows(0..ROWS - 2);
    // Row 1,000 is lost, the last two are strange, and row 2,000 is changed.
    let target = changed(&rows((0..ROWS).rev().filter(|row| *row != 1_000)), ROWS - 1 - 2_000, -1.0);
    let found = compared(&source, &target, false);
    assert_eq!((found.verdict, counts(&found)), (Verdict::Different, [1, 2, 1, 0]));
    let first = found.first.unwrap();
    assert_eq!(first.key.unwrap(), key(1_000));
    assert_eq!((first.sides[0].row, first.sides[1].row, first.column), (Some(1_000), None, None));
    let only_changed = compared(&source, &changed(&source, 2_000, -1.0), true).first.unwrap();
    assert_eq!(only_changed.column.as_deref(), Some("vector[3]"));
    let element = (2_000 * testing::DIMENSION + 3) as f32 / 7.0;
    assert_eq!(only_changed.sides.map(|side| side.value.unwrap()), [element.to_string(), "-1".to_owned()]);
}

#[test]
fn a_subset_may_be_part_of_more_and_nothing_else() {
    let (source, target) = (rows(100..300), rows((0..ROWS).rev()));
    let found = compared(&source, &target, false);
    assert_eq!((found.verdict, counts(&found)[1]), (Verdict::Different, ROWS as u64 - 200));
    assert_eq!(found.first.unwrap().sides[1].row, Some(0), "the first strange row of the target");
    let found = compared(&source, &target, true);
    assert_eq!((found.verdict, found.first), (Verdict::Contained, None));
    assert_eq!(compared(&source, &changed(&target, ROWS - 1 - 100, 0.5), true).verdict, Verdict::Different);
    assert_eq!(compared(&target, &source, true).verdict, Verdict::Different, "not the other way round");
}

#[test]
fn the_last_row_of_a_key_counts_and_a_doubled_one_is_a_difference() {
    let (once, twice) = (rows(0..50), rows((0..50).chain([7])));
    let merged = compared(&twice, &once, false);
    assert_eq!((merged.verdict, merged.source.k == merged.target.k), (Verdict::SameByKey, true));
    for subset in [false, true] {
        let doubled = compared(&once, &twice, subset);
        assert_eq!((doubled.verdict, counts(&doubled)), (Verdict::Different, [0, 0, 0, 1]));
        let first = doubled.first.unwrap();
        assert_eq!((first.sides[0].row, first.sides[1].row), (Some(7), Some(50)));
    }
    let last = concat_batches(&once.schema(), &[once.clone(), changed(&once, 7, 9.0).slice(7, 1)]).unwrap();
    assert_eq!(compared(&last, &changed(&once, 7, 9.0), false).verdict, Verdict::SameByKey);
    assert_eq!(counts(&compared(&last, &once, false)), [0, 0, 1, 0]);
}

#[test]
fn without_a_key_rows_are_compared_in_their_order() {
    let plain = |numbers: std::ops::Range<usize>| keyless(&rows(numbers));
    assert_eq!(compared(&plain(0..50), &plain(0..50), false).verdict, Verdict::Identical);
    let swapped = keyless(&rows([0, 2, 1, 3]));
    let found = compared(&plain(0..4), &swapped, false);
    assert_eq!((found.verdict, counts(&found), found.reordered), (Verdict::Different, [0, 0, 2, 0], true));
    assert_eq!(found.by_key, None);
    let longer = compared(&plain(0..50), &plain(0..60), false);
    assert_eq!((longer.verdict, counts(&longer)), (Verdict::Different, [0, 10, 0, 0]));
    assert_eq!(longer.first.unwrap().sides[1].row, Some(50));
    assert_eq!(compared(&plain(0..50), &plain(0..60), true).verdict, Verdict::Contained);
    // A key on one side only is none.
    assert_eq!(compared(&rows(0..50), &plain(0..50), false).verdict, Verdict::Identical);
    assert_eq!(compared(&rows(0..4), &swapped, false).verdict, Verdict::Different);
}

/// `position` as text and not as category.
fn as_text(batch: &RecordBatch) -> RecordBatch {
    let position = batch.column(1).as_any_dictionary();
    let words = position.values().as_string::<i32>();
    let texts: Vec<_> = position.normalized_keys().iter().map(|key| words.value(*key)).collect();
    with_column(batch, 1, Field::new("position", DataType::Utf8, false), Arc::new(StringArray::from(texts)))
}

fn with_column(batch: &RecordBatch, index: usize, field: Field, column: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    fields[index] = Arc::new(field);
    let mut columns = batch.columns().to_vec();
    columns[index] = column;
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

#[test]
fn a_category_and_the_text_of_its_values_are_the_same() {
    let source = rows(0..ROWS);
    let found = compared(&source, &as_text(&source), false);
    assert_eq!((found.verdict, found.columns.len()), (Verdict::Identical, 0));
    assert_eq!(counts(&compared(&as_text(&source), &changed(&source, 9, 0.5), false)), [0, 0, 1, 0]);
}

#[test]
fn columns_that_differ_are_named_and_the_others_are_compared() {
    let source = rows(0..60);
    let years = Arc::clone(source.column(2));
    let renamed = with_column(&source, 2, Field::new("age", DataType::Int32, true), years);
    let found = compared(&source, &renamed, false);
    assert_eq!((found.verdict, found.compared_columns, counts(&found)), (Verdict::Different, 4, [0; 4]));
    let said: Vec<_> = found.columns.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["column \"years\" is missing in the second table", "column \"age\" is missing in the first table"]
    );
    let turned = changed(&renamed, 5, 0.25).project(&[4, 2, 0, 1, 3]).unwrap();
    let found = compared(&source, &turned, false);
    assert_eq!((found.columns.last(), counts(&found)), (Some(&ColumnDifference::Order), [0, 0, 1, 0]));
    assert_eq!(found.first.unwrap().column.as_deref(), Some("vector[3]"));
    let nulls = with_column(&source, 0, Field::new("id", DataType::Utf8, true), Arc::clone(source.column(0)));
    let found = compared(&source, &nulls, false);
    assert_eq!((found.columns.len(), found.compared_columns, counts(&found)), (1, 5, [0; 4]));
    assert!(matches!(&found.columns[0], ColumnDifference::Nulls { column, .. } if column == "id"));
}

/// Writes two data sets and puts files of the second into the first.
fn swapped(one: &RecordBatch, two: &RecordBatch, parts: &[&str]) -> Check {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (write(here.path(), one), write(there.path(), two));
    for part in parts {
        fs::rename(two.with_extension(part), one.with_extension(part)).unwrap();
    }
    alone(&one)
}

fn findings<'a>(check: &'a Check, part: &str) -> &'a [Finding] {
    &check.files.iter().find(|file| file.part == part).unwrap().findings
}

#[test]
fn a_data_set_of_swapped_files_tells_the_rows_and_the_first_that_differs() {
    let source = rows(0..ROWS);
    assert!(swapped(&source, &source, &[]).is_sound());
    for part in ["parquet", "arrow"] {
        let check = swapped(&source, &changed(&source, 2_345, 0.5), &[part]);
        let found = findings(&check, part);
        assert!(found.contains(&Finding::Bytes) && found.contains(&Finding::Footer), "{found:?}");
        assert!(found.contains(&Finding::Digest { from: 2_000, to: 2_999 }), "{found:?}");
        assert_eq!(check.files.iter().filter(|file| !file.is_sound()).count(), 1);
        let first = check.first.unwrap();
        assert_eq!((first.sides[0].row, first.column.as_deref()), (Some(2_345), Some("vector[3]")));
    }
    let check = swapped(&source, &rows((0..ROWS).filter(|row| *row != 3_400)), &["arrow"]);
    let expected = Finding::Rows { expected: ROWS as u64, found: ROWS as u64 - 1 };
    assert!(findings(&check, "arrow").contains(&expected));
    assert_eq!(check.first.unwrap().sides[1].row, Some(3_400));
}

#[test]
fn an_index_of_other_rows_is_found_though_its_own_digest_is_right() {
    let source = rows(0..ROWS);
    let turned = rows([0, 1, 3, 2].into_iter().chain(4..ROWS));
    let check = swapped(&source, &turned, &["ids"]);
    let expected = Finding::Index { row: 2, what: "is not under its key" };
    assert_eq!(findings(&check, "ids"), [Finding::Bytes, expected]);
}

type Change = fn(&mut Manifest);

#[test]
fn a_manifest_that_says_other_sums_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &rows(0..ROWS));
    let manifest_path = path.with_extension("json");
    let manifest = Manifest::read(&manifest_path).unwrap();
    let cases: [(Change, Finding); 4] = [
        (|manifest| manifest.d ^= 1, Finding::Digest { from: 3_000, to: 3_499 }),
        (|manifest| manifest.checkpoints[1] ^= 1, Finding::Digest { from: 1_000, to: 1_999 }),
        (|manifest| manifest.k ^= 1, Finding::Keyed),
        (|manifest| manifest.fingerprint.push('0'), Finding::Fingerprint),
    ];
    for (change, expected) in cases {
        let mut other = manifest.clone();
        change(&mut other);
        fs::write(&manifest_path, other.to_json(&manifest_path).unwrap()).unwrap();
        let check = alone(&path);
        for part in ["parquet", "arrow"] {
            assert!(findings(&check, part).contains(&expected), "{check:?}");
        }
        assert_eq!(check.first, None, "the files agree");
    }
}

#[test]
fn damage_at_any_place_is_found_and_never_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &rows(0..200));
    for part in ["parquet", "arrow", "ids"] {
        let file = path.with_extension(part);
        let whole = fs::read(&file).unwrap();
        for flipped in testing::bit_flips(&whole).step_by(8) {
            fs::write(&file, flipped).unwrap();
            assert!(!alone(&path).is_sound(), "{part}");
        }
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&file, &whole[..length]).unwrap();
            let check = alone(&path);
            assert!(matches!(findings(&check, part)[0], Finding::Size { .. }), "{part}: {check:?}");
        }
        fs::write(&file, whole).unwrap();
    }
    assert!(alone(&path).is_sound());
    fs::remove_file(path.with_extension("ids")).unwrap();
    assert!(alone(&path).is_sound() && !path.with_extension("ids").exists(), "verifying writes nothing");
    fs::remove_file(path.with_extension("arrow")).unwrap();
    assert_eq!(findings(&alone(&path), "arrow"), [Finding::Missing]);
}
