//! Tests of atomic files.
