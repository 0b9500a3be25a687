//! Arrays whose items have fields: a table of its own, one column for each field.
//!
//! The fields of one item lie beside each other, those of a column apart: each column is copied out, and the bytes for
//! that are spent first, because fields may overlap.

use std::collections::HashMap;

use super::{
    array::{Array, Data, shape_of, shared_bytes_of},
    dtype::{Dtype, Kind},
    error::{Error, Result},
};
use crate::{
    limits::{Bound, Budget, Limits},
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// Fields inside fields that are followed.
const DEPTH_MAX: usize = 8;

/// The bound on the fields that dtypes name, those of one that stands inside several others counted in each.
const NAMED_FIELDS: Bound = Bound { what: "named fields of records", flag: None };
/// Entries of dtypes for each column that a table may have: a name, its field, and a title that names the field too.
const ENTRIES_A_COLUMN: u64 = 3;

/// A field and the bytes of each item that it stands for.
#[derive(Debug, Clone)]
struct Field {
    /// Its name; of a field inside a field, both with a dot.
    name: String,
    dtype: Dtype,
    /// Items of the field along each of its own dimensions: none for a single value.
    count: Vec<usize>,
    offset: usize,
    /// The position of the field in an item that is a tuple, and of the fields in it.
    path: Vec<usize>,
}

/// An array of records, column by column.
#[derive(Debug, Clone)]
pub struct Record<'g> {
    /// Rows of the array.
    pub rows: usize,
    /// The fields.
    pub columns: Vec<FieldColumn<'g>>,
}

/// One field of all records.
#[derive(Debug, Clone)]
pub struct FieldColumn<'g> {
    /// Its name; of a field inside a field, both with a dot.
    pub name: String,
    /// Items of it in one record: 1 unless it has dimensions of its own.
    pub items: usize,
    /// The items.
    pub values: Column<'g>,
}

/// The items of one field.
#[derive(Debug, Clone)]
pub enum Column<'g> {
    /// Items of fixed size: shape (rows,), or (rows, elements) for a field with a dimension of its own.
    Array(Array<'g>),
    /// Objects.
    Cells(Vec<Item>),
}

impl<'g> Record<'g> {
    /// The array of records that node `id` describes; `None` if its items are no records.
    pub fn parse(
        graph: &'g Graph<'g>,
        id: NodeId,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Result<Option<Self>> {
        let Some((dtype, shape, data)) = parts_of(graph, id, limits)? else { return Ok(None) };
        let mut fields = Fields::new(graph, limits, budget);
        let Some(itemsize) = fields.add_all(dtype, &Outer::default())? else { return Ok(None) };
        let fields = fields.found;
        let &[rows] = shape.as_slice() else {
            return Err(Error::UnknownForm("shape of an array of records"));
        };
        let columns = if let Some(list) = graph.list(data) {
            if list.len() != rows {
                return Err(Error::WrongCount { shape, found: list.len() });
            }
            let records: Vec<Item> = list.items_from(0).collect();
            let column = |field: &Field| cells_of(graph, &records, field, budget);
            fields.iter().map(column).collect::<Result<Vec<_>>>()?
        } else {
            let bytes = shared_bytes_of(graph, data).ok_or(Error::UnknownForm("data of an array"))?;
            if itemsize == 0 || rows.checked_mul(itemsize) != Some(bytes.len()) {
                return Err(Error::WrongLength { shape, itemsize, found: bytes.len() });
            }
            let column = |field: &Field| field.copied(&bytes, rows, itemsize, budget);
            fields.iter().map(column).collect::<Result<Vec<_>>>()?
        };
        let column = |(field, values): (Field, _)| FieldColumn {
            items: field.count.iter().product(),
            name: field.name,
            values,
        };
        Ok(Some(Self { rows, columns: fields.into_iter().zip(columns).map(column).collect() }))
    }
}

type Parts = (NodeId, Vec<usize>, NodeId);

/// dtype, shape and data of an array of one dimension in any of its two forms.
fn parts_of(graph: &Graph<'_>, id: NodeId, limits: &Limits) -> Result<Option<Parts>> {
    let Node::Reduce { callable, args, state } = graph.node(id) else { return Ok(None) };
    let (dtype, shape, data) = match graph.node(callable) {
        Node::Global(Global::FromBuffer) => match *graph.tuple(args).unwrap_or_default() {
            [data, dtype, shape, ..] => (dtype, shape, data),
            _ => return Ok(None),
        },
        // A mask and a fill value may follow.
        Node::Global(Global::Reconstruct | Global::MaskedReconstruct) => {
            match *Graph::present(state).and_then(|state| graph.tuple(state)).unwrap_or_default() {
                // One dimension has one order.
                [_, shape, dtype, _, data] | [shape, dtype, _, data] | [_, shape, dtype, _, data, _, _] => {
                    (dtype, shape, data)
                }
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some((dtype, shape_of(graph, shape, limits)?, data)))
}

/// Where the fields of a dtype stand: inside which other field.
#[derive(Default)]
struct Outer {
    name: String,
    offset: usize,
    path: Vec<usize>,
}

impl Outer {
    fn inside(&self, place: usize, name: &str, offset: usize) -> Result<Self> {
        let name = if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) };
        let mut path = self.path.clone();
        path.push(place);
        let offset = self.offset.checked_add(offset).ok_or(Error::ImpossibleShape)?;
        Ok(Self { name, offset, path })
    }
}

/// The fields of a dtype, being found.
struct Fields<'g, 'b> {
    graph: &'g Graph<'g>,
    limits: &'b Limits,
    found: Vec<Field>,
    /// What names may take: a file can name one long name any number of times.
    name_bytes: &'b mut Budget,
    /// Entries of dtypes that are looked at: one dtype can stand in another any number of times.
    entries: Budget,
}

impl<'g, 'b> Fields<'g, 'b> {
    fn new(graph: &'g Graph<'g>, limits: &'b Limits, name_bytes: &'b mut Budget) -> Self {
        let entries = Budget::new(&NAMED_FIELDS, ENTRIES_A_COLUMN * limits.columns_max as u64);
        Self { graph, limits, found: Vec::new(), name_bytes, entries }
    }

