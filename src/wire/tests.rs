//! Round trips, limits and damaged messages, where one example says it; what holds for every table is in
//! `tests/properties.rs`.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, UInt64Array,
    builder::{BooleanBuilder, Int64Builder, ListBuilder},
    types::Int8Type,
};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Value,
    prost_types::{
        DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
        FileDescriptorProto, FileDescriptorSet, field_descriptor_proto::Label, field_descriptor_proto::Type,
    },
};

use super::*;
use crate::{
    columnar::schema::{NULL, of_domain},
    limits::wire::ChunkLimits,
    proto::embedding::{
        CandidateRowChunk, IngestDataRequest, SkillEmbeddingDicRow, SkillEmbeddingDicRowChunk,
        ingest_data_request::ChunkData,
    },
    schema::{self, Domain},
};

fn skills() -> &'static Domain {
    schema::find("skill_embedding_dic").unwrap()
}

fn vectors(rows: usize, dimension: usize) -> ArrayRef {
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Float32Array::from_iter_values((0..rows * dimension).map(|i| i as f32));
    Arc::new(FixedSizeListArray::new(item, dimension as i32, Arc::new(values), None))
}

fn skill_batch(rows: usize, dimension: usize) -> RecordBatch {
    let names: StringArray = (0..rows).map(|row| Some(format!("skill {row}"))).collect();
    let categories: DictionaryArray<arrow_array::types::Int32Type> =
        (0..rows).map(|row| ["a", "b"].get(row % 3).copied()).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(categories), vectors(rows, dimension)];
    RecordBatch::try_new(of_domain(skills(), dimension), columns).unwrap()
}

fn decoder(dimension: usize) -> ChunkDecoder {
    ChunkDecoder::new(skills(), dimension, ChunkLimits::default()).unwrap()
}

fn skill_message(rows: Vec<SkillEmbeddingDicRow>) -> Bytes {
    let chunk = ChunkData::SkillEmbeddingDicChunk(SkillEmbeddingDicRowChunk { rows });
    IngestDataRequest { chunk_data: Some(chunk), ..Default::default() }.encode_to_vec().into()
}

/// A chunk whose only row is these bytes.
fn row_message(row: &[u8]) -> Bytes {
    let mut chunk = Vec::new();
    varint::put_delimited(0x0a, row.len(), &mut chunk);
    chunk.extend_from_slice(row);
    let mut message = Vec::new();
    varint::put_delimited(0x22, chunk.len(), &mut message);
    message.extend_from_slice(&chunk);
    message.into()
}

fn rows(message: &Bytes, dimension: usize) -> Result<RecordBatch, Error> {
    Ok(decoder(dimension).decode(message)?.chunk.unwrap().1)
}

#[test]
fn a_batch_comes_back_as_it_was() {
    let batch = skill_batch(100, 16);
    let plan = ChunkPlan::for_domain(skills(), &batch.schema()).unwrap();
    let message = plan.encode(&batch, 0..100).unwrap();
    assert_eq!(rows(&message, 16).unwrap(), batch);
}

#[test]
fn metadata_and_a_chunk_may_share_a_message() {
    let first = metadata("skill_embedding_dic", "a.pkl", 2);
    let batch = skill_batch(1, 2);
    let plan = ChunkPlan::for_domain(skills(), &batch.schema()).unwrap();
    let message: Bytes = [first.clone(), plan.encode(&batch, 0..1).unwrap()].concat().into();
    let decoded = decoder(2).decode(&message).unwrap();
    assert_eq!(decoded.metadata.as_ref().unwrap().vector_dimension, 2);
    assert_eq!(decoded.chunk.unwrap().1, batch);
    assert_eq!(peek(&first).unwrap(), Peeked { metadata: decoded.metadata, header: None, chunk: None });
    assert_eq!(peek(&message).unwrap().chunk, Some("skill_embedding_dic_chunk"));
}

