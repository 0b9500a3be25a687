//! What the text says, that it keeps within its bounds, and what is refused.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, RecordBatch, StringArray,
    builder::{ListBuilder, StringBuilder},
    types::Int32Type,
};
use arrow_schema::DataType;
use prost::Message as _;

use super::*;
use crate::{
    columnar::schema::of_domain,
    proto::embedding_json::{IngestDataRequest, ingest_data_request::Request},
    schema,
    wire::{Encoded, encode_parallel},
};

fn domain(name: &str) -> &'static Domain {
    schema::find(name).unwrap()
}

fn category(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>())
}

fn batch(name: &str, dimension: usize, vector: Vec<f32>, mut others: Vec<ArrayRef>) -> RecordBatch {
    let schema = of_domain(domain(name), dimension);
    let DataType::FixedSizeList(item, size) = schema.field(domain(name).vector).data_type().clone() else {
        unreachable!()
    };
    others.push(Arc::new(FixedSizeListArray::new(item, size, Arc::new(Float32Array::from(vector)), None)));
    RecordBatch::try_new(schema, others).unwrap()
}

/// Skills with these names, whose vectors need many digits.
fn skills(names: &[&str], dimension: usize) -> RecordBatch {
    let vector = (0..names.len() * dimension).map(|at| (at as f32 + 0.5).sin()).collect();
    let categories = category(&vec![Some("c"); names.len()]);
    let names: StringArray = names.iter().copied().map(Some).collect();
    batch("skill_dic", dimension, vector, vec![Arc::new(names), categories])
}

fn plan(batch: &RecordBatch, name: &str) -> JsonPlan {
    JsonPlan::for_domain(domain(name), &batch.schema()).unwrap()
}

/// The text of an encoded message, by the generated code's reading.
fn text(encoded: &Encoded) -> String {
    let request = IngestDataRequest::decode(encoded.message()).unwrap();
    let Some(Request::DataChunk(text)) = request.request else { panic!("{request:?}") };
    String::from_utf8(text).unwrap()
}

fn encode(batches: &[RecordBatch], name: &str, bounds: Chunking) -> Result<Vec<Encoded>, Error> {
    let plan = Arc::new(plan(&batches[0], name));
    encode_parallel(plan, batches.iter().cloned().map(Ok), &bounds, 3).collect()
}

fn by_rows(chunk_rows: usize) -> Chunking {
    Chunking { chunk_rows, ..Chunking::default() }
}

#[test]
fn a_row_has_the_published_keys_in_their_order_and_null_for_what_is_missing() {
    let ids = StringArray::from(vec!["a\"b", "é\n\u{1}"]);
    let others: Vec<ArrayRef> = vec![
        Arc::new(ids),
        category(&[Some("ACME"), None]),
        Arc::new(Int32Array::from(vec![Some(-7), None])),
        category(&[None, Some("Fluent")]),
        category(&[Some("Rust"), Some("Rust")]),
    ];
    let batch = batch("recruit", 3, vec![0.1, -0.0, 16_777_216.0, 1e-30, 3.4e38, 1.0], others);
    let encoded = encode(std::slice::from_ref(&batch), "recruit", by_rows(100)).unwrap();
    let first = r#"{"id":"a\"b","position":null,"company_name":"ACME","experience_years":-7,"primary_keyword":"Rust","english_level":null,"published_at":null,"skills":null,"long_description":null,"description_lang":null,"skills_vector":[0.1,-0.0,16777216.0]}"#;
    let second = r#"{"id":"é\n\u0001","position":null,"company_name":null,"experience_years":null,"primary_keyword":"Rust","english_level":"Fluent","published_at":null,"skills":null,"long_description":null,"description_lang":null,"skills_vector":[1e-30,3.4e+38,1.0]}"#;
    assert_eq!(text(&encoded[0]), format!("[{first},{second}]"));
    let plan = plan(&batch, "recruit");
    let lacking = ["position", "published_at", "skills", "long_description", "description_lang"];
    assert_eq!(plan.unfilled(), lacking);
    assert!(!plan.fills("exp_years") && !plan.fills("company_name"));
}

#[test]
fn a_default_text_is_sent_and_a_default_number_is_null() {
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(arrow_schema::Field::new(
        "item",
        DataType::Utf8,
        false,
    ));
    lists.append_value([Some("Rust"), Some("SQL")]);
    lists.append_value::<[Option<&str>; 0], _>([]);
    let others: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["1", "2"])),
        category(&[None, Some("Java")]),
        Arc::new(Int32Array::from(vec![None, Some(0)])),
        Arc::new(StringArray::from(vec![Some("résumé"), None])),
        Arc::new(lists.finish()),
    ];
    let batch = batch("candidate", 1, vec![0.5, -0.5], others);
    let encoded = encode(std::slice::from_ref(&batch), "candidate", by_rows(1)).unwrap();
    let first = r#"[{"candidate_id":"1","position_category":"Unknown","experience_years":null,"original_resume":"résumé","resume_lang":null,"moreinfo":null,"looking_for":null,"skills":["Rust","SQL"],"skills_vector":[0.5]}]"#;
    let second = r#"[{"candidate_id":"2","position_category":"Java","experience_years":0,"original_resume":null,"resume_lang":null,"moreinfo":null,"looking_for":null,"skills":[],"skills_vector":[-0.5]}]"#;
    assert_eq!(encoded.iter().map(text).collect::<Vec<_>>(), [first, second]);
    assert!(plan(&batch, "candidate").fills("position_category"));
}

