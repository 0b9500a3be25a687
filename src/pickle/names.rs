//! What a pickle names, also one that cannot be read: for those who want to know what they have before they trust it.

use super::{
    decode::Decoder,
    graph::{Foreign, Graph, Met},
    machine::{Machine, UnknownGlobals},
};
use crate::limits::Limits;

/// What is known of a pickle whether it can be read or not.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The protocol it announces; 0 where it announces none.
    pub protocol: u8,
    /// The globals of the closed list, in the order in which it names them first.
    pub met: Vec<Met>,
    /// Those outside it.
    pub foreign: Vec<Foreign>,
}

/// What `input` names up to its STOP or its first fault.
pub fn names(input: &[u8], limits: &Limits) -> Names {
    let mut machine = Machine::new(input, limits, UnknownGlobals::Keep, None);
    // The fault is the reader's to tell.
    let _ = machine.run(&mut Decoder::new(input, limits));
    let Graph { protocol, met, foreign, .. } = machine.graph;
    Names { protocol, met, foreign }
}
