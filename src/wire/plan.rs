//! The plan by which batches of one schema become messages: made once, from descriptors.
//!
//! A plan is a list of fields in the order of their numbers, each with the column it comes from, the shape of its value
//! and what a null becomes, and what stands around the rows. Everything that can be refused from types alone is refused
//! here, before a row is read.

mod mapping;
mod missing;
mod planner;
mod shape;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::{
    Chunking, Error,
    layout::{Layout, published},
    spare::Spare,
    split::Cut,
    wrap::Wrap,
};
use crate::{
    columnar::cells::Column,
    schema::{Domain, message_map::MessageMap},
};

pub use mapping::Mapped;
pub(super) use missing::Missing;
pub(super) use planner::Planner;
pub(super) use shape::{Entry, Inner, Shape};

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

/// How batches of one schema become protobuf messages.
#[derive(Debug, Clone)]
pub struct ChunkPlan {
    pub(super) fields: Vec<FieldPlan>,
    pub(super) choices: Vec<Choice>,
    /// What stands around the rows.
    pub(super) wrap: Wrap,
    unfilled: Vec<String>,
}

/// The fields of a message inside a row, in the order of their numbers.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) fields: Vec<FieldPlan>,
    pub(super) choices: Vec<Choice>,
}

/// The fields of one oneof that have columns, if there are several.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) oneof: String,
    /// Indices into the plan's fields.
    pub(super) members: Vec<usize>,
}

/// How one column becomes one field.
#[derive(Debug, Clone)]
pub(super) struct FieldPlan {
    /// The column: names joined by dots where it stands in a struct.
    pub(super) name: String,
    /// Label, type and number of the field.
    pub(super) field: String,
    /// Index of the column in its table or struct.
    pub(super) column: usize,
    pub(super) data_type: DataType,
    pub(super) key: u32,
    pub(super) shape: Shape,
    /// The field tells an absent value from an empty one.
    pub(super) presence: bool,
    pub(super) missing: Missing,
    /// The column may hold nulls.
    pub(super) nullable: bool,
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
        Self::new(&layout.row, Wrap::chunk(layout.chunk, layout.rows), schema, &MessageMap::default())
    }

    /// Plans rows of `row` inside `wrap`.
    pub(super) fn new(
        row: &MessageDescriptor,
        wrap: Wrap,
        schema: &Schema,
        map: &MessageMap,
    ) -> Result<Self, Error> {
        let mut planner = Planner::new(map);
        let Fields { fields, choices } = planner.fields("", schema.fields(), row)?;
        let unfilled = planner.finish()?;
        Ok(Self { fields, choices, wrap, unfilled })
    }

    /// Fields of the row message that no column fills.
    pub fn unfilled(&self) -> &[String] {
        &self.unfilled
    }

    /// Which column goes where, in the order of the field numbers.
    pub fn mapping(&self) -> Vec<Mapped> {
        mapping::of(&self.fields)
    }

    /// The columns of `batch` in the order of the fields.
    pub(super) fn bind(&self, batch: &RecordBatch) -> Result<Vec<Column>, Error> {
        self.fields.iter().map(|field| field.bind(batch)).collect()
    }
}

impl FieldPlan {
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
