//! Builders of values that hold others: lists, structs, maps. What they hold is built by the same builders again.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{ArrayRef, FixedSizeListArray, ListArray, MapArray, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields};

use super::{Build, field, of, wrong};
use crate::{
    columnar::{
        complex,
        error::Reason,
        infer::{Kind, Plain},
        object::value::Value,
    },
    limits::Limits,
    pickle::{Graph, NodeId},
};

/// The type of a kind that holds others.
pub(super) fn data_type(kind: &Kind<'_>) -> DataType {
    match kind {
        Kind::List(list) => DataType::List(Arc::new(field("item", &list.item, false))),
        // A struct needs a field.
        Kind::Struct(fields) if fields.list.is_empty() => map_type(&Kind::Text, &Kind::Missing),
        Kind::Map(kinds) => map_type(&kinds.0, &kinds.1),
        other => DataType::Struct(record(other)),
    }
}

/// The fields of a kind that is a struct.
fn record(kind: &Kind<'_>) -> Fields {
    let number = |name: &str, data_type| Field::new(name, data_type, true);
    match kind {
        Kind::Struct(fields) => fields.list.iter().map(|(name, kind)| field(name, kind, false)).collect(),
        Kind::Complex => complex::parts(),
        Kind::Range => ["start", "stop", "step"].map(|name| number(name, DataType::Int64)).to_vec().into(),
        Kind::Interval(_, side) => vec![field("left", side, false), field("right", side, false)].into(),
        _ => Fields::empty(),
    }
}

fn map_type(key: &Kind<'_>, value: &Kind<'_>) -> DataType {
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entry(key, value)), false)), false)
}

fn entry(key: &Kind<'_>, value: &Kind<'_>) -> Fields {
    vec![field("key", key, false).with_nullable(false), field("value", value, false)].into()
}

/// The builder of a kind that holds others.
pub(super) fn builder<'g>(kind: &Kind<'g>, graph: &'g Graph<'g>, limits: &Limits) -> Box<dyn Build<'g> + 'g> {
    match kind {
        Kind::List(list) => Box::new(Lists::new(&list.item, None, graph, limits)),
        Kind::Struct(fields) if fields.list.is_empty() => {
            Box::new(Maps::new(&Kind::Text, &Kind::Missing, graph, limits))
        }
        Kind::Map(kinds) => Box::new(Maps::new(&kinds.0, &kinds.1, graph, limits)),
        other => Box::new(Records::new(other, graph, limits)),
    }
}

/// Appends each value, or nothing where there is none, and keeps the first fault.
fn append_all<'g>(
    to: &mut [Box<dyn Build<'g> + 'g>],
    values: impl Iterator<Item = Option<Value<'g>>>,
) -> Result<(), Reason> {
    let mut done = Ok(());
    for (to, value) in to.iter_mut().zip(values) {
        done = done.and(to.append(&value.unwrap_or(Value::Missing)));
    }
    done
}

/// Rows of items; of one length, if that is said.
pub(super) struct Lists<'g> {
    graph: &'g Graph<'g>,
    limits: Limits,
    item: Arc<Field>,
    items: Box<dyn Build<'g> + 'g>,
    length: Option<usize>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    /// Items so far.
    count: usize,
}

impl<'g> Lists<'g> {
    pub(super) fn new(item: &Kind<'g>, length: Option<usize>, graph: &'g Graph<'g>, limits: &Limits) -> Self {
        Self {
            graph,
            limits: limits.clone(),
            item: Arc::new(field("item", item, false)),
            items: of(item, graph, limits),
            length,
            offsets: vec![0],
            nulls: NullBufferBuilder::new(0),
            count: 0,
        }
    }

    /// Appends the items of one row; where rows have one length, as many as that.
    fn row(&mut self, values: impl Iterator<Item = Value<'g>>) -> Result<(), Reason> {
        let (mut done, mut found) = (Ok(()), 0);
        for value in values {
            if self.length.is_none_or(|length| found < length) {
                done = done.and(self.items.append(&value));
            }
            found += 1;
        }
        for _ in found..self.length.unwrap_or(0) {
            done = done.and(self.items.append(&Value::Missing));
        }
        self.count += self.length.unwrap_or(found);
        self.offsets.push(self.count as i32);
        let wanted = self.length.unwrap_or(found);
        done.and(if found == wanted { Ok(()) } else { Err(Reason::Dimension { found, wanted }) })
    }
}

impl<'g> Build<'g> for Lists<'g> {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        let graph = self.graph;
        self.nulls.append(matches!(value, Value::Sequence(_)));
        if let Value::Sequence(sequence) = value {
            let limits = self.limits.clone();
            return self.row(sequence.values(graph, &limits));
        }
        let missing = std::iter::repeat_n(Value::Missing, self.length.unwrap_or(0));
        let done = self.row(missing);
        if matches!(value, Value::Missing | Value::Nan) { done } else { Err(wrong(value)) }
    }

    fn finish(&mut self) -> ArrayRef {
        let (items, nulls) = (self.items.finish(), self.nulls.finish());
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        self.count = 0;
        let item = Arc::clone(&self.item);
        match self.length {
            Some(length) => Arc::new(FixedSizeListArray::new(item, length as i32, items, nulls)),
            None => {
                Arc::new(ListArray::new(item, OffsetBuffer::new(ScalarBuffer::from(offsets)), items, nulls))
            }
        }
    }
}

