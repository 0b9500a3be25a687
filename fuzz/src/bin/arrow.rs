//! See `targets::arrow`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brine_fuzz::targets::arrow(data));
