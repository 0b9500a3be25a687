//! NumPy's own files (`numpy/lib/format.py`): a header that is a Python literal, and the bytes of one array behind it.
//!
//! Only the header is read here. [`Value::assemble`] then makes the graph that a pickle of the same arrays would give, so
//! that no later layer knows the difference. An array of objects is a pickle behind the header, read by the same machine.

use std::{ops::Range, sync::Arc};

use super::error::{Error, Result};
use crate::{
    limits::{Limits, files::NPY_HEADER_BYTES_MAX},
    pickle::{self, Assembly, Global, Graph, Grounds, Instruction, UnknownGlobals},
};

mod code;
mod literal;

pub use code::Code;
use literal::Literal;

/// How every file begins.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// What a file says of its array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the items are.
    pub items: Items,
    /// Items along each dimension.
    pub shape: Vec<u64>,
    /// Whether the bytes are in column-major order.
    pub fortran: bool,
    /// Where the bytes begin.
    pub data: usize,
}

/// What the items of an array are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// All of one kind.
    Plain(Code),
    /// Fields, in the order of their bytes, so many of them together.
    Record {
        /// The fields.
        fields: Vec<Field>,
        /// Bytes of one item.
        item_bytes: u64,
    },
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name; that of a field inside a field begins with the outer name and a dot.
    pub name: String,
    /// What it is.
    pub code: Code,
    /// Its own dimensions: none for a single value.
    pub shape: Vec<u64>,
    /// Where it begins in the item.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// An array, and where in the input its bytes are.
#[derive(Debug, Clone)]
pub struct Placed {
    /// What the items are.
    pub code: Code,
    /// Items along each dimension.
    pub shape: Vec<u64>,
    /// Whether the bytes are in column-major order.
    pub fortran: bool,
    /// The bytes: exactly those of the array, or all that its pickle may take.
    pub range: Range<usize>,
}

/// Arrays, alone or under names.
#[derive(Debug, Clone)]
pub enum Value {
    /// One array.
    Array(Placed),
    /// Values by name.
    Named(Vec<(String, Value)>),
}

impl Header {
    /// Reads the header at the start of `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let version = bytes.get(MAGIC.len()..).filter(|_| bytes.starts_with(MAGIC));
        let (length, start) = match *version.ok_or(Error::Npy("the first bytes of one"))? {
            [1, _, low, high, ..] => (usize::from(u16::from_le_bytes([low, high])), MAGIC.len() + 4),
            [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, MAGIC.len() + 6),
            [1..=3, ..] => return Err(Error::Npy("a whole header")),
            _ => return Err(Error::Npy("a version from 1 to 3")),
        };
        if length > NPY_HEADER_BYTES_MAX {
            return Err(Error::Npy("a header of at most 64 KiB"));
        }
        let text = bytes.get(start..start + length).ok_or(Error::Npy("a whole header"))?;
        Self::of_literal(&Literal::parse(text)?, start + length)
    }

    fn of_literal(literal: &Literal, data: usize) -> Result<Self> {
        let value =
            |key| literal.value(key).ok_or(Error::Npy("descr, fortran_order and shape in its header"));
        let Literal::Bool(fortran) = value("fortran_order")? else { return Err(Error::Npy("an order")) };
        let (items, shape) = (Items::parse(value("descr")?)?, shape(value("shape")?)?);
        Ok(Self { items, shape, fortran: *fortran, data })
    }

    /// The number of items.
    pub fn count(&self) -> Result<u64> {
        product(&self.shape)
    }
}

impl Items {
    fn parse(descr: &Literal) -> Result<Self> {
        match descr {
            Literal::Text(code) => Ok(Self::Plain(Code::parse(code)?)),
            Literal::Sequence(_) => {
                let mut fields = Vec::new();
                let item_bytes = fields_of(descr, "", 0, &mut fields)?;
                Ok(Self::Record { fields, item_bytes })
            }
            _ => Err(Error::Npy("a dtype")),
        }
    }

    /// Bytes of one item; none where they are objects.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Plain(code) => code.bytes(),
            Self::Record { item_bytes, .. } => Some(*item_bytes),
        }
    }
}

