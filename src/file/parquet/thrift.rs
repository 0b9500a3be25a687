//! Structs of Thrift's compact protocol, walked within bounds before the library reads them.
//!
//! The protocol stands in `doc/specs/thrift-compact-protocol.md` of Apache Thrift. The library's reader believes three
//! things that a stranger may claim, and each costs it time or memory that the file does not pay for:
//!
//! - how many elements a container has. What it does not know it skips element by element: a boolean in a list takes no
//!   byte there, and of a page header it does not notice that the bytes have ended, so a count of 2^31 is 2^31 turns;
//! - that a field has the type that `parquet.thrift` gives it. The type in the file is not compared, so bytes could be one
//!   thing to whom walks them and another to the library. Hence a walk knows the fields that the library reads;
//! - that values do not stand too deep in each other.
//!
//! What was walked is linear work for the library. Containers of booleans are refused: no footer and no page header has
//! one (`null_pages` of a column index is the only one of the format), and the library cannot skip them.

use std::ops::Range;

use crate::{
    cursor::{Cursor, Eof},
    limits::files::THRIFT_NESTING_MAX,
};

/// A struct that claims what it does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why} (byte {offset:#x})")]
pub struct ThriftFault {
    /// The byte of the file behind which it shows.
    pub offset: u64,
    /// What is wrong.
    pub why: ThriftWhy,
}

