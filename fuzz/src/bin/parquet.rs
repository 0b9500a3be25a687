//! See `targets::parquet`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: brine_fuzz::pass_over_caught_panics(),
    |data: &[u8]| brine_fuzz::targets::parquet(data)
);
