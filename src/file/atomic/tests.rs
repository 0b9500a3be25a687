//! Files that appear whole or not at all.

use super::{direct::BLOCK_BYTES, *};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_committed_file_has_its_bytes_digest_and_an_ordinary_mode() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..5 * BLOCK_BYTES + 77).map(|at| (at % 251) as u8).collect();
    let mut file = AtomicFile::create(folder.path(), "x").unwrap();
    file.write_all(&bytes[..1000]).unwrap();
    file.write_all(&bytes[1000..]).unwrap();
    let synced = file.commit().unwrap();
    assert_eq!(synced.length, bytes.len() as u64);
    assert_eq!((synced.blake3, synced.xxh3), (Some(blake3::hash(&bytes)), None));
    drop(synced);
    assert_eq!(names(folder.path()), ["x"]);
    assert!(fs::read(folder.path().join("x")).unwrap() == bytes);
    let ordinary = folder.path().join("ordinary");
    fs::write(&ordinary, b"").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode();
    assert_eq!(mode(&folder.path().join("x")), mode(&ordinary));
}

#[test]
fn either_digest_is_that_of_all_bytes_however_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..2 * BLOCK_BYTES + 77).map(|at| (at % 251) as u8).collect();
    for piece in [1_000, 300_000, bytes.len()] {
        let mut file = AtomicFile::create(folder.path(), "x").unwrap().with_xxh3();
        bytes.chunks(piece).for_each(|bytes| file.write_all(bytes).unwrap());
        let synced = file.sync().unwrap();
        assert_eq!((synced.blake3, synced.xxh3), (None, Some(xxhash_rust::xxh3::xxh3_128(&bytes))));
    }
}

#[test]
fn dropping_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x"), b"old").unwrap();
    let mut file = AtomicFile::create(folder.path(), "x").unwrap();
    file.write_all(&vec![1; 3 * BLOCK_BYTES]).unwrap();
    drop(file);
    drop(AtomicFile::create(folder.path(), "x").unwrap().sync().unwrap());
    assert_eq!(names(folder.path()), ["x"]);
    assert_eq!(fs::read(folder.path().join("x")).unwrap(), b"old");
}

#[test]
fn a_full_disk_names_the_file_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = AtomicFile::create(folder.path(), "x.parquet").unwrap();
    file.room = Some(PIECE_BYTES as u64);
    file.write_all(&vec![1; PIECE_BYTES]).unwrap();
    let error = file.write_all(b"1").map_err(error::io(file.target(), "write")).unwrap_err();
    drop(file);
    assert!(matches!(&error, Error::DiskFull { path, .. } if path.ends_with("x.parquet")), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_file_with_a_gap_takes_nothing_more_and_is_never_synced() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = AtomicFile::create(folder.path(), "x").unwrap();
    // Opened for reading, so that every write to it fails.
    file.file = Arc::new(File::open(&file.temporary.path).unwrap());
    let block = vec![1; BLOCK_BYTES];
    assert!((0..100).any(|_| file.write_all(&block).is_err()));
    assert!((0..100).all(|_| file.write_all(b"1").is_err()));
    assert!(file.sync().is_err());
    assert!(names(folder.path()).is_empty());
}

#[test]
fn sweeping_takes_what_dead_writers_left_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let living = AtomicFile::create(folder.path(), "x").unwrap();
    for name in [".x.99.abc.tmp", ".x.y.99.abc.tmp", ".x.tmp", "x", ".z.99.abc.tmp"] {
        fs::write(folder.path().join(name), b"").unwrap();
    }
    sweep(folder.path(), "x").unwrap();
    let left = names(folder.path());
    assert_eq!(left.len(), 5, "{left:?}");
    assert!(!left.contains(&".x.99.abc.tmp".to_owned()));
    drop(living);
}

#[test]
fn folders_are_made_with_their_parents() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c");
    create_folder(&deep).unwrap();
    create_folder(&deep).unwrap();
    assert!(deep.is_dir());
}
