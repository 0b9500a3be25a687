//! Texts of strangers, fit for the log: no control characters, no new lines, and an end.

use crate::limits::server::LOGGED_CHARS_MAX;

/// `text` on one line, escaped and cut.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(LOGGED_CHARS_MAX).flat_map(escaped).collect();
    if text.chars().nth(LOGGED_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    // Letters of all scripts are text; what moves the cursor, changes its direction or shows nothing is not.
    let plain = matches!(character, ' '..='~') && character != '\\' || character.is_alphanumeric();
    let escape = (!plain).then(|| character.escape_debug());
    let itself = plain.then_some(character);
    itself.into_iter().chain(escape.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_on_its_line_and_ends() {
        assert_eq!(quoted("a file\nERROR [server] - forged"), "a file\\nERROR [server] - forged");
        assert_eq!(quoted("\u{1b}[2J\u{202e}é"), "\\u{1b}[2J\\u{202e}é");
        let long = quoted(&"x".repeat(10_000));
        assert_eq!(long.chars().count(), LOGGED_CHARS_MAX + 1);
        assert!(long.ends_with('…'));
    }
}