#[test]
fn four_mebibytes_of_empty_rows_are_refused_before_anything_is_allocated() {
    let row = [0x0a, 0x00];
    let chunk = row.repeat(2 << 20);
    let mut message = Vec::new();
    varint::put_delimited(0x22, chunk.len(), &mut message);
    message.extend_from_slice(&chunk);
    let message = Bytes::from(message);
    assert!(matches!(decoder(384).decode(&message), Err(Error::TooManyRows { rows_max: 16_384 })));
    assert!(matches!(decoder(384).count(&message), Err(Error::TooManyRows { rows_max: 16_384 })));
}

#[test]
fn a_message_too_short_for_its_vectors_is_refused_by_row() {
    let message = skill_message(vec![SkillEmbeddingDicRow::default(); 16_384]);
    let error = decoder(1 << 20).decode(&message).unwrap_err();
    assert!(
        matches!(error, Error::Dimension { row: 0, expected, found: 0, .. } if expected == 1 << 20),
        "{error}"
    );
}

#[test]
fn a_vector_of_another_dimension_is_named_by_row() {
    let row = |vector: &[f32]| SkillEmbeddingDicRow { vector: vector.to_vec(), ..Default::default() };
    for wrong in [&[1.0][..], &[1.0; 3], &[]] {
        let message = skill_message(vec![row(&[1.0, 2.0]), row(wrong)]);
        let expected = wrong.len();
        let is_named = |error: &Error| matches!(error, Error::Dimension { row: 1, expected: 2, found, .. } if *found == expected);
        assert!(decoder(2).decode(&message).is_err_and(|error| is_named(&error)));
        assert!(decoder(2).count(&message).is_err_and(|error| is_named(&error)));
    }
}

#[test]
fn floats_may_come_unpacked_or_in_several_runs() {
    let (one, two) = (1.0_f32.to_le_bytes(), 2.0_f32.to_le_bytes());
    let unpacked = [&[0x1d][..], &one, &[0x1d], &two].concat();
    let runs = [&[0x1a, 4][..], &one, &[0x1a, 0], &[0x1a, 4], &two].concat();
    let mixed = [&[0x1d][..], &one, &[0x1a, 4], &two].concat();
    for row in [unpacked, runs, mixed] {
        let batch = rows(&row_message(&row), 2).unwrap();
        let vector = batch.column(2).as_any().downcast_ref::<FixedSizeListArray>().unwrap().value(0);
        assert_eq!(vector.as_any().downcast_ref::<Float32Array>().unwrap().values(), &[1.0, 2.0]);
    }
}

#[test]
fn the_last_of_a_scalar_counts_and_unknown_fields_are_stepped_over() {
    // skill twice; then unknown fields of every wire type, a group with a nested group among them.
    let row = [
        &[0x0a, 1, b'x', 0x0a, 1, b'y'][..],
        &[0x50, 0x96, 0x01, 0x51, 0, 0, 0, 0, 0, 0, 0, 0, 0x52, 1, 0xff, 0x55, 0, 0, 0, 0],
        &[0x53, 0x5b, 0x50, 0x01, 0x5c, 0x54],
        &[0x1a, 4, 0, 0, 0, 0],
    ]
    .concat();
    let batch = rows(&row_message(&row), 1).unwrap();
    assert_eq!(batch.column(0).as_any().downcast_ref::<StringArray>().unwrap().value(0), "y");
    assert!(batch.column(1).is_null(0), "an absent value under the policy `empty` is missing again");
}

#[test]
fn what_no_parser_takes_is_refused() {
    let named = |row: &[u8]| rows(&row_message(row), 1).unwrap_err();
    assert!(matches!(named(&[0x08, 1]), Error::WireType { row: 0, wire_type: 0, .. }));
    assert!(matches!(named(&[0x0a, 1, 0xff]), Error::Utf8 { row: 0, .. }));
    assert!(matches!(named(&[0x1a, 3, 0, 0, 0]), Error::Malformed { .. }));
    assert!(matches!(named(&[0x54]), Error::Malformed { .. }));
    assert!(matches!(named(&[0x53]), Error::Malformed { .. }));
    assert!(matches!(named(&[0x07]), Error::Malformed { .. }));
    assert!(matches!(named(&[0x00]), Error::Malformed { .. }));
    assert!(matches!(
        named(&[0x50, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]),
        Error::Malformed { .. }
    ));
    let nested = [[0x53].repeat(200), [0x54].repeat(200)].concat();
    assert!(matches!(named(&nested), Error::Malformed { what: "groups are nested too deep", .. }));
    let offset = Bytes::from_static(&[0x22, 5, 0x0a]);
    assert!(matches!(decoder(1).decode(&offset), Err(Error::Malformed { offset: 2, .. })));
}

