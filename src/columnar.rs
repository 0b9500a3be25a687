//! Logical columns to Arrow arrays.

pub mod cells;
pub mod schema;
