//! The store in a folder: each table is a data set `STORE/<domain>`.

use std::path::Path;

use super::{Error, Provenance, Run, Store};
use crate::schema::Domain;

/// Tables as data sets in one folder, which one process holds at a time.
#[derive(Debug)]
pub struct ParquetStore {}

impl ParquetStore {
    /// Opens the store in `folder`, making it if need be.
    pub fn open(_folder: &Path) -> Result<Self, Error> {
        Ok(Self {})
    }
}

impl Store for ParquetStore {
    fn begin(&self, _: &'static Domain, _: usize, _: Provenance) -> Result<Box<dyn Run>, Error> {
        todo!()
    }
}
