//! Rows of one's own as messages of the published contract, and back: no file, no server.
//!
//! `cargo run --example encode` encodes two skills and decodes them again.

#![allow(clippy::print_stdout, reason = "printing is all an example does")]

use std::{error::Error, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, RecordBatch, StringArray, types::Float32Type,
    types::Int32Type,
};
use arrow_schema::DataType;
use brine::{
    columnar::schema::of_domain,
    limits::wire::ChunkLimits,
    schema,
    wire::{ChunkDecoder, ChunkPlan},
};

const DIMENSION: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let domain = schema::find("skill_dic").ok_or("built in")?;
    let schema = of_domain(domain, DIMENSION);
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns(schema.field(domain.vector).data_type())?)?;

    let plan = ChunkPlan::for_domain(domain, &schema)?;
    let message = plan.encode(&batch, 0..batch.num_rows())?;
    assert_eq!(message.len(), plan.encoded_len(&batch, 0..batch.num_rows())?);

    let decoder = ChunkDecoder::new(domain, DIMENSION, ChunkLimits::default())?;
    let (field, received) = decoder.decode(&message)?.chunk.ok_or("a chunk was sent")?;
    println!("{} rows went through {field} as {} bytes", received.num_rows(), message.len());
    // A skill without category comes back without one, though protobuf could not say so.
    assert!(received.column(1).is_null(1) && received.column(1).is_valid(0));
    Ok(())
}

fn columns(vector: &DataType) -> Result<Vec<ArrayRef>, Box<dyn Error>> {
    let DataType::FixedSizeList(item, size) = vector else { return Err("a vector column".into()) };
    let values = arrow_array::PrimitiveArray::<Float32Type>::from_iter_values((0..8_u8).map(f32::from));
    Ok(vec![
        Arc::new(StringArray::from(vec!["Rust", "juggling"])),
        Arc::new([Some("Language"), None].into_iter().collect::<DictionaryArray<Int32Type>>()),
        Arc::new(FixedSizeListArray::try_new(Arc::clone(item), *size, Arc::new(values), None)?),
    ])
}
