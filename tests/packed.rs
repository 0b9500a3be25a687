//! One pickle in every form in which pickles come packed: `tests/fixtures/packed`, written by `scripts/fixtures/packed.py`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use brine::{
    file::{
        Error,
        packed::{Fault, Layer, Unread, peel},
        spool::open_input,
    },
    limits::files::Decompression,
};
use bytes::Bytes;
use rayon::prelude::*;
use serde_json::Value;

struct Form {
    name: String,
    content: Vec<u8>,
    /// The layers from the outside in, or the error.
    told: Result<Vec<String>, String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/packed")
}

fn inner() -> Vec<u8> {
    std::fs::read(folder().join("frame.pkl")).unwrap()
}

fn forms() -> Vec<Form> {
    let manifest = std::fs::read(folder().join("MANIFEST.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let form = |(name, told): (&String, &Value)| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let layers = told["layers"].as_array().map(|layers| layers.iter().map(text).collect());
        let told = layers.ok_or_else(|| text(&told["error"]));
        Form { name: name.clone(), content: std::fs::read(folder().join(name)).unwrap(), told }
    };
    let forms: Vec<_> = manifest.as_object().unwrap().iter().map(form).collect();
    assert!(forms.len() > 70, "only {} forms", forms.len());
    forms
}

fn good() -> Vec<Form> {
    forms().into_iter().filter(|form| form.told.is_ok()).collect()
}

fn names(layers: &[Layer]) -> Vec<String> {
    layers.iter().map(ToString::to_string).collect()
}

/// The bounds for small files, so that bombs go off early.
const SMALL: Decompression =
    Decompression { ratio: 200, ratio_floor_bytes: 1 << 20, bytes_max: 1 << 30, layers_max: 4 };

fn unpack(content: &[u8]) -> Result<(Bytes, Vec<Layer>), Unread> {
    let peeled = peel(Bytes::copy_from_slice(content), &SMALL)?;
    Ok((peeled.bytes, peeled.layers))
}

#[test]
fn every_form_gives_the_same_pickle_and_every_bad_one_its_error() {
    let spool = tempfile::tempdir().unwrap();
    let inner = inner();
    let faults: Vec<String> = forms()
        .iter()
        .filter_map(|form| {
            let opened = open_input(&folder().join(&form.name), spool.path(), &SMALL);
            let found = opened.as_ref().map(|input| names(input.layers())).map_err(told);
            let same = opened.as_ref().map_or(true, |input| input[..] == inner);
            (found.as_deref().map_err(|error| *error) != form.told.as_deref().map_err(String::as_str)
                || !same)
                .then(|| {
                    format!("{}: {found:?} instead of {:?}, {same}: {:?}", form.name, form.told, opened.err())
                })
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0, "a temporary file has a name");
}

fn told(error: &Error) -> &'static str {
    match error {
        Error::Packed { source, .. } => match source.what {
            Fault::CutShort { .. } => "cut short",
            Fault::Corrupt { .. } => "corrupt",
            Fault::Expands { .. } => "expands",
            Fault::Nested { .. } => "nested",
            Fault::Members { .. } => "members",
            Fault::NoMember => "no member",
            Fault::NotPlain { .. } => "not plain",
            Fault::Encrypted { .. } => "encrypted",
            Fault::Method { .. } => "method",
            _ => "another fault",
        },
        Error::Compression { .. } => "format",
        _ => "another error",
    }
}

/// An archive may lack what stands behind its member, which is zeros, and of two streams the second may be gone: then the
/// pickle itself is cut short, and that is found next.
#[test]
fn every_shorter_prefix_is_refused_or_ends_between_two_streams() {
    let inner = inner();
    let half = &inner[..inner.len() / 2];
    let wrong = |form: &Form| -> Vec<String> {
        // Below this the magic itself is cut, and there is no layer to be seen.
        let first = if form.told.as_ref().is_ok_and(|layers| layers[0] == "tar") { 512 } else { 6 };
        let sparse = |cut: &usize| *cut < 2_000 || cut.is_multiple_of(97);
        let cuts = (first..form.content.len()).filter(sparse);
        let cut = cuts.filter(|cut| {
            unpack(&form.content[..*cut]).is_ok_and(|(bytes, _)| bytes != inner && bytes != half)
        });
        cut.map(|cut| format!("{}: cut at {cut} of {}", form.name, form.content.len())).collect()
    };
    let packed: Vec<_> = good().into_iter().filter(|form| form.told != Ok(vec![])).collect();
    let wrong: Vec<String> = packed.par_iter().flat_map_iter(wrong).collect();
    assert!(wrong.is_empty(), "{} cuts:\n{}", wrong.len(), wrong.join("\n"));
}

/// A stream with a checksum gives its own bytes or none; the others at least never panic.
#[test]
fn damage_is_refused_where_there_is_a_checksum() {
    let inner = inner();
    let unchecked = ["lzma", "tar"];
    let wrong = |form: &Form| -> Vec<String> {
        let layers = form.told.as_ref().unwrap();
        let checked = !layers.iter().any(|layer| unchecked.contains(&layer.as_str()))
            && !["frame.pkl.zst", "no_length.zst", "plain.lz4", "frames.lz4", "check_none.xz"]
                .contains(&form.name.as_str());
        let bits = form.content.len() * 8;
        let mut wrong = Vec::new();
        for turn in 0..600 {
            let bit = turn * 2_654_435_761_usize % bits;
            let mut flipped = form.content.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let same = unpack(&flipped).map_or(true, |(bytes, layers)| {
                bytes == inner || names(&layers) != *form.told.as_ref().unwrap()
            });
            if checked && !same {
                wrong.push(format!("{}: bit {bit} of {bits}", form.name));
            }
        }
        wrong
    };
    let packed: Vec<_> = good().into_iter().filter(|form| form.told != Ok(vec![])).collect();
    let wrong: Vec<String> = packed.par_iter().flat_map_iter(wrong).collect();
    assert!(wrong.is_empty(), "{} flips:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn bombs_stop_at_the_ratio_and_at_the_size_over_all_layers() {
    let by_ratio = Decompression { ratio: 20, ..SMALL };
    let by_size = Decompression { ratio: u64::MAX, ratio_floor_bytes: 0, bytes_max: 1 << 20, ..SMALL };
    for name in ["bad_bomb.zst", "bad_bomb.bz2", "bad_bomb_in_bomb.gz"] {
        for limits in [by_ratio, by_size] {
            let content = std::fs::read(folder().join(name)).unwrap();
            let error = peel(content.into(), &limits).unwrap_err();
            let Fault::Expands { limit_bytes, .. } = error.what else { panic!("{name}: {error:?}") };
            assert!(limit_bytes <= 20 << 20, "{name}: {limit_bytes}");
        }
    }
}

#[test]
fn layers_are_told_from_the_inside_out() {
    let content = std::fs::read(folder().join("bad_two.tar")).unwrap();
    let packed = zstd::encode_all(&content[..], 1).unwrap();
    let error = unpack(&packed).unwrap_err();
    assert_eq!(error.to_string(), "its tar in zstd cannot be unpacked");
    let names =
        "it holds 2 files, and one pickle is looked for; take one out first: \"frame.pkl\", \"other.pkl\"";
    assert_eq!(error.what.to_string(), names);
}
