//! Row digests: what a table holds, whatever file or order it is stored in.
