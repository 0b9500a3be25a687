//! What the rules found, told as `file:line: what is wrong and what to do`.

use std::fmt;

use super::source::Source;

/// A rule over one file.
pub(super) type Rule = fn(&Source, &mut Findings);

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<String>);

impl Findings {
    pub(super) fn add(&mut self, source: &Source, line: usize, what: impl AsRef<str>) {
        let finding = format!("{}:{line}: {}", source.path, what.as_ref());
        if self.0.last() != Some(&finding) {
            self.0.push(finding);
        }
    }

    /// Fails the test with everything that was found.
    pub(super) fn assert_none(&self) {
        assert!(self.0.is_empty(), "{} finding(s):\n{self}", self.0.len());
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// Runs one rule over all files.
pub(super) fn check(rule: Rule, sources: &[Source]) {
    let mut findings = Findings::default();
    for source in sources {
        rule(source, &mut findings);
    }
    findings.assert_none();
}

/// What one rule says of one small sample; empty if it is content.
pub(super) fn of(rule: Rule, path: &str, text: &str) -> String {
    let mut findings = Findings::default();
    let mut source = Source::new(path, text);
    source.is_test = path.starts_with("tests/") || path.ends_with("/tests.rs");
    rule(&source, &mut findings);
    findings.to_string()
}
