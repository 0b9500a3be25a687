//! The rules of one file: its opening, its length, its functions, its names and its words.

use super::{
    findings::Findings,
    lexer::Token,
    source::{Source, closing},
};

const FILE_LINES_MAX: usize = 600;
const INLINE_TEST_LINES_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
/// A match over all opcodes, one short arm each: cutting it up would hide the table.
const LONG_FUNCTIONS: &[(&str, &str)] = &[("src/pickle/decode.rs", "decode")];

/// Functions that a trait of another crate asks for under their names.
const NAMES_OF_OTHERS: &[(&str, &str)] =
    &[("src/file/parquet/pages.rs", "get_read"), ("src/file/parquet/pages.rs", "get_bytes")];
/// Mapping a file is the one thing that cannot be said without it.
const UNSAFE_FILES: &[&str] = &["src/file/map.rs"];

/// Every file says what lives in it and why.
pub(super) fn opening(source: &Source, findings: &mut Findings) {
    let opened = source.text.trim_start_matches('\u{feff}').starts_with("//!");
    if source.is_rust() && !opened {
        findings.add(source, 1, "does not open with `//!`: say what lives here and why");
    }
}

/// Module files are `name.rs` beside `name/`.
pub(super) fn file_names(source: &Source, findings: &mut Findings) {
    let stem = source.path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    if source.path.ends_with("/mod.rs") {
        findings.add(source, 1, "is a `mod.rs`: call it by the name of its folder, beside the folder");
    } else if source.is_rust() && is_vague(stem) {
        findings.add(source, 1, format!("`{stem}` says nothing: name the file by what it holds"));
    }
}

/// Files are short, and so are the tests inside them.
pub(super) fn file_length(source: &Source, findings: &mut Findings) {
    if !source.is_rust() {
        return;
    }
    let tests: Vec<_> = source.tests.iter().filter(|item| item.last_line > item.first_line + 1).collect();
    let tested: usize = tests.iter().map(|item| item.last_line - item.first_line + 1).sum();
    let lines = source.text.lines().count() - tested;
    if lines > FILE_LINES_MAX && !source.is_test {
        findings.add(
            source,
            1,
            format!("{lines} lines before tests, at most {FILE_LINES_MAX}: one concept for each file"),
        );
    }
    for item in tests.iter().filter(|item| item.last_line - item.first_line > INLINE_TEST_LINES_MAX + 2) {
        findings.add(source, item.first_line, format!("more than {INLINE_TEST_LINES_MAX} lines of tests: move them to a file `tests.rs` in the module's folder"));
    }
}

/// Functions are short.
pub(super) fn function_length(source: &Source, findings: &mut Findings) {
    let exempt = |name: &str| LONG_FUNCTIONS.contains(&(source.path.as_str(), name));
    for function in source.functions() {
        if function.lines > FUNCTION_LINES_MAX && !exempt(&function.name) {
            let (name, lines) = (&function.name, function.lines);
            findings.add(
                source,
                function.line,
                format!("`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}: split it"),
            );
        }
    }
}

/// The middle length of all functions that ship.
pub(super) fn median_function_lines(sources: &[Source]) -> usize {
    let shipped = sources.iter().filter(|source| source.is_shipped());
    let mut lengths: Vec<usize> =
        shipped.flat_map(Source::functions).map(|function| function.lines).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or_default()
}

/// Names say what a thing is.
pub(super) fn names(source: &Source, findings: &mut Findings) {
    for two in source.all.windows(2).filter(|two| two[1].is_name()) {
        let (keyword, name) = (&two[0], two[1].text.as_str());
        let is_type = ["struct", "enum", "trait", "type", "mod", "union"].iter().any(|word| keyword.is(word));
        if is_type && is_vague(name) {
            findings.add(source, keyword.line, format!("`{name}` says nothing: name it by what it is"));
        }
        let asked_for = NAMES_OF_OTHERS.contains(&(source.path.as_str(), name));
        if keyword.is("fn") && name.starts_with("get_") && !asked_for {
            findings.add(source, keyword.line, format!("`{name}`: leave the `get_` away"));
        }
    }
}

