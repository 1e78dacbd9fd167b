//! Statements.

use super::Parser;
use super::expressions::Form;
use crate::scan::token::Kind;

/// What a simple statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Simple {
    Expression(Form),
    /// `x := y.(type)`
    Guard,
    /// With `range`.
    Range,
    Label,
    Other,
}

/// Where a simple statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a block, where it may have a label.
    Block,
    /// Behind `for`.
    For,
    Header,
}

impl Parser<'_> {
    pub(super) fn block(&mut self) -> Option<()> {
        self.mark(b"{")?;
        self.deeper(Self::statements)?;
        self.mark(b"}")
    }

    fn statements(&mut self) -> Option<()> {
        while !self.is(b"}") && !self.is_keyword(b"case") && !self.is_keyword(b"default") {
            self.statement()?;
        }
        Some(())
    }

    fn statement(&mut self) -> Option<()> {
        let token = self.peek();
        match (token.kind, token.word) {
            (Kind::Semicolon | Kind::Newline, _) => {
                self.advance();
                return Some(());
            }
            (Kind::Mark, b"{") => self.block()?,
            (Kind::Keyword, b"func" | b"struct" | b"map" | b"chan" | b"interface")
            | (Kind::Name | Kind::Text | Kind::OtherLiteral | Kind::Mark, _) => {
                if self.simple(Place::Block)? == Simple::Label {
                    return if self.is(b"}") { Some(()) } else { self.deeper(Self::statement) };
                }
            }
            (Kind::Keyword, b"const" | b"type" | b"var") => self.declaration()?,
            (Kind::Keyword, b"go" | b"defer") => {
                self.advance();
                if self.expression()? != Form::Call {
                    return None;
                }
            }
            (Kind::Keyword, b"return") => {
                self.advance();
                if !self.is_end_of_line() && !self.is(b"}") {
                    self.expressions()?;
                }
            }
            (Kind::Keyword, b"break" | b"continue") => {
                self.advance();
                if self.peek().kind == Kind::Name {
                    self.advance();
                }
            }
            (Kind::Keyword, b"goto") => {
                self.advance();
                self.name()?;
            }
            (Kind::Keyword, b"fallthrough") => self.advance(),
            (Kind::Keyword, b"if") => self.deeper(Self::condition)?,
            (Kind::Keyword, b"switch") => self.deeper(Self::switch)?,
            (Kind::Keyword, b"select") => self.deeper(Self::select)?,
            (Kind::Keyword, b"for") => self.deeper(Self::repetition)?,
            _ => return None,
        }
        self.end_of_line()
    }

    fn simple(&mut self, place: Place) -> Option<Simple> {
        let guards = self.guards;
        let (count, form) = self.expressions()?;
        let token = self.peek();
        if token.kind != Kind::Mark {
            return self.expression_alone(count, form, guards);
        }
        match token.word {
            b":=" | b"=" | b"+=" | b"-=" | b"*=" | b"/=" | b"%=" | b"&=" | b"|=" | b"^=" | b"<<="
            | b">>=" | b"&^=" => {
                self.advance();
                let may_be_range = place == Place::For && matches!(token.word, b":=" | b"=");
                if may_be_range && self.is_keyword(b"range") {
                    self.advance();
                    self.expression()?;
                    return Some(Simple::Range);
                }
                if self.guards > guards {
                    return None;
                }
                let values = self.expressions()?;
                match self.guards - guards {
                    0 => Some(Simple::Other),
                    1 if count == 1 && values == (1, Form::Guard) && token.word == b":=" => {
                        Some(Simple::Guard)
                    }
                    _ => None,
                }
            }
            _ if count > 1 => None,
            b":" if place == Place::Block && form == Form::Name => {
                self.advance();
                Some(Simple::Label)
            }
            b"<-" if self.guards == guards => {
                self.advance();
                self.expression()?;
                Some(Simple::Other)
            }
            b"++" | b"--" if self.guards == guards => {
                self.advance();
                Some(Simple::Other)
            }
            _ => self.expression_alone(count, form, guards),
        }
        .filter(|simple| *simple != Simple::Guard || place == Place::Header)
    }

    fn expression_alone(&self, count: usize, form: Form, guards: u32) -> Option<Simple> {
        match (count, self.guards - guards) {
            (1, 0) => Some(Simple::Expression(form)),
            (1, 1) if form == Form::Guard => Some(Simple::Guard),
            _ => None,
        }
    }

    /// A header, in which a brace ends an expression.
    fn header(&mut self, inner: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let before = std::mem::replace(&mut self.level, -1);
        let done = inner(self);
        self.level = before;
        done
    }

    fn condition(&mut self) -> Option<()> {
        self.advance();
        self.header(|parser| {
            let mut last = None;
            if parser.peek().kind != Kind::Semicolon {
                last = Some(parser.simple(Place::Header)?);
            }
            if parser.peek().kind == Kind::Semicolon {
                parser.advance();
                last = Some(parser.simple(Place::Header)?);
            }
            matches!(last, Some(Simple::Expression(_))).then_some(())
        })?;
        self.block()?;
        if !self.is_keyword(b"else") {
            return Some(());
        }
        self.advance();
        if self.is_keyword(b"if") { self.deeper(Self::condition) } else { self.block() }
    }

    fn switch(&mut self) -> Option<()> {
        self.advance();
        self.header(|parser| {
            let mut last = None;
            if !parser.is(b"{") && !parser.is_end_of_line() {
                last = Some(parser.simple(Place::Header)?);
            }
            if parser.is_end_of_line() {
                if last == Some(Simple::Guard) {
                    return None;
                }
                parser.advance();
                last = None;
                if !parser.is(b"{") {
                    last = Some(parser.simple(Place::Header)?);
                }
            }
            matches!(last, None | Some(Simple::Expression(_) | Simple::Guard)).then_some(())
        })?;
        self.clauses(|parser| parser.expressions().map(drop))
    }

    fn select(&mut self) -> Option<()> {
        self.advance();
        self.clauses(|parser| {
            let guards = parser.guards;
            let (count, _) = parser.expressions()?;
            if count <= 2 && (parser.take(b"=") || parser.take(b":=")) || count == 1 && parser.take(b"<-") {
                parser.expression()?;
            } else if count > 1 {
                return None;
            }
            (parser.guards == guards).then_some(())
        })
    }

    fn clauses(&mut self, case: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.mark(b"{")?;
        while !self.is(b"}") {
            if self.is_keyword(b"default") {
                self.advance();
            } else {
                self.keyword(b"case")?;
                case(self)?;
            }
            self.mark(b":")?;
            self.statements()?;
        }
        self.mark(b"}")
    }

    fn repetition(&mut self) -> Option<()> {
        self.advance();
        self.header(|parser| {
            if parser.is(b"{") {
                return Some(());
            }
            if parser.is_keyword(b"range") {
                parser.advance();
                return parser.expression().map(drop);
            }
            let mut first = None;
            if !parser.is_end_of_line() {
                first = Some(parser.simple(Place::For)?);
            }
            if first == Some(Simple::Range) {
                return Some(());
            }
            if parser.is(b"{") {
                return matches!(first, Some(Simple::Expression(_))).then_some(());
            }
            parser.is_end_of_line().then(|| parser.advance())?;
            if !parser.is_end_of_line() {
                let condition = parser.simple(Place::Header)?;
                matches!(condition, Simple::Expression(_)).then_some(())?;
            }
            parser.is_end_of_line().then(|| parser.advance())?;
            if !parser.is(b"{") {
                let last = parser.simple(Place::Header)?;
                (last != Simple::Guard).then_some(())?;
            }
            Some(())
        })?;
        self.block()
    }
}
