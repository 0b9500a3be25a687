//! Why a layer cannot be taken off. Offsets count in the layer's own bytes: those of the file for the outermost.

use std::io;

use super::Layer;

/// Names of members that an error lists at most.
const NAMES_MAX: usize = 5;
/// Characters of a name that an error shows at most.
const NAME_CHARS_MAX: usize = 80;

/// Why a layer cannot be taken off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It ends too early.
    #[error("it is cut short: it ends at byte {offset:#x}, in the middle of its data")]
    CutShort {
        /// Where it ends.
        offset: u64,
    },
    /// It contradicts itself.
    #[error("it is corrupt near byte {offset:#x}: {reason}")]
    Corrupt {
        /// Where the fault was met; decoders read a little ahead.
        offset: u64,
        /// What the decoder said.
        reason: String,
    },
    /// Its content is larger than the bounds allow.
    #[error("its content passes the limit of {limit_bytes} bytes ({bound})")]
    Expands {
        /// The bound in bytes for this file.
        limit_bytes: u64,
        /// Which bound it is.
        bound: &'static str,
    },
    /// Layer in layer in layer.
    #[error(
        "more than {limit} layers of compression and archives around it; unpack it first{}",
        crate::limits::raised_by("layers")
    )]
    Nested {
        /// How many there may be.
        limit: usize,
    },
    /// An archive with more than one member.
    #[error("it holds {count} files, and one pickle is looked for; take one out first: {}", names.join(", "))]
    Members {
        /// How many there are.
        count: usize,
        /// The first of them.
        names: Vec<String>,
    },
    /// An archive without a member.
    #[error("it holds no file")]
    NoMember,
    /// A member that is no plain file.
    #[error("its member {name} is {what}, not a plain file")]
    NotPlain {
        /// The member.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// A member that is encrypted.
    #[error("its member {name} is encrypted; unpack it first")]
    Encrypted {
        /// The member.
        name: String,
    },
    /// A member packed in a way that is not read.
    #[error("its member {name} is packed by method {method}, which is not read; unpack it first")]
    Method {
        /// The member.
        name: String,
        /// The method's number.
        method: u16,
    },
}

/// A fault, and the layers down to the one that has it.
#[derive(Debug, thiserror::Error)]
#[error("its {} cannot be unpacked", super::Layers(layers))]
pub struct Unread {
    /// From the outside in; the last one has the fault.
    pub layers: Vec<Layer>,
    /// The fault.
    #[source]
    pub what: Fault,
}

impl Fault {
    /// Sorts what a decoder said.
    pub(super) fn of(error: &io::Error, offset: u64, end: u64) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::CutShort { offset: end }
        } else {
            Self::Corrupt { offset, reason: error.to_string() }
        }
    }

    pub(super) fn corrupt(offset: usize, reason: impl Into<String>) -> Self {
        Self::Corrupt { offset: offset as u64, reason: reason.into() }
    }

    /// Several members where one should be.
    pub(super) fn members<'a>(names: impl ExactSizeIterator<Item = &'a [u8]>) -> Self {
        let count = names.len();
        let mut names: Vec<_> = names.take(NAMES_MAX).map(shown).collect();
        if count > NAMES_MAX {
            names.push(format!("and {} more", count - NAMES_MAX));
        }
        Self::Members { count, names }
    }
}

/// A member's name for an error: whatever it holds, it is one short line.
pub(super) fn shown(name: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(name).chars().take(NAME_CHARS_MAX).collect();
    format!("{text:?}")
}
