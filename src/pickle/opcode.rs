//! The opcode table of pickle protocols 0 to 5: name, byte, protocol of origin and effect on the stack, in one list.
//!
//! Names are Python's own (`Lib/pickletools.py`); the rows stand in the order of `Lib/pickle.py`.

/// What an opcode takes from the stack and leaves there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A fixed number of values.
    Values(u8),
    /// Everything above the last mark and the mark, and below it a fixed number of values.
    ToMark(u8),
}

macro_rules! opcodes {
    ($($(#[$doc:meta])* $name:ident = $byte:literal, $protocol:literal, $takes:expr => $leaves:literal;)*) => {
        /// One opcode, named as Python names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the spec's own names")]
        #[repr(u8)]
        pub enum Opcode {
            $($(#[$doc])* $name = $byte,)*
        }

        impl Opcode {
            /// Every opcode, in table order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The opcode of `byte`, if there is one.
            #[inline]
            pub fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Python's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The first protocol that has it.
            pub fn protocol(self) -> u8 {
                match self {
                    $(Self::$name => $protocol,)*
                }
            }

            /// What it takes from the stack, and how many values it leaves there instead.
            pub fn stack_effect(self) -> (Takes, u8) {
                match self {
                    $(Self::$name => ($takes, $leaves),)*
                }
            }
        }
    };
}

use Takes::{ToMark, Values};

opcodes! {
    /// Opens a group on the stack.
    MARK = b'(', 0, Values(0) => 0;
    /// Ends the pickle; the top of the stack is its value.
    STOP = b'.', 0, Values(1) => 0;
    /// Drops the top of the stack.
    POP = b'0', 0, Values(1) => 0;
    /// Drops everything down to the last mark.
    POP_MARK = b'1', 1, ToMark(0) => 0;
    /// Pushes the top again.
    DUP = b'2', 0, Values(1) => 2;
    /// A float as decimal text.
    FLOAT = b'F', 0, Values(0) => 1;
    /// An integer, or a boolean as `00` and `01`, as decimal text.
    INT = b'I', 0, Values(0) => 1;
    /// A signed 32-bit integer.
    BININT = b'J', 1, Values(0) => 1;
    /// An unsigned 8-bit integer.
    BININT1 = b'K', 1, Values(0) => 1;
    /// An integer as decimal text ending in `L`.
    LONG = b'L', 0, Values(0) => 1;
    /// An unsigned 16-bit integer.
    BININT2 = b'M', 1, Values(0) => 1;
    /// `None`.
    NONE = b'N', 0, Values(0) => 1;
    /// A reference that only the application can resolve, named by text: refused.
    PERSID = b'P', 0, Values(0) => 1;
    /// The same, named by a value: refused.
    BINPERSID = b'Q', 1, Values(1) => 1;
    /// A callable applied to a tuple: here, a node that says so.
    REDUCE = b'R', 0, Values(2) => 1;
    /// A Python 2 `str` as quoted text.
    STRING = b'S', 0, Values(0) => 1;
    /// A Python 2 `str`, 32-bit length.
    BINSTRING = b'T', 1, Values(0) => 1;
    /// A Python 2 `str`, 8-bit length.
    SHORT_BINSTRING = b'U', 1, Values(0) => 1;
    /// Text in raw-unicode-escape.
    UNICODE = b'V', 0, Values(0) => 1;
    /// Text in UTF-8, 32-bit length.
    BINUNICODE = b'X', 1, Values(0) => 1;
    /// Appends one item to a list.
    APPEND = b'a', 0, Values(2) => 1;
    /// Gives state to an object.
    BUILD = b'b', 0, Values(2) => 1;
    /// A module and a name in it.
    GLOBAL = b'c', 0, Values(0) => 1;
    /// A dict of the values above the mark.
    DICT = b'd', 0, ToMark(0) => 1;
    /// An empty dict.
    EMPTY_DICT = b'}', 1, Values(0) => 1;
    /// Appends everything above the mark to a list.
    APPENDS = b'e', 1, ToMark(1) => 1;
    /// Pushes a memo slot named by decimal text.
    GET = b'g', 0, Values(0) => 1;
    /// Pushes a memo slot, 8-bit.
    BINGET = b'h', 1, Values(0) => 1;
    /// A class named by two lines, called with the values above the mark.
    INST = b'i', 0, ToMark(0) => 1;
    /// Pushes a memo slot, 32-bit.
    LONG_BINGET = b'j', 1, Values(0) => 1;
    /// A list of the values above the mark.
    LIST = b'l', 0, ToMark(0) => 1;
    /// An empty list.
    EMPTY_LIST = b']', 1, Values(0) => 1;
    /// A class, called with the values above it and above the mark.
    OBJ = b'o', 1, ToMark(0) => 1;
    /// Stores the top in a memo slot named by decimal text.
    PUT = b'p', 0, Values(1) => 1;
    /// Stores the top in a memo slot, 8-bit.
    BINPUT = b'q', 1, Values(1) => 1;
    /// Stores the top in a memo slot, 32-bit.
    LONG_BINPUT = b'r', 1, Values(1) => 1;
    /// Puts one key and value into a dict.
    SETITEM = b's', 0, Values(3) => 1;
    /// A tuple of the values above the mark.
    TUPLE = b't', 0, ToMark(0) => 1;
    /// The empty tuple.
    EMPTY_TUPLE = b')', 1, Values(0) => 1;
    /// Puts the keys and values above the mark into a dict.
    SETITEMS = b'u', 1, ToMark(1) => 1;
    /// A 64-bit float, big endian.
    BINFLOAT = b'G', 1, Values(0) => 1;
    /// Names the protocol.
    PROTO = 0x80, 2, Values(0) => 0;
    /// A class and its `__new__` arguments.
    NEWOBJ = 0x81, 2, Values(2) => 1;
    /// An extension code, 8-bit: refused.
    EXT1 = 0x82, 2, Values(0) => 1;
    /// An extension code, 16-bit: refused.
    EXT2 = 0x83, 2, Values(0) => 1;
    /// An extension code, 32-bit: refused.
    EXT4 = 0x84, 2, Values(0) => 1;
    /// A tuple of one.
    TUPLE1 = 0x85, 2, Values(1) => 1;
    /// A tuple of two.
    TUPLE2 = 0x86, 2, Values(2) => 1;
    /// A tuple of three.
    TUPLE3 = 0x87, 2, Values(3) => 1;
    /// `True`.
    NEWTRUE = 0x88, 2, Values(0) => 1;
    /// `False`.
    NEWFALSE = 0x89, 2, Values(0) => 1;
    /// A two's complement integer, 8-bit length.
    LONG1 = 0x8a, 2, Values(0) => 1;
    /// A two's complement integer, 32-bit length.
    LONG4 = 0x8b, 2, Values(0) => 1;
    /// Bytes, 32-bit length.
    BINBYTES = b'B', 3, Values(0) => 1;
    /// Bytes, 8-bit length.
    SHORT_BINBYTES = b'C', 3, Values(0) => 1;
    /// Text in UTF-8, 8-bit length.
    SHORT_BINUNICODE = 0x8c, 4, Values(0) => 1;
    /// Text in UTF-8, 64-bit length.
    BINUNICODE8 = 0x8d, 4, Values(0) => 1;
    /// Bytes, 64-bit length.
    BINBYTES8 = 0x8e, 4, Values(0) => 1;
    /// An empty set.
    EMPTY_SET = 0x8f, 4, Values(0) => 1;
    /// Adds everything above the mark to a set.
    ADDITEMS = 0x90, 4, ToMark(1) => 1;
    /// A frozenset of the values above the mark.
    FROZENSET = 0x91, 4, ToMark(0) => 1;
    /// A class with positional and keyword arguments for `__new__`.
    NEWOBJ_EX = 0x92, 4, Values(3) => 1;
    /// A global whose module and name stand on the stack.
    STACK_GLOBAL = 0x93, 4, Values(2) => 1;
    /// Stores the top in the next memo slot.
    MEMOIZE = 0x94, 4, Values(1) => 1;
    /// Announces the bytes of a frame.
    FRAME = 0x95, 4, Values(0) => 0;
    /// A bytearray, 64-bit length.
    BYTEARRAY8 = 0x96, 5, Values(0) => 1;
    /// An out-of-band buffer: not in the file.
    NEXT_BUFFER = 0x97, 5, Values(0) => 1;
    /// Makes an out-of-band buffer read-only.
    READONLY_BUFFER = 0x98, 5, Values(1) => 1;
}

impl std::fmt::Display for Opcode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_one_opcode_and_finds_its_row_again() {
        assert_eq!(Opcode::ALL.len(), 68);
        for opcode in Opcode::ALL {
            assert_eq!(Opcode::from_byte(*opcode as u8), Some(*opcode), "{opcode}");
            assert!(opcode.protocol() <= 5);
        }
        assert_eq!((0..=u8::MAX).filter_map(Opcode::from_byte).count(), 68);
    }
}
