//! Who may import whom, and which module may name which crate.

use super::{
    findings::Findings,
    source::{Named, Source},
};

/// The modules in the order of their ranks. A row names only rows above it, so there can be no circles.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("cursor", &["limits"]),
    ("growing", &[]),
    ("figures", &[]),
    ("identifier", &[]),
    ("failpoint", &[]),
    ("proto", &[]),
    ("schema", &["limits"]),
    ("session", &[]),
    ("pickle", &["limits", "cursor", "growing"]),
    ("numpy", &["limits", "cursor", "pickle"]),
    ("pandas", &["limits", "cursor", "pickle", "numpy"]),
    // A cell of an object column is a node of the graph, decoded where it lies: hence pickle.
    ("columnar", &["limits", "growing", "identifier", "schema", "pickle", "numpy", "pandas"]),
    ("digest", &["limits", "identifier", "schema", "columnar"]),
    (
        "file",
        &[
            "limits",
            "cursor",
            "growing",
            "identifier",
            "schema",
            "pickle",
            "numpy",
            "pandas",
            "columnar",
            "digest",
        ],
    ),
    ("wire", &["limits", "schema", "proto", "columnar", "digest"]),
    ("store", &["limits", "failpoint", "schema", "session", "columnar", "digest", "file"]),
    ("analytics", &["limits", "columnar", "file", "store"]),
    ("server", &["limits"]),
    (
        "service",
        &["limits", "figures", "proto", "schema", "session", "columnar", "digest", "wire", "store", "server"],
    ),
    (
        "client",
        &[
            "limits",
            "failpoint",
            "identifier",
            "proto",
            "schema",
            "session",
            "columnar",
            "digest",
            "file",
            "wire",
        ],
    ),
    ("cli", ALL_BELOW_CLI),
];

const ALL_BELOW_CLI: &[&str] = &[
    "limits",
    "figures",
    "cursor",
    "growing",
    "identifier",
    "proto",
    "schema",
    "session",
    "pickle",
    "numpy",
    "pandas",
    "columnar",
    "digest",
    "file",
    "wire",
    "store",
    "analytics",
    "server",
    "service",
    "client",
];

/// Only these modules may name these crates.
const OWNERS: &[(&[&str], &[&str])] = &[
    (&["clap", "anyhow", "indicatif"], &["cli"]),
    (&["parquet", "memmap2"], &["file"]),
    (&["prost_reflect"], &["proto", "wire"]),
    (&["uuid"], &["identifier"]),
    // It reads the files that a .proto file imports.
    (&["protox"], &["client"]),
    (&["tonic", "tonic_prost"], &["proto", "store", "server", "service", "client", "cli"]),
    // How connections are served and calls are layered.
    (&["hyper", "axum", "tower", "tonic_health", "tonic_reflection", "prost_types"], &["server"]),
    (&["sha2", "constant_time_eq"], &["server"]),
    (&["tokio_rustls"], &["server", "client"]),
    // Who counts and logs needs no knowledge of who reads it; only the server sets it up.
    (&["metrics", "tracing"], &["store", "server", "service", "cli"]),
    (&["metrics_exporter_prometheus", "tracing_subscriber"], &["server"]),
    (&["opentelemetry", "opentelemetry_sdk", "opentelemetry_otlp", "tracing_opentelemetry"], &["server"]),
    (&["tokio", "tokio_stream"], &["proto", "store", "server", "service", "client", "cli"]),
    (ARROW, &["columnar", "digest", "file", "wire", "store", "analytics", "service", "client", "cli"]),
];

const ARROW: &[&str] = &[
    "arrow",
    "arrow_array",
    "arrow_buffer",
    "arrow_cast",
    "arrow_data",
    "arrow_ipc",
    "arrow_schema",
    "arrow_select",
];

/// Left of `file`, and in `wire`, nothing does input or output.
const PURE: &[&str] = &[
    "limits",
    "cursor",
    "growing",
    "identifier",
    "schema",
    "session",
    "pickle",
    "numpy",
    "pandas",
    "columnar",
    "digest",
    "wire",
];
const OUTSIDE_WORLD: &[&str] = &["fs", "net", "process", "env"];

/// The modules that have a rank.
pub(super) fn ranked() -> impl Iterator<Item = &'static str> {
    MAY_IMPORT.iter().map(|(name, _)| *name)
}

/// Imports go down the ranks only.
pub(super) fn order(source: &Source, findings: &mut Findings) {
    let module = source.module();
    let Some(top) = module.first().filter(|_| source.is_shipped()) else { return };
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| name == top) else {
        return findings.add(
            source,
            1,
            format!(
                "module `{top}` has no rank: give it a row in tests/tidy/imports.rs and in ARCHITECTURE.md"
            ),
        );
    };
    for path in source.paths() {
        let Some(target) = imported(&path, module.len()) else { continue };
        let is_module = MAY_IMPORT.iter().any(|(name, _)| *name == target);
        if is_module && target != *top && !allowed.contains(&target) {
            let allowed = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
            findings.add(source, path.line, format!("imports `{target}`; `{top}` may import: {allowed}. Move the shared part down, or the caller up"));
        }
    }
}

