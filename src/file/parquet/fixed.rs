//! What a row takes of memory because the schema says so, whatever its bytes in the file are.

use arrow_schema::{DataType, Schema};

/// Bytes of a row's values of fixed size.
pub(super) fn row_bytes(schema: &Schema) -> u64 {
    let columns = schema.fields().iter().map(|field| bytes(field.data_type()));
    columns.fold(0, u64::saturating_add)
}

/// One byte at least, because what has no bytes is still counted.
fn bytes(data_type: &DataType) -> u64 {
    let bytes = match data_type {
        DataType::FixedSizeList(item, length) => {
            bytes(item.data_type()).saturating_mul(u64::try_from(*length).unwrap_or(0))
        }
        DataType::FixedSizeBinary(length) => u64::try_from(*length).unwrap_or(0),
        DataType::Struct(fields) => {
            fields.iter().map(|field| bytes(field.data_type())).fold(0, u64::saturating_add)
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::Map(item, _) => bytes(item.data_type()),
        other => other.primitive_width().unwrap_or(0) as u64,
    };
    bytes.max(1)
}

#[cfg(test)]
mod tests {
    use arrow_schema::Field;

    use super::*;

    #[test]
    fn lengths_multiply_and_never_overflow() {
        let list = |item, length| DataType::FixedSizeList(Field::new_list_field(item, true).into(), length);
        let of = |data_type| row_bytes(&Schema::new(vec![Field::new("x", data_type, true)]));
        assert_eq!(of(list(DataType::Float32, 384)), 1_536);
        assert_eq!(of(list(list(DataType::Float64, 10), 3)), 240);
        assert_eq!(of(list(list(list(DataType::Int64, i32::MAX), i32::MAX), i32::MAX)), u64::MAX);
        assert_eq!(of(list(DataType::Null, 1_000)), 1_000);
        assert_eq!(of(list(DataType::Float32, 0)), 1);
        assert_eq!(of(DataType::FixedSizeBinary(16)), 16);
    }
}
