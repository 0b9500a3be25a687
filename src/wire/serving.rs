//! Rows as the chunks that `StreamEmbedding` answers with, in the two published forms.

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::{
    ChunkPlan, Chunking, Error,
    encode::Envelope,
    layout::{find_message, no_carrier, published},
    plan::Plan as _,
    spare::Spare,
    varint::{Wire, key},
    wrap::{Level, Wrap},
};
use crate::{
    proto::embedding::{ChunkHeader, RowChunk},
    schema::{
        Domain,
        message_map::{ColumnRule, MessageMap},
    },
};

/// Which of the published contracts a chunk belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Package `embedding`: the rows stand in the chunk, each domain in a field of its own.
    Typed,
    /// Package `com.alpha.backend.grpc`: the chunk holds the chunk of one domain.
    Domains,
}

/// What a chunk says beside its rows. Only the first form has room for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    /// Where the rows stand and what they add up to.
    pub header: Option<ChunkHeader>,
    /// Rows of the whole table.
    pub total_rows: u64,
    /// The whole table's fingerprint.
    pub fingerprint: String,
}

/// How the rows of a table become chunks of one form.
#[derive(Debug, Clone)]
pub struct ServingPlan {
    plan: ChunkPlan,
    revision: Revision,
}

impl ServingPlan {
    /// Plans `domain`'s rows for batches of `schema`.
    pub fn new(revision: Revision, domain: &Domain, schema: &Schema) -> Result<Self, Error> {
        let plan = match revision {
            Revision::Typed => typed(domain, schema),
            Revision::Domains => by_domain(domain, schema),
        }?;
        Ok(Self { plan, revision })
    }

    /// Fields of the row's message that the table does not have: they are sent empty.
    pub fn unfilled(&self) -> &[String] {
        self.plan.unfilled()
    }

    /// The rows of `batch` as messages of at most `message_bytes_max` bytes, each behind the prefix of gRPC, with how many
    /// rows it has: one, unless that is too long. `beside` is asked for what stands beside rows `start..end`.
    pub fn encode(
        &self,
        batch: &RecordBatch,
        message_bytes_max: usize,
        beside: impl Fn(std::ops::Range<usize>) -> Result<Beside, Error>,
    ) -> Result<Vec<(usize, Bytes)>, Error> {
        let spare = Spare::default();
        let room = message_bytes_max.saturating_sub(BESIDE_BYTES_MAX);
        let bounds = Chunking { chunk_rows: usize::MAX, message_bytes_max: room };
        let cuts = self.plan.cut(batch, 0, bounds)?;
        let encode = |cut: &super::split::Cut| {
            let behind = match self.revision {
                Revision::Typed => encode_beside(beside(cut.rows.clone())?),
                Revision::Domains => Vec::new(),
            };
            let envelope = Envelope { behind: &behind, ..Envelope::default() };
            Ok((cut.rows.len(), self.plan.framed(batch, cut, &envelope, &spare)?))
        };
        cuts.iter().map(encode).collect()
    }
}

/// Bytes that stand beside the rows at most: header, count and fingerprint with their keys.
const BESIDE_BYTES_MAX: usize = 160;

fn encode_beside(beside: Beside) -> Vec<u8> {
    let Beside { header, total_rows, fingerprint } = beside;
    RowChunk { header, total_rows, fingerprint, ..RowChunk::default() }.encode_to_vec()
}

fn held(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) => Some(message),
        _ => None,
    }
}

/// The chunk has one field of rows for each domain.
fn typed(domain: &Domain, schema: &Schema) -> Result<ChunkPlan, Error> {
    let chunk = find_message(published(), "embedding.RowChunk")?;
    let row = find_message(published(), &domain.message)?;
    let carries = |field: &FieldDescriptor| field.is_list() && held(field).as_ref() == Some(&row);
    let field = chunk.fields().find(carries);
    let field = field.ok_or_else(|| no_carrier(&chunk, "of rows", &domain.message))?;
    let rows = Level { key: Some(key(field.number(), Wire::Bytes)), ..Level::default() };
    let wrap = Wrap { levels: vec![rows], repeated: true };
    ChunkPlan::new(&row, wrap, schema, &MessageMap::default())
}

/// The chunk has one field of chunks for each domain; columns are called as in the JSON form of the same system.
fn by_domain(domain: &Domain, schema: &Schema) -> Result<ChunkPlan, Error> {
    let chunk = find_message(published(), "com.alpha.backend.grpc.RowChunk")?;
    let name = domain.json.as_ref().map_or(&domain.name, |json| &json.domain);
    let missing = || no_carrier(&chunk, name, &domain.message);
    let field = chunk.get_field_by_name(name).ok_or_else(missing)?;
    let rows = held(&field).and_then(|holder| holder.get_field_by_name("rows")).ok_or_else(missing)?;
    let row = held(&rows).ok_or_else(missing)?;
    ChunkPlan::new(&row, Wrap::chunk(field.number(), rows.number()), schema, &names(domain))
}

