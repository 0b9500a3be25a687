//! What pins the format of the digest: a change here is a change of the file format.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    DictionaryArray, DurationMillisecondArray, FixedSizeBinaryArray, FixedSizeListArray, Float16Array,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray,
    LargeStringArray, ListArray, NullArray, RecordBatch, StringArray, StructArray, Time64MicrosecondArray,
    TimestampNanosecondArray, UInt64Array,
    builder::{ListBuilder, StringBuilder},
    types::Int8Type,
};
use arrow_buffer::{OffsetBuffer, i256};
use arrow_schema::{DataType, Field, Fields, Schema};

use super::*;
use crate::columnar::schema::NULL;

fn vectors(rows: usize, dimension: i32) -> ArrayRef {
    let values = Float32Array::from_iter_values((0..rows * dimension as usize).map(|i| i as f32 / 7.0));
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    Arc::new(FixedSizeListArray::new(item, dimension, Arc::new(values), None))
}

fn with_policy(field: Field, policy: &str) -> Field {
    field.with_metadata(HashMap::from([(NULL.to_owned(), policy.to_owned())]))
}

fn table(rows: usize) -> RecordBatch {
    let ids: StringArray = (0..rows).map(|i| Some(format!("id-{i}"))).collect();
    let years: Int32Array = (0..rows).map(|i| (i % 5 != 0).then_some(i as i32 - 3)).collect();
    let levels: StringArray = (0..rows).map(|i| (i % 3 != 0).then_some(["", "fluent"][i % 2])).collect();
    let schema = Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("years", DataType::Int32, true),
        with_policy(Field::new("level", DataType::Utf8, true), "empty"),
        Field::new("vector", vectors(0, 5).data_type().clone(), false),
    ]);
    let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(years), Arc::new(levels), vectors(rows, 5)];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn digest_of(batches: &[RecordBatch]) -> Digest {
    let mut digester = Digester::new(&batches[0].schema()).unwrap();
    for batch in batches {
        digester.update(batch).unwrap();
    }
    digester.finish()
}

fn one(field: Field, array: ArrayRef) -> RecordBatch {
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap()
}

fn canonical(batch: &RecordBatch, row: usize) -> Vec<u8> {
    let field = batch.schema().field(0).clone();
    let form = form::Form::of(&field, "").unwrap();
    let mut out = Vec::new();
    form.put(&form.bind(batch, 0).unwrap(), row, &mut out).unwrap();
    out
}

fn plain(array: impl Array + 'static) -> Vec<u8> {
    let array: ArrayRef = Arc::new(array);
    canonical(&one(Field::new("c", array.data_type().clone(), false), array), 0)
}

#[test]
fn every_type_has_the_form_that_is_written_down() {
    assert_eq!(plain(BooleanArray::from(vec![true])), [1]);
    assert_eq!(plain(Int8Array::from(vec![-2])), (-2_i64).to_le_bytes());
    assert_eq!(plain(Int16Array::from(vec![-2])), (-2_i64).to_le_bytes());
    assert_eq!(plain(Int32Array::from(vec![i32::MIN])), i64::from(i32::MIN).to_le_bytes());
    assert_eq!(plain(Int64Array::from(vec![i64::MIN])), i64::MIN.to_le_bytes());
    assert_eq!(plain(UInt64Array::from(vec![u64::MAX])), [255; 8]);
    assert_eq!(
        plain(Float16Array::from(vec![
            <arrow_array::types::Float16Type as arrow_array::ArrowPrimitiveType>::Native::ONE
        ])),
        [0, 0x3c]
    );
    assert_eq!(plain(Float32Array::from(vec![-0.0])), [0, 0, 0, 0x80]);
    assert_eq!(plain(Float64Array::from(vec![1.0])), 1.0_f64.to_le_bytes());
    assert_eq!(plain(StringArray::from(vec!["é"])), [2, 0, 0, 0, 0xc3, 0xa9]);
    assert_eq!(plain(LargeStringArray::from(vec!["a"])), [1, 0, 0, 0, b'a']);
    assert_eq!(plain(BinaryArray::from(vec![&b"\xff"[..]])), [1, 0, 0, 0, 0xff]);
    assert_eq!(plain(LargeBinaryArray::from(vec![&b""[..]])), [0; 4]);
    assert_eq!(
        plain(FixedSizeBinaryArray::try_from_iter([[7_u8, 8]].into_iter()).unwrap()),
        [2, 0, 0, 0, 7, 8]
    );
    assert_eq!(plain(Date32Array::from(vec![-1])), [255; 8]);
    assert_eq!(plain(TimestampNanosecondArray::from(vec![5]).with_timezone("UTC")), 5_i64.to_le_bytes());
    assert_eq!(plain(DurationMillisecondArray::from(vec![5])), 5_i64.to_le_bytes());
    assert_eq!(plain(Time64MicrosecondArray::from(vec![5])), 5_i64.to_le_bytes());
    assert_eq!(plain(Decimal128Array::from(vec![-1_i128])), [255; 16]);
    assert_eq!(plain(Decimal256Array::from(vec![i256::from_i128(-1)])), [255; 32]);
}

