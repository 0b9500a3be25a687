//! Rows of one domain as a batch: counted and bounded first, then filled.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use prost_reflect::MessageDescriptor;

use super::{
    Error,
    envelope::Rows,
    fill::{Filler, Holds, Target},
    layout::describe,
    scalar::Scalar,
    scan::Value,
};
use crate::{
    columnar::schema::of_domain,
    limits::wire::ChunkLimits,
    schema::{self, Domain, NullPolicy},
};

/// Decodes rows of one domain, wherever in a message they stand.
#[derive(Debug, Clone)]
pub(super) struct RowDecoder {
    schema: SchemaRef,
    targets: Vec<Target>,
    /// Index into `targets` of the key.
    key: usize,
    /// Index into `targets` of the vector.
    vector: usize,
    dimension: usize,
    limits: ChunkLimits,
}

impl RowDecoder {
    /// A decoder for `domain`'s rows, which are messages `row`, with vectors of `dimension`.
    pub(super) fn new(
        domain: &Domain,
        row: &MessageDescriptor,
        dimension: usize,
        limits: ChunkLimits,
    ) -> Result<Self, Error> {
        let schema = of_domain(domain, dimension);
        let targets = domain.columns.iter().zip(schema.fields());
        let targets = targets.map(|(column, field)| target(column, field, dimension, row));
        let targets = targets.collect::<Result<_, _>>()?;
        Ok(Self { targets, key: domain.key, vector: domain.vector, dimension, schema, limits })
    }

    /// The schema of the batches.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// An error for a message above its bound.
    pub(super) fn check_length(&self, bytes: usize) -> Result<(), Error> {
        // Arrow's offsets have 31 bits, whatever the limits say.
        let message_bytes_max = self.limits.message_bytes_max.min(i32::MAX as usize);
        if bytes > message_bytes_max {
            return Err(Error::MessageTooLong { bytes, message_bytes_max });
        }
        Ok(())
    }

    /// Counts the rows by their lengths alone.
    fn count(&self, rows: &Rows<'_>) -> Result<usize, Error> {
        let (mut rows, mut count) = (rows.clone(), 0);
        while rows.next()?.is_some() {
            count += 1;
            if count > self.limits.rows_max {
                return Err(Error::TooManyRows { rows_max: self.limits.rows_max });
            }
        }
        Ok(count)
    }

    /// Counts the rows and checks the dimension of each, in one pass: rows lie far apart, and looking at one is waiting
    /// for memory.
    pub(super) fn check(&self, rows: &Rows<'_>) -> Result<usize, Error> {
        self.check_keys(rows, |_, _| Ok(()))
    }

    /// The same, and hands out the bytes of each row's key: empty if the row has none.
    pub(super) fn check_keys<'m>(
        &self,
        rows: &Rows<'m>,
        each: impl FnMut(u64, &'m [u8]) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        // Too many rows is the fault that is told, whatever else is wrong: the sender can mend it by smaller chunks.
        self.check_rows(rows, each).or_else(|fault| self.count(rows).and(Err(fault)))
    }

    fn check_rows<'m>(
        &self,
        rows: &Rows<'m>,
        mut each: impl FnMut(u64, &'m [u8]) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        let (vector, key) = (&self.targets[self.vector], &self.targets[self.key]);
        let (mut rows, mut count) = (rows.clone(), 0);
        while let Some(mut fields) = rows.next()? {
            if count == self.limits.rows_max {
                return Err(Error::TooManyRows { rows_max: self.limits.rows_max });
            }
            let (row, mut elements, mut id) = (count as u64, 0_usize, &[][..]);
            while let Some(found) = fields.next()? {
                if found.number == vector.number {
                    elements += vector.elements(&found, row)?;
                } else if let (true, Value::Bytes(bytes)) = (found.number == key.number, found.value) {
                    id = bytes;
                }
            }
            vector.check_dimension(self.dimension, elements, row)?;
            each(row, id)?;
            count += 1;
        }
        Ok(count)
    }

    /// The rows as a batch; they stand in a message of `message_bytes`.
    pub(super) fn batch(&self, rows: &Rows<'_>, message_bytes: usize) -> Result<RecordBatch, Error> {
        let count = self.count(rows)?;
        let vector_bytes = self.dimension.saturating_mul(size_of::<f32>());
        if count.saturating_mul(vector_bytes) > message_bytes {
            // Too short for so many vectors: some row has too small a one, and the check names it.
            self.check(rows)?;
        }
        let mut fillers: Vec<_> = self.targets.iter().map(|target| Filler::new(target, count)).collect();
        let mut rows = rows.clone();
        for row in 0..count as u64 {
            let Some(mut fields) = rows.next()? else { break };
            while let Some(found) = fields.next()? {
                let index = self.targets.iter().position(|target| target.number == found.number);
                index.map_or(Ok(()), |index| fillers[index].take(&found, row))?;
            }
            fillers.iter_mut().try_for_each(|filler| filler.end_row(row))?;
        }
        let columns = fillers.into_iter().map(Filler::finish).collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

fn target(
    column: &schema::Column,
    field: &Arc<arrow_schema::Field>,
    dimension: usize,
    row: &MessageDescriptor,
) -> Result<Target, Error> {
    let found = row.get_field_by_name(&column.field);
    let found = found.ok_or_else(|| Error::NoField {
        column: column.field.clone(),
        message: row.full_name().to_owned(),
    })?;
    let holds = Holds::of(column.kind, &found, dimension).ok_or_else(|| Error::Type {
        column: column.field.clone(),
        field: describe(&found),
        data_type: field.data_type().clone(),
        reason: "a received column of this kind is not made of it",
    })?;
    if matches!(holds, Holds::Vector(_)) && column.null != NullPolicy::Refuse {
        return Err(Error::Policy { column: column.field.clone(), field: describe(&found) });
    }
    Ok(Target {
        name: column.field.clone(),
        number: found.number(),
        holds,
        presence: found.supports_presence(),
        empty_is_null: column.null == NullPolicy::Empty,
        field: Arc::clone(field),
    })
}

impl Holds {
    /// How a column of `kind` is filled from `field`; none if it cannot be.
    fn of(kind: schema::Kind, field: &prost_reflect::FieldDescriptor, dimension: usize) -> Option<Self> {
        use prost_reflect::Kind as Wire;
        use schema::Kind;
        let integer = || {
            Scalar::of(&field.kind())
                .filter(|scalar| scalar.is_integer() || matches!(scalar, Scalar::Enum(_)))
        };
        match (kind, field.kind(), field.is_list()) {
            (Kind::Text, Wire::String, false) => Some(Self::Text),
            (Kind::Category, Wire::String, false) => Some(Self::Category),
            (Kind::Int32, _, false) => integer().map(Self::Int32),
            (Kind::Int64, _, false) => integer().map(Self::Int64),
            (Kind::TextList, Wire::String, true) => Some(Self::TextList),
            (Kind::Vector, Wire::Float, true) => Some(Self::Vector(dimension)),
            _ => None,
        }
    }
}
