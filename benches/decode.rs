//! How fast a pickle becomes a graph and its columns, and what the other design would cost: a sink that stores every cell
//! in one pass.
//!
//! `cargo bench --bench decode -- recruit.pkl`; without a file, the sample in `data/`, which is too small for the memory
//! of either design to show.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::{hint::black_box, path::Path, time::Instant};

use brine::{
    columnar::{Sieve, Table},
    file::map::{Access, Contents, Walk},
    limits::Limits,
    pandas::tables,
    pickle::{self, BINFLOAT_BYTES, Decoder, Instruction},
    schema,
};

const REPEATS: usize = 5;
/// Why nothing here fails.
const SOUND: &str = "the file is a pickle of the domain `recruit`";
const BATCH_ROWS: usize = 8_000;

/// The median of some runs, in seconds.
fn median(mut run: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[REPEATS / 2]
}

fn print(name: &str, seconds: f64, bytes: usize) {
    println!("{name:<66} {:>7.3} s {:>9.0} MB/s", seconds, bytes as f64 / seconds / 1e6);
}

/// What a streaming sink does with the floats: narrows and stores them as they come, into memory that is new.
fn cell_sink(input: &[u8], limits: &Limits, floats: &mut Vec<f32>) {
    let mut decoder = Decoder::new(input, limits);
    loop {
        match decoder.next_instruction().expect(SOUND) {
            Instruction::Stop => return,
            Instruction::Floats { count, offset } => {
                let run = &input[offset as usize..][..count as usize * BINFLOAT_BYTES];
                floats.extend(run.chunks_exact(BINFLOAT_BYTES).map(|float| {
                    let bytes = float.last_chunk().copied().unwrap_or_default();
                    f64::from_be_bytes(bytes) as f32
                }));
            }
            _ => {}
        }
    }
}

/// Every row group, into buffers that are used again.
fn convert(table: &Table<'_>) {
    let mut sieve = Sieve::new(table.schema(), brine::columnar::OnBadRow::Fail, None);
    for first in (0..table.rows()).step_by(BATCH_ROWS) {
        let converted = table.convert(first..table.rows().min(first + BATCH_ROWS)).expect(SOUND);
        let sifted = sieve.sift(first, converted).expect(SOUND);
        table.recycle(black_box(sifted.batch));
    }
}

fn main() {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let path = path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/data/recruit.pkl").to_owned());
    let input = Contents::open(Path::new(&path), Access::Map).expect(SOUND);
    input.advise(Walk::Whole);
    let limits = Limits::default();
    print(
        "byte ranges: the graph",
        median(|| drop(black_box(pickle::load(&input, &limits).expect(SOUND)))),
        input.len(),
    );
    let graph = pickle::load(&input, &limits).expect(SOUND);
    println!("{:<66} {:>7} KiB", "  which takes, besides the mapped file", graph.heap_bytes() >> 10);
    let members = tables(&graph, &limits).expect(SOUND);
    let table = members.into_iter().find_map(|member| member.found.ok()).expect(SOUND);
    let frame = table.parse(&graph, &limits).expect(SOUND);
    let domain = schema::find("recruit").expect(SOUND);
    print(
        "byte ranges: dictionaries",
        median(|| drop(black_box(Table::of_domain(&frame, domain, &limits).expect(SOUND)))),
        input.len(),
    );
    let table = Table::of_domain(&frame, domain, &limits).expect(SOUND);
    print("byte ranges: all columns, all cores, buffers used again", median(|| convert(&table)), input.len());
    let sink = median(|| {
        let mut floats = Vec::new();
        cell_sink(&input, &limits, &mut floats);
        black_box(floats);
    });
    print("cell sink: the floats alone, new memory", sink, input.len());
    let mut floats = Vec::new();
    let reused = median(|| {
        floats.clear();
        cell_sink(&input, &limits, &mut floats);
    });
    print("cell sink: the floats alone, memory that was touched before", reused, input.len());
}