/// The top-level module that a path leads to, if it starts at the root of the crate.
fn imported(path: &Named, depth: usize) -> Option<&str> {
    let (first, rest) = path.segments.split_first()?;
    let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
    match first.as_str() {
        "crate" => rest.first().map(String::as_str),
        "super" if supers == depth => path.segments.get(supers).map(String::as_str),
        _ => None,
    }
}

/// Crates are named by their owners only.
pub(super) fn owners(source: &Source, findings: &mut Findings) {
    let module = source.module();
    let Some(top) = module.first().filter(|_| source.is_shipped()) else { return };
    let ours = own_names(source);
    for path in source.paths() {
        let named = &path.segments[0];
        let is_crate = (path.segments.len() > 1 || path.in_use) && !ours.contains(named);
        for (crates, owners) in OWNERS.iter().filter(|_| is_crate) {
            if crates.contains(&named.as_str()) && !owners.contains(top) {
                let owners = owners.join(", ");
                findings.add(
                    source,
                    path.line,
                    format!("names the crate `{named}`; only these modules may: {owners}"),
                );
            }
        }
    }
}

/// Names that mean a module of ours in this file, such as `mod parquet;` in `store`.
fn own_names(source: &Source) -> Vec<String> {
    let inside = |path: &Named| matches!(path.segments[0].as_str(), "crate" | "super" | "self");
    let imported = source.paths().into_iter().filter(|path| path.in_use && inside(path));
    let imported = imported.filter_map(|path| path.segments.last().cloned());
    source.outline_modules().map(str::to_owned).chain(imported).collect()
}

/// The pure modules touch no files, sockets, processes or variables of the environment.
pub(super) fn purity(source: &Source, findings: &mut Findings) {
    let module = source.module();
    let Some(top) = module.first().filter(|top| source.is_shipped() && PURE.contains(top)) else { return };
    for path in source.paths() {
        let [first, second, ..] = path.segments.as_slice() else { continue };
        if first == "std" && OUTSIDE_WORLD.contains(&second.as_str()) {
            findings.add(source, path.line, format!("names `std::{second}`; `{top}` does no input or output: take bytes, give bytes, and leave files to `file`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::of;
    use super::*;

    #[test]
    fn the_ranks_hold_no_circle() {
        for (index, (module, allowed)) in MAY_IMPORT.iter().enumerate() {
            let above: Vec<&str> = MAY_IMPORT[..index].iter().map(|(name, _)| *name).collect();
            assert!(
                allowed.iter().all(|name| above.contains(name)),
                "{module} names a row that is not above it"
            );
        }
    }

    #[test]
    fn an_import_up_the_ranks_is_found_in_every_form() {
        for text in [
            "use crate::wire::Plan;",
            "use crate::{\n    limits,\n    store::Store,\n};",
            "fn f() { crate::service::ingest::run() }",
            "use super::super::client;",
            "type T = Vec<crate::store::Run>;",
        ] {
            let said = of(order, "src/digest/row.rs", text);
            assert!(
                said.contains("`digest` may import: limits, identifier, schema, columnar"),
                "{text}: {said}"
            );
        }
        assert!(
            of(order, "src/digest/row.rs", "use crate::{\n limits,\n store::Store,\n};")
                .starts_with("src/digest/row.rs:3: imports `store`")
        );
    }

    #[test]
    fn imports_down_the_ranks_and_test_code_are_left_alone() {
        for text in [
            "use crate::{limits, schema::Domain};",
            "use super::row;",
            "#[cfg(test)]\nmod tests { use crate::wire; }",
            "// crate::wire",
        ] {
            assert_eq!(of(order, "src/digest/row.rs", text), "");
        }
    }

    #[test]
    fn a_module_without_a_rank_is_found() {
        assert!(of(order, "src/misc.rs", "").contains("has no rank"));
    }

    #[test]
    fn a_crate_out_of_its_place_is_found() {
        for text in [
            "use tokio::net::TcpStream;",
            "use std::{io};\nuse tokio;",
            "#[tokio::main]\nfn f() {}",
            "fn f() { tokio::spawn(x) }",
        ] {
            assert!(of(owners, "src/pickle/machine.rs", text).contains("names the crate `tokio`"), "{text}");
        }
        assert!(
            of(owners, "src/store/parquet.rs", "use parquet::arrow::ArrowWriter;")
                .contains("only these modules may: file")
        );
        assert!(of(owners, "src/pandas.rs", "use arrow_array::Array;").contains("`arrow_array`"));
    }

    #[test]
    fn a_module_of_the_same_name_is_not_the_crate() {
        assert_eq!(of(owners, "src/store.rs", "mod parquet;\npub use parquet::ParquetStore;"), "");
        assert_eq!(of(owners, "src/store/x.rs", "use super::parquet;\nfn f() { parquet::open() }"), "");
        assert_eq!(of(owners, "src/file/x.rs", "use parquet::file;"), "");
    }

    #[test]
    fn input_and_output_in_a_pure_module_are_found() {
        assert!(of(purity, "src/pickle/decode.rs", "use std::{fmt, fs::File};").contains("names `std::fs`"));
        assert!(of(purity, "src/wire.rs", "fn f() { std::env::var(x) }").contains("names `std::env`"));
        assert_eq!(of(purity, "src/file/atomic.rs", "use std::fs;"), "");
    }
}