#[test]
fn no_message_exceeds_its_bound_whatever_the_bound_is() {
    let names: Vec<String> = (0..60).map(|row| "\u{1}ü\"".repeat(row % 13)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let batch = skills(&names, 20);
    let largest = encode(std::slice::from_ref(&batch), "skill_dic", by_rows(1)).unwrap();
    let largest = largest.iter().map(|chunk| chunk.message().len()).max().unwrap();
    for message_bytes_max in (largest..largest + 40).chain([1_000, 2_000, 5_000, 16_500, 40_000]) {
        let bounds = Chunking { chunk_rows: 7, message_bytes_max };
        let encoded = encode(std::slice::from_ref(&batch), "skill_dic", bounds).unwrap();
        let mut next = 0;
        for chunk in &encoded {
            assert_eq!(chunk.rows.start, next);
            next = chunk.rows.end;
            assert!(chunk.message().len() <= message_bytes_max, "{message_bytes_max}");
            assert!(chunk.rows.end - chunk.rows.start <= 7);
            let rows: Vec<serde_json::Value> = serde_json::from_str(&text(chunk)).unwrap();
            assert_eq!(rows.len() as u64, chunk.rows.end - chunk.rows.start);
        }
        assert_eq!(next, 60);
    }
    let bounds = Chunking { chunk_rows: 7, message_bytes_max: largest - 1 };
    let error = encode(&[batch], "skill_dic", bounds).unwrap_err();
    assert!(matches!(error, Error::RowTooLong { bytes, .. } if bytes == largest), "{error}");
}

#[test]
fn a_hundred_rows_of_the_longest_vectors_fit_a_message() {
    let names = vec!["a skill"; 200];
    let encoded = encode(&[skills(&names, 1_536)], "skill_dic", by_rows(100)).unwrap();
    assert_eq!(encoded.iter().map(|chunk| chunk.rows.clone()).collect::<Vec<_>>(), [0..100, 100..200]);
}

#[test]
fn parallel_chunks_come_in_order_behind_the_prefix_of_grpc() {
    let batches: Vec<_> = (1..7).map(|row| skills(&vec!["x"; row * 9], 4)).collect();
    let encoded = encode(&batches, "skill_dic", by_rows(10)).unwrap();
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(encoded.last().unwrap().rows.end, total as u64);
    for (chunk, next) in encoded.iter().zip(&encoded[1..]) {
        assert_eq!(chunk.rows.end, next.rows.start);
    }
    for chunk in &encoded {
        let length = chunk.message().len() as u32;
        assert_eq!(chunk.framed[..5], [&[0][..], &length.to_be_bytes()].concat());
    }
    let whole: Vec<_> = encode(&batches, "skill_dic", by_rows(1_000)).unwrap().iter().map(text).collect();
    let rows = |texts: &[String]| -> Vec<serde_json::Value> {
        texts.iter().flat_map(|text| serde_json::from_str::<Vec<_>>(text).unwrap()).collect()
    };
    assert_eq!(rows(&encoded.iter().map(text).collect::<Vec<_>>()), rows(&whole));
}

#[test]
fn a_float_that_is_none_is_refused_with_column_and_row_of_the_table() {
    for none in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let names: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let bad = batch("skill_dic", 2, vec![0.0, 1.0, 2.0, none], vec![names, category(&[None, None])]);
        let error = encode(&[skills(&["a"; 30], 2), bad], "skill_dic", by_rows(10)).unwrap_err();
        let Error::NotFinite { column, row: 31, .. } = &error else { panic!("{error:?}") };
        assert_eq!(column, "vector");
    }
}

#[test]
fn what_the_keys_cannot_carry_is_refused_before_a_row_is_read() {
    let whole = of_domain(domain("skill_dic"), 2);
    let refused = |schema: &Schema| JsonPlan::for_domain(domain("skill_dic"), schema).unwrap_err();
    let lacking = Schema::new(whole.fields()[1..].to_vec());
    assert!(matches!(refused(&lacking), Error::NoColumn { column, .. } if column == "skill"));
    let field = |name: &str, data_type| Arc::new(arrow_schema::Field::new(name, data_type, false));
    let more = [whole.fields().to_vec(), vec![field("more", DataType::Utf8)]].concat();
    assert!(matches!(refused(&Schema::new(more)), Error::NoField { column, .. } if column == "more"));
    let binary = [vec![field("skill", DataType::Binary)], whole.fields()[1..].to_vec()].concat();
    assert!(matches!(refused(&Schema::new(binary)), Error::Type { column, .. } if column == "skill"));
    let plain = Domain { json: None, ..domain("skill_dic").clone() };
    assert!(matches!(JsonPlan::for_domain(&plain, &whole), Err(Error::NoJson { .. })));
}
