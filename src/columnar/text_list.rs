//! Columns of lists of text: `List<Utf8>`.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef,
    builder::{ListBuilder, StringBuilder},
};
use arrow_schema::{DataType, Field};

use super::{
    convert::{Convert, Faults},
    error::Reason,
    source::{Cell, Source},
    text::text,
};
use crate::{
    limits::{Limits, TEXT_BYTES_MAX},
    numpy::{Array, Data},
    pickle::{Graph, Item, NodeId},
};

/// A column of lists of text.
pub(super) struct TextList<'g> {
    pub(super) source: Source<'g>,
    pub(super) field: Field,
    pub(super) limits: Limits,
}

impl Convert for TextList<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let item = Field::new("item", DataType::Utf8, false);
        let mut out = ListBuilder::new(StringBuilder::new()).with_field(item);
        for (row, cell) in rows.clone().zip(self.source.cells(rows)) {
            match self.append(cell, out.values()) {
                Ok(present) if present || self.field.is_nullable() => out.append(present),
                Ok(_) => {
                    out.append(true);
                    faults.push(row, Reason::Null);
                }
                Err(reason) => {
                    out.append(true);
                    faults.push(row, reason);
                }
            }
        }
        Arc::new(out.finish())
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        self.source.cells(rows).map(|cell| self.cell_bytes(cell)).sum()
    }
}

impl TextList<'_> {
    /// Appends the texts of one cell; false if the list is missing.
    fn append(&self, cell: Cell<'_>, out: &mut StringBuilder) -> Result<bool, Reason> {
        let id = match cell {
            Cell::Null => return Ok(false),
            Cell::Object(id) => id,
            other => return Err(wrong(other.kind(self.source.graph))),
        };
        let Some(items) = sequence(self.source.graph, id, &self.limits)? else {
            return Err(wrong(self.source.graph.node(id).kind()));
        };
        if self.items_bytes(&items) > TEXT_BYTES_MAX {
            return Err(Reason::TooLong);
        }
        for item in items {
            match text(self.source.of_item(item), self.source)? {
                Some(text) => out.append_value(text),
                None => return Err(Reason::Null),
            }
        }
        Ok(true)
    }

    fn items_bytes(&self, items: &[Item]) -> usize {
        items.iter().map(|item| self.source.of_item(*item).text_bytes()).sum()
    }

    fn cell_bytes(&self, cell: Cell<'_>) -> usize {
        let Cell::Object(id) = cell else { return 0 };
        let items = sequence(self.source.graph, id, &self.limits);
        // What will be refused takes no memory.
        items
            .ok()
            .flatten()
            .map(|items| self.items_bytes(&items))
            .filter(|bytes| *bytes <= TEXT_BYTES_MAX)
            .unwrap_or(0)
    }
}

fn wrong(found: &'static str) -> Reason {
    Reason::WrongType { wanted: "a list of text", found }
}

/// The items of a list, a tuple, a set or an array of objects.
fn sequence<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Option<Vec<Item>>, Reason> {
    if let Some(items) = graph.sequence(id) {
        return Ok(Some(items.items_from(0).collect()));
    }
    if graph.node(id).kind() != "an object" {
        return Ok(None);
    }
    match Array::parse(graph, id, limits)?.data {
        Data::Objects(items) => Ok(Some(items.items_from(0).collect())),
        Data::Bytes(_) => Ok(None),
    }
}
