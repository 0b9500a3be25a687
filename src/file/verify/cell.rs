//! Two cells of one column: where inside they first differ, and what stands there, for people.

use std::fmt::Write as _;

use arrow_array::RecordBatch;
use arrow_schema::DataType;

use crate::columnar::{
    cells::{Cells, Column},
    profile::text_of,
};

/// Letters of a value that are shown.
const SHOWN: usize = 60;

/// Letters before the first difference that are shown of long texts.
const BEFORE: usize = 10;

/// The place inside a column, such as `vector[17]`, and the two values there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) column: String,
    pub(super) values: [String; 2],
}

/// A cell: its column, its type and its row.
#[derive(Clone, Copy)]
struct Cell<'a> {
    column: &'a Column,
    data_type: &'a DataType,
    row: usize,
}

/// Where the cells of column `index` of two batches of one row first differ.
pub(super) fn first_place(batches: [&RecordBatch; 2], index: usize) -> Place {
    let name = batches[0].schema_ref().field(index).name().clone();
    let arrays = batches.map(|batch| batch.column(index));
    let columns = arrays.map(|array| Column::of(array).ok());
    let [Some(one), Some(two)] = &columns else { return Place { column: name, values: Default::default() } };
    let cells = [
        Cell { column: one, data_type: arrays[0].data_type(), row: 0 },
        Cell { column: two, data_type: arrays[1].data_type(), row: 0 },
    ];
    // Cells that only count as different, such as a null and the value it is taken as elsewhere, are shown whole.
    differ(&name, cells).unwrap_or_else(|| Place { column: name, values: cells.map(text) })
}

/// The key in column `index` of a batch of one row, as it is: without marks around it.
pub(super) fn key_text(batch: &RecordBatch, index: usize) -> Option<String> {
    let array = batch.column(index);
    let column = Column::of(array).ok()?;
    match resolve(Cell { column: &column, data_type: array.data_type(), row: 0 })? {
        (Cells::Bytes(values), row, _) => {
            let bytes = values.value(row);
            Some(shortened(&String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN * 4 + 4)])))
        }
        resolved => Some(leaf(resolved)),
    }
}

fn differ(path: &str, cells: [Cell<'_>; 2]) -> Option<Place> {
    let [one, two] = cells.map(resolve);
    let (one, two) = match (one, two) {
        (None, None) => return None,
        (Some(one), Some(two)) => (one, two),
        _ => return Some(Place { column: path.to_owned(), values: cells.map(text) }),
    };
    match (one, two) {
        (
            (Cells::List(spans, items), row, data_type),
            (Cells::List(others, other_items), other, other_type),
        ) => {
            let ranges = [spans.range(row), others.range(other)];
            let types = [item_type(data_type), item_type(other_type)];
            let [Some(mine), Some(theirs)] = types else { return None };
            if ranges[0].len() != ranges[1].len() {
                let values = ranges.map(|range| counted(range.len()));
                return Some(Place { column: path.to_owned(), values });
            }
            let [first, second] = ranges;
            first.zip(second).enumerate().find_map(|(at, (row, other))| {
                let one = Cell { column: items, data_type: mine, row };
                let two = Cell { column: other_items, data_type: theirs, row: other };
                differ(&format!("{path}[{at}]"), [one, two])
            })
        }
        (
            (Cells::Struct(fields), row, DataType::Struct(names)),
            (Cells::Struct(others), other, DataType::Struct(other_names)),
        ) => {
            let pairs = fields.iter().zip(others).zip(names.iter().zip(other_names));
            pairs.into_iter().find_map(|((field, other_field), (name, other_name))| {
                let one = Cell { column: field, data_type: name.data_type(), row };
                let two = Cell { column: other_field, data_type: other_name.data_type(), row: other };
                differ(&format!("{path}.{}", name.name()), [one, two])
            })
        }
        (one, two) => {
            let same = match (bits(one.0, one.1), bits(two.0, two.1)) {
                (Some(one), Some(two)) => one == two,
                _ => false,
            };
            (!same).then(|| Place { column: path.to_owned(), values: leaves(one, two) })
        }
    }
}

type Resolved<'a> = (&'a Cells, usize, &'a DataType);

/// What a cell holds behind any dictionary; none for a null.
fn resolve(cell: Cell<'_>) -> Option<Resolved<'_>> {
    let (cells, row) = cell.column.resolve(cell.row)?;
    let mut data_type = cell.data_type;
    while let DataType::Dictionary(_, values) = data_type {
        data_type = values;
    }
    Some((cells, row, data_type))
}

fn item_type(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => Some(item.data_type()),
        _ => None,
    }
}

fn counted(items: usize) -> String {
    if items == 1 { "1 item".to_owned() } else { format!("{items} items") }
}

/// The bits that the digest sees of a value that is not nested.
fn bits(cells: &Cells, row: usize) -> Option<Vec<u8>> {
    Some(match cells {
        Cells::Boolean(values) => vec![u8::from(values.value(row))],
        Cells::Integer(values) => values.bits(row).to_le_bytes().to_vec(),
        Cells::Fixed(values) => values.bytes(row..row + 1).to_vec(),
        Cells::Bytes(values) => values.value(row).to_vec(),
        _ => return None,
    })
}

/// Two different values. Texts that begin alike are shown from shortly before their first difference.
fn leaves(one: Resolved<'_>, two: Resolved<'_>) -> [String; 2] {
    let (Cells::Bytes(mine), Cells::Bytes(theirs)) = (one.0, two.0) else {
        return [leaf(one), leaf(two)];
    };
    let (mine, theirs) = (mine.value(one.1), theirs.value(two.1));
    let alike = mine.iter().zip(theirs).take_while(|(one, two)| one == two).count();
    let is_long = mine.len().max(theirs.len()) > SHOWN;
    let start = if is_long { alike.saturating_sub(BEFORE) } else { 0 };
    [(mine, one.2), (theirs, two.2)].map(|(bytes, data_type)| bytes_text(bytes, start, data_type))
}

fn bytes_text(bytes: &[u8], start: usize, data_type: &DataType) -> String {
    // A letter takes four bytes at most; one more shows whether there is more.
    let end = bytes.len().min(start + SHOWN * 4 + 4);
    let part = &bytes[start.min(end)..end];
    let text = match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => {
            let cut: &[char] = &['\u{fffd}'];
            let text = String::from_utf8_lossy(part);
            let text = if start > 0 { text.trim_start_matches(cut) } else { &text };
            let text = if end < bytes.len() { text.trim_end_matches(cut) } else { text };
            format!("{text:?}")
        }
        _ => format!("b\"{}\"", part.escape_ascii()),
    };
    let text = if start > 0 { format!("…{text}") } else { text };
    shortened(&text)
}