#[test]
fn the_last_kind_of_chunk_counts_and_must_be_the_announced_one() {
    let skill = skill_message(vec![SkillEmbeddingDicRow { vector: vec![1.0], ..Default::default() }]);
    let other = ChunkData::CandidateChunk(CandidateRowChunk { rows: vec![] });
    let other: Bytes =
        IngestDataRequest { chunk_data: Some(other), ..Default::default() }.encode_to_vec().into();
    let decode = |messages: &[&Bytes]| {
        decoder(1).decode(&messages.iter().map(|m| &m[..]).collect::<Vec<_>>().concat().into())
    };
    assert!(matches!(decode(&[&skill, &other]), Err(Error::ChunkKind { .. })));
    assert_eq!(decode(&[&other, &skill]).unwrap().chunk.unwrap().1.num_rows(), 1);
    assert_eq!(
        decode(&[&skill, &skill]).unwrap().chunk.unwrap().1.num_rows(),
        2,
        "pieces of one chunk are merged"
    );
    assert_eq!(decode(&[&skill, &other, &skill]).unwrap().chunk.unwrap().1.num_rows(), 1);
}

#[test]
fn long_messages_are_refused_unread() {
    let limits = ChunkLimits { message_bytes_max: 10, ..ChunkLimits::default() };
    let decoder = ChunkDecoder::new(skills(), 1, limits).unwrap();
    let error = decoder.decode(&Bytes::from(vec![0xff; 11]));
    assert!(matches!(error, Err(Error::MessageTooLong { bytes: 11, message_bytes_max: 10 })));
}

#[test]
fn chunks_are_bounded_by_rows_and_by_bytes() {
    let batch = skill_batch(100, 16);
    let plan = ChunkPlan::for_domain(skills(), &batch.schema()).unwrap();
    let by_rows = plan.split(&batch, 5..100, 30, usize::MAX).unwrap();
    assert_eq!(by_rows, [5..35, 35..65, 65..95, 95..100]);
    let by_bytes = plan.split(&batch, 0..100, 1_000, 500).unwrap();
    assert_eq!(by_bytes.iter().map(ExactSizeIterator::len).sum::<usize>(), 100);
    for range in &by_bytes {
        assert!(plan.encoded_len(&batch, range.clone()).unwrap() <= 500);
        assert!(
            plan.encoded_len(&batch, range.start..100.min(range.end + 1)).unwrap() > 500 || range.end == 100
        );
    }
    let error = plan.split(&batch, 0..100, 1_000, 20).unwrap_err();
    assert!(matches!(error, Error::RowTooLong { row: 0, bytes: 82, message_bytes_max: 20 }), "{error}");
    assert!(plan.split(&batch, 3..3, 10, 500).unwrap().is_empty());
}

fn encoded(
    batches: Vec<Result<RecordBatch, Error>>,
    chunk_rows: usize,
    window: usize,
) -> Vec<Result<Encoded, Error>> {
    let plan = Arc::new(ChunkPlan::for_domain(skills(), &of_domain(skills(), 4)).unwrap());
    let options = Chunking { chunk_rows, ..Chunking::default() };
    encode_parallel(plan, batches.into_iter(), &options, window).collect()
}

#[test]
fn parallel_chunks_are_those_of_one_thread_in_order() {
    let batches: Vec<_> = (0..7).map(|i| skill_batch(50 + i, 4)).collect();
    let chunks = encoded(batches.iter().cloned().map(Ok).collect(), 20, 3);
    let plan = ChunkPlan::for_domain(skills(), &batches[0].schema()).unwrap();
    let (mut first_row, mut expected) = (0, Vec::new());
    for batch in &batches {
        for range in plan.split(batch, 0..batch.num_rows(), 20, usize::MAX).unwrap() {
            let rows = first_row + range.start as u64..first_row + range.end as u64;
            expected.push((rows, plan.encode(batch, range).unwrap()));
        }
        first_row += batch.num_rows() as u64;
    }
    let chunks = chunks.into_iter().map(Result::unwrap).inspect(|chunk| {
        let length = chunk.message().len() as u32;
        assert_eq!(chunk.framed[..5], [&[0][..], &length.to_be_bytes()].concat(), "gRPC's prefix");
    });
    let chunks: Vec<_> = chunks.map(|chunk| (chunk.rows.clone(), chunk.message())).collect();
    assert_eq!(chunks, expected);
}

