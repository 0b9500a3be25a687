//! The files of the repository, each read once, and which of them the compiler reaches.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use super::source::Source;

/// Where the repository's own text stands; everything else at the top is built, downloaded or data.
const FOLDERS: &[&str] =
    &["src", "tests", "benches", "examples", "fuzz", "schemas", "proto", "scripts", "docs", ".ci"];
const SKIPPED: &[&str] = &["target", "__pycache__", ".venv", "node_modules", "corpus", "results"];
/// Files without a dot count as text too: scripts have none.
const TEXT: &[&str] =
    &["rs", "toml", "md", "proto", "py", "sh", "java", "txt", "json", "yml", "yaml", "gitignore"];
/// The files that the compiler is given, and the folder that each one's modules stand in.
const ROOTS: &[(&str, &str)] = &[("src/lib.rs", "src"), ("src/main.rs", "src"), ("tests/all.rs", "tests")];

/// All text of the repository, read once for all rules.
pub(super) fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(read_all);
    &SOURCES
}

fn read_all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for entry in root.read_dir().expect("the repository can be listed").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() || FOLDERS.contains(&name.as_str()) {
            collect(root, &name, &mut paths);
        }
    }
    paths.sort();
    let mut sources: Vec<Source> = paths.iter().filter_map(|path| read(root, path)).collect();
    mark_tests(&mut sources);
    sources
}

fn collect(root: &Path, path: &str, paths: &mut Vec<String>) {
    let full = root.join(path);
    if full.is_file() {
        return paths.push(path.to_owned());
    }
    for entry in full.read_dir().expect("a folder of the repository can be listed").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !SKIPPED.contains(&name.as_str()) {
            collect(root, &format!("{path}/{name}"), paths);
        }
    }
}

fn read(root: &Path, path: &str) -> Option<Source> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_text = name.rsplit_once('.').is_none_or(|(_, extension)| TEXT.contains(&extension));
    let text = if is_text { fs::read_to_string(root.join(path)).ok()? } else { return None };
    Some(Source::new(path, &text))
}

fn mark_tests(sources: &mut [Source]) {
    let reached = reached(sources);
    for source in sources.iter_mut() {
        source.is_test = reached.get(&source.path).copied().unwrap_or(source.path.starts_with("tests/"));
    }
}

/// The files that `mod` lines lead to, and whether they are test code.
fn reached(sources: &[Source]) -> BTreeMap<String, bool> {
    let by_path: BTreeMap<&str, &Source> =
        sources.iter().map(|source| (source.path.as_str(), source)).collect();
    let mut reached = BTreeMap::new();
    let mut waiting: Vec<(String, String, bool)> = ROOTS
        .iter()
        .map(|(file, folder)| ((*file).to_owned(), (*folder).to_owned(), folder == &"tests"))
        .collect();
    while let Some((file, folder, is_test)) = waiting.pop() {
        let Some(source) = by_path.get(file.as_str()) else { continue };
        let of_tests: Vec<&str> =
            source.tests.iter().filter_map(|item| item.outline_module.as_deref()).collect();
        for module in source.outline_modules() {
            let base = format!("{folder}/{module}");
            waiting.push((format!("{base}.rs"), base, is_test || of_tests.contains(&module)));
        }
        reached.insert(file, is_test);
    }
    reached
}

/// Rust files that no `mod` line leads to: they are never compiled, and tests in them never run.
pub(super) fn unreached(sources: &[Source]) -> Vec<&str> {
    let reached: BTreeSet<String> = reached(sources).into_keys().collect();
    let ours = |source: &&Source| {
        source.is_rust() && (source.path.starts_with("src/") || source.path.starts_with("tests/"))
    };
    sources
        .iter()
        .filter(ours)
        .map(|source| source.path.as_str())
        .filter(|path| !reached.contains(*path))
        .collect()
}

#[test]
fn a_file_without_a_mod_line_is_found() {
    let files = [
        ("src/lib.rs", "pub mod a;\n#[cfg(test)]\nmod t;"),
        ("src/a.rs", "mod b;\n#[cfg(test)] mod tests;"),
        ("src/a/b.rs", ""),
        ("src/a/tests.rs", ""),
        ("src/a/c.rs", ""),
        ("src/t.rs", ""),
    ];
    let mut sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    mark_tests(&mut sources);
    assert_eq!(unreached(&sources), ["src/a/c.rs"]);
    let tests: Vec<&str> =
        sources.iter().filter(|source| source.is_test).map(|source| source.path.as_str()).collect();
    assert_eq!(tests, ["src/a/tests.rs", "src/t.rs"]);
}
