//! Arrow arrays as pyarrow pickles them: `_restore_array((type, length, nulls, offset, buffers, children, dictionary))`,
//! alone or in a `chunked_array`.
//!
//! pyarrow checks none of this when it loads a pickle. Here every buffer, offset, index and length of a child is checked
//! before it is followed; UTF-8 is checked where the text is copied.

use super::{
    arrow_type::{Allowance, ArrowType, Offsets, call},
    error::ErrorKind,
};
use crate::{
    limits::Limits,
    numpy::{Octets, array::shared_bytes_of, items::Number},
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// A column in one chunk or several.
#[derive(Debug)]
pub struct ArrowColumn<'g> {
    /// Its type.
    pub data_type: ArrowType,
    /// Row of each chunk's first value, and the chunk.
    pub chunks: Vec<(usize, ArrowArray<'g>)>,
    /// How many rows there are.
    pub rows: usize,
    /// Whether pandas 2.1 or a later one wrote it.
    pub is_recent: bool,
}

/// An array whose parts fit together.
#[derive(Debug)]
pub struct ArrowArray<'g> {
    /// How many values there are.
    pub length: usize,
    /// Position of the first of them in the buffers.
    pub offset: usize,
    validity: Option<Octets<'g>>,
    buffers: Vec<Octets<'g>>,
    /// The arrays of a nested type.
    pub children: Vec<Self>,
    /// The values of a dictionary.
    pub dictionary: Option<Box<Self>>,
}

