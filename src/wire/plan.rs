//! The plan by which batches of one schema become messages: made once, from descriptors.

use arrow_schema::Schema;

use super::Error;
use crate::schema::Domain;

/// How batches of one schema become `IngestDataRequest` messages.
#[derive(Debug, Clone)]
pub struct ChunkPlan;

impl ChunkPlan {
    /// Plans `domain`'s row message for batches of `schema`.
    pub fn for_domain(_domain: &Domain, _schema: &Schema) -> Result<Self, Error> {
        todo!()
    }
}