#[test]
fn nested_types_and_nulls_have_the_form_that_is_written_down() {
    let list = canonical(&one(Field::new("v", vectors(1, 2).data_type().clone(), false), vectors(1, 2)), 0);
    assert_eq!(list, [[2, 0, 0, 0], [0; 4], (1.0_f32 / 7.0).to_le_bytes()].concat());

    let mut words = ListBuilder::new(StringBuilder::new());
    words.append_value([Some("a"), None]);
    assert_eq!(plain(words.finish()), [2, 0, 0, 0, 1, 1, 0, 0, 0, b'a', 0]);

    let fields =
        Fields::from(vec![Field::new("n", DataType::Int32, true), Field::new("b", DataType::Boolean, false)]);
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![None])), Arc::new(BooleanArray::from(vec![true]))];
    assert_eq!(plain(StructArray::new(fields, columns, None)), [0, 1]);

    let nulls = one(Field::new("n", DataType::Null, true), Arc::new(NullArray::new(1)));
    assert_eq!(canonical(&nulls, 0), [0]);

    let missing: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    let field = Field::new("t", DataType::Utf8, true);
    assert_eq!(canonical(&one(field.clone(), Arc::clone(&missing)), 0), [0]);
    assert_eq!(canonical(&one(with_policy(field.clone(), "empty"), Arc::clone(&missing)), 0), [0; 4]);
    assert_eq!(canonical(&one(with_policy(field, "default:x"), missing), 0), [1, 0, 0, 0, b'x']);

    let number: ArrayRef = Arc::new(Int32Array::from(vec![None]));
    let batch = one(with_policy(Field::new("n", DataType::Int32, true), "default:-3"), number);
    assert_eq!(canonical(&batch, 0), (-3_i64).to_le_bytes());
}

#[test]
fn the_format_is_pinned() {
    let batch = table(2_500);
    let digest = digest_of(std::slice::from_ref(&batch));
    assert_eq!(schema::canonical(&batch.schema()), PINNED_SCHEMA);
    assert_eq!(format!("{:032x}", digest.d), PINNED_D);
    assert_eq!(format!("{:032x}", digest.k), PINNED_K);
    assert_eq!(fingerprint(&batch.schema(), digest.rows, digest.d), PINNED_FINGERPRINT);
    assert_eq!(digest.checkpoints.len(), 2);
}

const PINNED_SCHEMA: &str =
    "brine-schema-v1\n2:id utf8\n5:years int32?\n5:level utf8\n6:vector list[5]<float32>\n";
const PINNED_D: &str = "bc9d0a2eb963bb53124fbef6da3fc831";
const PINNED_K: &str = "d2924c2bfc549976bc7d9d293527acba";
const PINNED_FINGERPRINT: &str = "rows-v1:0888fce1147ba8c8b1402d34b0ea316d689f2d08cd75700a78482d32fbfce6ff";

#[test]
fn the_words_of_the_schema_are_pinned() {
    let zone = DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, Some("UTC".into()));
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8));
    let fields = Fields::from(vec![Field::new("a", DataType::Date32, true)]);
    for (data_type, text) in [
        (DataType::Null, "null"),
        (DataType::Boolean, "bool"),
        (DataType::UInt16, "uint16"),
        (DataType::Float16, "float16"),
        (DataType::Date32, "date32"),
        (zone, "timestamp[ns,3:UTC]"),
        (dictionary, "utf8"),
        (DataType::Decimal128(10, 2), "decimal128[10,2]"),
        (DataType::FixedSizeBinary(16), "binary[16]"),
        (DataType::Struct(fields), "struct<1:a date32?,>"),
        (DataType::new_list(DataType::Utf8, true), "list<utf8?>"),
    ] {
        assert_eq!(schema::canonical_type(&data_type), text);
    }
}