#[test]
fn an_error_comes_in_its_place_and_ends_the_chunks() {
    let bad = RecordBatch::try_new(
        of_domain(schema::find("candidate").unwrap(), 4),
        of_domain(schema::find("candidate").unwrap(), 4)
            .fields()
            .iter()
            .map(|f| arrow_array::new_empty_array(f.data_type()))
            .collect(),
    );
    let chunks = encoded(vec![Ok(skill_batch(40, 4)), Ok(bad.unwrap()), Ok(skill_batch(40, 4))], 20, 8);
    assert_eq!(chunks.len(), 3);
    assert!(chunks[0].is_ok() && chunks[1].is_ok());
    assert!(matches!(chunks[2], Err(Error::Batch { .. })));
}

#[test]
fn no_more_batches_are_read_than_the_window_needs() {
    let read = std::cell::Cell::new(0);
    let batches = (0..1_000).map(|_| {
        read.set(read.get() + 1);
        Ok::<_, Error>(skill_batch(10, 4))
    });
    let plan = Arc::new(ChunkPlan::for_domain(skills(), &of_domain(skills(), 4)).unwrap());
    let options = Chunking { chunk_rows: 10, ..Chunking::default() };
    let mut chunks = encode_parallel(plan, batches, &options, 4);
    assert!(chunks.next().is_some());
    assert_eq!(read.get(), 4);
    drop(chunks);
    assert_eq!(read.get(), 4);
}

#[test]
fn a_worker_of_the_pool_may_encode_too() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(pool.install(|| encoded(vec![Ok(skill_batch(40, 4))], 10, 2)).len(), 4);
}

// ---- any message at run time ----

fn field(name: &str, number: i32, r#type: Type) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        r#type: Some(r#type.into()),
        label: Some(Label::Optional.into()),
        ..Default::default()
    }
}

