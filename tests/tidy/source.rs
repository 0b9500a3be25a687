//! One source file as the rules see it: its tokens without test code, the paths it names, its functions.

use super::lexer::{self, Token};

/// A file of the repository, read once.
#[derive(Debug)]
pub(super) struct Source {
    /// Path from the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Every token.
    pub(super) all: Vec<Token>,
    /// The tokens that are not test code; all of them in test files too.
    pub(super) code: Vec<Token>,
    /// The items under `#[cfg(test)]`.
    pub(super) tests: Vec<TestItem>,
    /// Whether the whole file is test code.
    pub(super) is_test: bool,
}

/// An item under `#[cfg(test)]`.
#[derive(Debug)]
pub(super) struct TestItem {
    pub(super) first_line: usize,
    pub(super) last_line: usize,
    /// The file that `mod NAME;` brings in.
    pub(super) outline_module: Option<String>,
}

/// A function with a body.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// A path such as `crate::wire::Plan`; each leaf of a `use` tree is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    pub(super) in_use: bool,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let is_rust = path.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs");
        let all = if is_rust { lexer::tokens(text) } else { Vec::new() };
        let (code, tests) = without_tests(&all);
        Self { path: path.to_owned(), text: text.to_owned(), all, code, tests, is_test: false }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.extension() == Some("rs")
    }

    pub(super) fn is_markdown(&self) -> bool {
        self.extension() == Some("md")
    }

    fn extension(&self) -> Option<&str> {
        Some(self.path.rsplit_once('.')?.1)
    }

    /// Whether the file is part of the library or the program, and no test.
    pub(super) fn is_shipped(&self) -> bool {
        self.is_rust() && self.path.starts_with("src/") && !self.is_test
    }

    /// The module's path in the crate: `["file", "map"]` for `src/file/map.rs`, nothing for the roots.
    pub(super) fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        if matches!(path, "lib" | "main") { Vec::new() } else { path.split('/').collect() }
    }

    /// The modules that `mod NAME;` in this file brings in.
    pub(super) fn outline_modules(&self) -> impl Iterator<Item = &str> {
        let outline = |three: &&[Token]| three[0].is("mod") && three[1].is_name() && three[2].is(";");
        self.all.windows(3).filter(outline).map(|three| three[1].text.as_str())
    }

    /// The functions outside tests.
    pub(super) fn functions(&self) -> Vec<Function> {
        let starts = self.code.windows(2).enumerate().filter(|(_, two)| two[0].is("fn") && two[1].is_name());
        starts.filter_map(|(start, _)| function(&self.code[start..])).collect()
    }

    /// Every path outside tests.
    pub(super) fn paths(&self) -> Vec<Named> {
        paths(&self.code)
    }
}

fn function(tokens: &[Token]) -> Option<Function> {
    let open = item_end(tokens, |token| token.is("{") || token.is(";"))?;
    if tokens[open].is(";") {
        return None;
    }
    let close = open + closing(&tokens[open..]);
    let (line, name) = (tokens[0].line, tokens[1].text.clone());
    Some(Function { name, line, lines: tokens[close].line - line + 1 })
}

/// Index of the first token outside all brackets that `is_end` takes.
fn item_end(tokens: &[Token], is_end: impl Fn(&Token) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        if depth == 0 && is_end(token) {
            return Some(index);
        }
        depth = depth.saturating_add_signed(nesting(token));
    }
    None
}

fn nesting(token: &Token) -> isize {
    match token.text.as_str() {
        "(" | "[" | "{" => 1,
        ")" | "]" | "}" => -1,
        _ => 0,
    }
}

/// Index of the bracket that closes the one `tokens` begins with; the last token if none does.
pub(super) fn closing(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        depth = depth.saturating_add_signed(nesting(token));
        if depth == 0 {
            return index;
        }
    }
    tokens.len() - 1
}

fn without_tests(all: &[Token]) -> (Vec<Token>, Vec<TestItem>) {
    let (mut code, mut tests) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < all.len() {
        if let Some(attribute) = test_attribute(&all[at..]) {
            let length = attribute + item_length(&all[at + attribute..]);
            tests.push(test_item(&all[at..at + length]));
            at += length;
        } else {
            code.push(all[at].clone());
            at += 1;
        }
    }
    (code, tests)
}

/// The length of a `#[cfg(test)]`, alone or within `all(…)`.
fn test_attribute(tokens: &[Token]) -> Option<usize> {
    let length = attribute(tokens)?;
    let inside = &tokens[2..length];
    let says = |word: &str| inside.iter().any(|token| token.is(word));
    (inside.first()?.is("cfg") && says("test") && !says("not") && !says("any")).then_some(length)
}

fn attribute(tokens: &[Token]) -> Option<usize> {
    let opens = tokens.len() > 2 && tokens[0].is("#") && tokens[1].is("[");
    opens.then(|| closing(&tokens[1..]) + 2)
}

/// The length of an item, a field or a statement with its further attributes.
fn item_length(tokens: &[Token]) -> usize {
    if let Some(attribute) = attribute(tokens) {
        return attribute + item_length(&tokens[attribute..]);
    }
    let modifiers = ["pub", "(", "crate", "super", ")", "async", "const", "unsafe", "extern"];
    let first = tokens.iter().find(|token| !modifiers.iter().any(|word| token.is(word)));
    let blocks = ["fn", "mod", "struct", "enum", "impl", "trait", "macro_rules", "if", "for", "match"];
    let has_block = first.is_some_and(|token| blocks.iter().any(|word| token.is(word)));
    if has_block { through_block(tokens) } else { through_separator(tokens) }
}