fn is_vague(name: &str) -> bool {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() || letter == '_' {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    let vague = ["util", "utils", "helper", "helpers", "manager", "managers", "common"];
    words.split([' ', '_']).any(|word| vague.contains(&word))
}

/// Nothing is left for later, and nothing is left from looking.
pub(super) fn leftovers(source: &Source, findings: &mut Findings) {
    for (line, text) in numbered(&source.text) {
        for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
            if text.split(|letter: char| !letter.is_alphanumeric()).any(|other| other == word) {
                findings.add(
                    source,
                    line,
                    format!("`{word}`: do it, or open an issue and leave the word away"),
                );
            }
        }
    }
    for (two, name) in macros(&source.all) {
        if ["todo", "unimplemented", "dbg"].contains(&name) {
            findings.add(source, two.line, format!("`{name}!` does not belong in committed code"));
        }
    }
}

fn macros(tokens: &[Token]) -> impl Iterator<Item = (&Token, &str)> {
    let calls = tokens.windows(2).filter(|two| two[0].is_name() && two[1].is("!"));
    calls.map(|two| (&two[0], two[0].text.as_str()))
}

/// Code that ships does not end the program on a value that is absent.
pub(super) fn unwraps(source: &Source, findings: &mut Findings) {
    if !source.is_rust() || source.is_test {
        return;
    }
    for three in source.code.windows(3) {
        if three[0].is(".") && three[1].is("unwrap") && three[2].is("(") {
            findings.add(
                source,
                three[1].line,
                "`unwrap()` outside tests: return the error, or `expect` with why it cannot fail",
            );
        }
    }
}

/// Tests run, and depend on nobody's clock.
pub(super) fn honest_tests(source: &Source, findings: &mut Findings) {
    for (index, token) in source.all.iter().enumerate() {
        let after =
            |ahead: usize, text: &str| source.all.get(index + ahead).is_some_and(|next| next.is(text));
        if token.is("#") && after(1, "[") && after(2, "ignore") {
            findings.add(source, token.line, "`#[ignore]`: a test runs or does not exist");
        }
        let asserts = token.is_name() && token.text.contains("assert") && after(1, "!");
        if asserts && source.all.len() > index + 2 && times(&source.all[index + 2..]) {
            findings.add(
                source,
                token.line,
                "asserts a time: it fails on a busy machine; measure in benches/ instead",
            );
        }
    }
}

fn times(arguments: &[Token]) -> bool {
    let clock = |token: &Token| token.is("elapsed") || token.is("duration_since");
    arguments[..closing(arguments)].iter().any(clock)
}

/// `unsafe` stands in the few files that were read for it.
pub(super) fn unsafe_code(source: &Source, findings: &mut Findings) {
    if UNSAFE_FILES.contains(&source.path.as_str()) {
        return;
    }
    for token in source.all.iter().filter(|token| token.is("unsafe")) {
        findings.add(
            source,
            token.line,
            format!("`unsafe` outside {}: use what stands there", UNSAFE_FILES.join(", ")),
        );
    }
}

/// The text works on anybody's machine. The lock file is cargo's own and names its index.
pub(super) fn machines(source: &Source, findings: &mut Findings) {
    if source.path == "Cargo.lock" {
        return;
    }
    let paths =
        [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/tmp/", "brine")];
    let hosts = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("npm", "js.org"),
        concat!("npm", "js.com"),
        concat!("debian", ".org"),
        concat!("proxy.golang", ".org"),
    ];
    for (line, text) in numbered(&source.text) {
        for path in paths.iter().filter(|path| text.contains(**path)) {
            findings.add(
                source,
                line,
                format!("`{path}` is a path of one machine: use a relative or temporary one"),
            );
        }
        for host in hosts.iter().filter(|host| text.contains(**host)) {
            findings.add(
                source,
                line,
                format!("`{host}`: registries are the business of the tools' own configuration"),
            );
        }
    }
}

/// A Markdown file has one title.
pub(super) fn markdown_title(source: &Source, findings: &mut Findings) {
    if !source.is_markdown() {
        return;
    }
    let mut fenced = false;
    let titles = numbered(&source.text).filter(|(_, text)| {
        fenced ^= text.trim_start().starts_with("```");
        !fenced && text.starts_with("# ")
    });
    let lines: Vec<usize> = titles.map(|(line, _)| line).collect();
    match lines.as_slice() {
        [1] => {}
        [] => findings.add(source, 1, "has no `# ` title"),
        [first] => findings.add(source, *first, "the `# ` title is not the first line"),
        [_, second, ..] => findings.add(source, *second, "a second `# ` title: use `## ` below the first"),
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests;
