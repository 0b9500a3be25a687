//! Bytes to instructions: the opcode, its argument, and the rules of frames. Nothing is executed and nothing is kept.
//!
//! A run of `BINFLOAT`s comes out as one instruction that names its byte range: a column of embeddings holds one for each
//! 64 KiB frame of a row at most, not one for each float. Frames follow PEP 3154; as `CPython` does since July 2026, an
//! instruction that crosses the end of its frame is refused (it made scanners and readers disagree).

use std::ops::Range;

use super::{
    error::{Error, ErrorKind, Result},
    opcode::Opcode,
};
use crate::{
    cursor::Cursor,
    limits::{Bound, Exceeded, Limits},
};

/// Bytes of one `BINFLOAT`: the opcode and eight of value.
pub const BINFLOAT_BYTES: usize = 9;
/// Bytes of one `FRAME`: the opcode and eight of length.
pub(super) const FRAME_BYTES: usize = 9;

/// One decoded instruction; text and bytes are borrowed from the input.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "each variant is its opcode; Opcode says what it means")]
pub enum Instruction<'a> {
    Proto(u8),
    Frame,
    Mark,
    Stop,
    Pop,
    PopMark,
    Dup,
    None,
    Bool(bool),
    Int(i64),
    /// Two's complement, little endian.
    BigInt(&'a [u8]),
    /// Decimal digits with an optional sign, checked.
    DecimalInt(&'a [u8]),
    Float(f64),
    /// `count` consecutive `BINFLOAT`s, the first opcode at `offset`.
    Floats {
        count: u32,
        offset: u64,
    },
    /// UTF-8 that may hold surrogates.
    Text(&'a [u8]),
    /// raw-unicode-escape.
    EscapedText(&'a [u8]),
    /// A Python 2 `str`.
    String(&'a [u8]),
    /// A Python 2 `str` between quotes, with escapes.
    QuotedString(&'a [u8]),
    Bytes(&'a [u8]),
    ByteArray(&'a [u8]),
    EmptyList,
    EmptyTuple,
    EmptyDict,
    EmptySet,
    Append,
    Appends,
    SetItem,
    SetItems,
    AddItems,
    List,
    Dict,
    Tuple,
    TupleOf(u8),
    FrozenSet,
    Get(u64),
    Put(u64),
    Memoize,
    Global {
        module: &'a [u8],
        name: &'a [u8],
    },
    StackGlobal,
    Reduce,
    Build,
    NewObj,
    NewObjEx,
    Inst {
        module: &'a [u8],
        name: &'a [u8],
    },
    Obj,
    /// PERSID, BINPERSID, EXT1, EXT2, EXT4, `NEXT_BUFFER`, `READONLY_BUFFER`: each needs something that is not in the file.
    Outside(&'static str),
}

/// Reads instructions one by one.
#[derive(Debug)]
pub struct Decoder<'a> {
    cursor: Cursor<'a>,
    frame_end: Option<u64>,
    line_bytes_max: usize,
    int_digits_max: usize,
    at: u64,
    opcode: Option<Opcode>,
}

impl<'a> Decoder<'a> {
    /// Stands before the first instruction of `input`.
    pub fn new(input: &'a [u8], limits: &Limits) -> Self {
        Self {
            cursor: Cursor::new(input),
            frame_end: None,
            line_bytes_max: limits.line_bytes_max,
            int_digits_max: limits.int_digits_max,
            at: 0,
            opcode: None,
        }
    }

    /// Stands before the first instruction of a part of `input`; offsets are those of the whole.
    pub(super) fn between(input: &'a [u8], part: Range<usize>, limits: &Limits) -> Self {
        Self { cursor: Cursor::between(input, part), ..Self::new(input, limits) }
    }

    /// Offset of the instruction that was decoded last.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The opcode that was decoded last; none where the byte is no opcode.
    pub fn opcode(&self) -> Option<Opcode> {
        self.opcode
    }

    /// Offset behind the instruction that was decoded last.
    pub fn end(&self) -> u64 {
        self.cursor.offset()
    }

    /// The next `count` bytes, which are no instruction: they stand outside all frames.
    pub(super) fn take_raw(&mut self, count: u64) -> Result<&'a [u8], ErrorKind> {
        self.leave_frame()?;
        Ok(self.cursor.take_long(count)?)
    }

    /// Says that no frame is open.
    pub(super) fn leave_frame(&self) -> Result<(), ErrorKind> {
        if self.frame_end.is_some() { Err(ErrorKind::CrossesFrame) } else { Ok(()) }
    }

    /// Steps over bytes that are no instruction: see [`Graph::raw`](super::Graph::raw).
    pub fn skip_to(&mut self, offset: u64) -> Result<(), ErrorKind> {
        self.take_raw(offset.saturating_sub(self.end())).map(drop)
    }

    /// A fault of the instruction that was decoded last.
    #[cold]
    pub fn error(&self, kind: impl Into<ErrorKind>) -> Error {
        Error::new(self.at, self.opcode, kind)
    }

    /// The next instruction.
    #[inline]
    pub fn next_instruction(&mut self) -> Result<Instruction<'a>> {
        self.at = self.cursor.offset();
        self.opcode = None;
        let instruction = self.decode().map_err(|kind| self.error(kind))?;
        match self.frame_end {
            Some(end) if self.cursor.offset() > end => Err(self.error(ErrorKind::CrossesFrame)),
            Some(end) if self.cursor.offset() == end => {
                self.frame_end = None;
                Ok(instruction)
            }
            _ => Ok(instruction),
        }
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each opcode, none of them longer than it needs")]
    fn decode(&mut self) -> Result<Instruction<'a>, ErrorKind> {
        use Instruction as I;
        let byte = self.cursor.take_byte()?;
        let opcode = Opcode::from_byte(byte).ok_or(ErrorKind::UnknownOpcode(byte))?;
        self.opcode = Some(opcode);
        Ok(match opcode {
            Opcode::BINFLOAT => return self.floats(),
            Opcode::PROTO => I::Proto(self.cursor.take_byte()?),
            Opcode::FRAME => return self.frame(),
            Opcode::MARK => I::Mark,
            Opcode::STOP => I::Stop,
            Opcode::POP => I::Pop,
            Opcode::POP_MARK => I::PopMark,
            Opcode::DUP => I::Dup,
            Opcode::NONE => I::None,
            Opcode::NEWTRUE => I::Bool(true),
            Opcode::NEWFALSE => I::Bool(false),
            Opcode::BININT => I::Int(i64::from(i32::from_le_bytes(self.cursor.take_array()?))),
            Opcode::BININT1 => I::Int(i64::from(self.cursor.take_byte()?)),
            Opcode::BININT2 => I::Int(i64::from(u16::from_le_bytes(self.cursor.take_array()?))),
            Opcode::LONG1 => self.counted_u8().map(big_int)?,
            Opcode::LONG4 => self.counted_i32().map(big_int)?,
            Opcode::INT => return self.text_int(),
            Opcode::LONG => return self.text_long(),
            Opcode::FLOAT => return self.text_float(),
            Opcode::SHORT_BINUNICODE => I::Text(self.counted_u8()?),
            Opcode::BINUNICODE => I::Text(self.counted_u32()?),
            Opcode::BINUNICODE8 => I::Text(self.counted_u64()?),
            Opcode::UNICODE => I::EscapedText(self.long_line()?),
            Opcode::SHORT_BINSTRING => I::String(self.counted_u8()?),
            Opcode::BINSTRING => I::String(self.counted_i32()?),
            Opcode::STRING => I::QuotedString(self.long_line()?),
            Opcode::SHORT_BINBYTES => I::Bytes(self.counted_u8()?),
            Opcode::BINBYTES => I::Bytes(self.counted_u32()?),
            Opcode::BINBYTES8 => I::Bytes(self.counted_u64()?),
            Opcode::BYTEARRAY8 => I::ByteArray(self.counted_u64()?),
            Opcode::EMPTY_LIST => I::EmptyList,
            Opcode::EMPTY_TUPLE => I::EmptyTuple,
            Opcode::EMPTY_DICT => I::EmptyDict,
            Opcode::EMPTY_SET => I::EmptySet,
            Opcode::APPEND => I::Append,
            Opcode::APPENDS => I::Appends,
            Opcode::SETITEM => I::SetItem,
            Opcode::SETITEMS => I::SetItems,
            Opcode::ADDITEMS => I::AddItems,
            Opcode::LIST => I::List,
            Opcode::DICT => I::Dict,
            Opcode::TUPLE => I::Tuple,
            Opcode::TUPLE1 => I::TupleOf(1),
            Opcode::TUPLE2 => I::TupleOf(2),
            Opcode::TUPLE3 => I::TupleOf(3),
            Opcode::FROZENSET => I::FrozenSet,
            Opcode::GET => I::Get(self.text_index()?),
            Opcode::BINGET => I::Get(u64::from(self.cursor.take_byte()?)),
            Opcode::LONG_BINGET => I::Get(u64::from(u32::from_le_bytes(self.cursor.take_array()?))),
            Opcode::PUT => I::Put(self.text_index()?),
            Opcode::BINPUT => I::Put(u64::from(self.cursor.take_byte()?)),
            Opcode::LONG_BINPUT => I::Put(u64::from(u32::from_le_bytes(self.cursor.take_array()?))),
            Opcode::MEMOIZE => I::Memoize,
            Opcode::GLOBAL => I::Global { module: self.line()?, name: self.line()? },
            Opcode::INST => I::Inst { module: self.line()?, name: self.line()? },
            Opcode::STACK_GLOBAL => I::StackGlobal,
            Opcode::REDUCE => I::Reduce,
            Opcode::BUILD => I::Build,
            Opcode::NEWOBJ => I::NewObj,
            Opcode::NEWOBJ_EX => I::NewObjEx,
            Opcode::OBJ => I::Obj,
            Opcode::PERSID => self.line().map(|_| I::Outside("PERSID"))?,
            Opcode::BINPERSID => I::Outside("BINPERSID"),
            Opcode::EXT1 => self.cursor.take(1).map(|_| I::Outside("EXT1"))?,
            Opcode::EXT2 => self.cursor.take(2).map(|_| I::Outside("EXT2"))?,
            Opcode::EXT4 => self.cursor.take(4).map(|_| I::Outside("EXT4"))?,
            Opcode::NEXT_BUFFER => I::Outside("NEXT_BUFFER"),
            Opcode::READONLY_BUFFER => I::Outside("READONLY_BUFFER"),
        })
    }

    /// This `BINFLOAT` and all that follow it without a gap, up to the end of the frame.
    #[inline]
    fn floats(&mut self) -> Result<Instruction<'a>, ErrorKind> {
        let offset = self.at;
        let first = self.cursor.take_array::<8>()?;
        let in_frame = self.frame_end.map_or(u64::MAX, |end| end.saturating_sub(self.cursor.offset()));
        let rest = self.cursor.remaining();
        let rest = &rest[..rest.len().min(usize::try_from(in_frame).unwrap_or(usize::MAX))];
        let more = binfloats_at_start(rest).min(u32::MAX as usize - 1);
        if more == 0 {
            return Ok(Instruction::Float(f64::from_be_bytes(first)));
        }
        self.cursor.take(more * BINFLOAT_BYTES)?;
        Ok(Instruction::Floats { count: more as u32 + 1, offset })
    }

    fn frame(&mut self) -> Result<Instruction<'a>, ErrorKind> {
        let announced = u64::from_le_bytes(self.cursor.take_array()?);
        let left = self.cursor.remaining().len() as u64;
        if self.frame_end.is_some() {
            return Err(ErrorKind::CrossesFrame);
        }
        if announced > left {
            return Err(ErrorKind::FrameBeyondEnd { announced, left });
        }
        self.frame_end = Some(self.cursor.offset() + announced);
        Ok(Instruction::Frame)
    }

    fn counted_u8(&mut self) -> Result<&'a [u8], ErrorKind> {
        let count = self.cursor.take_byte()?;
        Ok(self.cursor.take(usize::from(count))?)
    }

    fn counted_u32(&mut self) -> Result<&'a [u8], ErrorKind> {
        let count = u32::from_le_bytes(self.cursor.take_array()?);
        Ok(self.cursor.take_long(u64::from(count))?)
    }

    fn counted_u64(&mut self) -> Result<&'a [u8], ErrorKind> {
        let count = u64::from_le_bytes(self.cursor.take_array()?);
        Ok(self.cursor.take_long(count)?)
    }

    fn counted_i32(&mut self) -> Result<&'a [u8], ErrorKind> {
        let count = i32::from_le_bytes(self.cursor.take_array()?);
        let count = u64::try_from(count).map_err(|_| ErrorKind::NegativeLength(i64::from(count)))?;
        Ok(self.cursor.take_long(count)?)
    }

    fn line(&mut self) -> Result<&'a [u8], ErrorKind> {
        const LINE: Bound = Bound { what: "bytes of a line", flag: Some("line-bytes") };
        let limit = self.line_bytes_max;
        self.cursor.take_line(limit).map_err(|end| match self.cursor.remaining().len() {
            left if left <= limit => end.into(),
            left => Exceeded { of: &LINE, limit: limit as u64, wanted: left as u64 }.into(),
        })
    }

    /// A line that holds a value of any length, not a name.
    fn long_line(&mut self) -> Result<&'a [u8], ErrorKind> {
        Ok(self.cursor.take_line(usize::MAX)?)
    }

    fn text_index(&mut self) -> Result<u64, ErrorKind> {
        let line = self.line()?;
        parse_digits(line).ok_or_else(|| malformed("a memo slot", line))
    }

    fn text_int(&mut self) -> Result<Instruction<'a>, ErrorKind> {
        match self.line()? {
            b"00" => Ok(Instruction::Bool(false)),
            b"01" => Ok(Instruction::Bool(true)),
            line => self.decimal(line, line),
        }
    }

    fn text_long(&mut self) -> Result<Instruction<'a>, ErrorKind> {
        let line = self.line()?;
        self.decimal(line.strip_suffix(b"L").unwrap_or(line), line)
    }

    fn decimal(&self, text: &'a [u8], line: &'a [u8]) -> Result<Instruction<'a>, ErrorKind> {
        const DIGITS: Bound = Bound { what: "digits of one integer", flag: Some("int-digits") };
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if digits.len() > self.int_digits_max {
            let (limit, wanted) = (self.int_digits_max as u64, digits.len() as u64);
            return Err(Exceeded { of: &DIGITS, limit, wanted }.into());
        }
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(malformed("an integer", line));
        }
        let small = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        Ok(small.map_or(Instruction::DecimalInt(text), Instruction::Int))
    }

    fn text_float(&mut self) -> Result<Instruction<'a>, ErrorKind> {
        let line = self.line()?;
        let is_float_text = line.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e'))
            || matches!(line, b"nan" | b"-nan" | b"inf" | b"-inf");
        let value =
            std::str::from_utf8(line).ok().filter(|_| is_float_text).and_then(|text| text.parse().ok());
        value.map(Instruction::Float).ok_or_else(|| malformed("a float", line))
    }
}