fn through_block(tokens: &[Token]) -> usize {
    match item_end(tokens, |token| token.is(";") || token.is("{")) {
        Some(end) if tokens[end].is("{") => end + closing(&tokens[end..]) + 1,
        Some(end) => end + 1,
        None => tokens.len(),
    }
}

/// Fields, initialisers and `use` end with their separator, or where the brackets around them close.
fn through_separator(tokens: &[Token]) -> usize {
    let closes = |token: &Token| [")", "]", "}"].iter().any(|bracket| token.is(bracket));
    match item_end(tokens, |token| token.is(";") || token.is(",") || closes(token)) {
        Some(end) if closes(&tokens[end]) => end,
        Some(end) => end + 1,
        None => tokens.len(),
    }
}

fn test_item(tokens: &[Token]) -> TestItem {
    let outline = tokens.windows(3).find(|three| three[0].is("mod") && three[2].is(";"));
    TestItem {
        first_line: tokens[0].line,
        last_line: tokens[tokens.len() - 1].line,
        outline_module: outline.map(|three| three[1].text.clone()),
    }
}

fn paths(tokens: &[Token]) -> Vec<Named> {
    let mut found = Vec::new();
    let (mut at, mut in_use) = (0, false);
    while at < tokens.len() {
        let token = &tokens[at];
        in_use = (in_use || token.is("use")) && !token.is(";");
        let continues = at > 0 && (tokens[at - 1].is("::") || tokens[at - 1].is("."));
        if token.is_name() && !token.is("use") && !continues {
            at += path(&tokens[at..], &[], in_use, &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one path, or in a `use` a whole tree, and returns its length in tokens.
fn path(tokens: &[Token], prefix: &[String], in_use: bool, found: &mut Vec<Named>) -> usize {
    let mut segments = prefix.to_vec();
    let mut at = 0;
    while let Some(token) = tokens.get(at).filter(|token| token.is_name() || token.is("*")) {
        segments.push(token.text.clone());
        at += 1;
        match (tokens.get(at), tokens.get(at + 1)) {
            (Some(colons), Some(open)) if in_use && colons.is("::") && open.is("{") => {
                return at + 1 + group(&tokens[at + 1..], &segments, found);
            }
            (Some(colons), Some(next)) if colons.is("::") && (next.is_name() || next.is("*")) => at += 1,
            _ => break,
        }
    }
    found.push(Named { segments, line: tokens[0].line, in_use });
    at.max(1)
}

fn group(tokens: &[Token], prefix: &[String], found: &mut Vec<Named>) -> usize {
    let end = closing(tokens);
    let mut at = 1;
    while at < end {
        let starts = (tokens[at].is_name() || tokens[at].is("*")) && !tokens[at - 1].is("as");
        at += if starts { path(&tokens[at..end], prefix, true, found) } else { 1 };
    }
    end + 1
}

#[test]
fn use_trees_are_taken_apart() {
    let source = Source::new(
        "src/x.rs",
        "use crate::{a::{B, c::*}, d as e};\nfn f() -> g::H { crate::i::j::<K>(l.m) }",
    );
    let named: Vec<String> = source.paths().iter().map(|path| path.segments.join("::")).collect();
    for expected in ["crate::a::B", "crate::a::c::*", "crate::d", "g::H", "crate::i::j", "K", "l"] {
        assert!(named.iter().any(|name| name == expected), "{expected} is not in {named:?}");
    }
}

#[test]
fn test_code_is_set_apart() {
    let text = "fn a() {}\n#[cfg(test)]\n#[x]\nmod tests {\n  use q::r;\n}\n#[cfg(test)]\nmod more;\n#[cfg(not(test))]\nfn b() {}";
    let source = Source::new("src/x.rs", text);
    let names: Vec<String> = source.functions().into_iter().map(|function| function.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!((source.tests[0].first_line, source.tests[0].last_line), (2, 6));
    assert_eq!(source.tests[1].outline_module.as_deref(), Some("more"));
    assert!(source.code.iter().all(|token| token.text != "q"));
}

#[test]
fn test_fields_are_set_apart_without_what_follows_them() {
    for text in [
        "fn a() { S { b, #[cfg(test)] q: None } }\nfn c() {}",
        "struct S { #[cfg(test)] q: Option<u8>, r: u8 }\nfn a() {}\nfn c() {}",
        "fn a() { #[cfg(test)] if q { r } s }\nfn c() {}",
        "#[cfg(test)]\nuse x::{q, y};\nfn a() {}\nfn c() {}",
    ] {
        let source = Source::new("src/x.rs", text);
        let names: Vec<String> = source.functions().into_iter().map(|function| function.name).collect();
        assert_eq!(names, ["a", "c"], "{text}");
        assert!(source.code.iter().all(|token| token.text != "q"), "{text}");
    }
}

#[test]
fn functions_are_measured_from_their_first_line_to_their_last() {
    let source = Source::new(
        "src/x.rs",
        "trait T { fn none(&self); }\nfn a(x: [u8; 2])\nwhere\n  X: Y,\n{\n  if x { y }\n}",
    );
    let lengths: Vec<(String, usize)> =
        source.functions().into_iter().map(|function| (function.name, function.lines)).collect();
    assert_eq!(lengths, [("a".to_owned(), 6)]);
}
