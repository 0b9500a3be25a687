//! The plan by which batches of one schema become messages: made once, from descriptors.
//!
//! A plan is a list of fields in the order of their numbers, each with the column it comes from, the shape of its value
//! and what a null becomes. Everything that can be refused from types alone is refused here, before a row is read.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind};

use super::{
    Chunking, Error,
    layout::{Layout, describe, published},
    scalar::Scalar,
    spare::Spare,
    split::Cut,
    varint::{Wire, key},
};
use crate::{
    columnar::{cells::Column, schema::null_policy},
    schema::{DefaultValue, Domain, NullPolicy},
};

/// How batches of one schema become messages of one kind.
pub trait Plan: Send + Sync + 'static {
    /// Cuts a batch, whose first row is row `first_row` of what is encoded, into chunks within the bounds.
    fn cut(&self, batch: &RecordBatch, first_row: u64, bounds: Chunking) -> Result<Vec<Cut>, Error>;

    /// The message of one chunk behind the prefix of gRPC, in memory of `spare`.
    fn encode_framed(
        &self,
        batch: &RecordBatch,
        cut: &Cut,
        first_row: u64,
        spare: &Spare,
    ) -> Result<Bytes, Error>;
}

/// How batches of one schema become `IngestDataRequest` messages.
#[derive(Debug, Clone)]
pub struct ChunkPlan {
    pub(super) fields: Vec<FieldPlan>,
    /// Key of the request's chunk field.
    pub(super) chunk_key: u32,
    /// Key of the chunk's rows field.
    pub(super) rows_key: u32,
    unfilled: Vec<String>,
}

/// How one column becomes one field.
#[derive(Debug, Clone)]
pub(super) struct FieldPlan {
    pub(super) name: String,
    column: usize,
    data_type: DataType,
    pub(super) key: u32,
    pub(super) shape: Shape,
    /// The field tells an absent value from an empty one.
    pub(super) presence: bool,
    pub(super) missing: Missing,
}

/// The shape of a field's value.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A string, or bytes.
    Bytes,
    /// One scalar.
    Scalar(Scalar),
    /// Strings, or bytes, each with its key.
    ManyBytes,
    /// Scalars in one run.
    Packed {
        /// What they are.
        scalar: Scalar,
        /// The run is the bytes of the column.
        copied: bool,
    },
    /// Scalars, each with its key.
    Many(Scalar),
}

/// What a null becomes.
#[derive(Debug, Clone)]
pub(super) enum Missing {
    /// An error.
    Refused,
    /// Nothing on the wire: the field's empty value, or absence.
    Absent,
    /// This text.
    Bytes(Vec<u8>),
    /// This scalar.
    Word(u64),
}

impl ChunkPlan {
    /// Plans `domain`'s row message for batches of `schema`, from the published descriptors.
    pub fn for_domain(domain: &Domain, schema: &Schema) -> Result<Self, Error> {
        for column in &domain.columns {
            if schema.index_of(&column.field).is_err() {
                return Err(Error::NoColumn { column: column.field.clone(), domain: domain.name.clone() });
            }
        }
        Self::from_pool(published(), &domain.chunk_field, &domain.message, schema)
    }

    /// Plans rows of `message` inside `chunk_field` of the request, from any descriptors. Every column needs a field of
    /// its name; fields without a column are sent empty and named by [`ChunkPlan::unfilled`].
    pub fn from_pool(
        pool: &DescriptorPool,
        chunk_field: &str,
        message: &str,
        schema: &Schema,
    ) -> Result<Self, Error> {
        let layout = Layout::find(pool, chunk_field, message)?;
        let mut fields = Vec::with_capacity(schema.fields().len());
        for (column, field) in schema.fields().iter().enumerate() {
            let target = layout.row.get_field_by_name(field.name());
            let target = target.ok_or_else(|| no_field(field, message))?;
            fields.push(FieldPlan::new(column, field, &target)?);
        }
        fields.sort_by_key(|field| field.key >> 3);
        let unfilled = layout.row.fields().filter(|field| schema.index_of(field.name()).is_err());
        Ok(Self {
            fields,
            chunk_key: key(layout.chunk, Wire::Bytes),
            rows_key: key(layout.rows, Wire::Bytes),
            unfilled: unfilled.map(|field| field.name().to_owned()).collect(),
        })
    }

    /// Fields of the row message that no column fills.
    pub fn unfilled(&self) -> &[String] {
        &self.unfilled
    }

