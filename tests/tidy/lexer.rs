//! Rust source cut into tokens, with comments gone and literals closed: enough to find names and braces, and free of the
//! false alarms that searching the bare text gives.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// A text, character or byte literal.
    Literal,
    /// `::` or a single other character.
    Punct,
}

/// One token and the line where it begins.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Literal && self.text == text
    }

    pub(super) fn is_name(&self) -> bool {
        self.kind == Kind::Word && !self.text.starts_with(|first: char| first.is_ascii_digit())
    }
}

/// The tokens of `source`.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { letters: source.chars().collect(), at: 0, line: 1, tokens: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer {
    letters: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn step(&mut self) -> bool {
        match (self.peek(0), self.peek(1)) {
            (None, _) => return false,
            (Some('/'), Some('/')) => self.line_comment(),
            (Some('/'), Some('*')) => self.block_comment(),
            (Some(letter), _) if letter.is_whitespace() => self.skip(1),
            (Some('"'), _) => self.token(Kind::Literal, Self::quoted),
            (Some('\''), _) => self.quote(),
            (Some(letter), _) if is_word(letter) => self.word(),
            (Some(':'), Some(':')) => self.token(Kind::Punct, |lexer| lexer.skip(2)),
            _ => self.token(Kind::Punct, |lexer| lexer.skip(1)),
        }
        true
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn skip(&mut self, letters: usize) {
        let end = (self.at + letters).min(self.letters.len());
        self.line += self.letters[self.at..end].iter().filter(|letter| **letter == '\n').count();
        self.at = end;
    }

    fn token(&mut self, kind: Kind, read: impl FnOnce(&mut Self)) {
        let (start, line) = (self.at, self.line);
        read(self);
        let text = self.letters[start..self.at].iter().collect();
        self.tokens.push(Token { kind, text, line });
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|letter| letter != '\n') {
            self.skip(1);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn quoted(&mut self) {
        self.until('"');
    }

    /// From an opening quote past the closing one.
    fn until(&mut self, quote: char) {
        self.skip(1);
        while let Some(letter) = self.peek(0) {
            self.skip(if letter == '\\' { 2 } else { 1 });
            if letter == quote {
                return;
            }
        }
    }

    /// A character literal, or the tick of a lifetime, whose name then follows as a word.
    fn quote(&mut self) {
        if self.peek(1) == Some('\\') || self.peek(2) == Some('\'') {
            self.token(Kind::Literal, |lexer| lexer.until('\''));
        } else {
            self.token(Kind::Punct, |lexer| lexer.skip(1));
        }
    }

    fn word(&mut self) {
        let length = self.letters[self.at..].iter().take_while(|letter| is_word(**letter)).count();
        let word: String = self.letters[self.at..self.at + length].iter().collect();
        let hashes = self.letters[self.at + length..].iter().take_while(|letter| **letter == '#').count();
        match (self.peek(length), self.peek(length + hashes), word.as_str()) {
            (Some('"'), _, "b" | "c") => self.prefixed(length, |lexer| lexer.until('"')),
            (Some('\''), _, "b") => self.prefixed(length, |lexer| lexer.until('\'')),
            (_, Some('"'), "r" | "br" | "cr") => self.prefixed(length, |lexer| lexer.raw(hashes)),
            _ => self.token(Kind::Word, |lexer| lexer.skip(length)),
        }
    }

    fn prefixed(&mut self, length: usize, read: impl FnOnce(&mut Self)) {
        self.token(Kind::Literal, |lexer| {
            lexer.skip(length);
            read(lexer);
        });
    }

    fn raw(&mut self, hashes: usize) {
        self.skip(hashes + 1);
        while let Some(letter) = self.peek(0) {
            let closed = letter == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            self.skip(1);
            if closed {
                return self.skip(hashes);
            }
        }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[test]
fn comments_vanish_and_literals_stay_closed() {
    let source = "a // b\n/* c /* d */ */ \"use e;\" r#\"f\"g\"# 'h' '\\'' b\"i\" &'j k::l";
    let words: Vec<String> =
        tokens(source).into_iter().filter(Token::is_name).map(|token| token.text).collect();
    assert_eq!(words, ["a", "j", "k", "l"]);
}

#[test]
fn lines_are_counted_through_comments_and_texts() {
    let lines: Vec<usize> = tokens("a\n/*\n*/ \"x\ny\" b\n  c").iter().map(|token| token.line).collect();
    assert_eq!(lines, [1, 3, 4, 5]);
}
