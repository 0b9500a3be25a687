//! The built-in domains are ordinary maps: byte for byte what the built-in plan gives.

use std::{path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, RecordBatch, StringArray,
    builder::{ListBuilder, StringBuilder},
    types::Int32Type,
};
use arrow_schema::{DataType, Field};
use brine::{
    columnar::schema::of_domain,
    proto::DESCRIPTORS,
    schema,
    wire::{ChunkPlan, Contract, Facts, metadata},
};

const RPC: &str = "embedding.EmbeddingStreamService/IngestDataStream";
const ROWS: usize = 50;

fn column(field: &Field) -> ArrayRef {
    let is_null = |row: usize| field.is_nullable() && row.is_multiple_of(7);
    let text = |row: usize| (!is_null(row)).then(|| format!("{} {}", field.name(), row % 5));
    match field.data_type() {
        DataType::Utf8 => Arc::new((0..ROWS).map(text).collect::<StringArray>()),
        DataType::Int32 => {
            Arc::new((0..ROWS).map(|row| (!is_null(row)).then_some(row as i32 - 3)).collect::<Int32Array>())
        }
        DataType::Dictionary(..) => {
            let words: Vec<_> = (0..ROWS).map(text).collect();
            Arc::new(words.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>())
        }
        DataType::FixedSizeList(item, dimension) => {
            let floats = (0..ROWS * *dimension as usize).map(|index| index as f32 / 3.0);
            let floats = Arc::new(Float32Array::from_iter_values(floats));
            Arc::new(FixedSizeListArray::new(Arc::clone(item), *dimension, floats, None))
        }
        DataType::List(item) => {
            let mut lists = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(item));
            (0..ROWS).for_each(|row| lists.append_value((0..row % 4).map(|word| Some(format!("w{word}")))));
            Arc::new(lists.finish())
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_map_of_a_built_in_domain_gives_the_bytes_of_the_built_in_plan() {
    for domain in schema::builtin() {
        let schema = of_domain(domain, 4);
        let columns = schema.fields().iter().map(|field| column(field)).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
        let file = format!("schemas/messages/{}.toml", domain.name);
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file)).unwrap();
        let map = schema::parse_map(&text, &file).unwrap();
        let facts = Facts {
            domain: Some(domain.name.clone()),
            table: "t".to_owned(),
            file: "f.pkl".to_owned(),
            dimension: Some(4),
            rows: ROWS as u64,
        };
        // The file alone: what the domain's columns say of nulls is not in the way.
        let bare = schema.fields().iter().map(|field| field.as_ref().clone().with_metadata([].into()));
        let bare = arrow_schema::Schema::new(bare.collect::<Vec<_>>());
        let planned = Contract::find(DESCRIPTORS, RPC).unwrap().plan(&bare, &map, &facts).unwrap();
        let built_in = ChunkPlan::for_domain(domain, &schema).unwrap();
        assert_eq!(planned.first.unwrap(), metadata(&domain.name, "f.pkl", 4));
        assert_eq!(planned.rows, format!("{}.rows", domain.chunk_field));
        let bytes = built_in.encode(&batch, 3..ROWS).unwrap();
        assert_eq!(planned.plan.encode(&batch, 3..ROWS).unwrap(), bytes, "{}", domain.name);
    }
}
