//! Properties that hold for every table of the built-in domains: what we encode is, byte for byte, what prost encodes,
//! and what we decode is what was encoded.

#![allow(clippy::unwrap_used, reason = "a property that cannot be checked is a property that fails")]

use std::{ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, RecordBatch, StringArray,
    builder::{ListBuilder, StringBuilder},
    types::Int32Type,
};
use arrow_schema::{DataType, Field};
use brine::{
    columnar::schema::of_domain,
    digest::Digester,
    limits::wire::ChunkLimits,
    proto::embedding::{
        CandidateRow, CandidateRowChunk, IngestDataRequest, RecruitRow, RecruitRowChunk,
        SkillEmbeddingDicRow, SkillEmbeddingDicRowChunk, ingest_data_request::ChunkData,
    },
    schema::{self, Domain},
    wire::{ChunkDecoder, ChunkPlan},
};
use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;

const DIMENSION: usize = 3;

fn domain(name: &str) -> &'static Domain {
    schema::find(name).expect("a built-in domain")
}

fn text(values: impl IntoIterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

// Every other value comes in unused and in another order, so that keys are not row numbers.
fn category(values: &[Option<String>]) -> ArrayRef {
    let mut words: Vec<_> = values.iter().flatten().cloned().chain(["unused".to_owned()]).collect();
    words.sort_by(|a, b| b.cmp(a));
    words.dedup();
    let key = |value: &String| words.iter().position(|word| word == value).map(|key| key as i32);
    let keys: Int32Array = values.iter().map(|value| value.as_ref().and_then(key)).collect();
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from(words))))
}

fn vectors(values: &[[f32; DIMENSION]]) -> ArrayRef {
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Float32Array::from_iter_values(values.iter().flatten().copied());
    Arc::new(FixedSizeListArray::new(item, DIMENSION as i32, Arc::new(values), None))
}

fn lists(values: &[Vec<String>]) -> ArrayRef {
    let item = Field::new("item", DataType::Utf8, false);
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(item);
    for words in values {
        lists.append_value(words.iter().map(Some));
    }
    Arc::new(lists.finish())
}

fn batch(domain: &Domain, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(of_domain(domain, DIMENSION), columns).expect("columns of the domain")
}

/// Texts that are awkward on purpose: empty, beyond ASCII, and longer than a one-byte length.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{0,12}", "[a-z]{120,140}", Just("日本語\u{1f600}".to_owned())]
}

fn maybe(value: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    prop_oneof![1 => Just(None), 3 => value.prop_map(Some)]
}

fn vector() -> impl Strategy<Value = [f32; DIMENSION]> {
    let element = prop_oneof![any::<f32>(), Just(f32::NAN), Just(-0.0), Just(f32::from_bits(0x7fc0_1234))];
    proptest::array::uniform3(element)
}

fn years() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![Just(None), any::<i32>().prop_map(Some), Just(Some(-1)), Just(Some(0))]
}

/// A batch and the rows of it that a message is to carry, with the message that prost makes of them.
type Case = (RecordBatch, Range<usize>, Vec<u8>);

fn cut<Row>(rows: Vec<Row>, ends: (prop::sample::Index, prop::sample::Index)) -> (Vec<Row>, Range<usize>) {
    let (a, b) = (ends.0.index(rows.len() + 1), ends.1.index(rows.len() + 1));
    (rows, a.min(b)..a.max(b))
}

fn message(chunk: ChunkData) -> Vec<u8> {
    IngestDataRequest { chunk_data: Some(chunk), ..Default::default() }.encode_to_vec()
}

prop_compose! {
    fn recruit()(
        rows in prop::collection::vec((word(), maybe(word()), years(), maybe(word()), maybe(word()), vector()), 0..12),
        ends in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) -> Case {
        let (rows, range) = cut(rows, ends);
        let columns = vec![
            text(rows.iter().map(|row| Some(row.0.clone()))),
            category(&rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>()),
            Arc::new(rows.iter().map(|row| row.2).collect::<Int32Array>()) as ArrayRef,
            category(&rows.iter().map(|row| row.3.clone()).collect::<Vec<_>>()),
            category(&rows.iter().map(|row| row.4.clone()).collect::<Vec<_>>()),
            vectors(&rows.iter().map(|row| row.5).collect::<Vec<_>>()),
        ];
        let prost = rows[range.clone()].iter().cloned().map(|row| RecruitRow {
            id: row.0,
            company_name: row.1.unwrap_or_default(),
            exp_years: row.2.unwrap_or_default(),
            english_level: row.3.unwrap_or_default(),
            primary_keyword: row.4.unwrap_or_default(),
            vector: row.5.to_vec(),
        });
        let chunk = ChunkData::RecruitChunk(RecruitRowChunk { rows: prost.collect() });
        (batch(domain("recruit"), columns), range, message(chunk))
    }
}