    /// The columns of `batch` in the order of the fields.
    pub(super) fn bind(&self, batch: &RecordBatch) -> Result<Vec<Column>, Error> {
        self.fields.iter().map(|field| field.bind(batch)).collect()
    }
}

fn no_field(field: &Field, message: &str) -> Error {
    Error::NoField { column: field.name().clone(), message: message.to_owned() }
}

impl FieldPlan {
    fn new(column: usize, field: &Field, target: &FieldDescriptor) -> Result<Self, Error> {
        let data_type = field.data_type().clone();
        let shape = Shape::of(&data_type, target).ok_or_else(|| Error::Type {
            column: field.name().clone(),
            field: describe(target),
            data_type: data_type.clone(),
        })?;
        let presence = target.supports_presence();
        let missing = Missing::of(field, &shape, presence)
            .ok_or_else(|| Error::Policy { column: field.name().clone(), field: describe(target) })?;
        let key = key(target.number(), shape.wire());
        Ok(Self { name: field.name().clone(), column, data_type, key, shape, presence, missing })
    }

    fn bind(&self, batch: &RecordBatch) -> Result<Column, Error> {
        bind(batch, self.column, &self.name, &self.data_type)
    }
}

/// Column number `index` of `batch`, which must be of the type that was planned for.
pub(super) fn bind(
    batch: &RecordBatch,
    index: usize,
    name: &str,
    data_type: &DataType,
) -> Result<Column, Error> {
    let array = batch.columns().get(index);
    let found = array.map_or(&DataType::Null, |array| array.data_type());
    let mismatch =
        |found: DataType| Error::Batch { column: name.to_owned(), expected: data_type.clone(), found };
    let array = array.filter(|_| found == data_type).ok_or_else(|| mismatch(found.clone()))?;
    Column::of(array).map_err(mismatch)
}

impl Shape {
    /// The shape in which `target` carries `data_type`; none if it cannot.
    fn of(data_type: &DataType, target: &FieldDescriptor) -> Option<Self> {
        if target.is_map() || target.is_group() {
            return None;
        }
        let item = item(data_type);
        match (item, target.is_list()) {
            (Some(item), true) => Self::many(item, target),
            (None, false) if carries_bytes(&target.kind(), data_type) => Some(Self::Bytes),
            (None, false) => {
                Scalar::of(&target.kind()).filter(|scalar| scalar.carries(data_type)).map(Self::Scalar)
            }
            _ => None,
        }
    }

    fn many(item: &DataType, target: &FieldDescriptor) -> Option<Self> {
        if carries_bytes(&target.kind(), item) {
            return Some(Self::ManyBytes);
        }
        let scalar = Scalar::of(&target.kind()).filter(|scalar| scalar.carries(item))?;
        let copied = scalar.is_copied(item);
        Some(if target.is_packed() { Self::Packed { scalar, copied } } else { Self::Many(scalar) })
    }

    /// How one value of the shape is delimited.
    fn wire(&self) -> Wire {
        match self {
            Self::Bytes | Self::ManyBytes | Self::Packed { .. } => Wire::Bytes,
            Self::Scalar(scalar) | Self::Many(scalar) => scalar.wire(),
        }
    }
}

fn item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(item.data_type())
        }
        _ => None,
    }
}

fn carries_bytes(kind: &Kind, data_type: &DataType) -> bool {
    use DataType as T;
    match (kind, data_type) {
        (_, T::Dictionary(_, values)) => carries_bytes(kind, values),
        (Kind::String, T::Utf8 | T::LargeUtf8)
        | (Kind::Bytes, T::Binary | T::LargeBinary | T::FixedSizeBinary(_)) => true,
        _ => false,
    }
}

impl Missing {
    /// What a null of `field` becomes; none if its policy names a value that the shape has not.
    fn of(field: &Field, shape: &Shape, presence: bool) -> Option<Self> {
        Some(match (null_policy(field)?, shape) {
            (NullPolicy::Refuse, _) if presence && field.is_nullable() => Self::Absent,
            (NullPolicy::Refuse, _) => Self::Refused,
            (NullPolicy::Empty, _) => Self::Absent,
            (NullPolicy::Default(DefaultValue::Text(text)), Shape::Bytes) => Self::Bytes(text.into_bytes()),
            (NullPolicy::Default(DefaultValue::Int(int)), Shape::Scalar(scalar)) => {
                Self::Word(scalar.integer(int.into()).ok()?)
            }
            _ => return None,
        })
    }
}
