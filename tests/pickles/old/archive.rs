//! The archives in `tests/fixtures/old`: a tar file in xz, of pickles and of JSON files with what they hold.

use std::{collections::BTreeMap, fs::File, io::Read as _, path::Path};

use serde_json::Value;

/// One object, at every protocol.
pub(super) struct Case {
    /// What pandas itself read.
    pub(super) truth: Value,
    /// Names and bytes of the pickles.
    pub(super) files: Vec<(String, Vec<u8>)>,
}

const BLOCK: usize = 512;

/// Every case of an archive that has a truth.
pub(super) fn cases(label: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/old/{label}.tar.xz"));
    let mut bytes = Vec::new();
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    lzma_rust2::XzReader::new(file, true).read_to_end(&mut bytes).unwrap();
    let mut members = members(&bytes);
    let manifest: Value = serde_json::from_slice(&members["manifest.json"]).unwrap();
    let entries = manifest["cases"].as_array().unwrap();
    let case = |entry: &Value| {
        // The truths of values nested 100 deep are beyond what serde_json reads.
        let truth = serde_json::from_slice(&members.remove(entry["truth"].as_str()?)?).ok()?;
        let names = entry["files"].as_object()?.values().filter_map(|file| file["file"].as_str());
        let files = names.map(|name| (name.to_owned(), members.remove(name).unwrap())).collect();
        Some(Case { truth, files })
    };
    entries.iter().filter_map(case).collect()
}

/// The files at the top of the archive's one folder.
fn members(mut tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    while let Some((header, rest)) = tar.split_at_checked(BLOCK) {
        let text = |range: std::ops::Range<usize>| {
            String::from_utf8_lossy(&header[range]).trim_matches(['\0', ' ']).to_owned()
        };
        let Ok(size) = usize::from_str_radix(&text(124..136), 8) else { break };
        let name = text(0..100);
        if let (b'0', Some((_, name))) = (header[156], name.split_once('/')) {
            found.insert(name.to_owned(), rest[..size].to_vec());
        }
        tar = &rest[size.next_multiple_of(BLOCK)..];
    }
    found
}
