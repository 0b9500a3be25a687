//! How fast vectors go to the wire, come back and are digested: one line for each, in MB of Arrow data a second.
//!
//! `cargo bench --bench encode` runs it on one thread and, where it says so, on all.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first fault"
)]

use std::{hint::black_box, sync::Arc, time::Instant};

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field};
use brine::{
    columnar::schema::of_domain,
    digest::{Digester, RowHasher},
    limits::wire::ChunkLimits,
    schema,
    wire::{ChunkDecoder, ChunkPlan, Chunking, Error, JsonPlan, encode_parallel},
};
use bytes::Bytes;
use prost::Message as _;

const ROWS: usize = 16_384;
const DIMENSION: usize = 384;
const REPEATS: usize = 40;
/// Why nothing here fails.
const SOUND: &str = "the table is made to fit its domain";

fn recruit() -> RecordBatch {
    let words = |mut word: Box<dyn FnMut(usize) -> String>| (0..ROWS).map(move |row| Some(word(row)));
    let ids: StringArray = words(Box::new(|row| format!("00000000-0000-4000-8000-{row:012}"))).collect();
    let category = |word: &'static str| -> ArrayRef {
        let words: Vec<String> = (0..ROWS).map(|row| format!("{word} {}", row % 40)).collect();
        Arc::new(words.iter().map(String::as_str).collect::<DictionaryArray<arrow_array::types::Int32Type>>())
    };
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Float32Array::from_iter_values((0..ROWS * DIMENSION).map(|i| (i as f32).sin()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids),
        category("company"),
        Arc::new((0..ROWS as i32).map(|row| row % 12).collect::<Int32Array>()),
        category("level"),
        category("keyword"),
        Arc::new(FixedSizeListArray::new(item, DIMENSION as i32, Arc::new(values), None)),
    ];
    RecordBatch::try_new(of_domain(schema::find("recruit").expect(SOUND), DIMENSION), columns).expect(SOUND)
}

fn measure(name: &str, bytes: usize, mut run: impl FnMut()) {
    run();
    let start = Instant::now();
    (0..REPEATS).for_each(|_| run());
    let seconds = start.elapsed().as_secs_f64() / REPEATS as f64;
    println!("{name:<40} {:>9.0} MB/s", bytes as f64 / seconds / 1e6);
}

fn main() {
    let domain = schema::find("recruit").expect(SOUND);
    let batch = recruit();
    let plan = Arc::new(ChunkPlan::for_domain(domain, &batch.schema()).expect(SOUND));
    let chunks = plan.split(&batch, 0..ROWS, 1_000, usize::MAX).expect(SOUND);
    let messages: Vec<Bytes> =
        chunks.iter().map(|rows| plan.encode(&batch, rows.clone()).expect(SOUND)).collect();
    let bytes = messages.iter().map(Bytes::len).sum();
    let decoder = ChunkDecoder::new(domain, DIMENSION, ChunkLimits::default()).expect(SOUND);
    let hasher = RowHasher::new(&batch.schema()).expect(SOUND);

    let source = vec![7_u8; bytes];
    measure("copy of the same bytes", bytes, || drop(black_box(source.clone())));
    measure("split", bytes, || drop(black_box(plan.split(&batch, 0..ROWS, 1_000, 3_670_016).expect(SOUND))));
    measure("encode, one thread", bytes, || {
        for rows in &chunks {
            drop(black_box(plan.encode(&batch, rows.clone()).expect(SOUND)));
        }
    });
    measure("encode_parallel", bytes, || {
        let options = Chunking::default();
        let batches = std::iter::once(Ok::<_, Error>(batch.clone()));
        encode_parallel(Arc::clone(&plan), batches, &options, 8)
            .for_each(|chunk| drop(black_box(chunk.expect(SOUND))));
    });
    let json = Arc::new(JsonPlan::for_domain(domain, &batch.schema()).expect(SOUND));
    measure("encode_parallel as JSON", bytes, || {
        let options = Chunking { chunk_rows: 100, ..Chunking::default() };
        let batches = std::iter::once(Ok::<_, Error>(batch.clone()));
        encode_parallel(Arc::clone(&json), batches, &options, 8)
            .for_each(|chunk| drop(black_box(chunk.expect(SOUND))));
    });
    measure("decode, one thread", bytes, || {
        for message in &messages {
            drop(black_box(decoder.decode(message).expect(SOUND)));
        }
    });
    measure("count, one thread", bytes, || {
        for message in &messages {
            drop(black_box(decoder.count(message).expect(SOUND)));
        }
    });
    measure("prost decode, one thread", bytes, || {
        for message in &messages {
            let request = brine::proto::embedding::IngestDataRequest::decode(message.clone()).expect(SOUND);
            drop(black_box(request));
        }
    });
    measure("digest D, one thread", bytes, || {
        black_box(hasher.range_digest(&batch, 0..ROWS, 0).expect(SOUND));
    });
    measure("digest D and K, one thread", bytes, || {
        hasher
            .hash(&batch, 0, |d, k| {
                black_box((d, k));
            })
            .expect(SOUND);
    });
    measure("digest D and K, all threads", bytes, || {
        let mut digester = Digester::new(&batch.schema()).expect(SOUND);
        digester.update(&batch).expect(SOUND);
        drop(black_box(digester.finish()));
    });
}
