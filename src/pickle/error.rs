//! What can be wrong with a pickle: one variant for each fault, always with the byte offset of the opcode.

use super::opcode::Opcode;
use crate::{cursor::Eof, growing::NoRoom, limits::Exceeded};

/// A fault in a pickle, one word wide.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Located>);

#[derive(Debug, thiserror::Error)]
#[error("{}byte {offset:#x}: {kind}", opcode.map_or_else(String::new, |opcode| format!("{opcode} at ")))]
struct Located {
    offset: u64,
    opcode: Option<Opcode>,
    #[source]
    kind: ErrorKind,
}

impl Error {
    /// A fault of the opcode that starts at `offset`.
    #[cold]
    pub fn new(offset: u64, opcode: Option<Opcode>, kind: impl Into<ErrorKind>) -> Self {
        Self(Box::new(Located { offset, opcode, kind: kind.into() }))
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What is wrong, without the place.
    pub(super) fn into_kind(self) -> ErrorKind {
        self.0.kind
    }

    /// The opcode, if the fault is one's.
    pub fn opcode(&self) -> Option<Opcode> {
        self.0.opcode
    }

    /// Where the opcode starts.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }
}

/// What is wrong with a pickle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The first byte starts no pickle.
    #[error("this is not a pickle: it starts with byte {0:#04x}")]
    NotAPickle(u8),
    /// The file is one of another known kind.
    #[error("this is {0}, not a pickle")]
    OtherFormat(&'static str),
    /// The input is empty.
    #[error("this is not a pickle: the file is empty")]
    Empty,
    /// The input ends inside an instruction, or before STOP.
    #[error("the pickle is cut short: {0}")]
    CutShort(#[from] Eof),
    /// A byte that is no opcode.
    #[error("byte {0:#04x} is no pickle opcode")]
    UnknownOpcode(u8),
    /// A protocol this reader does not know.
    #[error("pickle protocol {0} is unknown: protocols 0 to 5 are read")]
    UnknownProtocol(u8),
    /// A length below zero.
    #[error("a length of {0} is announced")]
    NegativeLength(i64),
    /// The frame is not all there.
    #[error("the pickle is cut short: a frame of {announced} bytes is announced, {left} are left")]
    FrameBeyondEnd {
        /// What FRAME says.
        announced: u64,
        /// What follows.
        left: u64,
    },
    /// An instruction that starts in one frame and ends outside it, or a frame in a frame.
    #[error("an instruction crosses the end of its frame")]
    CrossesFrame,
    /// A text argument that no pickle writer produces.
    #[error("{what} is malformed: {text:?}")]
    MalformedText {
        /// What the text should be.
        what: &'static str,
        /// The text, shortened.
        text: String,
    },
    /// Something needs more values than the stack holds.
    #[error("the stack holds too few values")]
    StackUnderflow,
    /// Something needs a mark and there is none.
    #[error("no MARK is open")]
    NoMark,
    /// A dict gets a key without a value.
    #[error("a key stands without a value")]
    OddItems,
    /// An instruction meets a value it cannot work on.
    #[error("{wanted} is expected on the stack, {found} is there")]
    WrongType {
        /// What the instruction works on.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A memo slot is read before it is written, or holds what no writer reads again.
    #[error("memo slot {0} holds nothing")]
    UnsetMemo(u64),
    /// A memo slot far above the number of values there are.
    #[error("memo slot {0} is out of all proportion to the file")]
    MemoTooSparse(u64),
    /// A global outside the closed list: nothing is imported, nothing is run.
    #[error(
        "the global {module}.{name} is not one of those that make data; it was not imported and nothing ran"
    )]
    UnknownGlobal {
        /// The module, as written.
        module: String,
        /// The name in it, as written.
        name: String,
    },
    /// An instruction that needs something outside the file.
    #[error("{0} refers to something outside the file, which this reader never resolves")]
    Outside(&'static str),
    /// Object state that is given twice.
    #[error("an object gets its state twice")]
    StateTwice,
    /// The wrapper of an array of joblib that does not say what it must.
    #[error("the array that follows lacks {0}")]
    Wrapper(&'static str),
    /// STOP while values or marks are left.
    #[error("{values} values and {marks} marks are left on the stack at the end")]
    NotConsumed {
        /// Values besides the result.
        values: usize,
        /// Open marks.
        marks: usize,
    },
    /// A bound was met.
    #[error(transparent)]
    Limit(#[from] Exceeded),
    /// The disk is full, and the pickle is not at fault.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

/// The result of reading a pickle.
pub type Result<T, E = Error> = std::result::Result<T, E>;
