//! Logical columns to Arrow arrays.

pub mod schema;
