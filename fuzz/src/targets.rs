//! The bodies of the fuzz targets: bytes of a stranger go in, and nothing may come of them but a value or an error.
//!
//! A panic, a run without end or memory that the input does not pay for is a finding; what is said of the input is for the
//! tests beside the readers.

use std::{io::Write as _, path::Path};

use brine::{
    file::{
        Manifest,
        arrow_ipc::ArrowSource,
        map::{Access, Contents},
        packed::peel,
        parquet::ParquetSource,
    },
    limits::{Limits, files::Decompression, wire::ChunkLimits},
    pandas::tables,
    pickle::{self, NodeId, UnknownGlobals},
    schema::{self, builtin},
    wire::{Append, ChunkDecoder, open_append, peek},
};
use bytes::Bytes;

#[path = "../../tests/pickles/chain.rs"]
mod chain;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: &[Target] = &[
    ("machine", machine),
    ("table", table),
    ("packed", packed),
    ("schema", schema),
    ("arrow", arrow),
    ("parquet", parquet),
    ("manifest", manifest),
    ("chunk", chunk),
];

/// The pickle machine, and a walk over all that the graph says it holds.
pub fn machine(data: &[u8]) {
    let limits = Limits::default();
    let Ok(graph) = pickle::load_with(data, &limits, UnknownGlobals::Keep) else { return };
    assert!(graph.heap_bytes() as u64 <= limits.graph_bytes_max(data.len()));
    let mut waiting = vec![NodeId::NONE, graph.root()];
    let mut seen = vec![false; graph.node_count()];
    while let Some(id) = waiting.pop() {
        let Some(seen) = seen.get_mut(id.index()) else { continue };
        if !std::mem::replace(seen, true) {
            graph.references(id, &mut waiting);
            let _ = (graph.text(id), graph.bytes(id), graph.tuple(id), graph.dict(id).map(Iterator::count));
            let _ = graph.sequence(id).map(|items| items.items_from(items.len() / 2).count());
        }
    }
    let _ = tables(&graph, &limits);
}

/// The whole way from a pickle to Arrow batches.
pub fn table(data: &[u8]) {
    let _ = chain::run(data);
}

/// Layers of compression and archives.
pub fn packed(data: &[u8]) {
    // Small enough that a bomb is met early.
    let limits = Decompression { ratio_floor_bytes: 1 << 20, bytes_max: 4 << 20, ..Decompression::default() };
    if let Ok(peeled) = peel(Bytes::copy_from_slice(data), &limits) {
        assert!(peeled.bytes.len() as u64 <= limits.bytes_max.max(data.len() as u64));
    }
}

/// Domain schemas and message maps.
pub fn schema(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let errors = [schema::parse(text, "fuzzed.toml").err(), schema::parse_map(text, "fuzzed.toml").err()];
    for error in errors.into_iter().flatten() {
        assert!(error.to_string().contains("fuzzed.toml"), "{error}");
    }
}

/// Our reader of Arrow files.
pub fn arrow(data: &[u8]) {
    let Ok(source) = ArrowSource::open(contents(data)) else { return };
    for batch in source.batches().take(BATCHES_MAX) {
        let Ok(batch) = batch else { return };
        let _ = batch.num_rows();
    }
}

/// Our reader of Parquet files.
pub fn parquet(data: &[u8]) {
    let Ok(source) = ParquetSource::open(contents(data)) else { return };
    let Ok(batches) = source.batches(ROWS, None) else { return };
    for batch in batches.take(BATCHES_MAX) {
        if batch.is_err() {
            return;
        }
    }
}

/// Manifests of data sets.
pub fn manifest(data: &[u8]) {
    let _ = Manifest::parse(data, Path::new("fuzzed.json"));
}

/// Messages of clients.
pub fn chunk(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    let _ = peek(&message);
    if let Ok(Some(Append::Chunk(request))) = open_append(&message) {
        assert!(request.len() < message.len(), "a chunk is a part of its message");
        let _ = peek(&request);
    }
    for domain in builtin() {
        let decoder =
            ChunkDecoder::new(domain, 4, ChunkLimits::default()).expect("the built-in domains have layouts");
        let counted = decoder.count(&message);
        let decoded = decoder.decode(&message);
        if let (Ok(counted), Ok(decoded)) = (counted, decoded) {
            let rows = decoded.chunk.map_or(0, |(_, batch)| batch.num_rows());
            assert_eq!(counted.rows, rows, "counting and decoding agree");
        }
    }
}

/// Batches and rows that are read of one file.
const BATCHES_MAX: usize = 64;
const ROWS: usize = 1_024;

fn contents(data: &[u8]) -> Contents {
    let mut file = tempfile::tempfile().expect("the machine has room for a small file");
    file.write_all(data)
        .and_then(|()| std::io::Seek::rewind(&mut file))
        .expect("the machine has room for a small file");
    Contents::of_file(file, Path::new("fuzzed"), Access::Read)
        .expect("a file that was just written can be read")
}