    /// Adds the fields of a dtype; the bytes of one item, or `None` if it has no fields.
    fn add_all(&mut self, dtype: NodeId, outer: &Outer) -> Result<Option<usize>> {
        const UNKNOWN: Error = Error::UnknownForm("dtype with fields");
        let graph = self.graph;
        let state = graph.state(dtype).and_then(|state| graph.tuple(state)).unwrap_or_default();
        let &[_, _, _, names, by_name, itemsize, ..] = state else { return Ok(None) };
        let Some(names) = graph.tuple(names) else { return Ok(None) };
        if outer.path.len() >= DEPTH_MAX {
            return Err(UNKNOWN);
        }
        let Node::Int(itemsize) = graph.node(itemsize) else { return Err(UNKNOWN) };
        let itemsize = usize::try_from(itemsize).map_err(|_| UNKNOWN)?;
        self.entries.spend(names.len() as u64)?;
        let by_name = self.by_name(by_name)?;
        for (place, name) in names.iter().enumerate() {
            let name = graph.text(*name).ok_or(UNKNOWN)?;
            let field = by_name.get(name).and_then(|field| graph.tuple(*field)).ok_or(UNKNOWN)?;
            let (&[inner, offset] | &[inner, offset, _]) = field else { return Err(UNKNOWN) };
            let Node::Int(offset) = graph.node(offset) else { return Err(UNKNOWN) };
            let offset = usize::try_from(offset).map_err(|_| UNKNOWN)?;
            self.name_bytes.spend((outer.name.len() + name.len()) as u64)?;
            let bytes = self.add(inner, outer.inside(place, name, offset)?)?;
            let is_outside = offset.checked_add(bytes).is_none_or(|end| end > itemsize);
            if is_outside || self.found.len() > self.limits.columns_max {
                return Err(UNKNOWN);
            }
        }
        Ok(Some(itemsize))
    }

    /// The fields of a dtype by their names, of which the last counts.
    fn by_name(&mut self, fields: NodeId) -> Result<HashMap<&'g str, NodeId>> {
        let mut by_name = HashMap::new();
        for (name, field) in self.graph.dict(fields).into_iter().flatten() {
            self.entries.spend(1)?;
            by_name.extend(self.graph.text(name).map(|name| (name, field)));
        }
        Ok(by_name)
    }

    /// Adds one field, or the fields inside it; the bytes it takes.
    fn add(&mut self, dtype: NodeId, here: Outer) -> Result<usize> {
        if let Some(bytes) = self.add_all(dtype, &here)? {
            return Ok(bytes);
        }
        let graph = self.graph;
        let (dtype, count) = match sub_array(graph, dtype) {
            Some((base, shape)) => (Dtype::parse(graph, base)?, shape_of(graph, shape, self.limits)?),
            None => (Dtype::parse(graph, dtype)?, Vec::new()),
        };
        let elements = count.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let bytes = elements.and_then(|elements| elements.checked_mul(dtype.itemsize));
        let bytes = bytes.ok_or(Error::ImpossibleShape)?;
        self.found.push(Field { name: here.name, dtype, count, offset: here.offset, path: here.path });
        Ok(bytes)
    }
}

