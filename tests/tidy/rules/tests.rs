//! Each rule is shown a sample that breaks it, and one beside it that does not.

use super::super::findings::{Rule, of};
use super::*;

fn breaks(rule: Rule, path: &str, text: &str, expected: &str) {
    let said = of(rule, path, text);
    assert!(said.contains(expected), "{text:?} in {path}: expected {expected:?}, found {said:?}");
}

fn keeps(rule: Rule, path: &str, text: &str) {
    assert_eq!(of(rule, path, text), "", "{text:?} in {path}");
}

#[test]
fn a_file_without_an_opening_is_found() {
    breaks(opening, "tests/x.rs", "use a;\n", "tests/x.rs:1: does not open with `//!`");
    breaks(opening, "build.rs", "// a\n//! b", "//!");
    keeps(opening, "src/x.rs", "//! What lives here.");
    keeps(opening, "README.md", "text");
}

#[test]
fn bad_file_names_are_found() {
    breaks(file_names, "src/x/mod.rs", "", "is a `mod.rs`");
    breaks(file_names, "src/x/string_utils.rs", "", "says nothing");
    breaks(file_names, "src/common.rs", "", "says nothing");
    keeps(file_names, "src/uncommonly_utilitarian.rs", "");
}

#[test]
fn long_files_and_long_inline_tests_are_found() {
    let lines = |count: usize| "x;\n".repeat(count);
    breaks(file_length, "src/x.rs", &lines(601), "601 lines before tests, at most 600");
    keeps(file_length, "src/x.rs", &lines(600));
    keeps(file_length, "src/x/tests.rs", &lines(601));
    let tested = |count: usize| format!("{}#[cfg(test)]\nmod tests {{\n{}}}", lines(590), lines(count));
    breaks(file_length, "src/x.rs", &tested(101), "src/x.rs:591: more than 100 lines of tests");
    keeps(file_length, "src/x.rs", &tested(100));
}

#[test]
fn long_functions_are_found() {
    let function = |lines: usize| format!("\nfn long() {{\n{}}}", "x;\n".repeat(lines - 2));
    breaks(function_length, "src/x.rs", &function(71), "src/x.rs:2: `long` has 71 lines, at most 70");
    keeps(function_length, "src/x.rs", &function(70));
}

#[test]
fn the_median_is_that_of_shipped_functions() {
    let source = |path: &str, text: &str| Source::new(path, text);
    let sources = [
        source("src/a.rs", "fn a() {}\nfn b() {\n}\nfn c() {\n\n\n\n}"),
        source("tests/b.rs", "fn d() {\n\n\n\n\n\n\n\n\n}\nfn e() {\n\n\n\n\n\n\n\n\n}"),
    ];
    assert_eq!(median_function_lines(&sources), 2);
}

#[test]
fn vague_and_needless_names_are_found() {
    breaks(names, "src/x.rs", "a\nstruct SessionManager;", "src/x.rs:2: `SessionManager` says nothing");
    breaks(names, "src/x.rs", "mod helpers {}", "`helpers`");
    breaks(names, "src/x.rs", "fn get_rows() {}", "leave the `get_` away");
    keeps(names, "src/x.rs", "struct Managed; fn getter() {} // struct Manager");
}

#[test]
fn leftovers_are_found() {
    breaks(leftovers, "README.md", concat!("a\n- TO", "DO: b"), "README.md:2:");
    breaks(leftovers, "src/x.rs", concat!("// FIX", "ME later"), "do it");
    breaks(leftovers, "src/x.rs", "fn f() { todo!() }", "`todo!`");
    breaks(leftovers, "src/x.rs", "fn f() { unimplemented!(\"x\") }", "`unimplemented!`");
    breaks(leftovers, "tests/x.rs", "fn f() { dbg!(x); }", "`dbg!`");
    keeps(leftovers, "src/x.rs", "fn f() { todos(!x, \"todo!\") }");
}

#[test]
fn unwraps_outside_tests_are_found() {
    breaks(unwraps, "src/x.rs", "fn f() {\n  a\n    .unwrap()\n}", "src/x.rs:3: `unwrap()`");
    breaks(unwraps, "build.rs", "fn f() { a.unwrap() }", "`unwrap()`");
    keeps(
        unwraps,
        "src/x.rs",
        "fn f() { a.unwrap_or(b) }\n#[cfg(test)]\nmod tests { fn g() { a.unwrap() } }",
    );
    keeps(unwraps, "tests/x.rs", "fn f() { a.unwrap() }");
}

#[test]
fn tests_that_do_not_run_or_watch_the_clock_are_found() {
    breaks(
        honest_tests,
        "tests/x.rs",
        "#[test]\n#[ignore = \"slow\"]\nfn f() {}",
        "tests/x.rs:2: `#[ignore]`",
    );
    breaks(honest_tests, "tests/x.rs", "assert!(start.elapsed() < limit);", "asserts a time");
    keeps(honest_tests, "tests/x.rs", "assert!(rows < 3); println!(start.elapsed());");
}

#[test]
fn unsafe_code_out_of_its_place_is_found() {
    breaks(unsafe_code, "src/pickle.rs", "fn f() { unsafe { g() } }", "`unsafe` outside src/file/map.rs");
    keeps(unsafe_code, "src/pickle.rs", "#![deny(unsafe_code)] // unsafe");
    keeps(unsafe_code, "src/file/map.rs", "unsafe { g() }");
}

#[test]
fn paths_and_hosts_of_one_machine_are_found() {
    breaks(machines, "scripts/x.sh", concat!("cd /ho", "me/me"), "scripts/x.sh:1:");
    breaks(machines, "README.md", concat!("see /wo", "rk/x"), "path of one machine");
    breaks(machines, "src/x.rs", concat!("// crates", ".io"), "registries");
    keeps(machines, "Cargo.lock", concat!("registry+crates", ".io"));
    keeps(machines, "README.md", "http://localhost:50051 and /tmp/x and rework/x");
}

#[test]
fn markdown_without_one_title_is_found() {
    breaks(markdown_title, "a.md", "text", "has no `# ` title");
    breaks(markdown_title, "a.md", "# A\n\n# B", "a.md:3: a second");
    breaks(markdown_title, "a.md", "\n# A", "not the first line");
    keeps(markdown_title, "a.md", "# A\n\n## B\n```sh\n# comment\n```\n");
}
