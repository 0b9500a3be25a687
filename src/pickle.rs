//! Pickle bytes to an arena graph that borrows from them; nothing is ever executed.
//!
//! ```text
//! bytes ─► Decoder ─► Instruction ─► Machine (stack, marks, memo) ─► Graph (16-byte nodes, ids, spans of the input)
//!                                       │
//!                                       └─ Global: the closed list; no name in it leads to code
//! ```
//!
//! All opcodes of protocols 0 to 5 are known. Refused are those that point outside the file (PERSID, EXT, out-of-band
//! buffers), those that no pandas file holds (INST, OBJ), and every global outside the list. What a known global means is
//! for the layers above: here REDUCE, NEWOBJ and BUILD only make nodes.

mod assembly;
mod decode;
mod disassembly;
mod error;
mod global;
mod graph;
mod machine;
mod memo;
mod names;
mod opcode;
mod pack;
mod text;

pub(crate) use assembly::Assembly;
pub use decode::{BINFLOAT_BYTES, Decoder, Instruction};
pub use disassembly::{Disassembly, Step};
pub use error::{Error, ErrorKind, Result};
pub use global::{Global, Row};
pub use graph::{FloatBytes, Foreign, Graph, Grounds, Item, Items, ListView, Met, Node, NodeId, Template};
pub use machine::UnknownGlobals;
pub use names::{Names, names};
pub use opcode::{Opcode, Takes};

use std::sync::Arc;

use crate::limits::Limits;

/// Reads one whole pickle; a global outside the closed list ends the reading.
pub fn load<'a>(input: &'a [u8], limits: &Limits) -> Result<Graph<'a>> {
    load_with(input, limits, UnknownGlobals::Refuse)
}

/// Reads one whole pickle.
pub fn load_with<'a>(input: &'a [u8], limits: &Limits, unknown: UnknownGlobals) -> Result<Graph<'a>> {
    load_on(input, limits, unknown, None)
}

/// Reads one whole pickle whose tables go on `ground` where they outgrow the heap.
pub fn load_on<'a>(
    input: &'a [u8],
    limits: &Limits,
    unknown: UnknownGlobals,
    ground: Option<Arc<dyn Grounds>>,
) -> Result<Graph<'a>> {
    machine::run(input, limits, unknown, ground)
}

#[cfg(test)]
mod tests;
