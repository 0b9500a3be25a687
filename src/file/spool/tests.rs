//! Tests of spooling.
