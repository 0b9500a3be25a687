//! Damaged pickles: whatever a few changed bytes make of a file, it is read or refused, and nothing else happens.

use std::panic::{AssertUnwindSafe, catch_unwind};

use brine::{limits::Limits, pickle};
use rayon::prelude::*;

use super::{chain, fixtures};

/// Small fixtures of different shapes that are damaged.
const PICKLES: usize = 24;
/// Damaged forms of each.
const MUTANTS: u64 = 250;
/// What a graph of a small file may take besides the input.
const GRAPH_BYTES_MAX: usize = 4 << 20;

/// Numbers that are the same in every run (`SplitMix64`).
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// `bytes` with one to four changes: a byte flipped, set to an opcode, inserted, cut out, or a stretch said twice.
fn damaged(bytes: &[u8], seeded: &mut Seeded) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=seeded.below(4) {
        let at = seeded.below(out.len());
        match seeded.below(6) {
            0 => out[at] ^= 1 << seeded.below(8),
            1 => out[at] = b"(.0123456789abcdefghijlmnopqrstuv\x80\x85\x8c\x93\x94\x95"[seeded.below(39)],
            2 => out[at] = [0, 1, 0x7f, 0x80, 0xff][seeded.below(5)],
            3 => out.insert(at, seeded.next() as u8),
            4 => drop(out.drain(at..(at + 1 + seeded.below(16)).min(out.len()))),
            _ => {
                let stretch = out[at..(at + 1 + seeded.below(64)).min(out.len())].to_vec();
                out.splice(at..at, stretch);
            }
        }
        if out.is_empty() {
            break;
        }
    }
    out
}

#[test]
fn damage_never_panics_and_never_takes_more_memory_than_the_file_pays_for() {
    let small = fixtures::all()
        .into_iter()
        .filter(|fixture| !fixture.is_compressed() && !fixture.name.starts_with("bad_recruit"));
    let mut small: Vec<_> = small
        .map(|fixture| (fixture.name.clone(), fixture.bytes()))
        .filter(|(_, bytes)| (64..16 << 10).contains(&bytes.len()))
        .collect();
    let spread = (small.len() / PICKLES).max(1);
    small = small.into_iter().step_by(spread).collect();
    assert!(small.len() >= 20, "{} small fixtures", small.len());
    let jobs: Vec<(usize, u64)> =
        (0..small.len()).flat_map(|at| (0..MUTANTS).map(move |seed| (at, seed))).collect();
    let faults: Vec<String> = jobs
        .par_iter()
        .filter_map(|(at, seed)| {
            let (name, bytes) = &small[*at];
            let mutant = damaged(bytes, &mut Seeded(*seed ^ (*at as u64) << 32));
            fault(&mutant).map(|fault| format!("{name}, seed {seed}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn fault(mutant: &[u8]) -> Option<String> {
    if let Ok(graph) = pickle::load(mutant, &Limits::default())
        && graph.heap_bytes() > GRAPH_BYTES_MAX
    {
        return Some(format!("a graph of {} bytes", graph.heap_bytes()));
    }
    catch_unwind(AssertUnwindSafe(|| chain::run(mutant))).err().map(|_| "it panics".to_owned())
}
