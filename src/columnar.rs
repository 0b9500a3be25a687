//! Logical columns to Arrow arrays.
//!
//! ```text
//! Frame ─► Table: one converter for each column ─► rows a..b ─► RecordBatch + bad rows ─► Sieve ─► good rows
//!            by a domain's schema, or by what the cells are
//! ```
//!
//! Columns are decoded on the way out, batch by batch, the columns and the rows of vectors in parallel, into buffers that
//! are used again. `convert::Convert` is the seam: adding a kind of column is one file and one arm in
//! `table.rs`.

mod arrow_column;
mod attrs;
mod auto;
mod blank;
mod block;
mod calendar;
mod category;
pub mod cells;
mod coded;
mod complex;
mod convert;
mod element;
mod embedding;
mod error;
mod fixed_text;
mod infer;
mod integer;
mod integer_vector;
mod interval;
mod items;
mod matrix;
mod number;
mod numpy_time;
mod object;
mod pandas_metadata;
mod period;
mod pool;
pub mod profile;
pub mod schema;
mod sieve;
mod source;
mod sparse;
mod table;
mod text;
mod text_list;
mod times;
mod typed;

pub use attrs::Attrs;
pub use error::{BadRow, Error, MissingColumn, MixedKinds, Reason, Result};
pub use infer::Mixed;
pub use pandas_metadata::pandas_metadata;
pub use sieve::{OnBadRow, RowsByKey, Sieve, Sifted, rejected_batch, rejected_schema};
pub use table::{Converted, Table, Vectors};
