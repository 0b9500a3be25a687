//! See `targets::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| brine_fuzz::targets::manifest(data));
