//! pandas frames out of the pickle graph, still borrowing.
//!
//! ```text
//! DataFrame ─ state ─ _mgr: BlockManager(blocks, [columns, index])
//!                               │
//!                               └ _unpickle_block(values, placement, ndim)      one for each run of equal dtypes
//!                                    │
//!                                    └ array of shape (columns of the block, rows), or one extension array
//! ```
//!
//! Column names come after all data in the file; nothing here depends on the order. Keys of state dicts are matched by
//! name, unknown ones are passed over. Lengths, placements, codes and Arrow offsets are checked before they are used:
//! an unpickler that trusts them reads foreign memory.

mod arrow_array;
mod arrow_text;
mod arrow_type;
mod blocks;
mod clock;
mod error;
mod extension;
mod frame;
pub mod frequency;
mod holding;
mod index;
mod label;
mod masked;
mod panel;
mod plain;
mod record;
mod scalar;
mod series;
mod sparse;
mod table;
mod values;
mod zone;

pub use arrow_array::{ArrowArray, ArrowColumn};
pub use arrow_text::ArrowText;
pub use arrow_type::{ArrowField, ArrowType, ArrowUnit, Offsets};
pub use blocks::Standing;
pub use error::{Error, ErrorKind, Result};
pub use frame::{Column, Frame};
pub use index::Index;
pub use label::Label;
pub use plain::Plain;
pub use scalar::{Scalar, scalar};
pub use table::{Form, Found, Member, tables};
pub use values::Values;
pub use zone::Zone;
