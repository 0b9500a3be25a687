//! NumPy dtypes and arrays out of the pickle graph, and the headers of NumPy's own files.
//!
//! Nothing is trusted: every length is checked against shape and item size before anybody reads an item.

pub mod array;
pub mod calendar;
pub mod dtype;
mod error;
pub mod items;
pub mod npy;
pub mod record;

pub use array::{Array, Data};
pub use dtype::{Dtype, Kind, Step, Unit};
pub use error::{Error, Result};
pub use record::Record;