#[test]
fn batches_slices_and_threads_never_change_the_digest() {
    let whole = table(3_210);
    let expected = digest_of(std::slice::from_ref(&whole));
    for size in [1, 7, 999, 1_000, 1_001, 3_209] {
        let batches: Vec<_> =
            (0..3_210).step_by(size).map(|start| whole.slice(start, size.min(3_210 - start))).collect();
        assert_eq!(digest_of(&batches), expected, "batches of {size} rows");
    }
    let hasher = RowHasher::new(&whole.schema()).unwrap();
    let head = hasher.range_digest(&whole, 0..1_000, 0).unwrap();
    assert_eq!(head, expected.checkpoints[0]);
    let tail = hasher.range_digest(&whole.slice(1_000, 2_210), 0..2_210, 1_000).unwrap();
    assert_eq!(head.wrapping_add(tail), expected.d);
}

#[test]
fn a_dictionary_is_its_values() {
    let words = ["b", "a", "b", ""];
    let dictionary: DictionaryArray<Int8Type> = words.into_iter().collect();
    let encoded = one(Field::new("w", dictionary.data_type().clone(), false), Arc::new(dictionary));
    let plain = one(Field::new("w", DataType::Utf8, false), Arc::new(StringArray::from(words.to_vec())));
    assert_eq!(digest_of(std::slice::from_ref(&encoded)), digest_of(std::slice::from_ref(&plain)));
    assert_eq!(fingerprint(&encoded.schema(), 4, 1), fingerprint(&plain.schema(), 4, 1));
    RowHasher::new(&plain.schema()).unwrap().hash(&encoded, 0, |_, _| ()).unwrap();
}

#[test]
fn any_changed_cell_changes_the_digest() {
    let base = table(20);
    let expected = digest_of(std::slice::from_ref(&base));
    let others: Vec<ArrayRef> = vec![
        Arc::new((0..20).map(|i| Some(format!("id-{}", i % 19))).collect::<StringArray>()),
        Arc::new((0..20).map(|i| (i % 5 != 0).then_some(i - 3 + i32::from(i == 19))).collect::<Int32Array>()),
        Arc::new((0..20).map(|i| (i % 3 != 0).then_some("fluent")).collect::<StringArray>()),
        vectors(21, 5).slice(1, 20),
    ];
    for (column, other) in others.into_iter().enumerate() {
        let mut columns = base.columns().to_vec();
        columns[column] = other;
        let changed = RecordBatch::try_new(base.schema(), columns).unwrap();
        assert_ne!(digest_of(std::slice::from_ref(&changed)).d, expected.d, "column {column}");
        assert_ne!(digest_of(&[changed]).k, expected.k, "column {column}");
    }
}

#[test]
fn sums_found_before_are_those_of_the_digest_and_of_no_other_place() {
    let whole = table(2_500);
    let hasher = RowHasher::new(&whole.schema()).unwrap();
    let expected = digest_of(std::slice::from_ref(&whole));
    let mut digester = Digester::new(&whole.schema()).unwrap();
    for (first, rows) in [(0, 700), (700, 1_300), (2_000, 500)] {
        let batch = whole.slice(first, rows);
        let summed = hasher.summed(&batch, first as u64).unwrap();
        assert_eq!(summed.digest(), hasher.range_digest(&batch, 0..rows, first as u64).unwrap());
        digester.update_summed(&batch, &summed).unwrap();
    }
    assert_eq!(digester.finish(), expected);
    // Sums of rows that stand elsewhere, as those of a part of a data set do, or of fewer rows, are not believed.
    let mut digester = Digester::new(&whole.schema()).unwrap();
    digester
        .update_summed(&whole.slice(0, 700), &hasher.summed(&whole.slice(0, 700), 1_000).unwrap())
        .unwrap();
    digester
        .update_summed(&whole.slice(700, 1_800), &hasher.summed(&whole.slice(700, 9), 700).unwrap())
        .unwrap();
    assert_eq!(digester.finish(), expected);
}

#[test]
fn order_counts_for_d_and_not_for_k() {
    let base = table(2);
    let swapped = digest_of(&[base.slice(1, 1), base.slice(0, 1)]);
    let straight = digest_of(&[base]);
    assert_eq!(swapped.k, straight.k);
    assert_ne!(swapped.d, straight.d);
}

