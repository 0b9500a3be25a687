//! Documents speak of the code as it is: every file and every test they name exists, and the code map is whole.

use std::collections::BTreeSet;

use super::{findings::Findings, imports, source::Source};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const LIST_MAX: u32 = 5;
/// Names of tests are sentences; anything with so many underscores is one.
const TEST_UNDERSCORES_MIN: usize = 3;

/// Files and tests in backticks exist. A name with a word in capitals is a pattern, such as `src/service/NAME.rs`.
pub(super) fn names_exist(sources: &[Source]) -> Findings {
    let mut findings = Findings::default();
    let files: BTreeSet<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    let functions: BTreeSet<&str> = sources.iter().flat_map(function_names).collect();
    for source in sources.iter().filter(|source| source.is_markdown()) {
        for (line, name) in quoted(&source.text) {
            if is_our_file(name) && !files.contains(name) {
                findings.add(
                    source,
                    line,
                    format!("`{name}` does not exist: name the file as it is called now"),
                );
            }
            if is_test(name) && !functions.contains(name) {
                findings.add(
                    source,
                    line,
                    format!("no test is called `{name}`: name the one that keeps this"),
                );
            }
        }
    }
    findings
}

fn function_names(source: &Source) -> impl Iterator<Item = &str> {
    let names = source.all.windows(2).filter(|two| two[0].is("fn") && two[1].is_name());
    names.map(|two| two[1].text.as_str())
}

/// What stands in backticks on one line, outside of code blocks.
fn quoted(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced
    });
    lines.flat_map(|(index, line)| line.split('`').skip(1).step_by(2).map(move |name| (index + 1, name)))
}

fn is_our_file(name: &str) -> bool {
    let ours = ["src/", "tests/", "examples/", "schemas/", "docs/", "proto/", "scripts/"];
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_/.-".contains(letter);
    ours.iter().any(|folder| name.starts_with(folder)) && name.contains('.') && name.chars().all(plain)
}

fn is_test(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.chars().all(plain) && name.matches('_').count() >= TEST_UNDERSCORES_MIN
}

/// Every module that there is stands in the code map.
pub(super) fn map_is_whole(sources: &[Source]) -> Findings {
    let mut findings = Findings::default();
    let Some(map) = sources.iter().find(|source| source.path == ARCHITECTURE) else {
        return findings;
    };
    for module in imports::ranked() {
        let exists = sources.iter().any(|source| source.path == format!("src/{module}.rs"));
        let headings = map.text.lines().filter(|line| line.starts_with("### "));
        if exists && !headings.into_iter().any(|line| line.contains(&format!("`{module}`"))) {
            findings.add(
                map,
                1,
                format!("the code map has no heading with `{module}`: say what lives there"),
            );
        }
    }
    findings
}

/// Lists of files to touch stay short: a long one says that a concept is scattered.
pub(super) fn short_lists(source: &Source, findings: &mut Findings) {
    if source.path != ARCHITECTURE {
        return;
    }
    let mut under_what_to_touch = false;
    for (index, line) in source.text.lines().enumerate() {
        if line.starts_with("## ") {
            under_what_to_touch = line == "## What to touch";
        }
        let number = line.split_once(". ").and_then(|(number, _)| number.parse::<u32>().ok());
        if under_what_to_touch && number > Some(LIST_MAX) {
            findings.add(
                source,
                index + 1,
                "more than five files to touch: bring together what is scattered",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::of;
    use super::*;

    fn said(document: &str) -> String {
        let sources = [
            Source::new("docs/x.md", document),
            Source::new("src/a.rs", "#[cfg(test)]\nmod tests { fn rows_are_never_lost() {} }"),
        ];
        names_exist(&sources).to_string()
    }

    #[test]
    fn a_file_or_a_test_that_is_gone_is_found() {
        assert!(said("# A\n\nsee `src/b.rs`").starts_with("docs/x.md:3: `src/b.rs` does not exist"));
        assert!(said("kept by `rows_are_always_lost`").contains("no test is called"));
        assert_eq!(
            said("`src/a.rs`, `rows_are_never_lost`, `src/NAME.rs`, `src/service/`, `chunk_rows`"),
            ""
        );
        assert_eq!(said("```text\n`src/b.rs`\n```\n"), "");
    }

    #[test]
    fn a_module_that_is_not_on_the_map_is_found() {
        let sources = |map: &str| [Source::new(ARCHITECTURE, map), Source::new("src/wire.rs", "")];
        assert!(map_is_whole(&sources("`wire`")).to_string().contains("no heading with `wire`"));
        assert_eq!(map_is_whole(&sources("### Rank 6: `file`, `wire`")).to_string(), "");
    }

    #[test]
    fn a_long_list_of_files_is_found() {
        let list = |heading: &str, items: u32| {
            (1..=items).fold(heading.to_owned(), |text, item| format!("{text}\n{item}. x"))
        };
        assert!(
            of(short_lists, ARCHITECTURE, &list("## What to touch", 6)).starts_with("ARCHITECTURE.md:7:")
        );
        assert_eq!(of(short_lists, ARCHITECTURE, &list("## What to touch", 5)), "");
        assert_eq!(of(short_lists, ARCHITECTURE, &list("## Other", 9)), "");
    }
}
