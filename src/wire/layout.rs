//! Where rows stand in a message, found in the descriptors: request, chunk, row.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use super::Error;

/// The request of the published contract.
const REQUEST: &str = "embedding.IngestDataRequest";
/// The field of every chunk message that holds its rows.
const ROWS: u32 = 1;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(crate::proto::DESCRIPTORS).expect("build.rs wrote the descriptor set it compiled")
});

/// The descriptors of the published contract.
pub(super) fn published() -> &'static DescriptorPool {
    &POOL
}

/// The way from a request to its rows.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Number of the request's field that carries a chunk.
    pub(super) chunk: u32,
    /// Number of the chunk's field that carries rows.
    pub(super) rows: u32,
    /// The message of one row.
    pub(super) row: MessageDescriptor,
}

impl Layout {
    /// The way through `chunk_field` of the request to rows of `message`.
    pub(super) fn find(pool: &DescriptorPool, chunk_field: &str, message: &str) -> Result<Self, Error> {
        let row = find_message(pool, message)?;
        let request = find_message(pool, REQUEST)?;
        let (chunk, holder) =
            carrier(&request, request.get_field_by_name(chunk_field), chunk_field, message)?;
        let (rows, found) = carrier(&holder, holder.get_field(ROWS), "rows", message)?;
        if found != row {
            return Err(no_carrier(&holder, "rows", message));
        }
        Ok(Self { chunk, rows, row })
    }
}

/// The message called `name`.
pub(super) fn find_message(pool: &DescriptorPool, name: &str) -> Result<MessageDescriptor, Error> {
    pool.get_message_by_name(name).ok_or_else(|| Error::NoMessage { message: name.to_owned() })
}

fn carrier(
    holder: &MessageDescriptor,
    field: Option<FieldDescriptor>,
    name: &str,
    carries: &str,
) -> Result<(u32, MessageDescriptor), Error> {
    let field = field.ok_or_else(|| no_carrier(holder, name, carries))?;
    let Kind::Message(message) = field.kind() else { return Err(no_carrier(holder, name, carries)) };
    Ok((field.number(), message))
}

/// `holder` has no `field` that carries messages called `carries`.
pub(super) fn no_carrier(holder: &MessageDescriptor, field: &str, carries: &str) -> Error {
    let message = holder.full_name().to_owned();
    Error::NoCarrier { message, field: field.to_owned(), carries: carries.to_owned() }
}

/// Name of the request's field `number`, if it is one of its chunks.
pub(super) fn chunk_name(number: u32) -> Option<&'static str> {
    CHUNKS.iter().find(|(chunk, _)| *chunk == number).map(|(_, name)| name.as_str())
}

static CHUNKS: LazyLock<Vec<(u32, String)>> = LazyLock::new(|| {
    let oneofs = POOL.get_message_by_name(REQUEST).into_iter().flat_map(|request| {
        request.oneofs().flat_map(|oneof| oneof.fields().collect::<Vec<_>>()).collect::<Vec<_>>()
    });
    oneofs.map(|field| (field.number(), field.name().to_owned())).collect()
});

/// Label, type and number of a field, as an error names it.
pub(super) fn describe(field: &FieldDescriptor) -> String {
    let label = match (field.is_list(), field.is_required(), field.is_group()) {
        (_, _, true) => "group ",
        (true, _, _) => "repeated ",
        (_, true, _) => "required ",
        _ if field.containing_oneof().is_some_and(|oneof| oneof.is_synthetic()) => "optional ",
        _ => "",
    };
    format!("\"{label}{} {} = {}\"", kind_name(field), field.name(), field.number())
}

fn kind_name(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            format!("map<{}, {}>", kind_name(&key), kind_name(&value))
        }
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(values) => values.full_name().to_owned(),
        plain => format!("{plain:?}").to_lowercase(),
    }
}