#[test]
fn nulls_and_their_stand_ins_are_one_under_a_policy() {
    let field = with_policy(Field::new("level", DataType::Utf8, true), "empty");
    let missing = one(field.clone(), Arc::new(StringArray::from(vec![None::<&str>])));
    let stored = one(field, Arc::new(StringArray::from(vec![Some("")])));
    assert_eq!(digest_of(&[missing]), digest_of(&[stored]));
}

#[test]
fn what_has_no_form_is_refused() {
    let view = Schema::new(vec![Field::new("v", DataType::Utf8View, false)]);
    assert!(matches!(RowHasher::new(&view), Err(Error::Type { column, .. }) if column == "v"));
    let unfit = with_policy(Field::new("s", DataType::Boolean, true), "default:x");
    assert!(matches!(RowHasher::new(&Schema::new(vec![unfit])), Err(Error::Policy { .. })));
    let hasher = RowHasher::new(&Schema::new(vec![Field::new("n", DataType::Int32, false)])).unwrap();
    let other = one(Field::new("n", DataType::Int64, false), Arc::new(Int64Array::from(vec![1])));
    assert!(matches!(hasher.hash(&other, 0, |_, _| ()), Err(Error::Batch { .. })));
    let hidden = DictionaryArray::<Int8Type>::new(
        Int8Array::from(vec![0]),
        Arc::new(StringArray::from(vec![None::<&str>])),
    );
    let hidden = one(Field::new("d", hidden.data_type().clone(), false), Arc::new(hidden));
    let hasher = RowHasher::new(&hidden.schema()).unwrap();
    assert!(matches!(hasher.hash(&hidden, 0, |_, _| ()), Err(Error::Null { row: 0, .. })));
}

#[test]
fn the_last_row_of_a_key_counts() {
    let mut keyed = Keyed::default();
    keyed.insert(key_hash("a"), 5);
    keyed.insert(key_hash("b"), 7);
    keyed.insert(key_hash("a"), 11);
    assert_eq!((keyed.value(), keyed.keys()), (18, 2));
    let mut digest = digest_of(&[table(2)]);
    let k = digest.k;
    digest.supersede(k);
    assert_eq!(digest.k, 0);
}

#[test]
fn keys_that_spell_a_uuid_are_its_bytes() {
    let uuid = key_hash("00112233-4455-6677-8899-aaBBccDDeeff");
    assert_eq!(
        uuid,
        [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]
    );
    for text in ["", "00112233445566778899aabbccddeeff", "0011223g-4455-6677-8899-aabbccddeeff"] {
        assert_eq!(key_hash(text), xxhash_rust::xxh3::xxh3_128(text.as_bytes()).to_be_bytes());
    }
}

#[test]
fn lists_of_lists_are_walked() {
    let inner = ListArray::new(
        Arc::new(Field::new("item", DataType::Int64, false)),
        OffsetBuffer::from_lengths([2, 1]),
        Arc::new(Int64Array::from(vec![1, 2, 3])),
        None,
    );
    let item = Arc::new(Field::new("item", inner.data_type().clone(), false));
    let outer = ListArray::new(item, OffsetBuffer::from_lengths([2]), Arc::new(inner), None);
    let int = |value: i64| value.to_le_bytes().to_vec();
    let count = |value: u32| value.to_le_bytes().to_vec();
    assert_eq!(plain(outer), [count(2), count(2), int(1), int(2), count(1), int(3)].concat());
}

