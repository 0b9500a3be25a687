//! What NumPy calls the type of an array's items outside pickles: `<f8`, `|S5`, `>M8[ns]`.

use super::{Error, Result};
use crate::pickle::{Assembly, ErrorKind, Global, Instruction};

/// The type of items, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    order: char,
    letter: char,
    /// Bytes; of text, code points.
    size: u64,
    /// Of times: the unit and how many of them one step is.
    unit: Option<(String, i64)>,
}

impl Code {
    /// Reads `ORDER LETTER SIZE [UNIT]`.
    pub fn parse(text: &str) -> Result<Self> {
        let unknown = || Error::UnknownDtype(text.chars().take(40).collect());
        let mut rest = text.chars();
        let order = rest.next().filter(|order| matches!(order, '<' | '>' | '|')).ok_or_else(unknown)?;
        let letter = rest.next().filter(|letter| "biufcSUVMmO".contains(*letter)).ok_or_else(unknown)?;
        let rest = rest.as_str();
        let (digits, unit) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        let size = match digits {
            // Of objects no size is written.
            "" if letter == 'O' => 8,
            digits => digits.parse().ok().filter(|_| plain).ok_or_else(unknown)?,
        };
        let unit = if unit.is_empty() { None } else { Some(parse_unit(unit).ok_or_else(unknown)?) };
        if unit.is_some() && !matches!(letter, 'M' | 'm') {
            return Err(unknown());
        }
        Ok(Self { order, letter, size, unit })
    }

    /// Bytes of one item; none where it is an object or the size is impossible.
    pub fn bytes(&self) -> Option<u64> {
        match self.letter {
            'O' => None,
            'U' => self.size.checked_mul(4),
            _ => Some(self.size),
        }
    }

    /// Whether the items are objects.
    pub fn is_object(&self) -> bool {
        self.letter == 'O'
    }

    /// Leaves the dtype on the stack: `dtype(code, False, True)` and its state.
    pub(super) fn assemble(&self, assembly: &mut Assembly<'_>) -> Result<(), ErrorKind> {
        use Instruction as I;
        assembly.global(Global::Dtype)?;
        assembly.text(&format!("{}{}", self.letter, self.size))?;
        assembly.step(I::Bool(false))?;
        assembly.step(I::Bool(true))?;
        assembly.step(I::TupleOf(3))?;
        assembly.step(I::Reduce)?;
        assembly.step(I::Mark)?;
        assembly.int(if self.unit.is_some() { 4 } else { 3 })?;
        assembly.text(&self.order.to_string())?;
        for _ in 0..3 {
            assembly.step(I::None)?;
        }
        let (item_bytes, alignment) = match self.letter {
            'U' => (self.bytes().and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1), 4),
            'S' | 'V' => (i64::try_from(self.size).unwrap_or(-1), 1),
            _ => (-1, -1),
        };
        assembly.int(item_bytes)?;
        assembly.int(alignment)?;
        assembly.int(0)?;
        self.assemble_unit(assembly)?;
        assembly.step(I::Tuple)?;
        assembly.step(I::Build)
    }

    /// The ninth item of the state: `({}, (b"ns", 1, 1, 1))`.
    fn assemble_unit(&self, assembly: &mut Assembly<'_>) -> Result<(), ErrorKind> {
        use Instruction as I;
        let Some((unit, count)) = &self.unit else { return Ok(()) };
        assembly.step(I::EmptyDict)?;
        assembly.step(I::Mark)?;
        assembly.bytes(unit.as_bytes())?;
        assembly.int(*count)?;
        assembly.int(1)?;
        assembly.int(1)?;
        assembly.step(I::Tuple)?;
        assembly.step(I::TupleOf(2))
    }
}

/// `[ns]`, or `[10us]`.
fn parse_unit(text: &str) -> Option<(String, i64)> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let (count, unit) = inner.split_at(inner.find(|char: char| !char.is_ascii_digit())?);
    let count = if count.is_empty() { 1 } else { count.parse().ok()? };
    Some((unit.to_owned(), count))
}