/// How many `BINFLOAT`s stand at the start of `bytes` without a gap.
#[allow(clippy::needless_bitwise_bool, reason = "without branches the eight looks are one")]
pub(super) fn binfloats_at_start(bytes: &[u8]) -> usize {
    const TAG: u8 = Opcode::BINFLOAT as u8;
    const BLOCK: usize = 8 * BINFLOAT_BYTES;
    let mut blocks = bytes.chunks_exact(BLOCK);
    let mut count = 0;
    for block in &mut blocks {
        let differs = (0..8).fold(0, |differs, index| differs | (block[index * BINFLOAT_BYTES] ^ TAG));
        if differs != 0 {
            break;
        }
        count += 8;
    }
    let rest = bytes[count * BINFLOAT_BYTES..].chunks_exact(BINFLOAT_BYTES);
    count + rest.take_while(|float| float[0] == TAG).count()
}

/// Narrows a two's complement integer that fits 64 bits.
fn big_int(bytes: &[u8]) -> Instruction<'_> {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let fill = if negative { 0xff } else { 0 };
    let significant = bytes.iter().rposition(|byte| *byte != fill).map_or(0, |last| last + 1);
    if significant > 8 {
        return Instruction::BigInt(bytes);
    }
    let mut value = [fill; 8];
    value[..significant].copy_from_slice(&bytes[..significant]);
    let value = i64::from_le_bytes(value);
    if (value < 0) == negative { Instruction::Int(value) } else { Instruction::BigInt(bytes) }
}

fn parse_digits(line: &[u8]) -> Option<u64> {
    let digits = !line.is_empty() && line.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(line).ok()?.parse().ok()).flatten()
}

#[cold]
fn malformed(what: &'static str, text: &[u8]) -> ErrorKind {
    let shown = &text[..text.len().min(40)];
    ErrorKind::MalformedText { what, text: String::from_utf8_lossy(shown).into_owned() }
}

#[cfg(test)]
mod tests;