#[test]
fn numbers_are_hashed_alike_column_by_column_and_cell_by_cell() {
    let columns = |hole: Option<i32>| {
        let ints = Int32Array::from(
            (0..100).map(|row| if row == 50 { hole } else { Some(row) }).collect::<Vec<_>>(),
        );
        let floats = Float32Array::from((0..100_u8).map(f32::from).collect::<Vec<_>>());
        let fields = vec![
            Field::new("i", DataType::Int32, true),
            Field::new("f", DataType::Float32, false),
            Field::new("d", DataType::Float64, true),
        ];
        let wide = Float64Array::from((0..100_u8).map(f64::from).collect::<Vec<_>>());
        let arrays: Vec<ArrayRef> = vec![Arc::new(ints), Arc::new(floats), Arc::new(wide)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    };
    let hashes = |batch: &RecordBatch| {
        let mut hashes = Vec::new();
        let hasher = RowHasher::new(&batch.schema()).unwrap();
        hasher.hash(batch, 7, |indexed, keyed| hashes.push((indexed, keyed))).unwrap();
        hashes
    };
    let (whole, holed) = (hashes(&columns(Some(50))), hashes(&columns(None)));
    let differ: Vec<usize> = (0..100).filter(|row| whole[*row] != holed[*row]).collect();
    assert_eq!(differ, [50]);
}

/// The hash of each row without its index, from the canonical form of its cells one after the other.
fn hashed_by_cells(batch: &RecordBatch) -> Vec<u128> {
    let schema = batch.schema();
    let forms = schema.fields().iter().map(|field| form::Form::of(field, "").unwrap());
    let forms: Vec<_> = forms.enumerate().map(|(at, form)| (form.bind(batch, at).unwrap(), form)).collect();
    let row = |row| {
        let mut bytes = Vec::new();
        for (column, form) in &forms {
            form.put(column, row, &mut bytes).unwrap();
        }
        xxhash_rust::xxh3::xxh3_128(&bytes)
    };
    (0..batch.num_rows()).map(row).collect()
}

fn hashed(batch: &RecordBatch) -> Vec<u128> {
    let mut hashes = Vec::new();
    RowHasher::new(&batch.schema()).unwrap().hash(batch, 0, |_, keyed| hashes.push(keyed)).unwrap();
    hashes
}

fn batch_of(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

/// Columns of every kind that is not nested, with nulls and without; texts as long as `longest`.
fn flat_table(rows: usize, longest: usize) -> RecordBatch {
    let text = |row: usize| "é".repeat(row * 7 % (longest / 2 + 1));
    let texts: StringArray = (0..rows).map(|row| (row % 5 != 2).then(|| text(row))).collect();
    let whole: LargeStringArray = (0..rows).map(|row| Some(text(row + 1))).collect();
    let bools: BooleanArray = (0..rows).map(|row| (row % 3 != 0).then_some(row % 2 == 0)).collect();
    let small: Int8Array = (0..rows).map(|row| (row % 4 != 1).then_some(row as i8)).collect();
    let halves = Float64Array::from_iter_values((0..rows).map(|row| row as f64 / 2.0));
    let values: ArrayRef =
        Arc::new(StringArray::from(vec![Some("a"), None, Some(""), Some(&*text(longest))]));
    let keys: Int8Array = (0..rows).map(|row| (row % 6 != 4).then_some((row % 4) as i8)).collect();
    let codes: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::new(keys, values));
    let coded = codes.data_type().clone();
    let decimals = Decimal128Array::from_iter_values((0..rows).map(|row| row as i128));
    let decimal = decimals.data_type().clone();
    batch_of(vec![
        (Field::new("text", DataType::Utf8, true), Arc::new(texts.clone())),
        (with_policy(Field::new("stand-in", DataType::Utf8, true), "default:none"), Arc::new(texts)),
        (Field::new("whole", DataType::LargeUtf8, false), Arc::new(whole)),
        (Field::new("bool", DataType::Boolean, true), Arc::new(bools)),
        (with_policy(Field::new("small", DataType::Int8, true), "empty"), Arc::new(small)),
        (Field::new("half", DataType::Float64, true), Arc::new(halves)),
        (Field::new("coded", coded.clone(), true), Arc::clone(&codes)),
        (with_policy(Field::new("coded stand-in", coded, true), "empty"), codes),
        (Field::new("decimal", decimal, false), Arc::new(decimals)),
    ])
}

#[test]
fn rows_put_together_column_by_column_are_those_of_their_cells() {
    // Shorter than what is copied in one piece, longer, and longer than a block of rows.
    for longest in [8, 200, 1 << 17] {
        let batch = flat_table(if longest < 1_000 { 1_037 } else { 40 }, longest);
        assert_eq!(hashed(&batch), hashed_by_cells(&batch), "{longest}");
        let slice = batch.slice(5, 30);
        assert_eq!(hashed(&slice), hashed_by_cells(&slice), "{longest}");
        for column in 0..batch.num_columns() {
            let one = batch.project(&[column]).unwrap();
            assert_eq!(hashed(&one), hashed_by_cells(&one), "column {column}, {longest}");
        }
    }
}

#[test]
fn a_null_that_must_not_be_is_named_whatever_stands_beside_it() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let codes = DictionaryArray::<Int8Type>::new(Int8Array::from(vec![0, 0, 1]), values);
    let batch = one(Field::new("c", codes.data_type().clone(), false), Arc::new(codes));
    let found = RowHasher::new(&batch.schema()).unwrap().hash(&batch, 0, |_, _| {});
    assert!(matches!(found, Err(Error::Null { row: 2, .. })), "{found:?}");
}
