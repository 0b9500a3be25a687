//! A pickle as a list of its instructions, for people: what `pickletools.dis` shows, without a machine and without values.
//!
//! Only the depth of the stack, the open marks and the number of memo slots are kept, so any file can be listed up to its
//! first fault.

use super::{
    decode::{Decoder, Instruction},
    error::{Error, ErrorKind, Result},
    opcode::{Opcode, Takes},
    text::shown,
};
use crate::limits::{Bound, Exceeded, Limits};

const OPEN_MARKS: Bound = Bound { what: "open marks", flag: Some("open-marks") };

/// One line of the listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where the opcode stands.
    pub offset: u64,
    /// The opcode.
    pub opcode: Opcode,
    /// Its argument as text, shortened; empty if it has none.
    pub argument: String,
    /// Values on the stack afterwards.
    pub depth: u64,
    /// The memo slot it writes or reads.
    pub slot: Option<u64>,
}

/// Walks the instructions; ends after STOP or the first fault.
#[derive(Debug)]
pub struct Disassembly<'a> {
    decoder: Decoder<'a>,
    depth: u64,
    marks: Vec<u64>,
    marks_max: usize,
    memoized: u64,
    done: bool,
}

impl<'a> Disassembly<'a> {
    /// Stands before the first instruction of `input`.
    pub fn new(input: &'a [u8], limits: &Limits) -> Self {
        let decoder = Decoder::new(input, limits);
        Self {
            decoder,
            depth: 0,
            marks: Vec::new(),
            marks_max: limits.mark_depth_max,
            memoized: 0,
            done: false,
        }
    }

    /// Offset behind the last instruction.
    pub fn end(&self) -> u64 {
        self.decoder.end()
    }

    fn step(&mut self) -> Result<Step> {
        let instruction = self.decoder.next_instruction()?;
        let opcode = self.decoder.opcode().ok_or_else(|| self.decoder.error(ErrorKind::StackUnderflow))?;
        self.done = opcode == Opcode::STOP;
        self.apply(opcode, &instruction)?;
        let slot = self.slot(&instruction);
        let argument = argument(&instruction);
        Ok(Step { offset: self.decoder.at(), opcode, argument, depth: self.depth, slot })
    }

    fn apply(&mut self, opcode: Opcode, instruction: &Instruction<'_>) -> Result<()> {
        if opcode == Opcode::MARK {
            return self.mark();
        }
        let (takes, leaves) = opcode.stack_effect();
        self.depth = match takes {
            Takes::Values(count) => self.below(self.depth, count)?,
            Takes::ToMark(count) => {
                let mark = self.marks.pop().ok_or_else(|| self.fault(ErrorKind::NoMark))?;
                self.below(mark, count)?
            }
        };
        self.depth += match instruction {
            Instruction::Floats { count, .. } => u64::from(*count),
            _ => u64::from(leaves),
        };
        Ok(())
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() >= self.marks_max {
            let limit = self.marks_max as u64;
            let exceeded = Exceeded { of: &OPEN_MARKS, limit, wanted: limit + 1 };
            return Err(self.fault(ErrorKind::Limit(exceeded)));
        }
        self.marks.push(self.depth);
        Ok(())
    }

    fn below(&self, depth: u64, count: u8) -> Result<u64> {
        // What stands below an open mark belongs to it.
        let floor = self.marks.last().copied().unwrap_or(0);
        depth
            .checked_sub(u64::from(count))
            .filter(|left| *left >= floor)
            .ok_or_else(|| self.fault(ErrorKind::StackUnderflow))
    }

    fn slot(&mut self, instruction: &Instruction<'_>) -> Option<u64> {
        match instruction {
            Instruction::Get(slot) => Some(*slot),
            Instruction::Put(slot) => {
                self.memoized += 1;
                Some(*slot)
            }
            Instruction::Memoize => {
                self.memoized += 1;
                Some(self.memoized - 1)
            }
            _ => None,
        }
    }

    #[cold]
    fn fault(&self, kind: ErrorKind) -> Error {
        self.decoder.error(kind)
    }
}

impl Iterator for Disassembly<'_> {
    type Item = Result<Step>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        self.done |= step.is_err();
        Some(step)
    }
}

fn argument(instruction: &Instruction<'_>) -> String {
    use Instruction as I;
    match *instruction {
        I::Proto(version) => version.to_string(),
        I::Bool(value) => if value { "True" } else { "False" }.to_owned(),
        I::Int(value) => value.to_string(),
        I::BigInt(bytes) => format!("an integer of {} bytes", bytes.len()),
        I::DecimalInt(text) => shown(text),
        I::Float(value) => format!("{value:?}"),
        I::Floats { count, .. } => format!("{count} times in a row"),
        I::Text(bytes) | I::EscapedText(bytes) => quoted(bytes),
        I::String(bytes) | I::QuotedString(bytes) | I::Bytes(bytes) | I::ByteArray(bytes) => counted(bytes),
        I::Global { module, name } | I::Inst { module, name } => format!("{} {}", shown(module), shown(name)),
        _ => String::new(),
    }
}

/// Bytes of an argument that are shown.
const SHOWN_BYTES: usize = 48;

fn quoted(bytes: &[u8]) -> String {
    let more = if bytes.len() > SHOWN_BYTES { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]);
    format!("{:?}{more}", start.trim_end_matches('\u{fffd}'))
}

fn counted(bytes: &[u8]) -> String {
    let more = if bytes.len() > SHOWN_BYTES { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("b\"{}\"{more}", bytes[..bytes.len().min(SHOWN_BYTES)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> (Vec<Step>, Option<Error>) {
        let mut steps = Vec::new();
        for step in Disassembly::new(input, &Limits::default()) {
            match step {
                Ok(step) => steps.push(step),
                Err(error) => return (steps, Some(error)),
            }
        }
        (steps, None)
    }

    #[test]
    fn depths_and_slots_are_those_of_pickletools() {
        let (steps, fault) = lines(b"\x80\x04](K\x01\x8c\x02ab\x94e.");
        assert!(fault.is_none());
        let told: Vec<_> = steps.iter().map(|step| (step.offset, step.opcode.name(), step.depth)).collect();
        let wanted = [
            (0, "PROTO", 0),
            (2, "EMPTY_LIST", 1),
            (3, "MARK", 1),
            (4, "BININT1", 2),
            (6, "SHORT_BINUNICODE", 3),
            (10, "MEMOIZE", 3),
            (11, "APPENDS", 1),
            (12, "STOP", 0),
        ];
        assert_eq!(told, wanted);
        assert_eq!((steps[4].argument.as_str(), steps[5].slot), ("\"ab\"", Some(0)));
    }

    #[test]
    fn a_broken_file_is_listed_up_to_its_fault() {
        for (input, whole, offset) in [
            (&b"K\x01R."[..], 1, 2),
            (b"N\xfeN.", 1, 1),
            (b"e.", 0, 0),
            (b"K\x01K", 1, 2),
            (b"K\x01(0.", 2, 3),
        ] {
            let (steps, fault) = lines(input);
            assert_eq!((steps.len(), fault.map(|fault| fault.offset())), (whole, Some(offset)), "{input:?}");
        }
    }
}
