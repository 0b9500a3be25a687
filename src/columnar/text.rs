//! Text columns: `Utf8`.

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, builder::StringBuilder};
use arrow_schema::Field;

use super::{
    convert::{Convert, Faults},
    error::Reason,
    source::{Cell, Source},
};
use crate::{identifier, limits::TEXT_BYTES_MAX, schema::KeyFormat};

/// Characters of a text that are shown of one that is no UUID.
const SHOWN: usize = 64;

/// A column of text.
pub(super) struct Text<'g> {
    pub(super) source: Source<'g>,
    pub(super) field: Field,
    /// What the texts must look like, which only keys must.
    pub(super) format: KeyFormat,
}

impl Text<'_> {
    fn check(&self, text: &str) -> Result<(), Reason> {
        // An empty key is said to be empty, by those who look at keys.
        if self.format == KeyFormat::Any || text.is_empty() || identifier::parse(text).is_some() {
            return Ok(());
        }
        Err(Reason::NotUuid(text.chars().take(SHOWN).collect()))
    }
}

impl Convert for Text<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut out = StringBuilder::with_capacity(rows.len(), 16 * rows.len());
        for (row, cell) in rows.clone().zip(self.source.cells(rows)) {
            let text = text(cell, self.source);
            match text.and_then(|text| text.map_or(Ok(()), |text| self.check(text)).map(|()| text)) {
                Ok(Some(text)) => out.append_value(text),
                Ok(None) if self.field.is_nullable() => out.append_null(),
                Ok(None) => {
                    out.append_value("");
                    faults.push(row, Reason::Null);
                }
                Err(reason) => {
                    out.append_value("");
                    faults.push(row, reason);
                }
            }
        }
        Arc::new(out.finish())
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        self.source.cells(rows).map(Cell::text_bytes).sum()
    }
}

/// The text of a cell, `None` where it is missing.
pub(super) fn text<'g>(cell: Cell<'g>, source: Source<'g>) -> Result<Option<&'g str>, Reason> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Text(bytes) if bytes.len() > TEXT_BYTES_MAX => Err(Reason::TooLong),
        Cell::Text(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|_| Reason::NotUtf8),
        other => Err(Reason::WrongType { wanted: "text", found: other.kind(source.graph) }),
    }
}
