//! For every message and every table: the bytes are those of the descriptors' own library.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field as Column, Schema};
use brine::{
    schema::message_map::MessageMap,
    wire::{ChunkPlan, Facts},
};
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, ReflectMessage as _, Value};

use super::{
    contract, descriptors,
    tree::{self, Field},
    values::{Cell, Dice, cell, column, dynamic, is_ordered},
};

fn table(fields: &[Field], rows: &[Vec<Option<Cell>>]) -> RecordBatch {
    let columns = fields.iter().enumerate().map(|(index, field)| {
        let cells: Vec<Option<&Cell>> = rows.iter().map(|row| row[index].as_ref()).collect();
        let array = column(field, &cells);
        (Column::new(field.name(), array.data_type().clone(), true), array)
    });
    let (columns, arrays): (Vec<_>, Vec<_>) = columns.unzip();
    RecordBatch::try_new(Arc::new(Schema::new(columns)), arrays).unwrap()
}

fn check_rows(plan: &ChunkPlan, batch: &RecordBatch, expected: &DynamicMessage, is_ordered: bool) {
    let message = plan.encode(batch, 0..batch.num_rows()).unwrap();
    assert_eq!(plan.encoded_len(batch, 0..batch.num_rows()).unwrap(), message.len());
    let bytes = expected.encode_to_vec();
    assert_eq!(message.len(), bytes.len());
    let decoded = |bytes: &[u8]| DynamicMessage::decode(expected.descriptor(), bytes).unwrap();
    assert_eq!(decoded(&message), decoded(&bytes));
    if is_ordered {
        assert_eq!(message, bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn any_table_is_encoded_as_its_descriptors_say(
        fields in tree::row(), seed in any::<u64>(), count in 0..5_usize, cut in 0..5_usize,
    ) {
        let text = tree::proto(&fields);
        let mut dice = Dice(seed);
        let rows: Vec<Vec<_>> =
            (0..count).map(|_| fields.iter().map(|field| cell(field, &mut dice)).collect()).collect();
        let batch = table(&fields, &rows);
        let planned = contract(&text).plan(&batch.schema(), &MessageMap::default(), &Facts::default());
        let plan = planned.unwrap_or_else(|error| panic!("{error}\n{text}")).plan;

        let pool = DescriptorPool::decode(descriptors(&text).as_slice()).unwrap();
        let request = pool.get_message_by_name("t.Request").unwrap();
        let Kind::Message(row) = request.get_field_by_name("rows").unwrap().kind() else { panic!() };
        let whole = |rows: &[Vec<Option<Cell>>]| {
            let rows = rows.iter().map(|cells| Value::Message(dynamic(&row, &fields, cells)));
            let mut message = DynamicMessage::new(request.clone());
            message.set_field_by_name("rows", Value::List(rows.collect()));
            message
        };
        let ordered = |rows: &[Vec<Option<Cell>>]| {
            rows.iter().all(|row| fields.iter().zip(row).all(|(field, cell)| is_ordered(field, cell.as_ref())))
        };
        check_rows(&plan, &batch, &whole(&rows), ordered(&rows));
        // A slice of a table is a table: offsets of nested columns count from elsewhere.
        let cut = cut.min(count);
        check_rows(&plan, &batch.slice(cut, count - cut), &whole(&rows[cut..]), ordered(&rows[cut..]));
    }
}
