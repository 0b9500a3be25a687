//! The place of a column whose values are made later: empty texts.

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::Field;

use super::convert::{Convert, Faults};

/// A text column that holds nothing yet.
pub(super) struct Blank {
    pub(super) field: Field,
}

impl Convert for Blank {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, _faults: &mut Faults<'_>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.map(|_| "")))
    }
}
