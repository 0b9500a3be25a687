//! The house rules, checked: the import order, the owners of crates, and the form of every file. Each finding says where,
//! which rule, and what to do; each rule is itself tested on a sample that breaks it.

mod documents;
mod findings;
mod imports;
mod lexer;
mod lock;
mod rules;
mod source;
mod tree;

use findings::check;

const FUNCTION_LINES_MEDIAN: usize = 8;

#[test]
fn imports_go_down_the_ranks() {
    check(imports::order, tree::sources());
}

#[test]
fn crates_are_named_by_their_owners_only() {
    check(imports::owners, tree::sources());
}

#[test]
fn nothing_left_of_file_does_input_or_output() {
    check(imports::purity, tree::sources());
}

#[test]
fn every_file_opens_with_what_it_holds() {
    check(rules::opening, tree::sources());
}

#[test]
fn files_and_types_are_named_by_what_they_are() {
    let sources = tree::sources();
    check(rules::file_names, sources);
    check(rules::names, sources);
}

#[test]
fn files_and_functions_are_short() {
    let sources = tree::sources();
    check(rules::file_length, sources);
    check(rules::function_length, sources);
    let median = rules::median_function_lines(sources);
    assert!(median < FUNCTION_LINES_MEDIAN, "half of all functions have {median} lines or more");
}

#[test]
fn nothing_is_left_over() {
    check(rules::leftovers, tree::sources());
}

#[test]
fn no_shipped_code_unwraps() {
    check(rules::unwraps, tree::sources());
}

#[test]
fn unsafe_code_stands_only_where_it_was_allowed() {
    check(rules::unsafe_code, tree::sources());
}

#[test]
fn tests_run_and_do_not_watch_the_clock() {
    check(rules::honest_tests, tree::sources());
}

#[test]
fn the_text_works_on_any_machine() {
    check(rules::machines, tree::sources());
}

#[test]
fn markdown_has_one_title() {
    check(rules::markdown_title, tree::sources());
}

#[test]
fn documents_name_what_exists() {
    let sources = tree::sources();
    documents::names_exist(sources).assert_none();
}

#[test]
fn the_code_map_shows_every_module() {
    let sources = tree::sources();
    documents::map_is_whole(sources).assert_none();
}

#[test]
fn no_list_of_files_to_touch_is_long() {
    check(documents::short_lists, tree::sources());
}

#[test]
fn every_source_file_is_compiled() {
    let sources = tree::sources();
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "the tree was not found");
    let unreached = tree::unreached(sources);
    assert!(unreached.is_empty(), "no `mod` line leads to {unreached:?}: add it, or remove the file");
}
