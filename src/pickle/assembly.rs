//! Graphs of files that are no pickles but hold what pickles hold: arrays of NumPy, with pickles inside them.
//!
//! Whoever reads such a file says step by step what a pickle of the same value would say; the machine, its budget and its
//! bounds are the same. Bytes are ranges of the input, as in any graph.

use std::{ops::Range, sync::Arc};

use super::{
    decode::{Decoder, Instruction},
    error::{ErrorKind, Result},
    global::Global,
    graph::{Graph, Grounds, Node, NodeId},
    machine::{Machine, UnknownGlobals},
};
use crate::limits::Limits;

/// A value in the making: a stack, as in a pickle.
#[derive(Debug)]
pub(crate) struct Assembly<'a> {
    machine: Machine<'a>,
    limits: Limits,
}

impl<'a> Assembly<'a> {
    /// Begins a value whose bytes are ranges of `input`.
    pub(crate) fn new(
        input: &'a [u8],
        limits: &Limits,
        unknown: UnknownGlobals,
        ground: Option<Arc<dyn Grounds>>,
    ) -> Self {
        Self { machine: Machine::new(input, limits, unknown, ground), limits: limits.clone() }
    }

    /// What an instruction does. Those that name bytes must name bytes of the input.
    pub(crate) fn step(&mut self, instruction: Instruction<'a>) -> Result<(), ErrorKind> {
        self.machine.step(instruction).map(drop)
    }

    /// A number.
    pub(crate) fn int(&mut self, value: i64) -> Result<(), ErrorKind> {
        self.step(Instruction::Int(value))
    }

    /// A text that is not in the input.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), ErrorKind> {
        self.machine.push_decoded(text.as_bytes().into(), Node::DecodedText)
    }

    /// Bytes that are not in the input.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), ErrorKind> {
        self.machine.push_decoded(bytes.into(), Node::DecodedString)
    }

    /// Bytes of the input.
    pub(crate) fn range(&mut self, range: Range<usize>) -> Result<(), ErrorKind> {
        self.step(Instruction::Bytes(&self.machine.graph.input[range]))
    }

    /// A class or function.
    pub(crate) fn global(&mut self, global: Global) -> Result<(), ErrorKind> {
        self.machine.push(Node::Global(global))
    }

    /// The value of the pickle that begins this range; returns where it ends.
    pub(crate) fn pickle(&mut self, range: Range<usize>) -> Result<usize> {
        let mut decoder = Decoder::between(self.machine.graph.input, range, &self.limits);
        let around = self.machine.put_aside(NodeId::NONE);
        self.machine.run(&mut decoder)?;
        let root = self.machine.graph.root;
        self.machine.take_up(around);
        self.machine.push_id(root).map_err(|kind| decoder.error(kind))?;
        Ok(decoder.end() as usize)
    }

    /// The graph of the one value that is left, which ends at `end`.
    pub(crate) fn finish(mut self, end: usize) -> Result<Graph<'a>, ErrorKind> {
        self.machine.stop()?;
        Ok(self.machine.into_graph(end as u64))
    }
}