/// Items and shape of a field that is an array: `subdtype` of its dtype's state.
fn sub_array(graph: &Graph<'_>, dtype: NodeId) -> Option<(NodeId, NodeId)> {
    let state = graph.state(dtype).and_then(|state| graph.tuple(state))?;
    let &[base, shape] = graph.tuple(*state.get(2)?)? else { return None };
    Some((base, shape))
}

impl Field {
    fn copied<'g>(
        &self,
        bytes: &[u8],
        rows: usize,
        itemsize: usize,
        budget: &mut Budget,
    ) -> Result<Column<'g>> {
        if self.dtype.kind == Kind::Object {
            return Err(Error::UnknownForm("objects in an array of bytes"));
        }
        let elements: usize = self.count.iter().product();
        let width = elements * self.dtype.itemsize;
        // What takes no bytes is still a cell of each row.
        budget.spend((rows * width.max(1)) as u64)?;
        let mut column = Vec::with_capacity(rows * width);
        for row in 0..rows {
            let item = &bytes[row * itemsize..][..itemsize];
            let field =
                item.get(self.offset..self.offset + width).ok_or(Error::UnknownForm("field of a record"))?;
            column.extend_from_slice(field);
        }
        let shape = if self.count.is_empty() { vec![rows] } else { vec![rows, elements] };
        Array::checked(self.dtype, shape, false, Data::Bytes(column.into())).map(Column::Array)
    }
}

/// Records with objects among their fields are tuples: the field's value of each.
fn cells_of<'g>(
    graph: &Graph<'_>,
    records: &[Item],
    field: &Field,
    budget: &mut Budget,
) -> Result<Column<'g>> {
    budget.spend(size_of_val(records) as u64)?;
    let cell = |record: &Item| {
        let mut value = *record;
        for place in &field.path {
            let Item::Node(id) = value else { return None };
            value = Item::Node(*graph.tuple(id)?.get(*place)?);
        }
        Some(value)
    };
    let cells = records.iter().map(|record| cell(record).ok_or(Error::UnknownForm("record")));
    let cells = cells.collect::<Result<Vec<_>>>()?;
    let numbers = if field.count.is_empty() { numbers(graph, &cells, field.dtype) } else { None };
    Ok(numbers.map_or(Column::Cells(cells), Column::Array))
}

/// Bits of a 64-bit integer that one of `width` bytes does not have.
fn unused_bits(width: usize) -> Option<u32> {
    (1..=8).contains(&width).then(|| 64 - 8 * width as u32)
}

