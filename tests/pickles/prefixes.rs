//! A pickle that is cut short anywhere is refused, and says so.

use std::collections::BTreeSet;

use brine::{
    limits::Limits,
    pickle::{Decoder, Instruction},
};
use rayon::prelude::*;

use super::{chain, fixtures, mutants::Seeded};

/// Files up to this size are cut at every byte.
const EVERY_BYTE_MAX: usize = 8 << 10;
/// Larger ones at every opcode in so many bytes at either end, and at so many other places.
const ENDS_BYTES: usize = 4 << 10;
const OTHER_CUTS: u64 = 1_000;
/// Larger files of one shape but many versions: so many of them, evenly spread.
const LARGE_MAX: usize = 24;

#[test]
fn every_shorter_prefix_is_refused() {
    let whole = fixtures::all().into_iter().filter(|fixture| !fixture.is_bad() && !fixture.is_compressed());
    let pickles: Vec<(String, Vec<u8>)> =
        whole.map(|fixture| (fixture.name.clone(), fixture.bytes())).collect();
    let (small, large): (Vec<_>, Vec<_>) =
        pickles.into_iter().partition(|(_, bytes)| bytes.len() <= EVERY_BYTE_MAX);
    assert!(small.len() > 50 && large.len() > LARGE_MAX, "{} small, {} large", small.len(), large.len());
    let spread = large.len().div_ceil(LARGE_MAX);
    let large = large.into_iter().step_by(spread);
    let accepted = |(name, bytes): &(String, Vec<u8>)| -> Vec<String> {
        let read = cuts(bytes).into_iter().filter(|cut| chain::run(&bytes[..*cut]).is_ok());
        read.map(|cut| format!("{name}: {cut} of {} bytes are read", bytes.len())).collect()
    };
    let pickles: Vec<_> = small.into_iter().chain(large).collect();
    let accepted: Vec<String> = pickles.par_iter().flat_map_iter(accepted).collect();
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}

fn cuts(bytes: &[u8]) -> BTreeSet<usize> {
    // What follows STOP belongs to no value.
    let (end, opcodes) = opcodes(bytes);
    if bytes.len() <= EVERY_BYTE_MAX {
        return (0..end).collect();
    }
    let near_an_end = |offset: &usize| *offset < ENDS_BYTES || *offset + ENDS_BYTES > end;
    let mut seeded = Seeded(bytes.len() as u64);
    let others = (0..OTHER_CUTS).map(|_| seeded.below(end));
    opcodes.into_iter().filter(near_an_end).chain(others).collect()
}

/// The length up to STOP, and where instructions start.
fn opcodes(bytes: &[u8]) -> (usize, Vec<usize>) {
    let limits = Limits::default();
    let mut decoder = Decoder::new(bytes, &limits);
    let mut starts = vec![0];
    while !matches!(decoder.next_instruction().unwrap(), Instruction::Stop) {
        starts.push(decoder.end() as usize);
    }
    (decoder.end() as usize, starts)
}
