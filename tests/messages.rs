//! Tables in messages of any kind: what is encoded is, byte for byte, what the descriptors' own library encodes; what does
//! not fit is refused by name before anything is encoded.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that panics has failed, which is what it is for"
)]

mod domains;
mod property;
mod refusals;
mod tree;
mod values;

use brine::wire::Contract;

/// The descriptors of a `.proto` file of this text.
fn descriptors(text: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.proto");
    std::fs::write(&file, text).unwrap();
    let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
    let compiled = compiler.include_imports(true).open_file(&file);
    compiled.unwrap_or_else(|error| panic!("{error:?}\n{text}")).encode_file_descriptor_set()
}

/// The RPC `t.S/Put` of it.
fn contract(text: &str) -> Contract {
    Contract::find(&descriptors(text), "t.S/Put").unwrap()
}
