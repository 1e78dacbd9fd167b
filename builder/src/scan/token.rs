//! Go's tokens, as far as package clauses and imports need them; over bytes, nothing copied.

use super::Position;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    Name,
    Keyword,
    Text,
    OtherLiteral,
    Mark,
    Semicolon,
    /// The end of a line or of the text where a semicolon may stand.
    Newline,
    End,
    /// What the scanner refuses, with its reason.
    Broken(&'static str),
}

/// One token and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) position: Position,
}

/// Splits a text into tokens.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    next: usize,
    line: u32,
    line_start: usize,
    /// Whether a newline here ends a statement.
    may_end: bool,
}

const KEYWORDS: [&[u8]; 25] = [
    b"break",
    b"case",
    b"chan",
    b"const",
    b"continue",
    b"default",
    b"defer",
    b"else",
    b"fallthrough",
    b"for",
    b"func",
    b"go",
    b"goto",
    b"if",
    b"import",
    b"interface",
    b"map",
    b"package",
    b"range",
    b"return",
    b"select",
    b"struct",
    b"switch",
    b"type",
    b"var",
];

const LONG_MARKS: [&[u8]; 25] = [
    b"<<=", b">>=", b"&^=", b"...", b"<<", b">>", b"&^", b"+=", b"-=", b"*=", b"/=", b"%=", b"&=", b"|=",
    b"^=", b"&&", b"||", b"<-", b"++", b"--", b"==", b"!=", b"<=", b">=", b":=",
];

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, next: 0, line: 1, line_start: 0, may_end: false }
    }

    /// The line that the lexer stands on: after a token, the line where that ends.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    pub(super) fn token(&mut self) -> Token {
        while let Some(&byte) = self.text.get(self.next) {
            match byte {
                b'\n' if self.may_end => break,
                b'\n' => self.pass_newline(),
                b' ' | b'\t' | b'\r' => self.next += 1,
                _ => break,
            }
        }
        let start = self.next;
        let position = self.position();
        let kind = self.kind(start);
        if kind != Kind::Comment {
            self.may_end = self.ends_statement(kind, start);
        }
        Token { kind, start, end: self.next, position }
    }

    fn kind(&mut self, start: usize) -> Kind {
        let rest = &self.text[start..];
        let Some(&first) = rest.first() else {
            return if self.may_end { Kind::Newline } else { Kind::End };
        };
        match first {
            b'\n' => {
                self.pass_newline();
                Kind::Newline
            }
            b'/' if matches!(rest.get(1), Some(b'/' | b'*')) => {
                if self.may_end && ends_line(rest) {
                    Kind::Newline
                } else {
                    self.comment(rest[1])
                }
            }
            b';' => {
                self.next += 1;
                Kind::Semicolon
            }
            b'"' => self.quoted(),
            b'`' => self.raw(),
            b'\'' => self.rune(),
            b'0'..=b'9' => {
                self.next += length_while(rest, |b| is_name(b) || b == b'.');
                Kind::OtherLiteral
            }
            first if is_name(first) => {
                self.next += length_while(rest, is_name);
                let word = &self.text[start..self.next];
                if KEYWORDS.contains(&word) { Kind::Keyword } else { Kind::Name }
            }
            _ => {
                let long = LONG_MARKS.iter().find(|mark| rest.starts_with(mark));
                self.next += long.map_or(1, |mark| mark.len());
                Kind::Mark
            }
        }
    }

    fn ends_statement(&self, kind: Kind, start: usize) -> bool {
        match kind {
            Kind::Name | Kind::Text | Kind::OtherLiteral => true,
            Kind::Mark => matches!(&self.text[start..self.next], b")" | b"]" | b"}" | b"++" | b"--"),
            Kind::Keyword => {
                matches!(&self.text[start..self.next], b"break" | b"continue" | b"fallthrough" | b"return")
            }
            _ => false,
        }
    }

    fn comment(&mut self, second: u8) -> Kind {
        let rest = &self.text[self.next..];
        if second == b'/' {
            self.next += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            return Kind::Comment;
        }
        match memchr::memmem::find(&rest[2..], b"*/") {
            Some(length) => {
                self.pass(length + 4);
                Kind::Comment
            }
            None => {
                self.pass(rest.len());
                Kind::Broken("comment not terminated")
            }
        }
    }

    fn quoted(&mut self) -> Kind {
        let rest = &self.text[self.next..];
        match closing(rest, b'"') {
            Some(length) => {
                self.next += length;
                Kind::Text
            }
            None => {
                self.next += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                Kind::Broken("string literal not terminated")
            }
        }
    }

    fn raw(&mut self) -> Kind {
        let rest = &self.text[self.next..];
        match memchr::memchr(b'`', &rest[1..]) {
            Some(length) => {
                self.pass(length + 2);
                Kind::Text
            }
            None => {
                self.pass(rest.len());
                Kind::Broken("raw string literal not terminated")
            }
        }
    }

    fn rune(&mut self) -> Kind {
        let rest = &self.text[self.next..];
        match closing(rest, b'\'') {
            Some(length) => {
                self.next += length;
                Kind::OtherLiteral
            }
            None => {
                self.next += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                Kind::Broken("rune literal not terminated")
            }
        }
    }

    /// Passes bytes among which there may be newlines.
    fn pass(&mut self, length: usize) {
        let end = self.next + length;
        while let Some(distance) = memchr::memchr(b'\n', &self.text[self.next..end]) {
            self.next += distance;
            self.pass_newline();
        }
        self.next = end;
    }

    fn pass_newline(&mut self) {
        self.next += 1;
        self.line += 1;
        self.line_start = self.next;
    }

    fn position(&self) -> Position {
        if self.next == self.text.len() && self.text.ends_with(b"\n") {
            // For Go no line begins behind the last byte.
            let before = memchr::memrchr(b'\n', &self.text[..self.next - 1]).map_or(0, |at| at + 1);
            let column = u32::try_from(self.next - before + 1).unwrap_or(u32::MAX);
            return Position { line: self.line - 1, column };
        }
        let column = u32::try_from(self.next - self.line_start + 1).unwrap_or(u32::MAX);
        Position { line: self.line, column }
    }
}

/// The length of a literal that `quote` opens and closes on one line, the quotes included.
pub(super) fn closing(rest: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match *rest.get(at)? {
            b'\n' => return None,
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Whether comments, of which the first begins the text, reach to a line's end.
fn ends_line(mut rest: &[u8]) -> bool {
    while rest.starts_with(b"/*") {
        let Some(length) = memchr::memmem::find(&rest[2..], b"*/") else {
            return true;
        };
        if rest[..length + 2].contains(&b'\n') {
            return true;
        }
        rest = &rest[length + 4..];
        rest = &rest[length_while(rest, |b| matches!(b, b' ' | b'\t' | b'\r'))..];
    }
    rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"//")
}

fn length_while(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !belongs(byte)).unwrap_or(text.len())
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