/// What is wrong with a struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThriftWhy {
    /// The bytes end before the struct does.
    #[error("ends {needed} bytes early at least")]
    Ended {
        /// How many bytes are missing, at least.
        needed: u64,
    },
    /// A container has more elements than there are bytes.
    #[error("claims {count} elements where {left} bytes are left")]
    Count {
        /// Its claimed elements.
        count: u64,
        /// The bytes that are left.
        left: u64,
    },
    /// A container of booleans.
    #[error("has a container of booleans, which the format has not")]
    Booleans,
    /// Values stand too deep in each other.
    #[error("nests values more than {THRIFT_NESTING_MAX} deep")]
    Nesting,
    /// A number does not fit its type.
    #[error("has a number that does not fit its type")]
    Number,
    /// A type that the protocol has not, or not for this field.
    #[error("has a value of type {found} where the format has another")]
    Type {
        /// The protocol's number of the type.
        found: u8,
    },
    /// A field comes twice in one struct.
    #[error("has field {field} twice")]
    Twice {
        /// The field's number.
        field: i16,
    },
    /// The elements of the schema are no tree.
    #[error("has a schema whose groups claim other children than there are")]
    Tree,
    /// The schema's groups stand too deep in each other.
    #[error("has a schema more than {limit} groups deep")]
    Depth {
        /// The bound.
        limit: usize,
    },
    /// The names on the ways to all columns take too much.
    #[error("has columns whose paths take more than {limit} bytes")]
    Paths {
        /// The bound.
        limit: u64,
    },
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    Uuid,
    List(&'static Self),
    Map,
    Struct(&'static Struct),
    /// Whatever it says it is: the library skips it.
    Any,
}

/// A struct: the fields of it that the library reads. All others it skips.
#[derive(Debug)]
pub(super) struct Struct(pub(super) &'static [(i16, Shape)]);

impl Struct {
    pub(super) fn is(&self, other: &'static Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A struct of which nothing is read.
pub(super) static UNKNOWN: Struct = Struct(&[]);

/// Looks on while a struct is walked. Structs are told apart by their address.
pub(super) trait Watch {
    /// A field of `of` that is a number.
    fn integer(&mut self, _of: &'static Struct, _field: i16, _value: i64) {}

    /// A field of `of` that is this many bytes or letters.
    fn binary(&mut self, _of: &'static Struct, _field: i16, _bytes: u64) {}

    /// The end of `of`.
    fn end(&mut self, _of: &'static Struct) -> Result<(), ThriftWhy> {
        Ok(())
    }
}

/// Walks the struct at the start of `part`, and says where it ends.
pub(super) fn walk(
    whole: &[u8],
    part: Range<usize>,
    of: &'static Struct,
    watch: &mut impl Watch,
) -> Result<usize, ThriftFault> {
    let mut walker = Walker { cursor: Cursor::between(whole, part), watch };
    let walked = walker.structure(of, 0);
    let offset = walker.cursor.offset();
    walked.map(|()| offset as usize).map_err(|why| ThriftFault { offset, why })
}

// The types of the protocol.
const BOOLEAN_TRUE: u8 = 1;
const BOOLEAN_FALSE: u8 = 2;
const I8: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

impl Shape {
    /// What the library skips as this type.
    fn of(found: u8) -> Result<Self, ThriftWhy> {
        Ok(match found {
            BOOLEAN_TRUE | BOOLEAN_FALSE => Self::Bool,
            I8 => Self::Byte,
            I16 | I32 | I64 => Self::I64,
            DOUBLE => Self::Double,
            BINARY => Self::Binary,
            LIST | SET => Self::List(&Self::Any),
            MAP => Self::Map,
            STRUCT => Self::Struct(&UNKNOWN),
            UUID => Self::Uuid,
            _ => return Err(ThriftWhy::Type { found }),
        })
    }

    /// This shape, if a value of type `found` has it. Numbers of every width are written alike.
    fn agreeing(self, found: u8) -> Result<Self, ThriftWhy> {
        let agrees = match self {
            Self::Any => return Self::of(found),
            Self::Bool => matches!(found, BOOLEAN_TRUE | BOOLEAN_FALSE),
            Self::Byte => found == I8,
            Self::I16 | Self::I32 | Self::I64 => matches!(found, I16 | I32 | I64),
            Self::Double => found == DOUBLE,
            Self::Binary => found == BINARY,
            Self::Uuid => found == UUID,
            Self::List(_) => found == LIST,
            Self::Map => found == MAP,
            Self::Struct(_) => found == STRUCT,
        };
        if agrees { Ok(self) } else { Err(ThriftWhy::Type { found }) }
    }
}

impl From<Eof> for ThriftWhy {
    fn from(eof: Eof) -> Self {
        Self::Ended { needed: eof.needed }
    }
}

struct Walker<'a, W> {
    cursor: Cursor<'a>,
    watch: &'a mut W,
}

impl<W: Watch> Walker<'_, W> {
    fn structure(&mut self, of: &'static Struct, depth: usize) -> Result<(), ThriftWhy> {
        let (mut last, mut seen) = (0, 0_u64);
        while let Some((id, found)) = self.field_begin(last)? {
            let place = of.0.iter().position(|(known, _)| *known == id);
            let shape = place.map_or(Shape::Any, |place| of.0[place].1);
            let bit = place.map_or(0, |place| 1 << place);
            if seen & bit != 0 {
                return Err(ThriftWhy::Twice { field: id });
            }
            seen |= bit;
            self.value(of, id, shape.agreeing(found)?, depth)?;
            last = id;
        }
        self.watch.end(of)
    }

    /// The number and the type of the next field, unless the struct ends.
    fn field_begin(&mut self, last: i16) -> Result<Option<(i16, u8)>, ThriftWhy> {
        let byte = self.cursor.take_byte()?;
        let (delta, found) = (byte >> 4, byte & 0xf);
        if byte == 0 {
            return Ok(None);
        }
        let id = match delta {
            0 => i16::try_from(self.zigzag()?).ok(),
            delta => last.checked_add(delta.into()),
        };
        Ok(Some((id.ok_or(ThriftWhy::Number)?, found)))
    }

    fn value(&mut self, of: &'static Struct, id: i16, shape: Shape, depth: usize) -> Result<(), ThriftWhy> {
        match shape {
            Shape::Bool => {}
            Shape::Byte => _ = self.cursor.take_byte()?,
            Shape::I16 => self.integer(of, id, i16::MAX.into())?,
            Shape::I32 => self.integer(of, id, i32::MAX.into())?,
            Shape::I64 => self.integer(of, id, i64::MAX)?,
            Shape::Double => _ = self.cursor.take_array::<8>()?,
            Shape::Uuid => _ = self.cursor.take_array::<16>()?,
            Shape::Binary => self.binary(of, id)?,
            Shape::List(element) => self.list(*element, deeper(depth)?)?,
            Shape::Map => self.map(deeper(depth)?)?,
            Shape::Struct(of) => self.structure(of, deeper(depth)?)?,
            Shape::Any => unreachable!("every type has a shape"),
        }
        Ok(())
    }

    fn integer(&mut self, of: &'static Struct, id: i16, max: i64) -> Result<(), ThriftWhy> {
        let value = self.zigzag()?;
        if value > max || value < -max - 1 {
            return Err(ThriftWhy::Number);
        }
        self.watch.integer(of, id, value);
        Ok(())
    }

    fn binary(&mut self, of: &'static Struct, id: i16) -> Result<(), ThriftWhy> {
        let bytes = self.varint()?;
        self.cursor.take_long(bytes)?;
        self.watch.binary(of, id, bytes);
        Ok(())
    }

    fn list(&mut self, element: Shape, depth: usize) -> Result<(), ThriftWhy> {
        let header = self.cursor.take_byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            count => count.into(),
        };
        // Some writers give an empty list no type.
        if count == 0 {
            return Ok(());
        }
        self.elements(count, 1)?;
        let element = in_container(element.agreeing(header & 0xf)?)?;
        (0..count).try_for_each(|_| self.value(&UNKNOWN, 0, element, depth))
    }

    fn map(&mut self, depth: usize) -> Result<(), ThriftWhy> {
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        self.elements(count, 2)?;
        let types = self.cursor.take_byte()?;
        let (key, value) = (in_container(Shape::of(types >> 4)?)?, in_container(Shape::of(types & 0xf)?)?);
        (0..count).try_for_each(|_| {
            self.value(&UNKNOWN, 0, key, depth)?;
            self.value(&UNKNOWN, 0, value, depth)
        })
    }

    /// Says that so many elements of `bytes_each` at least can be there.
    fn elements(&self, count: u64, bytes_each: u64) -> Result<(), ThriftWhy> {
        let left = self.cursor.remaining().len() as u64;
        if count > left / bytes_each { Err(ThriftWhy::Count { count, left }) } else { Ok(()) }
    }

    /// A ULEB128 number of 64 bits at most.
    fn varint(&mut self) -> Result<u64, ThriftWhy> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.cursor.take_byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(ThriftWhy::Number);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ThriftWhy::Number)
    }

    fn zigzag(&mut self) -> Result<i64, ThriftWhy> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

fn deeper(depth: usize) -> Result<usize, ThriftWhy> {
    if depth < THRIFT_NESTING_MAX { Ok(depth + 1) } else { Err(ThriftWhy::Nesting) }
}

fn in_container(element: Shape) -> Result<Shape, ThriftWhy> {
    if matches!(element, Shape::Bool) { Err(ThriftWhy::Booleans) } else { Ok(element) }
}

#[cfg(test)]
mod tests;
