//! Whether a whole file is plainly Go, as its parser has it.
//!
//! What is refused here may still be Go: who wants to know asks the release's own parser, which also has the words. So
//! rare forms need no rules, and there is no tree. What is taken and isn't Go is told by the compiler.
//! Source of the grammar: `go/parser/parser.go`.

mod declarations;
mod expressions;
mod literals;
mod statements;

use super::token::{Kind, Lexer};

/// How deep constructs may be nested to be looked at.
const MOST_NESTED: u32 = 500;
/// How many tokens may be read again: what can be read in two ways can hold what can, and so on.
const MOST_AGAIN: usize = 1 << 16;

/// Whether the parser would surely have nothing to say about the text.
pub fn is_well_formed(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let is_text = std::str::from_utf8(text).is_ok_and(|text| !text.contains(['\0', '\u{feff}']));
    let tokens = if is_text { tokens(text) } else { None };
    tokens.is_some_and(|tokens| Parser::new(tokens).file().is_some())
}

/// A token that is no comment.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    word: &'a [u8],
    /// Whether nothing stands between it and the one before.
    adjoins: bool,
}

fn tokens(text: &[u8]) -> Option<Vec<Token<'_>>> {
    let mut lexer = Lexer::new(text);
    let (mut tokens, mut last_end) = (Vec::new(), 0);
    loop {
        let token = lexer.token();
        let word = &text[token.start..token.end];
        let is_good = match token.kind {
            Kind::Broken(_) => false,
            Kind::Name => literals::is_name(word),
            Kind::Text => literals::is_text(word),
            Kind::OtherLiteral if word.starts_with(b"'") => literals::is_rune(word),
            _ => true,
        };
        if !is_good {
            return None;
        }
        if token.kind != Kind::Comment {
            tokens.push(Token { kind: token.kind, word, adjoins: token.start == last_end });
        }
        last_end = token.end;
        if token.kind == Kind::End {
            return Some(tokens);
        }
    }
}

/// Reads tokens; nothing is what it gives where they are refused.
struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    /// Below zero a brace behind a name begins a block.
    level: i32,
    nested: u32,
    /// How many `.(type)` were met.
    guards: u32,
    /// How many tokens had to be read again.
    again: usize,
}

impl<'a> Parser<'a> {
    fn new(tokens: Vec<Token<'a>>) -> Self {
        Self { tokens, at: 0, level: 0, nested: 0, guards: 0, again: 0 }
    }

    fn file(&mut self) -> Option<()> {
        self.keyword(b"package")?;
        if self.name()? == b"_" {
            return None;
        }
        self.end_of_line()?;
        while self.is_keyword(b"import") {
            self.advance();
            self.group(|parser, _| parser.import())?;
            self.end_of_line()?;
        }
        while self.peek().kind != Kind::End {
            self.declaration()?;
            self.end_of_line()?;
        }
        Some(())
    }

    fn import(&mut self) -> Option<()> {
        if self.peek().kind == Kind::Name || self.is(b".") {
            self.advance();
        }
        let token = self.peek();
        // What paths may hold is looked at with the header.
        (token.kind == Kind::Text).then(|| self.advance())
    }

    /// One thing, or several in parentheses; gets the number of each.
    fn group(&mut self, mut one: impl FnMut(&mut Self, usize) -> Option<()>) -> Option<()> {
        if !self.take(b"(") {
            return one(self, 0);
        }
        let mut count = 0;
        while !self.is(b")") {
            one(self, count)?;
            self.end_of_line()?;
            count += 1;
        }
        self.mark(b")")
    }

    fn peek(&self) -> Token<'a> {
        self.behind(0)
    }

    /// The token so many behind the next one.
    fn behind(&self, count: usize) -> Token<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + count).min(last)]
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    fn is(&self, mark: &[u8]) -> bool {
        let token = self.peek();
        token.kind == Kind::Mark && token.word == mark
    }

    fn is_keyword(&self, word: &[u8]) -> bool {
        let token = self.peek();
        token.kind == Kind::Keyword && token.word == word
    }

    fn is_end_of_line(&self) -> bool {
        matches!(self.peek().kind, Kind::Semicolon | Kind::Newline)
    }

    /// Passes the mark if it is next.
    fn take(&mut self, mark: &[u8]) -> bool {
        let is_next = self.is(mark);
        self.at += usize::from(is_next);
        is_next
    }

    fn mark(&mut self, mark: &[u8]) -> Option<()> {
        self.take(mark).then_some(())
    }

    fn keyword(&mut self, word: &[u8]) -> Option<()> {
        self.is_keyword(word).then(|| self.advance())
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let token = self.peek();
        (token.kind == Kind::Name).then(|| {
            self.advance();
            token.word
        })
    }

    fn names(&mut self) -> Option<()> {
        self.name()?;
        while self.take(b",") {
            self.name()?;
        }
        Some(())
    }

    /// A semicolon, or what makes one needless.
    fn end_of_line(&mut self) -> Option<()> {
        if self.is(b")") || self.is(b"}") {
            return Some(());
        }
        self.is_end_of_line().then(|| self.advance())
    }

    /// The first way to read what follows, or the second; nothing where too much was read twice.
    fn either(
        &mut self,
        first: impl FnOnce(&mut Self) -> Option<()>,
        second: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<()> {
        let before = (self.at, self.level, self.nested);
        first(self).or_else(|| {
            if self.again > MOST_AGAIN {
                return None;
            }
            self.again += self.at - before.0;
            (self.at, self.level, self.nested) = before;
            second(self)
        })
    }

    /// Something one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.nested == MOST_NESTED {
            return None;
        }
        self.nested += 1;
        let done = inner(self);
        self.nested -= 1;
        done
    }
}

#[cfg(test)]
mod tests;
