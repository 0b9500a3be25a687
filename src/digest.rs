//! Row digests: what a table holds, whatever file, batch size or encoding it is stored in.
//!
//! # The format `rows-v1`
//!
//! ```text
//! row_hash(i)   = XXH3-128(u64le(i) ‖ canonical(row_i))          i counts from 0
//! D             = Σ row_hash(i)                      mod 2^128
//! K             = Σ XXH3-128(canonical(row))         mod 2^128   over the last row of each key
//! fingerprint   = "rows-v1:" ‖ hex BLAKE3(canonical(schema) ‖ u64le(n) ‖ u128le(D))
//! ```
//!
//! XXH3-128 is taken with seed 0 and read as one integer; a checkpoint is `D` of the first 1,000, 2,000, … rows. `D` binds
//! each row to its place; it is a sum, so ranges can be hashed apart, in any order, and added. It guards against
//! accidents, not against forgery.
//!
//! `canonical(row)` is the canonical form of each cell, one after the other, in the order of the schema. Everything is
//! little endian:
//!
//! | Arrow type | bytes |
//! |---|---|
//! | `Boolean` | one, 0 or 1 |
//! | `Int8` … `Int64` | eight: the value with its sign extended |
//! | `UInt8` … `UInt64` | eight: the value |
//! | `Date32`, `Date64`, `Time32`, `Time64`, `Timestamp`, `Duration` | eight: the count, in the column's own unit, with its sign extended |
//! | `Float16`, `Float32`, `Float64` | two, four, eight: the bits as they are, so NaNs and -0.0 count |
//! | `Decimal128`, `Decimal256` | 16, 32: the unscaled value |
//! | `Utf8`, `LargeUtf8` | u32le length, UTF-8 |
//! | `Binary`, `LargeBinary`, `FixedSizeBinary` | u32le length, bytes |
//! | `Dictionary(_, T)` | as the value is in `T` |
//! | `List`, `LargeList`, `FixedSizeList` | u32le count, then each item as a cell: a vector is its dimension and its bits |
//! | `Struct` | each field as a cell |
//! | `Null` | nothing |
//!
//! Nulls: a nullable column whose null policy is `empty` or `default:VALUE` has no presence byte, and a null in it is
//! taken as that value: `empty` is a length or count of 0, or zeros in the width of a number. Cells of any other nullable
//! column begin with a presence byte, 1 before a value, 0 for a null with nothing after it; `Null` columns always have
//! it. The same holds for the items of lists and the fields of structs.
//!
//! `canonical(schema)` is a text with a line for each column, name and type: see `digest/schema.rs`. It says nothing of
//! metadata, nor of how text is stored, so a table read back from elsewhere can equal its source.

mod dictionary;
mod error;
mod flat;
mod form;
mod key;
mod prefix;
mod range;
mod rows;
mod schema;
mod summed;
mod table;
#[cfg(test)]
mod tests;

use arrow_schema::Schema;

pub use error::Error;
pub use key::{Keyed, key_hash};
pub use prefix::Prefixes;
pub use range::RangeDigester;
pub use rows::{RowHasher, Sums};
pub use schema::canonical_column;
pub use summed::Summed;
pub use table::{CHECKPOINT_ROWS, Digest, Digester};

/// The identity of a table's content: `rows-v1:` and 64 hex digits.
pub fn fingerprint(schema: &Schema, rows: u64, d: u128) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(schema::canonical(schema).as_bytes());
    hasher.update(&rows.to_le_bytes());
    hasher.update(&d.to_le_bytes());
    format!("rows-v1:{}", hasher.finalize().to_hex())
}
