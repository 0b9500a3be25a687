//! Chunks of a session are what prost writes, say what they hold, and keep within their bound.

use std::ops::Range;

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, StringArray, types::Int32Type,
};
use arrow_schema::{DataType, Field};

use super::{
    super::{ChunkDecoder, encode_parallel},
    *,
};
use crate::{
    columnar::schema::of_domain,
    digest::{Prefixes, RowHasher},
    limits::wire::ChunkLimits,
    schema,
};

const DIMENSION: i32 = 3;

fn domain() -> &'static schema::Domain {
    schema::find("skill_embedding_dic").unwrap()
}

/// Rows `rows` of one table.
fn batch(rows: Range<usize>) -> RecordBatch {
    let names: StringArray = rows.clone().map(|row| Some(format!("skill {row}"))).collect();
    let categories: DictionaryArray<Int32Type> =
        rows.clone().map(|row| ["a", "b"].get(row % 3).copied()).collect();
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let floats = Float32Array::from_iter_values(rows.flat_map(|row| [row as f32; DIMENSION as usize]));
    let vectors = FixedSizeListArray::new(item, DIMENSION, Arc::new(floats), None);
    let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(categories), Arc::new(vectors)];
    RecordBatch::try_new(of_domain(domain(), DIMENSION as usize), columns).unwrap()
}

fn hasher() -> RowHasher {
    RowHasher::new(&of_domain(domain(), DIMENSION as usize)).unwrap()
}

fn digest(rows: Range<usize>) -> u128 {
    hasher().range_digest(&batch(rows.clone()), 0..rows.len(), rows.start as u64).unwrap()
}

/// A table of 100 rows whose digests are known every 10, as a session of its rows from `first` on, of which the stream
/// begins with row `start`.
fn encoded(first: u64, start: u64, bounds: Chunking) -> Vec<Bytes> {
    let plan = ChunkPlan::for_domain(domain(), &of_domain(domain(), DIMENSION as usize)).unwrap();
    let checkpoints: Vec<u128> = (1..=10).map(|ten| digest(0..ten * 10)).collect();
    let prefixes = Prefixes::new(10, &checkpoints, 100, digest(0..100));
    let digests = RangeDigester::new(hasher(), prefixes);
    let plan = AppendPlan::new(Arc::new(plan), digests, (first, start));
    // Batches end where no chunk does.
    let cuts = [start as usize, 37, 91, 100];
    let batches = cuts.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| Ok(batch(pair[0]..pair[1])));
    let batches: Vec<Result<RecordBatch, Error>> = batches.collect();
    let encoded = encode_parallel(Arc::new(plan), batches.into_iter(), &bounds, 4);
    encoded.map(|chunk| chunk.unwrap().message()).collect()
}

#[test]
fn chunks_are_what_prost_writes_and_say_what_they_hold() {
    let bounds = Chunking { chunk_rows: 20, ..Chunking::default() };
    let decoder = ChunkDecoder::new(domain(), DIMENSION as usize, ChunkLimits::default()).unwrap();
    for (first, start) in [(0, 0), (0, 30), (13, 13), (13, 25)] {
        let mut next = start;
        for message in encoded(first, start, bounds) {
            let ours = v1::AppendRequest::decode(&message[..]).unwrap();
            assert_eq!(ours.encode_to_vec(), message, "{first} {start}");
            let Some(Append::Chunk(request)) = open_append(&message).unwrap() else { panic!("no chunk") };
            let decoded = decoder.decode(&request).unwrap();
            let (header, (_, rows)) = (decoded.header.unwrap(), decoded.chunk.unwrap());
            assert_eq!((header.first_row, header.row_count as usize), (next - first, rows.num_rows()));
            let end = next as usize + rows.num_rows();
            assert_eq!(header.range_digest, digest(next as usize..end).to_le_bytes());
            // Chunks begin where they always do, wherever the stream began.
            assert!(end.is_multiple_of(20) || [37, 91, 100].contains(&end), "{end}");
            next = end as u64;
        }
        assert_eq!(next, 100);
    }
}

#[test]
fn what_stands_around_a_chunk_is_within_its_bound() {
    for message_bytes_max in 150..400 {
        let bounds = Chunking { chunk_rows: 50, message_bytes_max };
        assert!(encoded(0, 0, bounds).iter().all(|message| message.len() <= message_bytes_max));
    }
}

#[test]
fn messages_of_an_append_are_told_apart_and_damage_is_refused() {
    let hello = SessionHello { session_id: vec![7; 16], ..SessionHello::default() };
    let start = append_start(hello.clone());
    assert_eq!(open_append(&start).unwrap(), Some(Append::Start(Box::new(hello))));
    assert_eq!(open_append(&Bytes::from_static(&[0x1a, 0])).unwrap(), Some(Append::Flush));
    assert_eq!(open_append(&Bytes::from_static(&[0x22, 0])).unwrap(), None);
    let whole = encoded(0, 0, Chunking::default()).remove(0);
    for length in 1..whole.len() {
        let shorter = open_append(&whole.slice(..length));
        assert!(shorter.is_err(), "{length}");
    }
}