impl<'g> ArrowColumn<'g> {
    /// The column of pandas' `ArrowExtensionArray`.
    pub(super) fn of_extension(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self, ErrorKind> {
        let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
        let recent = graph.dict_value(state, "_pa_array");
        let array = recent.or_else(|| graph.dict_value(state, "_data"));
        let mut column = Self::parse(graph, array.ok_or(ErrorKind::Missing("_pa_array"))?, limits)?;
        column.is_recent = recent.is_some();
        Ok(column)
    }

    /// The column that an array or several chunks make.
    pub(super) fn parse(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self, ErrorKind> {
        let mut left = Allowance::new(limits);
        match call(graph, id) {
            Some((Global::ArrowArray, &[whole])) => {
                let first = graph.tuple(whole).and_then(|parts| parts.first());
                let data_type = *first.ok_or(ErrorKind::UnknownForm)?;
                let data_type = ArrowType::parse(graph, data_type, 0, &mut left)?;
                Self::of_chunks(graph, data_type, &[id], &mut left)
            }
            Some((Global::ArrowChunks, &[chunks, data_type])) => {
                let data_type = ArrowType::parse(graph, data_type, 0, &mut left)?;
                let chunks = graph.list(chunks).ok_or(ErrorKind::UnknownForm)?;
                let chunks = chunks.items_from(0).map(|item| match item {
                    Item::Node(id) => Ok(id),
                    Item::Float(_) => Err(ErrorKind::UnknownForm),
                });
                Self::of_chunks(graph, data_type, &chunks.collect::<Result<Vec<_>, _>>()?, &mut left)
            }
            _ => Err(ErrorKind::UnknownForm),
        }
    }

    fn of_chunks(
        graph: &'g Graph<'g>,
        data_type: ArrowType,
        chunks: &[NodeId],
        left: &mut Allowance,
    ) -> Result<Self, ErrorKind> {
        let mut column = Self { data_type, chunks: Vec::new(), rows: 0, is_recent: false };
        for id in chunks {
            let Some((Global::ArrowArray, &[whole])) = call(graph, *id) else {
                return Err(ErrorKind::UnknownForm);
            };
            let chunk = ArrowArray::parse(graph, whole, &column.data_type, 0, left)?;
            let first = column.rows;
            column.rows = first.checked_add(chunk.length).ok_or(LENGTH)?;
            column.chunks.push((first, chunk));
        }
        Ok(column)
    }

    /// The chunk that holds a row, and the row in it.
    pub fn chunk_of(&self, row: usize) -> Option<(&ArrowArray<'g>, usize)> {
        let at = self.chunks.partition_point(|(first, _)| *first <= row).checked_sub(1)?;
        let (first, chunk) = &self.chunks[at];
        (row - first < chunk.length).then_some((chunk, row - first))
    }

    /// The bytes of the text in one row; `None` where it is missing and in columns of all else.
    pub fn text(&self, row: usize) -> Option<&[u8]> {
        let ArrowType::Text(kind) = self.data_type else { return None };
        let (chunk, row) = self.chunk_of(row)?;
        chunk.is_valid(row).then(|| chunk.bytes(kind, row))
    }

    /// The number of one row; `None` where it is missing and in columns of all else.
    pub fn number(&self, row: usize) -> Option<Number> {
        let (chunk, row) = self.chunk_of(row)?;
        if !chunk.is_valid(row) {
            return None;
        }
        let kind = match self.data_type {
            ArrowType::Bool => return Some(Number::Bool(chunk.bit(row))),
            ArrowType::Int(_) => crate::numpy::Kind::Int,
            ArrowType::Uint(_) => crate::numpy::Kind::Uint,
            ArrowType::Float(_) => crate::numpy::Kind::Float,
            _ => return None,
        };
        let itemsize = self.data_type.width()?;
        let dtype = crate::numpy::Dtype { kind, itemsize, big_endian: false };
        crate::numpy::items::number(dtype, chunk.fixed(itemsize, row..row + 1))
    }
}

/// What is wrong with an array.
const LENGTH: ErrorKind = ErrorKind::Arrow("a length or an offset is impossible");
const SHORT: ErrorKind = ErrorKind::Arrow("a buffer is too short for the length");
const OFFSETS: ErrorKind = ErrorKind::Arrow("its offsets go down, or beyond the data");
const CHILD: ErrorKind = ErrorKind::Arrow("a child is too short");
const INDEX: ErrorKind = ErrorKind::Arrow("an index lies outside the dictionary");
const RUNS: ErrorKind = ErrorKind::Arrow("its runs do not rise, or end too early");
const PARTS: ErrorKind = ErrorKind::Arrow("its type and its parts disagree");

/// Bytes of a view.
const VIEW: usize = 16;
/// A text up to this long stands in its view.
const INLINE: usize = 12;

impl<'g> ArrowArray<'g> {
    /// The array of the 7-tuple `id`, which must be of `data_type`.
    fn parse(
        graph: &'g Graph<'g>,
        id: NodeId,
        data_type: &ArrowType,
        depth: usize,
        left: &mut Allowance,
    ) -> Result<Self, ErrorKind> {
        left.spend(depth)?;
        let &[own_type, length, _nulls, offset, buffers, children, dictionary] =
            graph.tuple(id).unwrap_or_default()
        else {
            return Err(ErrorKind::UnknownForm);
        };
        if !ArrowType::parse(graph, own_type, depth, left)?.is_like(data_type) {
            return Err(PARTS);
        }
        let mut buffers = parse_buffers(graph, buffers)?.into_iter();
        let validity = buffers.next().flatten();
        let mut array = Self {
            length: count(graph, length)?,
            offset: count(graph, offset)?,
            validity,
            buffers: buffers.map(Option::unwrap_or_default).collect(),
            children: Vec::new(),
            dictionary: None,
        };
        let types = child_types(data_type);
        let children: Vec<_> = graph.list(children).ok_or(ErrorKind::UnknownForm)?.items_from(0).collect();
        if children.len() != types.len() {
            return Err(PARTS);
        }
        for (child, data_type) in children.into_iter().zip(&types) {
            let Item::Node(child) = child else { return Err(ErrorKind::UnknownForm) };
            array.children.push(Self::parse(graph, child, data_type, depth + 1, left)?);
        }
        if let ArrowType::Dictionary(_, values, _) = data_type {
            array.dictionary = Some(Box::new(Self::parse(graph, dictionary, values, depth + 1, left)?));
        }
        array.check(data_type)?;
        Ok(array)
    }

    fn check(&self, data_type: &ArrowType) -> Result<(), ErrorKind> {
        let end = self.offset.checked_add(self.length).filter(|end| i64::try_from(*end).is_ok());
        let end = end.ok_or(LENGTH)?;
        if self.length == 0 {
            return Ok(());
        }
        if self.validity.as_ref().is_some_and(|bits| bits.len() < end.div_ceil(8)) {
            return Err(SHORT);
        }
        match data_type {
            ArrowType::Null => Ok(()),
            ArrowType::Bool => self.holds(end.div_ceil(8)),
            ArrowType::Text(Offsets::View) | ArrowType::Binary(Offsets::View) => self.check_views(end),
            ArrowType::Text(kind) | ArrowType::Binary(kind) => {
                self.check_offsets(*kind, end, self.buffers.get(1).map_or(0, |data| data.len()))
            }
            ArrowType::List(_, kind) => self.check_offsets(*kind, end, self.children[0].length),
            ArrowType::Map(_) => self.check_offsets(Offsets::Narrow, end, self.children[0].length),
            ArrowType::FixedList(_, length) => self.child_holds(end.checked_mul(*length).ok_or(LENGTH)?),
            ArrowType::Struct(_) => self.child_holds(end),
            ArrowType::Runs(ends, _) => self.check_runs(ends, end),
            ArrowType::Dictionary(index, ..) => {
                let width = data_type.width().ok_or(PARTS)?;
                self.holds(end.checked_mul(width).ok_or(LENGTH)?)?;
                self.check_indices(index)
            }
            fixed => {
                let width = fixed.width().ok_or(PARTS)?;
                self.holds(end.checked_mul(width).ok_or(LENGTH)?)
            }
        }
    }

    /// Whether the first buffer of values has `bytes` bytes.
    fn holds(&self, bytes: usize) -> Result<(), ErrorKind> {
        if self.buffers.first().map_or(0, |buffer| buffer.len()) < bytes { Err(SHORT) } else { Ok(()) }
    }

    fn child_holds(&self, rows: usize) -> Result<(), ErrorKind> {
        if self.children.iter().all(|child| child.length >= rows) { Ok(()) } else { Err(CHILD) }
    }

    fn check_offsets(&self, kind: Offsets, end: usize, data: usize) -> Result<(), ErrorKind> {
        let width = if kind == Offsets::Wide { 8 } else { 4 };
        let bytes = end.checked_add(1).and_then(|count| count.checked_mul(width)).ok_or(LENGTH)?;
        self.holds(bytes)?;
        let mut before = 0;
        for row in 0..=self.length {
            let offset = self.offset_at(kind, row);
            if offset < before {
                return Err(OFFSETS);
            }
            before = offset;
        }
        if before > data as u64 { Err(OFFSETS) } else { Ok(()) }
    }

    fn check_views(&self, end: usize) -> Result<(), ErrorKind> {
        self.holds(end.checked_mul(VIEW).ok_or(LENGTH)?)?;
        let sound = |row| !self.is_valid(row) || self.view(row).is_some();
        if (0..self.length).all(sound) { Ok(()) } else { Err(OFFSETS) }
    }

    fn check_indices(&self, index: &ArrowType) -> Result<(), ErrorKind> {
        let values = self.dictionary.as_ref().map_or(0, |values| values.length);
        let sound = |row| !self.is_valid(row) || self.index(index, row).is_some_and(|index| index < values);
        if (0..self.length).all(sound) { Ok(()) } else { Err(INDEX) }
    }

    fn check_runs(&self, ends: &ArrowType, end: usize) -> Result<(), ErrorKind> {
        let [run_ends, values] = self.children.as_slice() else { return Err(PARTS) };
        if run_ends.length > values.length || run_ends.length == 0 {
            return Err(RUNS);
        }
        let mut before = 0;
        for run in 0..run_ends.length {
            match run_ends.index(ends, run) {
                Some(rows) if rows > before && run_ends.is_valid(run) => before = rows,
                _ => return Err(RUNS),
            }
        }
        if before < end { Err(RUNS) } else { Ok(()) }
    }

    /// Whether the value of a row is there.
    pub fn is_valid(&self, row: usize) -> bool {
        self.validity.as_ref().is_none_or(|bits| bit(bits, self.offset + row))
    }

    /// Whether all values are there because nothing says that one is missing.
    pub fn has_no_validity(&self) -> bool {
        self.validity.is_none()
    }

    /// The boolean of a row.
    pub fn bit(&self, row: usize) -> bool {
        self.buffers.first().is_some_and(|bits| bit(bits, self.offset + row))
    }

    /// The values of `rows`, each `width` bytes.
    pub fn fixed(&self, width: usize, rows: std::ops::Range<usize>) -> &[u8] {
        if rows.is_empty() {
            return &[];
        }
        let at = |row| (self.offset + row) * width;
        self.buffers.first().map_or(&[], |bytes| &bytes[at(rows.start)..at(rows.end)])
    }

    /// Where the values of a row begin in the data or in the child; the one behind the last says where they end.
    pub fn offset_at(&self, kind: Offsets, row: usize) -> u64 {
        let (at, Some(bytes)) = (self.offset + row, self.buffers.first()) else { return 0 };
        let mut wide = [0; 8];
        let width = if kind == Offsets::Wide { 8 } else { 4 };
        wide[..width].copy_from_slice(&bytes[at * width..][..width]);
        let raw = u64::from_le_bytes(wide);
        // One below zero becomes one far beyond the data.
        if width == 4 && raw > i32::MAX as u64 { u64::MAX } else { raw }
    }

    /// The bytes that offsets point into.
    pub fn data(&self) -> &[u8] {
        self.buffers.get(1).map_or(&[], |data| data)
    }

    /// The bytes of a row of text or bytes that is there.
    pub fn bytes(&self, kind: Offsets, row: usize) -> &[u8] {
        match kind {
            Offsets::View => self.view(row).unwrap_or_default(),
            _ => &self.data()[self.offset_at(kind, row) as usize..self.offset_at(kind, row + 1) as usize],
        }
    }

    /// The bytes of a row of views; `None` if the view is not sound.
    pub fn view(&self, row: usize) -> Option<&[u8]> {
        let view = self.fixed(VIEW, row..row + 1);
        let int = |at: usize| view[at..at + 4].try_into().ok().map(i32::from_le_bytes);
        let length = usize::try_from(int(0)?).ok()?;
        if length <= INLINE {
            return Some(&view[4..4 + length]);
        }
        // The last buffer may hold the lengths of the others, and is never pointed into.
        let buffer = self.buffers.get(usize::try_from(int(8)?).ok()?.checked_add(1)?)?;
        let start = usize::try_from(int(12)?).ok()?;
        buffer.get(start..start.checked_add(length)?)
    }

    /// The integer of a row as an index; `None` if it is below zero or no integer.
    pub fn index(&self, data_type: &ArrowType, row: usize) -> Option<usize> {
        let (width, signed) = match data_type {
            ArrowType::Int(width) => (*width, true),
            ArrowType::Uint(width) => (*width, false),
            _ => return None,
        };
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(self.fixed(width, row..row + 1));
        let raw = u64::from_le_bytes(wide);
        let unused = 64 - 8 * width as u32;
        if signed {
            usize::try_from(raw.wrapping_shl(unused) as i64 >> unused).ok()
        } else {
            usize::try_from(raw).ok()
        }
    }
}

fn bit(bits: &[u8], at: usize) -> bool {
    bits[at / 8] >> (at % 8) & 1 == 1
}

/// The types of an array's children.
fn child_types(data_type: &ArrowType) -> Vec<ArrowType> {
    match data_type {
        ArrowType::List(item, _) | ArrowType::FixedList(item, _) => vec![item.data_type.clone()],
        ArrowType::Struct(fields) => fields.iter().map(|field| field.data_type.clone()).collect(),
        ArrowType::Map(entry) => vec![ArrowType::Struct(entry.to_vec())],
        ArrowType::Runs(ends, values) => vec![(**ends).clone(), (**values).clone()],
        _ => Vec::new(),
    }
}

fn parse_buffers<'g>(graph: &'g Graph<'g>, id: NodeId) -> Result<Vec<Option<Octets<'g>>>, ErrorKind> {
    let buffers = graph.list(id).ok_or(ErrorKind::UnknownForm)?;
    let parse = |item| match item {
        Item::Node(NodeId::NONE) => Ok(None),
        Item::Node(id) => match call(graph, id) {
            Some((Global::ArrowBuffer, &[bytes])) => {
                shared_bytes_of(graph, bytes).map(Some).ok_or(ErrorKind::UnknownForm)
            }
            _ => Err(ErrorKind::UnknownForm),
        },
        Item::Float(_) => Err(ErrorKind::UnknownForm),
    };
    buffers.items_from(0).map(parse).collect()
}

fn count(graph: &Graph<'_>, id: NodeId) -> Result<usize, ErrorKind> {
    match graph.node(id) {
        Node::Int(count) => usize::try_from(count).map_err(|_| LENGTH),
        _ => Err(ErrorKind::UnknownForm),
    }
}
