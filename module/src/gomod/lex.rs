//! The lexer of go.mod and go.work: bytes to lexemes with their positions.
//!
//! Source: `golang.org/x/mod/modfile/read.go`. A comment at the end of a line ends the statement there, so it is a
//! lexeme of its own kind; it is also kept aside, to be attached to the tree when that is whole.

use super::error::SyntaxProblem;
use super::syntax::{Position, Token};
use super::token::is_plain;
use crate::quote;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    EndOfFile,
    Newline,
    /// A comment with something before it on its line.
    SuffixComment,
    /// A comment alone on its line.
    LineComment,
    /// An identifier or a quoted string.
    Word,
    /// One of `( ) [ ] { } ,`.
    Punctuation(u8),
}

impl Kind {
    pub(super) fn ends_line(self) -> bool {
        matches!(self, Self::EndOfFile | Self::Newline | Self::SuffixComment)
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Lexeme<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
    pub(super) start: Position,
    pub(super) end: Position,
}

/// A comment at the end of a line, not yet attached.
pub(super) struct Trailing {
    pub(super) text: Token,
    pub(super) start: usize,
}

pub(super) struct Lexer<'a> {
    source: &'a [u8],
    /// The end of what was read; after an error, the place to name.
    pub(super) position: Position,
    pub(super) trailing: Vec<Trailing>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(source: &'a [u8]) -> Self {
        Self { source, position: Position { byte: 0, line: 1, rune: 1 }, trailing: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Result<Lexeme<'a>, SyntaxProblem> {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.advance();
        }
        let start = self.position;
        let Some(first) = self.peek() else { return Ok(self.lexeme(Kind::EndOfFile, start)) };
        if self.at(b"//") {
            return Ok(self.comment());
        }
        if self.at(b"/*") {
            return Err(SyntaxProblem::BlockComment);
        }
        let kind = match first {
            b'\n' => {
                self.advance();
                Kind::Newline
            }
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' => {
                self.advance();
                Kind::Punctuation(first)
            }
            b'"' | b'`' => {
                self.string(first)?;
                Kind::Word
            }
            _ => {
                self.identifier()?;
                Kind::Word
            }
        };
        Ok(self.lexeme(kind, start))
    }

    fn comment(&mut self) -> Lexeme<'a> {
        let start = self.position;
        while self.peek().is_some() && self.advance() != '\n' {}
        let before = &self.source[..start.byte];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let alone = before[line_start..].iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
        let kind = if alone { Kind::LineComment } else { Kind::SuffixComment };
        let mut lexeme = self.lexeme(kind, start);
        // A carriage return stays: whoever uses the text trims white space.
        lexeme.text = lexeme.text.strip_suffix(b"\n").unwrap_or(lexeme.text);
        if !alone {
            self.trailing.push(Trailing { text: lexeme.text.to_vec(), start: start.byte });
        }
        lexeme
    }

    fn string(&mut self, quote: u8) -> Result<(), SyntaxProblem> {
        let start = self.position;
        self.advance();
        loop {
            match self.peek() {
                None => {
                    self.position = start;
                    return Err(SyntaxProblem::EndOfFileInString);
                }
                Some(b'\n') => return Err(SyntaxProblem::NewlineInString),
                Some(byte) => {
                    self.advance();
                    if byte == quote {
                        return Ok(());
                    }
                    if byte == b'\\' && quote == b'"' {
                        if self.peek().is_none() {
                            self.position = start;
                            return Err(SyntaxProblem::EndOfFileInString);
                        }
                        // Any character, a newline too: such a string makes its statement span lines.
                        self.advance();
                    }
                }
            }
        }
    }

    fn identifier(&mut self) -> Result<(), SyntaxProblem> {
        let first = self.char();
        if !is_identifier(first) {
            return Err(SyntaxProblem::UnexpectedCharacter(first));
        }
        loop {
            let plain = self.source[self.position.byte..].iter().take_while(|byte| is_plain(**byte)).count();
            self.position.byte += plain;
            self.position.rune += plain;
            if self.peek().is_none() || !is_identifier(self.char()) || self.at(b"//") {
                return Ok(());
            }
            if self.at(b"/*") {
                return Err(SyntaxProblem::BlockComment);
            }
            self.advance();
        }
    }

    fn lexeme(&self, kind: Kind, start: Position) -> Lexeme<'a> {
        let text = &self.source[start.byte..self.position.byte];
        Lexeme { kind, text, start, end: self.position }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.position.byte).copied()
    }

    fn at(&self, prefix: &[u8]) -> bool {
        self.source[self.position.byte..].starts_with(prefix)
    }

    /// The character at the position, which isn't the end of the file.
    fn char(&self) -> char {
        quote::decode(&self.source[self.position.byte..]).0
    }

    fn advance(&mut self) -> char {
        let (c, size) = quote::decode(&self.source[self.position.byte..]);
        self.position.byte += size;
        if c == '\n' {
            self.position.line += 1;
            self.position.rune = 1;
        } else {
            self.position.rune += 1;
        }
        c
    }
}

fn is_identifier(c: char) -> bool {
    match c {
        ' ' | '(' | ')' | '[' | ']' | '{' | '}' | ',' => false,
        _ => quote::is_print(c) && !c.is_whitespace(),
    }
}