fn repeated(name: &str, number: i32, r#type: Type) -> FieldDescriptorProto {
    FieldDescriptorProto { label: Some(Label::Repeated.into()), ..field(name, number, r#type) }
}

fn level(name: &str, number: i32) -> EnumValueDescriptorProto {
    EnumValueDescriptorProto { name: Some(name.to_owned()), number: Some(number), ..Default::default() }
}

/// A pool in which the request's `chunk` carries rows of the given fields.
fn pool(fields: Vec<FieldDescriptorProto>) -> DescriptorPool {
    let message = |name: &str, field: Vec<FieldDescriptorProto>| DescriptorProto {
        name: Some(name.to_owned()),
        field,
        ..Default::default()
    };
    let of = |mut field: FieldDescriptorProto, name: &str| {
        field.type_name = Some(format!(".embedding.{name}"));
        field
    };
    let optional = fields.iter().filter(|field| field.proto3_optional()).count();
    let mut row = message("Row", fields);
    row.oneof_decl = (0..optional)
        .map(|at| prost_reflect::prost_types::OneofDescriptorProto {
            name: Some(format!("_{at}")),
            ..Default::default()
        })
        .collect();
    let file = FileDescriptorProto {
        name: Some("rows.proto".to_owned()),
        package: Some("embedding".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![
            row,
            message("Chunk", vec![of(repeated("rows", 1, Type::Message), "Row")]),
            message("IngestDataRequest", vec![of(field("chunk", 200, Type::Message), "Chunk")]),
        ],
        enum_type: vec![EnumDescriptorProto {
            name: Some("Level".to_owned()),
            value: vec![level("NONE", 0), level("FLUENT", 5)],
            ..Default::default()
        }],
        ..Default::default()
    };
    DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: vec![file] }).unwrap()
}

fn plan_for(
    fields: Vec<FieldDescriptorProto>,
    batch: &RecordBatch,
) -> Result<(ChunkPlan, DescriptorPool), Error> {
    let pool = pool(fields);
    Ok((ChunkPlan::from_pool(&pool, "chunk", "embedding.Row", &batch.schema())?, pool))
}

fn table(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn column(name: &str, array: impl Array + 'static) -> (Field, ArrayRef) {
    (Field::new(name, array.data_type().clone(), array.null_count() > 0), Arc::new(array))
}

/// What the descriptors' own decoder reads of the only row, encoded by it again.
fn reread(plan: &ChunkPlan, pool: &DescriptorPool, batch: &RecordBatch) -> DynamicMessage {
    let message = plan.encode(batch, 0..1).unwrap();
    let request = pool.get_message_by_name("embedding.IngestDataRequest").unwrap();
    let request = DynamicMessage::decode(request, message.clone()).unwrap();
    assert_eq!(request.encode_to_vec(), message);
    let chunk = request.get_field_by_name("chunk").unwrap().into_owned();
    let rows = chunk.as_message().unwrap().get_field_by_name("rows").unwrap().into_owned();
    rows.as_list().unwrap()[0].as_message().unwrap().clone()
}

#[test]
fn every_scalar_kind_is_written_as_the_descriptors_say() {
    let kinds = [
        (Type::Int32, Value::I32(-7)),
        (Type::Int64, Value::I64(-7)),
        (Type::Sint32, Value::I32(-7)),
        (Type::Sint64, Value::I64(-7)),
        (Type::Sfixed32, Value::I32(-7)),
        (Type::Sfixed64, Value::I64(-7)),
        (Type::Uint32, Value::U32(7)),
        (Type::Uint64, Value::U64(7)),
        (Type::Fixed32, Value::U32(7)),
        (Type::Fixed64, Value::U64(7)),
    ];
    for (kind, expected) in kinds {
        let value = if matches!(expected, Value::U32(_) | Value::U64(_)) { 7 } else { -7 };
        let list = ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>([Some([
            Some(value),
            Some(0),
        ])]);
        let batch = table(vec![column("one", Int64Array::from(vec![value])), column("many", list)]);
        let (plan, pool) = plan_for(vec![field("one", 3, kind), repeated("many", 4, kind)], &batch).unwrap();
        let row = reread(&plan, &pool, &batch);
        assert_eq!(*row.get_field_by_name("one").unwrap(), expected, "{kind:?}");
        assert_eq!(row.get_field_by_name("many").unwrap().as_list().unwrap()[0], expected, "{kind:?}");
    }
}

#[test]
fn floats_bools_enums_and_optional_fields_are_written_as_the_descriptors_say() {
    let mut flags = BooleanBuilder::new();
    flags.append_value(true);
    let mut level = field("level", 20, Type::Enum);
    level.type_name = Some(".embedding.Level".to_owned());
    let mut maybe = field("maybe", 21, Type::Int32);
    maybe.proto3_optional = Some(true);
    maybe.oneof_index = Some(0);
    let doubles =
        ListArray::from_iter_primitive::<arrow_array::types::Float32Type, _, _>([Some([Some(0.5)])]);
    let levels: DictionaryArray<Int8Type> = ["FLUENT"].into_iter().collect();
    let batch = table(vec![
        column("flag", flags.finish()),
        column("wide", Float64Array::from(vec![-0.5])),
        column("doubles", doubles),
        column("level", levels),
        column("maybe", Int32Array::from(vec![0])),
        column("words", StringArray::from(vec!["w"])),
    ]);
    let fields = vec![
        field("flag", 1, Type::Bool),
        field("wide", 2, Type::Double),
        repeated("doubles", 3, Type::Double),
        field("words", 4, Type::String),
        level,
        maybe,
        field("spare", 22, Type::String),
    ];
    let (plan, pool) = plan_for(fields, &batch).unwrap();
    assert_eq!(plan.unfilled(), ["spare"]);
    let row = reread(&plan, &pool, &batch);
    assert_eq!(*row.get_field_by_name("wide").unwrap(), Value::F64(-0.5));
    assert_eq!(*row.get_field_by_name("doubles").unwrap(), Value::List(vec![Value::F64(0.5)]));
    assert_eq!(*row.get_field_by_name("level").unwrap(), Value::EnumNumber(5));
    assert!(row.has_field_by_name("maybe"), "zero is written where presence counts");
}

#[test]
fn what_a_field_cannot_carry_is_refused_before_a_row_is_read() {
    let refused = |kind: FieldDescriptorProto, array: ArrayRef| {
        let name = kind.name().to_owned();
        plan_for(vec![kind], &table(vec![(Field::new(name, array.data_type().clone(), false), array)]))
            .unwrap_err()
    };
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![0.1]));
    assert!(
        matches!(refused(field("a", 1, Type::Int32), Arc::clone(&text)), Error::Type { column, .. } if column == "a")
    );
    assert!(matches!(refused(field("a", 1, Type::Float), doubles), Error::Type { .. }));
    assert!(matches!(refused(repeated("a", 1, Type::String), Arc::clone(&text)), Error::Type { .. }));
    let spare = table(vec![column("spare", StringArray::from(vec!["a"]))]);
    assert!(
        matches!(plan_for(vec![], &spare).unwrap_err(), Error::NoField { column, .. } if column == "spare")
    );
    let unfit = Field::new("n", DataType::Utf8, true)
        .with_metadata(HashMap::from([(NULL.to_owned(), "default:x".to_owned())]));
    let (mut kind, batch) = (field("n", 1, Type::Enum), table(vec![(unfit, text)]));
    kind.type_name = Some(".embedding.Level".to_owned());
    assert!(matches!(plan_for(vec![kind], &batch).unwrap_err(), Error::Policy { .. }));
    let lacking = ChunkPlan::for_domain(skills(), &Schema::empty()).unwrap_err();
    assert!(matches!(lacking, Error::NoColumn { column, .. } if column == "skill"));
}