prop_compose! {
    fn candidate()(
        rows in prop::collection::vec(
            (word(), maybe(word()), years(), maybe(word()), prop::collection::vec(word(), 0..4), vector()), 0..12),
        ends in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) -> Case {
        let (rows, range) = cut(rows, ends);
        let columns = vec![
            text(rows.iter().map(|row| Some(row.0.clone()))),
            category(&rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>()),
            Arc::new(rows.iter().map(|row| row.2).collect::<Int32Array>()) as ArrayRef,
            text(rows.iter().map(|row| row.3.clone())),
            lists(&rows.iter().map(|row| row.4.clone()).collect::<Vec<_>>()),
            vectors(&rows.iter().map(|row| row.5).collect::<Vec<_>>()),
        ];
        let prost = rows[range.clone()].iter().cloned().map(|row| CandidateRow {
            candidate_id: row.0,
            position_category: row.1.unwrap_or_else(|| "Unknown".to_owned()),
            experience_years: row.2.unwrap_or_default(),
            original_resume: row.3.unwrap_or_default(),
            skills: row.4,
            vector: row.5.to_vec(),
        });
        let chunk = ChunkData::CandidateChunk(CandidateRowChunk { rows: prost.collect() });
        (batch(domain("candidate"), columns), range, message(chunk))
    }
}

prop_compose! {
    fn skill()(
        rows in prop::collection::vec((word(), maybe(word()), vector()), 0..12),
        ends in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) -> Case {
        let (rows, range) = cut(rows, ends);
        let columns = vec![
            text(rows.iter().map(|row| Some(row.0.clone()))),
            category(&rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>()),
            vectors(&rows.iter().map(|row| row.2).collect::<Vec<_>>()),
        ];
        let prost = rows[range.clone()].iter().cloned().map(|row| SkillEmbeddingDicRow {
            skill: row.0,
            position_category: row.1.unwrap_or_default(),
            vector: row.2.to_vec(),
        });
        let chunk = ChunkData::SkillEmbeddingDicChunk(SkillEmbeddingDicRowChunk { rows: prost.collect() });
        (batch(domain("skill_dic"), columns), range, message(chunk))
    }
}

/// What was encoded equals prost's bytes, and decodes to rows of the same digest that encode to the same bytes again.
fn check(domain: &Domain, (batch, rows, prost): &Case) {
    let plan = ChunkPlan::for_domain(domain, &batch.schema()).unwrap();
    let message = plan.encode(batch, rows.clone()).unwrap();
    assert_eq!(message, prost);
    assert_eq!(plan.encoded_len(batch, rows.clone()).unwrap(), message.len());

    let decoder = ChunkDecoder::new(domain, DIMENSION, ChunkLimits::default()).unwrap();
    let (field, again) = decoder.decode(&message).unwrap().chunk.unwrap();
    assert_eq!((field.as_str(), again.num_rows()), (domain.chunk_field.as_str(), rows.len()));
    assert_eq!(digest(&again), digest(&batch.slice(rows.start, rows.len())));
    assert_eq!(plan.encode(&again, 0..rows.len()).unwrap(), message);
    assert_eq!(decoder.count(&message).unwrap().rows, rows.len());
}

fn digest(batch: &RecordBatch) -> u128 {
    let mut digester = Digester::new(&batch.schema()).unwrap();
    digester.update(batch).unwrap();
    digester.finish().d
}

/// Cutting the rows and joining the messages is the same as one message: pieces of one chunk are one chunk.
fn check_chunks(domain: &Domain, (batch, rows, prost): &Case, chunk_rows: usize) {
    let plan = ChunkPlan::for_domain(domain, &batch.schema()).unwrap();
    let ranges = plan.split(batch, rows.clone(), chunk_rows, usize::MAX).unwrap();
    assert!(ranges.iter().all(|range| (1..=chunk_rows).contains(&range.len())));
    let joined: Vec<u8> =
        ranges.into_iter().flat_map(|range| plan.encode(batch, range).unwrap().to_vec()).collect();
    let decoder = ChunkDecoder::new(domain, DIMENSION, ChunkLimits::default()).unwrap();
    let whole = decoder.decode(&Bytes::copy_from_slice(prost)).unwrap().chunk.unwrap();
    let joined = decoder.decode(&Bytes::from(joined)).unwrap().chunk;
    assert_eq!(joined.map_or(0, |(_, batch)| digest(&batch)), digest(&whole.1));
}

/// Our decoder takes and refuses the same damaged messages as prost, save where it checks more.
fn check_damaged(domain: &Domain, message: &[u8]) {
    let decoder = ChunkDecoder::new(domain, DIMENSION, ChunkLimits::default()).unwrap();
    let bytes = Bytes::copy_from_slice(message);
    if let Ok(message_held) = decoder.decode(&bytes) {
        assert!(IngestDataRequest::decode(message).is_ok(), "prost refuses {message:?}");
        let rows = message_held.chunk.map_or(0, |(_, batch)| batch.num_rows());
        assert_eq!(decoder.count(&bytes).unwrap().rows, rows);
    }
}

proptest! {
    #[test]
    fn recruit_rows_are_encoded_as_prost_does(case in recruit()) {
        check(domain("recruit"), &case);
    }

    #[test]
    fn candidate_rows_are_encoded_as_prost_does(case in candidate()) {
        check(domain("candidate"), &case);
    }

    #[test]
    fn skill_rows_are_encoded_as_prost_does(case in skill()) {
        check(domain("skill_dic"), &case);
    }

    #[test]
    fn chunks_are_the_whole(case in candidate(), chunk_rows in 1_usize..5) {
        check_chunks(domain("candidate"), &case, chunk_rows);
    }

    #[test]
    fn every_prefix_is_refused_or_valid(case in candidate()) {
        for end in 0..case.2.len() {
            check_damaged(domain("candidate"), &case.2[..end]);
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_valid(
        case in recruit(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut message = case.2;
        if !message.is_empty() {
            let at = at.index(message.len());
            message[at] = byte;
        }
        check_damaged(domain("recruit"), &message);
    }
}
