//! Inputs that cannot be mapped as they are: packed, piped, and too large.

use std::{fs, io::pipe, os::fd::OwnedFd, thread};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn text() -> Vec<u8> {
    (0..400_000_u32).flat_map(|number| (number * 31).to_le_bytes()).collect()
}

fn open(bytes: &[u8], limits: &Decompression) -> Result<Input, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pkl");
    fs::write(&path, bytes).unwrap();
    let spool = tempfile::tempdir().unwrap();
    let input = open_input(&path, spool.path(), limits);
    assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0, "the temporary file has a name");
    input
}

fn piped(bytes: Vec<u8>, limits: &Decompression) -> Result<Vec<u8>, Error> {
    let spool = tempfile::tempdir().unwrap();
    let (reader, mut writer) = pipe().unwrap();
    // A reader that gives up closes the pipe under the writer.
    let writing = thread::spawn(move || drop(writer.write_all(&bytes)));
    let file = File::from(OwnedFd::from(reader));
    let contents = contents(file, Path::new("pipe"), spool.path(), limits, Access::Map);
    writing.join().unwrap();
    contents.map(|contents| contents.to_vec())
}

#[test]
fn packed_bytes_outlive_their_temporary_file() {
    let input = open(&gzip(&text()), &Decompression::default()).unwrap();
    assert_eq!(input.layers(), [Layer::Gzip]);
    assert!(input[..] == text());
    assert_eq!(input.source_bytes(), gzip(&text()).len() as u64);
}

#[test]
fn plain_bytes_are_those_of_the_file() {
    let input = open(&text(), &Decompression::default()).unwrap();
    assert!(input.layers().is_empty() && input[..] == text());
}

#[test]
fn a_pipe_is_read_once_and_bounded() {
    assert!(piped(text(), &Decompression::default()).unwrap() == text());
    let small = Decompression { bytes_max: 1 << 20, ..Decompression::default() };
    let error = piped(text(), &small).unwrap_err();
    assert!(matches!(error, Error::Piped { limit_bytes: 0x10_0000, .. }), "{error}");
}

#[test]
fn what_was_read_before_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    fs::write(&path, b"headbrine").unwrap();
    let mut file = File::open(&path).unwrap();
    file.read_exact(&mut [0; 4]).unwrap();
    let contents = contents(file, &path, folder.path(), &Decompression::default(), Access::Map).unwrap();
    assert_eq!(&contents[..], b"brine");
}

#[test]
fn a_folder_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let error = open_input(folder.path(), folder.path(), &Decompression::default()).unwrap_err();
    assert!(matches!(error, Error::Folder { .. }), "{error}");
}