#[test]
fn cells_that_do_not_fit_are_named_by_column_and_row() {
    let fails = |kind: FieldDescriptorProto, array: ArrayRef| {
        let nullable = array.null_count() > 0;
        let batch = table(vec![(Field::new(kind.name(), array.data_type().clone(), nullable), array)]);
        let (plan, _) = plan_for(vec![kind], &batch).unwrap();
        let error = plan.encode(&batch, 0..batch.num_rows()).unwrap_err();
        assert_eq!(plan.encoded_len(&batch, 0..batch.num_rows()).unwrap_err().to_string(), error.to_string());
        error
    };
    let wide = fails(field("n", 1, Type::Int32), Arc::new(Int64Array::from(vec![1, i64::MAX])));
    assert!(matches!(wide, Error::Overflow { row: 1, kind: "int32", .. }));
    let negative = fails(field("n", 1, Type::Uint64), Arc::new(Int64Array::from(vec![-1])));
    assert!(matches!(negative, Error::Overflow { row: 0, value: -1, .. }));
    let huge = fails(field("n", 1, Type::Sint64), Arc::new(UInt64Array::from(vec![u64::MAX])));
    assert!(matches!(huge, Error::Overflow { .. }));
    let null = fails(field("s", 1, Type::String), Arc::new(StringArray::from(vec![Some("a"), None])));
    assert!(matches!(null, Error::Null { row: 1, .. }));
    let mut items = ListBuilder::new(Int64Builder::new());
    items.append_value([Some(1), None]);
    let item = fails(repeated("l", 1, Type::Int64), Arc::new(items.finish()));
    assert!(matches!(item, Error::Null { row: 0, .. }));
    let mut level = field("e", 1, Type::Enum);
    level.type_name = Some(".embedding.Level".to_owned());
    let unnamed = fails(level, Arc::new(StringArray::from(vec!["FLUENT", "?"])));
    assert!(matches!(unnamed, Error::EnumName { row: 1, value, .. } if value == "?"));
    assert!(matches!(
        Error::Null { column: String::new(), row: 1, field: String::new() }.shifted(1_000),
        Error::Null { row: 1_001, .. }
    ));
}