/// Adds the fields of a record that begins at `start`; returns where it ends. As deep as the literal, which is bounded.
fn fields_of(descr: &Literal, outer: &str, start: u64, fields: &mut Vec<Field>) -> Result<u64> {
    const UNKNOWN: Error = Error::Npy("a name and a dtype for each field");
    let mut offset = start;
    let Literal::Sequence(list) = descr else { return Err(UNKNOWN) };
    for field in list {
        let (name, inner, dimensions) = match field.items().ok_or(UNKNOWN)? {
            [name, inner] => (name, inner, Vec::new()),
            [name, inner, dimensions] => (name, inner, shape(dimensions)?),
            _ => return Err(UNKNOWN),
        };
        let name = format!("{outer}{}", name.field_name().ok_or(UNKNOWN)?);
        let Literal::Text(code) = inner else {
            if !dimensions.is_empty() {
                return Err(Error::Npy("fields without arrays of records"));
            }
            offset = fields_of(inner, &format!("{name}."), offset, fields)?;
            continue;
        };
        let code = Code::parse(code)?;
        let bytes =
            product(&dimensions)?.checked_mul(code.bytes().ok_or(Error::Npy("records without objects"))?);
        let bytes = bytes.ok_or(Error::ImpossibleShape)?;
        // Without a name it is padding.
        if !name.is_empty() && !name.ends_with('.') {
            fields.push(Field { name, code, shape: dimensions, offset, bytes });
        }
        offset = offset.checked_add(bytes).ok_or(Error::ImpossibleShape)?;
    }
    Ok(offset)
}

fn shape(literal: &Literal) -> Result<Vec<u64>> {
    const UNKNOWN: Error = Error::Npy("a shape");
    let sizes = literal.items().ok_or(UNKNOWN)?.iter();
    let sizes = sizes.map(|size| if let Literal::Int(size) = size { Ok(*size) } else { Err(UNKNOWN) });
    sizes.collect()
}

fn product(shape: &[u64]) -> Result<u64> {
    let count = shape.iter().try_fold(1_u64, |count, size| count.checked_mul(*size));
    count.ok_or(Error::ImpossibleShape)
}

impl Value {
    /// The graph of these arrays. `end` is where the last of them ends, if that is known before.
    pub fn assemble<'a>(
        &self,
        input: &'a [u8],
        limits: &Limits,
        unknown: UnknownGlobals,
        ground: Option<Arc<dyn Grounds>>,
    ) -> pickle::Result<Graph<'a>> {
        let mut assembly = Assembly::new(input, limits, unknown, ground);
        let located = |kind| pickle::Error::new(0, None, kind);
        let end = match self {
            Self::Array(placed) => placed.assemble(&mut assembly)?,
            Self::Named(values) => {
                named(values, &mut assembly)?;
                input.len()
            }
        };
        assembly.finish(end).map_err(located)
    }
}

fn named(values: &[(String, Value)], assembly: &mut Assembly<'_>) -> pickle::Result<()> {
    let located = |kind| pickle::Error::new(0, None, kind);
    assembly.step(Instruction::EmptyDict).map_err(located)?;
    for (name, value) in values {
        assembly.text(name).map_err(located)?;
        match value {
            Value::Array(placed) => placed.assemble(assembly).map(drop)?,
            Value::Named(inner) => named(inner, assembly)?,
        }
        assembly.step(Instruction::SetItem).map_err(located)?;
    }
    Ok(())
}

impl Placed {
    /// Leaves the array on the stack; returns where it ends.
    fn assemble(&self, assembly: &mut Assembly<'_>) -> pickle::Result<usize> {
        if self.code.is_object() {
            return assembly.pickle(self.range.clone());
        }
        let located = |kind| pickle::Error::new(self.range.start as u64, None, kind);
        self.steps(assembly).map_err(located)?;
        Ok(self.range.end)
    }

    /// `_reconstruct(ndarray, (0,), b"b")` with the state `(1, shape, dtype, fortran, bytes)`.
    fn steps(&self, assembly: &mut Assembly<'_>) -> Result<(), pickle::ErrorKind> {
        use Instruction as I;
        assembly.global(Global::Reconstruct)?;
        assembly.global(Global::NdArray)?;
        assembly.step(I::TupleOf(1))?;
        assembly.step(I::Reduce)?;
        assembly.step(I::Mark)?;
        assembly.int(1)?;
        assembly.step(I::Mark)?;
        for size in &self.shape {
            assembly.int(i64::try_from(*size).unwrap_or(i64::MAX))?;
        }
        assembly.step(I::Tuple)?;
        self.code.assemble(assembly)?;
        assembly.step(I::Bool(self.fortran))?;
        assembly.range(self.range.clone())?;
        assembly.step(I::Tuple)?;
        assembly.step(I::Build)
    }
}

#[cfg(test)]
mod tests;