/// Where the fields of a struct stand in a value.
enum Split<'g> {
    /// Under their names in a dict.
    Dict(HashMap<&'g str, usize>),
    /// The parts of a complex number, a range, an interval.
    Parts,
}

/// Structs.
struct Records<'g> {
    graph: &'g Graph<'g>,
    limits: Limits,
    split: Split<'g>,
    fields: Fields,
    columns: Vec<Box<dyn Build<'g> + 'g>>,
    nulls: NullBufferBuilder,
}

impl<'g> Records<'g> {
    fn new(kind: &Kind<'g>, graph: &'g Graph<'g>, limits: &Limits) -> Self {
        let column = |kind: &Kind<'g>| of(kind, graph, limits);
        let (split, columns) = match kind {
            Kind::Struct(fields) => {
                let names = fields.list.iter().enumerate().map(|(at, (name, _))| (*name, at));
                let columns = fields.list.iter().map(|(_, kind)| column(kind)).collect();
                (Split::Dict(names.collect()), columns)
            }
            Kind::Interval(_, side) => (Split::Parts, vec![column(side), column(side)]),
            Kind::Range => (Split::Parts, (0..3).map(|_| column(&Kind::INT)).collect()),
            _ => (Split::Parts, (0..2).map(|_| column(&Kind::Float(Plain::FLOAT))).collect()),
        };
        let nulls = NullBufferBuilder::new(0);
        Self { graph, limits: limits.clone(), split, fields: record(kind), columns, nulls }
    }

    fn dict(&mut self, id: NodeId) -> Result<(), Reason> {
        let mut found = vec![None; self.columns.len()];
        if let Split::Dict(names) = &self.split {
            for (key, value) in self.graph.dict(id).into_iter().flatten() {
                if let Some(at) = self.graph.text(key).and_then(|name| names.get(name)) {
                    found[*at] = Some(value);
                }
            }
        }
        let read = |id: Option<NodeId>| Some(Value::of_node(self.graph, id?, &self.limits));
        append_all(&mut self.columns, found.into_iter().map(read))
    }
}

impl<'g> Build<'g> for Records<'g> {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        let parts: [Option<Value<'g>>; 3] = match value {
            Value::Dict(id) if matches!(self.split, Split::Dict(_)) => {
                self.nulls.append_non_null();
                return self.dict(*id);
            }
            Value::Complex(re, im) => [Some(Value::Float(*re)), Some(Value::Float(*im)), None],
            Value::Range(range) => range.map(|number| Some(Value::Int(number))),
            Value::Interval(left, right, _) => {
                let side = |id| Some(Value::of_node(self.graph, id, &self.limits));
                [side(*left), side(*right), None]
            }
            _ => [None, None, None],
        };
        self.nulls.append(parts[0].is_some());
        let wanted = parts[0].is_some() || matches!(value, Value::Missing | Value::Nan);
        let parts = parts.into_iter().chain(std::iter::repeat(None));
        append_all(&mut self.columns, parts)?;
        if wanted { Ok(()) } else { Err(wrong(value)) }
    }

    fn finish(&mut self) -> ArrayRef {
        let columns = self.columns.iter_mut().map(|column| column.finish()).collect();
        Arc::new(StructArray::new(self.fields.clone(), columns, self.nulls.finish()))
    }
}

/// Maps.
struct Maps<'g> {
    graph: &'g Graph<'g>,
    limits: Limits,
    entry: Fields,
    columns: Vec<Box<dyn Build<'g> + 'g>>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl<'g> Maps<'g> {
    fn new(key: &Kind<'g>, value: &Kind<'g>, graph: &'g Graph<'g>, limits: &Limits) -> Self {
        Self {
            graph,
            limits: limits.clone(),
            entry: entry(key, value),
            columns: vec![of(key, graph, limits), of(value, graph, limits)],
            offsets: vec![0],
            nulls: NullBufferBuilder::new(0),
        }
    }

    /// The entries of a dict: of two values of one text the later counts, as in Python.
    fn entries(&self, id: NodeId) -> Vec<(NodeId, NodeId)> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut entries: Vec<(NodeId, NodeId)> = Vec::new();
        for (key, value) in self.graph.dict(id).into_iter().flatten() {
            let place = self.graph.text(key).map(|text| *places.entry(text).or_insert(entries.len()));
            match place.and_then(|place| entries.get_mut(place)) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
        }
        entries
    }
}

impl<'g> Build<'g> for Maps<'g> {
    fn append(&mut self, value: &Value<'g>) -> Result<(), Reason> {
        let mut done = Ok(());
        let mut count = self.offsets.last().copied().unwrap_or(0);
        if let Value::Dict(id) = value {
            for (key, value) in self.entries(*id) {
                let pair = [key, value].map(|id| Some(Value::of_node(self.graph, id, &self.limits)));
                done = done.and(append_all(&mut self.columns, pair.into_iter()));
                count += 1;
            }
        }
        self.offsets.push(count);
        self.nulls.append(matches!(value, Value::Dict(_)));
        let wanted = matches!(value, Value::Dict(_) | Value::Missing | Value::Nan);
        done.and(if wanted { Ok(()) } else { Err(wrong(value)) })
    }

    fn finish(&mut self) -> ArrayRef {
        let columns = self.columns.iter_mut().map(|column| column.finish()).collect();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let entries = StructArray::new(self.entry.clone(), columns, None);
        let field = Arc::new(Field::new("entries", DataType::Struct(self.entry.clone()), false));
        Arc::new(MapArray::new(field, offsets, entries, self.nulls.finish(), false))
    }
}
