//! Compressed inputs: whole, cut short, corrupt, and far too large.

use std::fs;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn open(bytes: &[u8], limits: &Decompression) -> Result<Vec<u8>, Error> {
    let folder = tempfile::tempdir().unwrap();
    let spool = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pkl");
    fs::write(&path, bytes).unwrap();
    let input = open_input(&path, spool.path(), limits).map(|input| input.to_vec());
    assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0, "the temporary file has a name");
    input
}

fn text() -> Vec<u8> {
    (0..40_000_u32).flat_map(|number| (number * 31).to_le_bytes()).collect()
}

#[test]
fn every_form_gives_the_same_bytes() {
    let text = text();
    let members = [gzip(&text[..70_000]), gzip(&text[70_000..])].concat();
    for bytes in [text.clone(), gzip(&text), zstd(&text), members] {
        assert!(open(&bytes, &Decompression::default()).unwrap() == text);
    }
}

#[test]
fn data_cut_short_says_so() {
    let text = text();
    for whole in [gzip(&text), zstd(&text)] {
        for kept in [20, whole.len() / 2, whole.len() - 1] {
            let error = open(&whole[..kept], &Decompression::default()).unwrap_err();
            let cut = matches!(&error, Error::Damaged { what: Damage::CutShort { .. }, path } if path.ends_with("in.pkl"));
            assert!(cut, "{kept}: {error}");
        }
    }
}

#[test]
fn corrupt_data_says_so() {
    let text = text();
    let mut corrupt = gzip(&text);
    let checksum = corrupt.len() - 6;
    corrupt[checksum] ^= 1;
    let error = open(&corrupt, &Decompression::default()).unwrap_err();
    assert!(matches!(error, Error::Damaged { what: Damage::Corrupt { .. }, .. }), "{error}");
}

#[test]
fn damage_never_panics() {
    let text = text();
    for whole in [gzip(&text[..4000]), zstd(&text[..4000])] {
        for flipped in crate::file::testing::bit_flips(&whole) {
            _ = open(&flipped, &Decompression::default());
        }
    }
}

#[test]
fn bombs_stop_at_the_ratio_and_at_the_size() {
    let zeros = vec![0; 8 << 20];
    let by_ratio = Decompression { ratio: 20, ratio_floor_bytes: 1 << 20, bytes_max: 1 << 40 };
    let by_size = Decompression { ratio: u64::MAX, ratio_floor_bytes: 0, bytes_max: 5 << 20 };
    for bomb in [gzip(&zeros), zstd(&zeros)] {
        for limits in [by_ratio, by_size] {
            let error = open(&bomb, &limits).map(|bytes| bytes.len()).unwrap_err();
            assert!(matches!(error, Error::Expands { .. }), "{error}");
        }
        assert_eq!(open(&bomb, &Decompression::default()).unwrap().len(), zeros.len());
    }
}

#[test]
fn forms_that_are_not_read_are_named() {
    let error = open(b"BZh91AY&SY", &Decompression::default()).unwrap_err();
    assert!(matches!(error, Error::Compression { format: "bzip2", .. }), "{error}");
}
