//! Text columns: `Utf8`.

use std::{borrow::Cow, ops::Range, sync::Arc};

use arrow_array::{ArrayRef, builder::StringBuilder};
use arrow_schema::Field;

use super::{
    convert::{Convert, Faults},
    error::Reason,
    object::uuid_text,
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

impl<'g> Text<'g> {
    /// A cell as text. A key that must be a UUID may be an object of that class.
    fn read(&self, cell: Cell<'g>) -> Result<Option<Cow<'g, str>>, Reason> {
        if let (Cell::Object(id), KeyFormat::Uuid) = (cell, self.format)
            && let Some(text) = uuid_text(self.source.graph, id)
        {
            return Ok(Some(Cow::Owned(text)));
        }
        let text = text(cell, self.source)?.map(Cow::Borrowed);
        text.as_deref().map_or(Ok(()), |text| self.check(text)).map(|()| text)
    }

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
            match self.read(cell) {
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

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;
    use arrow_schema::DataType;

    use super::*;
    use crate::{limits::Limits, pandas::Values, pickle};

    #[test]
    fn objects_of_uuids_are_keys_where_keys_are_uuids() {
        let uuid = "ccopy_reg\n_reconstructor\n(cuuid\nUUID\nc__builtin__\nobject\nNtR(dVint\nL258L\nsb";
        let bytes = format!("(l{uuid}aI7\na.");
        let graph = pickle::load(bytes.as_bytes(), &Limits::default()).unwrap();
        let cells = Arc::new(graph.list(graph.root()).unwrap());
        let values = Values::Objects { cells, first: 0 };
        for (format, bad_rows) in [(KeyFormat::Uuid, vec![1]), (KeyFormat::Any, vec![0, 1])] {
            let source = Source { graph: &graph, values: &values, name: "id" };
            let text = Text { source, field: Field::new("id", DataType::Utf8, false), format };
            let mut bad = Vec::new();
            let array = text.convert(0..2, &mut Faults { column: "id", bad: &mut bad });
            assert_eq!(bad.iter().map(|bad| bad.row).collect::<Vec<_>>(), bad_rows);
            let key = array.as_string::<i32>().value(0);
            assert_eq!(key == "00000000-0000-0000-0000-000000000102", format == KeyFormat::Uuid);
        }
    }
}