/// What columns are called there.
fn names(domain: &Domain) -> MessageMap {
    let keys = domain.json.iter().flat_map(|json| &json.keys);
    let renamed = keys.filter_map(|key| {
        let column = key.column.clone().filter(|column| *column != key.name)?;
        Some(ColumnRule { line: 0, column, field: Some(key.name.clone()), null: None })
    });
    MessageMap { columns: renamed.collect(), ..MessageMap::default() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, StringArray, types::Int32Type,
    };
    use arrow_schema::{DataType, Field};

    use super::*;
    use crate::{columnar::schema::of_domain, proto::embedding_json, schema};

    const DIMENSION: usize = 3;

    fn domain() -> &'static Domain {
        schema::find("skill_embedding_dic").unwrap()
    }

    fn batch(rows: usize) -> RecordBatch {
        let names: StringArray = (0..rows).map(|row| Some(format!("skill {row}"))).collect();
        let categories: DictionaryArray<Int32Type> =
            (0..rows).map(|row| ["a", "b"].get(row % 3).copied()).collect();
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let floats = Float32Array::from_iter_values((0..rows).flat_map(|row| [row as f32; DIMENSION]));
        let vectors = FixedSizeListArray::new(item, DIMENSION as i32, Arc::new(floats), None);
        let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(categories), Arc::new(vectors)];
        RecordBatch::try_new(of_domain(domain(), DIMENSION), columns).unwrap()
    }

    fn encoded(revision: Revision, rows: usize, message_bytes_max: usize) -> Vec<(usize, Bytes)> {
        let batch = batch(rows);
        let plan = ServingPlan::new(revision, domain(), &batch.schema()).unwrap();
        let beside = |rows: std::ops::Range<usize>| {
            let header = ChunkHeader { first_row: rows.start as u64, ..ChunkHeader::default() };
            Ok(Beside { header: Some(header), total_rows: 7, fingerprint: "rows-v1:x".to_owned() })
        };
        plan.encode(&batch, message_bytes_max, beside).unwrap()
    }

    #[test]
    fn each_domain_has_its_field_and_what_stands_beside_follows() {
        let chunks = encoded(Revision::Typed, 5, 1 << 20);
        assert_eq!((chunks.len(), chunks[0].0), (1, 5));
        let chunk = RowChunk::decode(&chunks[0].1[5..]).unwrap();
        assert_eq!((chunk.rows.len(), chunk.candidate_rows.len(), chunk.skill_rows.len()), (0, 0, 5));
        assert_eq!(chunk.skill_rows[4].vector, [4.0; DIMENSION]);
        assert_eq!((chunk.total_rows, chunk.fingerprint.as_str()), (7, "rows-v1:x"));
    }

    #[test]
    fn the_revision_with_domains_calls_columns_by_its_own_names() {
        use embedding_json::row_chunk::ChunkData;
        let chunks = encoded(Revision::Domains, 5, 1 << 20);
        let chunk = embedding_json::RowChunk::decode(&chunks[0].1[5..]).unwrap();
        let Some(ChunkData::SkillDic(chunk)) = chunk.chunk_data else { panic!("another domain") };
        assert_eq!((chunk.rows[3].skill.as_str(), &chunk.rows[3].skill_vector), ("skill 3", &vec![3.0; 3]));
    }

    #[test]
    fn every_domain_is_planned_in_both_revisions_and_what_it_lacks_is_known() {
        let lacking = |name, revision| {
            let domain = schema::find(name).unwrap();
            let plan = ServingPlan::new(revision, domain, &of_domain(domain, 384)).unwrap();
            plan.unfilled().join(" ")
        };
        for domain in schema::builtin() {
            assert_eq!(lacking(&domain.name, Revision::Typed), "");
        }
        let recruit = "position published_at skills long_description description_lang";
        assert_eq!(lacking("recruit", Revision::Domains), recruit);
        assert_eq!(lacking("candidate", Revision::Domains), "");
        assert_eq!(lacking("skill_dic", Revision::Domains), "");
    }

    #[test]
    fn a_message_that_would_be_too_long_becomes_several() {
        let chunks = encoded(Revision::Typed, 100, 400);
        assert!(chunks.len() > 1 && chunks.iter().all(|(_, framed)| framed.len() <= 405));
        let firsts = chunks.iter().scan(0, |first, (rows, framed)| {
            let header = RowChunk::decode(&framed[5..]).unwrap().header.unwrap();
            let expected = std::mem::replace(first, *first + rows);
            Some((header.first_row, expected as u64))
        });
        assert!(firsts.clone().all(|(found, expected)| found == expected));
        assert_eq!(chunks.iter().map(|(rows, _)| rows).sum::<usize>(), 100);
    }
}
