//! What the lock file may hold: one version of the crates whose types meet, none that is banned, none with a known hole.

use std::{fs, path::Path};

/// Two versions of one of these would be two types with one name, or two TLS back ends that fight for the process.
const AT_MOST_ONE: &[&str] =
    &["arrow-array", "arrow-schema", "parquet", "prost", "tonic", "rustls", "bytes", "tokio"];

/// Never in the tree; `deny.toml` says the same with the replacements.
const BANNED: &[&str] =
    &["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "arrow2", "bincode", "xz2"];

/// The first version without the advisory behind it.
const FLOORS: &[(&str, &str, &str)] = &[
    ("h2", "0.4.17", "RUSTSEC-2026-0258"),
    ("tonic", "0.12.3", "RUSTSEC-2024-0376"),
    ("bytes", "1.11.1", "RUSTSEC-2026-0007"),
    ("memmap2", "0.9.11", "RUSTSEC-2026-0186"),
    ("tokio-postgres", "0.7.18", "RUSTSEC-2026-0178"),
    ("postgres-protocol", "0.6.12", "RUSTSEC-2026-0179"),
    ("sqlx", "0.8.1", "RUSTSEC-2024-0363"),
    ("lz4_flex", "0.11.6", "RUSTSEC-2026-0041"),
    ("rustls", "0.23.5", "RUSTSEC-2024-0336"),
    ("rustls-webpki", "0.103.13", "RUSTSEC-2026-0049"),
    ("protobuf", "3.7.2", "RUSTSEC-2024-0437"),
    ("zip", "2.3.0", "RUSTSEC-2025-0168"),
];

/// `lz4_flex` 0.12.0 is above its floor and still has the hole.
const HOLES: &[(&str, &str)] = &[("lz4_flex", "0.12.0")];

/// Everything that is wrong with a lock file.
fn faults(lock: &str) -> Vec<String> {
    let packages = packages(lock);
    let versions = |name: &str| packages.iter().filter(|(other, _)| *other == name).count();
    let mut faults = Vec::new();
    for name in AT_MOST_ONE.iter().filter(|name| versions(name) > 1) {
        faults.push(format!("{name} is there in {} versions: move every user of it to one", versions(name)));
    }
    for name in BANNED.iter().filter(|name| versions(name) > 0) {
        faults.push(format!("{name} is banned: see deny.toml for what to use"));
    }
    for (name, version) in &packages {
        faults.extend(too_old(name, version));
    }
    faults
}

fn too_old(name: &str, version: &str) -> Option<String> {
    if HOLES.contains(&(name, version)) {
        return Some(format!("{name} {version} has a known hole: `cargo update -p {name}`"));
    }
    let (_, floor, advisory) = FLOORS.iter().find(|(other, _, _)| *other == name)?;
    let old = number(version) < number(floor);
    old.then(|| format!("{name} {version} is older than {floor} ({advisory}): `cargo update -p {name}`"))
}

fn packages(lock: &str) -> Vec<(&str, &str)> {
    let blocks = lock.split("[[package]]").skip(1);
    blocks.filter_map(|block| Some((field(block, "name = ")?, field(block, "version = ")?))).collect()
}

fn field<'a>(block: &'a str, key: &str) -> Option<&'a str> {
    block.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim_matches('"'))
}

fn number(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap_or(version);
    plain.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

#[test]
fn the_lock_file_is_sound() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let lock = fs::read_to_string(lock).expect("the lock file is committed");
    assert!(packages(&lock).len() > 50, "the lock file was not understood");
    assert_eq!(faults(&lock), Vec::<String>::new());
}

#[test]
fn doubles_bans_and_old_versions_are_found() {
    let package =
        |(name, version): &(&str, &str)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    let lock = |packages: &[(&str, &str)]| packages.iter().map(package).collect::<Vec<_>>().join("\n");
    let twice = faults(&lock(&[("parquet", "59.3.2"), ("parquet", "60.0.0")]));
    assert_eq!(twice, ["parquet is there in 2 versions: move every user of it to one"]);
    assert_eq!(faults(&lock(&[("openssl", "0.10.0")])), ["openssl is banned: see deny.toml for what to use"]);
    assert_eq!(
        faults(&lock(&[("h2", "0.4.9")])),
        ["h2 0.4.9 is older than 0.4.17 (RUSTSEC-2026-0258): `cargo update -p h2`"]
    );
    assert_eq!(faults(&lock(&[("lz4_flex", "0.12.0")])).len(), 1);
    assert_eq!(
        faults(&lock(&[("h2", "0.4.17"), ("h2-extra", "0.1.0"), ("zstd-sys", "2.0.1+zstd.1.5.2")])),
        Vec::<String>::new()
    );
}