/// Cells of a field of numbers in the width that the field has; `None` if they are of another kind, or too large.
fn numbers<'g>(graph: &Graph<'_>, cells: &[Item], dtype: Dtype) -> Option<Array<'g>> {
    // Of all other kinds the width is what the file says.
    matches!(dtype.kind, Kind::Bool | Kind::Int | Kind::Uint | Kind::Float).then_some(())?;
    let mut bytes = Vec::with_capacity(cells.len() * dtype.itemsize);
    for cell in cells {
        let value = match *cell {
            Item::Float(value) => Node::Float(value),
            Item::Node(id) => graph.node(id),
        };
        match (dtype.kind, dtype.itemsize, value) {
            (Kind::Bool, 1, Node::Bool(value)) => bytes.push(u8::from(value)),
            (Kind::Int, width, Node::Int(value)) => {
                let unused = unused_bits(width)?;
                (value << unused >> unused == value).then_some(())?;
                bytes.extend_from_slice(value.to_le_bytes().get(..width)?);
            }
            (Kind::Uint, width, Node::Int(value)) => {
                let value = u64::try_from(value).ok()?;
                let unused = unused_bits(width)?;
                (value << unused >> unused == value).then_some(())?;
                bytes.extend_from_slice(value.to_le_bytes().get(..width)?);
            }
            (Kind::Float, 4, Node::Float(value)) => bytes.extend_from_slice(&(value as f32).to_le_bytes()),
            (Kind::Float, 8, Node::Float(value)) => bytes.extend_from_slice(&value.to_le_bytes()),
            _ => return None,
        }
    }
    let (dtype, shape) = (Dtype { big_endian: false, ..dtype }, vec![cells.len()]);
    Some(Array { dtype, shape, fortran: false, data: Data::Bytes(bytes.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickle;

    /// An array of two records, each an int of one byte and a record of one: fields `a` and `b.c`.
    fn pickled(offset_of_b: u8, itemsize: u8) -> Vec<u8> {
        let mut bytes =
            b"\x80\x03cnumpy.core.numeric\n_frombuffer\n(C\x04\x01\x02\x03\x04cnumpy\ndtype\n".to_vec();
        let dtype = b"X\x02\0\0\0V2\x89\x88\x87R(K\x03X\x01\0\0\0|N";
        let one = b"cnumpy\ndtype\nX\x02\0\0\0u1\x89\x88\x87R";
        bytes.extend_from_slice(dtype);
        bytes.extend_from_slice(b"X\x01\0\0\0aX\x01\0\0\0b\x86}(X\x01\0\0\0a");
        bytes.extend_from_slice(one);
        bytes.extend_from_slice(b"K\0\x86X\x01\0\0\0b");
        bytes.extend_from_slice(
            b"cnumpy\ndtype\nX\x02\0\0\0V1\x89\x88\x87R(K\x03X\x01\0\0\0|NX\x01\0\0\0c\x85}X\x01\0\0\0c",
        );
        bytes.extend_from_slice(one);
        bytes.extend_from_slice(b"K\0\x86sK\x01K\x01K\x10tb");
        bytes.extend_from_slice(&[b'K', offset_of_b, 0x86, b'u', b'K', itemsize]);
        bytes.extend_from_slice(b"K\x01K\x10tbK\x02\x85X\x01\0\0\0CtR.");
        bytes
    }

    #[test]
    fn numbers_beside_objects_keep_the_width_of_their_field() {
        let graph = pickle::load(b"](K\x01J\xfe\xff\xff\xffM\x00\x01e.", &Limits::default()).unwrap();
        let cells: Vec<Item> = graph.list(graph.root()).unwrap().items_from(0).collect();
        let bytes = |kind, itemsize, cells: &[Item]| {
            let array = numbers(&graph, cells, Dtype { kind, itemsize, big_endian: true })?;
            let Data::Bytes(bytes) = array.data else { return None };
            Some(bytes.to_vec())
        };
        assert_eq!(bytes(Kind::Int, 2, &cells), Some(vec![1, 0, 0xfe, 0xff, 0, 1]));
        assert_eq!(bytes(Kind::Int, 1, &cells[..2]), Some(vec![1, 0xfe]));
        assert_eq!(bytes(Kind::Int, 1, &cells), None, "256 has no place in a byte");
        assert_eq!(bytes(Kind::Uint, 8, &cells), None, "nor has a negative number");
        assert_eq!(bytes(Kind::Float, 8, &cells), None);
    }

    fn parsed(bytes: &[u8], budget: u64) -> Result<Vec<(String, Vec<u8>)>> {
        let graph = pickle::load(bytes, &Limits::default()).unwrap();
        let mut budget = Budget::new(&crate::limits::CELL_BYTES, budget);
        let record = Record::parse(&graph, graph.root(), &Limits::default(), &mut budget)?.unwrap();
        let bytes = |column: &Column<'_>| match column {
            Column::Array(Array { data: Data::Bytes(bytes), .. }) => bytes.to_vec(),
            _ => Vec::new(),
        };
        Ok(record.columns.iter().map(|field| (field.name.clone(), bytes(&field.values))).collect())
    }

    #[test]
    fn fields_inside_fields_are_columns() {
        let columns = parsed(&pickled(1, 2), 100).unwrap();
        assert_eq!(columns, [("a".to_owned(), vec![1, 3]), ("b.c".to_owned(), vec![2, 4])]);
    }

    #[test]
    fn fields_outside_the_record_are_refused() {
        assert!(matches!(parsed(&pickled(2, 2), 100), Err(Error::UnknownForm("dtype with fields"))));
    }

    #[test]
    fn records_that_are_not_as_long_as_the_bytes_are_refused() {
        assert!(matches!(parsed(&pickled(1, 3), 100), Err(Error::WrongLength { itemsize: 3, .. })));
    }

    #[test]
    fn columns_are_paid_for() {
        assert!(matches!(parsed(&pickled(1, 2), 3), Err(Error::Limit(_))));
    }
}
