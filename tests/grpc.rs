//! `IngestDataStream` end to end: our server and stock clients, our client and our server, both and the faults between.

mod bench;
mod checks;
mod faults;
mod programs;
mod push;
mod tables;
