//! Columns of repeated text: `Dictionary(Int32, Utf8)`, one dictionary for the whole table.
//!
//! The Arrow file format refuses a second dictionary, so it is made before the first batch: from the categories of a
//! pandas categorical, every one in its order, used or not; else from the texts in the order they first appear.

use std::{collections::HashMap, ops::Range, sync::Arc};

use arrow_array::{Array as _, ArrayRef, DictionaryArray, Int32Array, StringArray, types::Int32Type};
use arrow_schema::Field;

use super::{
    convert::{Convert, Faults},
    error::Reason,
    source::{Cell, Source},
    text::text,
};
use crate::{
    growing::{Growing, NoRoom},
    limits::{Limits, TEXT_BYTES_MAX},
    numpy::{Array, items::Number},
    pandas::Values,
    pickle::{Item, NodeId},
};

/// A column of codes into one dictionary.
pub(super) struct Category<'g> {
    field: Field,
    dictionary: Arc<StringArray>,
    codes: Codes<'g>,
}

enum Codes<'g> {
    /// Those of a pandas categorical.
    Given(Arc<Array<'g>>),
    /// Made here, each the bits of an `i32`: a code, or [`MISSING`], or [`BAD`] with the reason beside.
    Made(Growing<u32>, HashMap<usize, Reason>),
}

const MISSING: i32 = -1;
const BAD: i32 = -2;

/// Objects that are recognised without looking at their text. Where no two cells share one there are as many as rows, and
/// remembering them is of no use.
const SHARED_MAX: usize = 1 << 17;

impl<'g> Category<'g> {
    /// Makes the dictionary of `source`. `None` if it is a categorical of something else than text.
    pub(super) fn new(
        source: Source<'g>,
        rows: usize,
        field: Field,
        limits: &Limits,
    ) -> Result<Option<Self>, NoRoom> {
        if let Values::Categories { codes, categories, count, ordered } = source.values {
            let categories = Source { values: categories, ..source };
            let bytes: usize = categories.cells(0..*count).map(Cell::text_bytes).sum();
            if bytes > TEXT_BYTES_MAX {
                return Ok(None);
            }
            let texts = categories.cells(0..*count).map(|cell| text(cell, source).ok().flatten());
            let Some(texts) = texts.collect::<Option<Vec<_>>>() else { return Ok(None) };
            let dictionary = Arc::new(StringArray::from(texts));
            let field = field.with_dict_is_ordered(*ordered);
            return Ok(Some(Self { field, dictionary, codes: Codes::Given(Arc::clone(codes)) }));
        }
        let mut coder = Coder::default();
        let ground = source.graph.ground().cloned();
        let mut codes = Growing::on(ground.map(|ground| ground as _), limits.table_heap_bytes / 16);
        if let Some(items) = source.items(0..rows) {
            for (row, item) in items.enumerate() {
                codes.push(coder.code_of_item(row, item, source) as u32)?;
            }
        } else {
            for (row, cell) in source.cells(0..rows).enumerate() {
                codes.push(coder.code(row, text(cell, source)) as u32)?;
            }
        }
        let dictionary = Arc::new(StringArray::from(coder.texts));
        Ok(Some(Self { field, dictionary, codes: Codes::Made(codes, coder.bad) }))
    }

    fn code(&self, row: usize) -> i32 {
        match &self.codes {
            Codes::Made(codes, _) => codes.get(row).map_or(MISSING, |code| *code as i32),
            Codes::Given(codes) => match codes.number(0, row) {
                Some(Number::Int(code)) => code as i32,
                _ => MISSING,
            },
        }
    }

    fn reason(&self, row: usize) -> Reason {
        match &self.codes {
            Codes::Made(_, bad) => bad.get(&row).cloned().unwrap_or(Reason::Null),
            Codes::Given(_) => Reason::Null,
        }
    }
}

impl Convert for Category<'_> {
    fn field(&self) -> Field {
        self.field.clone()
    }

    fn convert(&self, rows: Range<usize>, faults: &mut Faults<'_>) -> ArrayRef {
        let mut codes = Vec::with_capacity(rows.len());
        for row in rows {
            let code = self.code(row);
            if code == BAD || (code == MISSING && !self.field.is_nullable()) {
                faults.push(row, self.reason(row));
            }
            codes.push((code >= 0).then_some(code));
        }
        let keys = Int32Array::from(codes);
        let values: ArrayRef = Arc::<StringArray>::clone(&self.dictionary);
        debug_assert!(keys.iter().flatten().all(|code| (code as usize) < values.len()));
        Arc::new(DictionaryArray::<Int32Type>::new(keys, values))
    }
}

/// Gives codes to texts in the order they appear. Shared objects are recognised before their text is looked at.
#[derive(Default)]
struct Coder<'g> {
    by_node: HashMap<NodeId, i32>,
    by_text: HashMap<&'g str, i32>,
    texts: Vec<&'g str>,
    /// Bytes of `texts` together.
    bytes: usize,
    bad: HashMap<usize, Reason>,
}

impl<'g> Coder<'g> {
    fn code_of_item(&mut self, row: usize, item: Item, source: Source<'g>) -> i32 {
        let cell = |item| text(source.of_item(item), source);
        let Item::Node(id) = item else { return self.code(row, cell(item)) };
        if let Some(code) = self.by_node.get(&id) {
            return *code;
        }
        let code = self.code(row, cell(item));
        if code != BAD && self.by_node.len() < SHARED_MAX {
            self.by_node.insert(id, code);
        }
        code
    }

    fn code(&mut self, row: usize, text: Result<Option<&'g str>, Reason>) -> i32 {
        match text {
            Ok(None) => MISSING,
            Ok(Some(text)) => match self.by_text.get(text) {
                Some(code) => *code,
                None => self.add(row, text),
            },
            Err(reason) => self.fault(row, reason),
        }
    }

    fn add(&mut self, row: usize, text: &'g str) -> i32 {
        self.bytes += text.len();
        if self.bytes > TEXT_BYTES_MAX {
            self.bytes -= text.len();
            return self.fault(row, Reason::TooLong);
        }
        let code = self.texts.len() as i32;
        self.by_text.insert(text, code);
        self.texts.push(text);
        code
    }

    fn fault(&mut self, row: usize, reason: Reason) -> i32 {
        self.bad.insert(row, reason);
        BAD
    }
}
