//! What is fuzzed: one function for each target, in `targets`. `tests/fuzz.rs` runs the same functions over the corpus.

pub mod targets;
