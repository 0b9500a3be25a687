//! Chunks of a session: the same messages, each with a header that says where its rows stand and what they add up to.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use prost::Message as _;

use super::{
    ChunkPlan, Chunking, Error,
    encode::Envelope,
    envelope::HEADER,
    plan::Plan,
    spare::Spare,
    split::Cut,
    varint::{Wire, key, put_delimited},
};
use crate::{
    digest::RangeDigester,
    proto::embedding::{ChunkHeader, SessionHello, session::v1},
};

/// Number of the field of an `AppendRequest` that carries a chunk.
const CHUNK: u32 = 2;

/// Bytes that a header, its key and the outer message take at most.
const AROUND_BYTES_MAX: usize = 64;

/// How rows become chunks of a session.
#[derive(Debug, Clone)]
pub struct AppendPlan {
    plan: Arc<ChunkPlan>,
    digests: RangeDigester,
    /// Row of the data set that is the session's first.
    session_first: u64,
    /// Row of the data set that is the stream's first.
    stream_first: u64,
}

impl AppendPlan {
    /// Chunks of `plan` for a session whose first row is `session_first` of a data set with these digests, in a stream
    /// that begins with row `stream_first` of the data set.
    pub fn new(
        plan: Arc<ChunkPlan>,
        digests: RangeDigester,
        (session_first, stream_first): (u64, u64),
    ) -> Self {
        Self { plan, digests, session_first, stream_first }
    }
}

impl Plan for AppendPlan {
    /// Chunks begin at multiples of `chunk_rows` of the data set, wherever batches end: there digests are known, and a
    /// stream that goes on cuts the chunks that the one before it would have cut.
    fn cut(&self, batch: &RecordBatch, first_row: u64, bounds: Chunking) -> Result<Vec<Cut>, Error> {
        let bounds = Chunking {
            message_bytes_max: bounds.message_bytes_max.saturating_sub(AROUND_BYTES_MAX),
            ..bounds
        };
        let chunk_rows = bounds.chunk_rows.max(1);
        let (mut cuts, mut start) = (Vec::new(), 0);
        while start < batch.num_rows() {
            let place = (self.stream_first + first_row + start as u64) % chunk_rows as u64;
            let end = (start + chunk_rows - place as usize).min(batch.num_rows());
            cuts.extend(self.plan.cut_rows(batch, start..end, bounds)?);
            start = end;
        }
        Ok(cuts)
    }

    fn encode_framed(
        &self,
        batch: &RecordBatch,
        cut: &Cut,
        first_row: u64,
        spare: &Spare,
    ) -> Result<Bytes, Error> {
        let first_row = self.stream_first + first_row;
        let header = ChunkHeader {
            first_row: first_row + cut.rows.start as u64 - self.session_first,
            row_count: cut.rows.len() as u32,
            range_digest: self.digests.digest(batch, &cut.rows, first_row)?.to_le_bytes().to_vec(),
        };
        let (mut behind, header) = (Vec::with_capacity(AROUND_BYTES_MAX), header.encode_to_vec());
        put_delimited(key(HEADER, Wire::Bytes), header.len(), &mut behind);
        behind.extend_from_slice(&header);
        let outer_key = Some(key(CHUNK, Wire::Bytes));
        self.plan.framed(batch, cut, &Envelope { outer_key, behind: &behind }, spare)
    }
}

/// The first message of an `Append`, framed.
pub fn append_start(hello: SessionHello) -> Bytes {
    v1::AppendRequest { kind: Some(v1::append_request::Kind::Start(hello)) }.encode_to_vec().into()
}

/// What one `AppendRequest` is.
#[derive(Debug, Clone, PartialEq)]
pub enum Append {
    /// The session, once and first.
    Start(Box<SessionHello>),
    /// An encoded `IngestDataRequest`.
    Chunk(Bytes),
    /// Everything so far is to be made durable.
    Flush,
}

/// Opens an `AppendRequest`; the chunk in it is not looked at. `None` if it is of a kind that a newer client knows.
pub fn open_append(message: &Bytes) -> Result<Option<Append>, Error> {
    use super::scan::{Scan, Value};
    let (mut scan, mut last) = (Scan::new(message, 0), None);
    while let Some(found) = scan.next()? {
        match found.value {
            Value::Bytes(bytes) if found.number == CHUNK => {
                last = Some(Append::Chunk(message.slice_ref(bytes)));
            }
            Value::Bytes(bytes) if found.number == 1 => {
                last = Some(Append::Start(Box::new(SessionHello::decode(bytes).map_err(Error::Metadata)?)));
            }
            Value::Bytes(_) if found.number == 3 => last = Some(Append::Flush),
            _ => {}
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
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
        let batches =
            cuts.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| Ok(batch(pair[0]..pair[1])));
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
}
