//! A bounds-checked walk over the tags and lengths of a message; values are never copied, only pointed at.

use super::{Error, varint::Wire};

/// Groups inside groups that a message may have; deeper ones are refused, as other parsers do.
const GROUP_DEPTH_MAX: usize = 100;

/// Reads the fields of one message.
#[derive(Debug, Clone)]
pub(super) struct Scan<'m> {
    bytes: &'m [u8],
    at: usize,
    /// Where `bytes` begins in the outermost message, for errors.
    base: usize,
}

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'m> {
    pub(super) number: u32,
    pub(super) value: Value<'m>,
    /// Where the value begins in the outermost message.
    pub(super) offset: usize,
}

/// The value of a field, as its wire type delimits it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'m> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'m [u8]),
    Fixed32(u32),
    /// Groups have no place in proto3: they are stepped over.
    Group,
}

impl Value<'_> {
    /// The wire type.
    pub(super) fn wire(&self) -> Wire {
        match self {
            Self::Varint(_) => Wire::Varint,
            Self::Fixed64(_) => Wire::Fixed64,
            Self::Bytes(_) => Wire::Bytes,
            Self::Fixed32(_) => Wire::Fixed32,
            Self::Group => Wire::GroupStart,
        }
    }
}

impl<'m> Scan<'m> {
    /// Reads `bytes`, which begin at `base` of the outermost message.
    pub(super) fn new(bytes: &'m [u8], base: usize) -> Self {
        Self { bytes, at: 0, base }
    }

    /// The next field; none at the end.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Found<'m>>, Error> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let (number, wire) = self.key()?;
        let value = match wire {
            Wire::Varint => Value::Varint(self.varint()?),
            Wire::Fixed64 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            Wire::Fixed32 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            Wire::Bytes => Value::Bytes(self.delimited()?),
            Wire::GroupStart => self.group(number)?,
            Wire::GroupEnd => return Err(self.malformed("a group ends that did not begin")),
        };
        let length = if let Value::Bytes(bytes) = value { bytes.len() } else { 0 };
        Ok(Some(Found { number, value, offset: self.base + self.at - length }))
    }

    #[inline]
    fn key(&mut self) -> Result<(u32, Wire), Error> {
        let key = self.varint()?;
        let wire = match key & 7 {
            0 => Wire::Varint,
            1 => Wire::Fixed64,
            2 => Wire::Bytes,
            3 => Wire::GroupStart,
            4 => Wire::GroupEnd,
            5 => Wire::Fixed32,
            _ => return Err(self.malformed("unknown wire type")),
        };
        match u32::try_from(key) {
            Ok(key) if key >> 3 != 0 => Ok((key >> 3, wire)),
            _ => Err(self.malformed("field number out of range")),
        }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.malformed("integer of more than 64 bits"))
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Error> {
        let byte =
            *self.bytes.get(self.at).ok_or_else(|| self.malformed("the message ends inside a field"))?;
        self.at += 1;
        Ok(byte)
    }

    /// The next `N` bytes.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        let bytes = *bytes.ok_or_else(|| self.malformed("the message ends inside a field"))?;
        self.at += N;
        Ok(bytes)
    }

    #[inline]
    fn delimited(&mut self) -> Result<&'m [u8], Error> {
        let length = self.varint()?;
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
        let length = length.ok_or_else(|| self.malformed("a length beyond the end of the message"))?;
        self.at += length;
        Ok(&rest[..length])
    }

    // The open groups are held by number, so that a deep nesting costs no stack.
    fn group(&mut self, number: u32) -> Result<Value<'m>, Error> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            match self.key()? {
                (ended, Wire::GroupEnd) if ended == innermost => drop(open.pop()),
                (_, Wire::GroupEnd) => return Err(self.malformed("a group ends that is not the innermost")),
                (begun, Wire::GroupStart) if open.len() < GROUP_DEPTH_MAX => open.push(begun),
                (_, Wire::GroupStart) => return Err(self.malformed("groups are nested too deep")),
                (_, Wire::Varint) => drop(self.varint()?),
                (_, Wire::Fixed64) => drop(self.array::<8>()?),
                (_, Wire::Fixed32) => drop(self.array::<4>()?),
                (_, Wire::Bytes) => drop(self.delimited()?),
            }
        }
        Ok(Value::Group)
    }

    /// True at the end of the message.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    #[cold]
    fn malformed(&self, what: &'static str) -> Error {
        Error::Malformed { offset: self.base + self.at, what }
    }
}