fn leaf((cells, row, data_type): Resolved<'_>) -> String {
    match cells {
        Cells::Fixed(values) if data_type.is_floating() => {
            let bytes = values.bytes(row..row + 1);
            float(bytes)
                .or_else(|| text_of(cells, row, data_type))
                .filter(|text| text != "NaN")
                .unwrap_or_else(|| format!("NaN (0x{})", hex(bytes)))
        }
        Cells::Bytes(values) => bytes_text(values.value(row), 0, data_type),
        Cells::Fixed(values) => {
            text_of(cells, row, data_type).unwrap_or_else(|| format!("0x{}", hex(values.bytes(row..row + 1))))
        }
        _ => text_of(cells, row, data_type).unwrap_or_default(),
    }
}

/// The shortest decimal that is this float and no other.
fn float(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => bytes.try_into().map(|bytes| f32::from_le_bytes(bytes).to_string()).ok(),
        8 => bytes.try_into().map(|bytes| f64::from_le_bytes(bytes).to_string()).ok(),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes.iter().rev() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A whole value; of lists and structs as much as is shown.
fn text(cell: Cell<'_>) -> String {
    let mut out = String::new();
    put(cell, &mut out);
    shortened(&out)
}

fn put(cell: Cell<'_>, out: &mut String) {
    if out.len() > SHOWN * 4 {
        return;
    }
    match resolve(cell) {
        None => out.push_str("null"),
        Some((Cells::List(spans, items), row, data_type)) => {
            let Some(data_type) = item_type(data_type) else { return };
            let cells = spans.range(row).take(SHOWN).map(|row| Cell { column: items, data_type, row });
            put_all('[', cells, ']', out);
        }
        Some((Cells::Struct(fields), row, DataType::Struct(names))) => {
            let cells = fields.iter().zip(names);
            let cells = cells.map(|(column, name)| Cell { column, data_type: name.data_type(), row });
            put_all('{', cells, '}', out);
        }
        Some(resolved) => out.push_str(&leaf(resolved)),
    }
}

fn put_all<'a>(open: char, cells: impl Iterator<Item = Cell<'a>>, close: char, out: &mut String) {
    out.push(open);
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        put(cell, out);
    }
    out.push(close);
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() { short + "…" } else { short }
}
