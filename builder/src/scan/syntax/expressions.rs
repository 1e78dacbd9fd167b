//! Expressions, among which types are, too.

use super::{Parser, literals};
use crate::scan::token::Kind;

/// What an expression is, as far as it matters to what may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Name,
    /// What may name a type: a name behind another, or with something in brackets.
    TypeName,
    /// A type that a literal may have and that is no name.
    LiteralType,
    Call,
    /// In parentheses.
    Wrapped,
    /// With `.(type)` at its end.
    Guard,
    Other,
}

impl Parser<'_> {
    /// Expressions with commas between them; gives their number and the form of the last.
    pub(super) fn expressions(&mut self) -> Option<(usize, Form)> {
        let mut count = 1;
        let mut form = self.expression()?;
        while self.take(b",") {
            form = self.expression()?;
            count += 1;
        }
        Some((count, form))
    }

    pub(super) fn expression(&mut self) -> Option<Form> {
        self.deeper(|parser| {
            let mut form = parser.unary()?;
            while parser.is_binary() {
                parser.advance();
                parser.unary()?;
                form = Form::Other;
            }
            Some(form)
        })
    }

    fn is_binary(&self) -> bool {
        const BINARY: [&[u8]; 19] = [
            b"||", b"&&", b"==", b"!=", b"<", b"<=", b">", b">=", b"+", b"-", b"|", b"^", b"*", b"/", b"%",
            b"<<", b">>", b"&", b"&^",
        ];
        let token = self.peek();
        token.kind == Kind::Mark && BINARY.contains(&token.word)
    }

    fn unary(&mut self) -> Option<Form> {
        let token = self.peek();
        let is_sign = matches!(token.word, b"+" | b"-" | b"!" | b"^" | b"&" | b"~" | b"*" | b"<-");
        if token.kind == Kind::Mark && is_sign {
            self.advance();
            self.deeper(Self::unary)?;
            return Some(Form::Other);
        }
        self.primary()
    }

    fn primary(&mut self) -> Option<Form> {
        let mut form = self.operand()?;
        loop {
            let token = self.peek();
            if token.kind != Kind::Mark {
                return Some(form);
            }
            form = match token.word {
                b"." => {
                    self.advance();
                    self.selection(form)?
                }
                b"[" => {
                    self.advance();
                    self.index()?;
                    if matches!(form, Form::Name | Form::TypeName) { Form::TypeName } else { Form::Other }
                }
                b"(" => {
                    self.advance();
                    self.arguments()?;
                    Form::Call
                }
                b"{" => {
                    let is_literal = match form {
                        Form::LiteralType => true,
                        Form::Name | Form::TypeName => self.level >= 0,
                        // Parentheses around the type of a literal are refused.
                        Form::Wrapped if self.level >= 0 => return None,
                        _ => false,
                    };
                    if !is_literal {
                        return Some(form);
                    }
                    self.literal()?;
                    Form::Other
                }
                _ => return Some(form),
            };
        }
    }

    fn operand(&mut self) -> Option<Form> {
        let token = self.peek();
        match (token.kind, token.word) {
            (Kind::Name, _) => {
                self.advance();
                Some(Form::Name)
            }
            (Kind::Text, _) => {
                self.advance();
                Some(Form::Other)
            }
            (Kind::OtherLiteral, _) => self.number(),
            (Kind::Mark, b".") if self.behind(1).kind == Kind::OtherLiteral && self.behind(1).adjoins => {
                self.advance();
                self.number()
            }
            (Kind::Mark, b"(") => {
                self.advance();
                self.level += 1;
                let inner = self.expression();
                self.level -= 1;
                inner?;
                self.mark(b")")?;
                Some(Form::Wrapped)
            }
            (Kind::Keyword, b"func") => {
                self.advance();
                self.signature()?;
                if self.is(b"{") {
                    let guards = self.guards;
                    self.level += 1;
                    let body = self.block();
                    (self.level, self.guards) = (self.level - 1, guards);
                    body?;
                }
                Some(Form::Other)
            }
            (Kind::Mark, b"[") | (Kind::Keyword, b"struct" | b"map") => {
                self.deeper(Self::literal_type)?;
                Some(Form::LiteralType)
            }
            (Kind::Keyword, b"chan" | b"interface") => {
                self.deeper(Self::literal_type)?;
                Some(Form::Other)
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Form> {
        let token = self.peek();
        self.advance();
        if token.word.starts_with(b"'") {
            return Some(Form::Other);
        }
        let (sign, power) = (self.peek(), self.behind(1));
        let is_cut = matches!(token.word.last(), Some(b'e' | b'E' | b'p' | b'P'))
            && literals::is_number(token.word, true)
            && sign.adjoins
            && matches!(sign.word, b"+" | b"-")
            && power.adjoins;
        if is_cut {
            self.at += 2;
            let digits = power.word.strip_suffix(b"i").unwrap_or(power.word);
            return digits.iter().all(u8::is_ascii_digit).then_some(Form::Other);
        }
        literals::is_number(token.word, false).then_some(Form::Other)
    }

    /// What follows a dot.
    fn selection(&mut self, form: Form) -> Option<Form> {
        if self.take(b"(") {
            let is_guard = self.is_keyword(b"type");
            if is_guard {
                self.advance();
                self.guards += 1;
            } else {
                self.kind()?;
            }
            self.mark(b")")?;
            return Some(if is_guard { Form::Guard } else { Form::Other });
        }
        self.name()?;
        Some(if form == Form::Name { Form::TypeName } else { Form::Other })
    }

    /// What is in brackets: an index, types, or the bounds of a slice.
    fn index(&mut self) -> Option<()> {
        self.level += 1;
        let inner = self.index_inside();
        self.level -= 1;
        inner?;
        self.mark(b"]")
    }

    fn index_inside(&mut self) -> Option<()> {
        let mut has_part = !self.is(b":");
        if has_part {
            self.expression()?;
        }
        if self.is(b",") {
            while self.take(b",") {
                if self.is(b"]") {
                    break;
                }
                self.expression()?;
            }
            return Some(());
        }
        let mut colons = 0;
        while colons < 2 && self.take(b":") {
            colons += 1;
            if colons == 2 && !has_part {
                return None;
            }
            has_part = !self.is(b":") && !self.is(b"]");
            if has_part {
                self.expression()?;
            }
        }
        // A third bound needs the one before it, and must be there.
        (colons < 2 || has_part).then_some(())
    }

    fn arguments(&mut self) -> Option<()> {
        self.level += 1;
        let inner = self.arguments_inside();
        self.level -= 1;
        inner?;
        self.mark(b")")
    }

    fn arguments_inside(&mut self) -> Option<()> {
        while !self.is(b")") {
            self.expression()?;
            let is_last = self.take(b"...");
            if !self.take(b",") || is_last {
                break;
            }
        }
        Some(())
    }

    /// The values of a literal, in braces.
    fn literal(&mut self) -> Option<()> {
        self.mark(b"{")?;
        self.level += 1;
        let inner = self.deeper(Self::literal_inside);
        self.level -= 1;
        inner?;
        self.mark(b"}")
    }

    fn literal_inside(&mut self) -> Option<()> {
        // Inside of braces all braces are those of literals.
        let before = std::mem::replace(&mut self.level, 0);
        while !self.is(b"}") {
            self.value()?;
            if self.take(b":") {
                self.value()?;
            }
            if !self.take(b",") {
                break;
            }
        }
        self.level = before;
        Some(())
    }

    fn value(&mut self) -> Option<()> {
        if self.is(b"{") { self.literal() } else { self.expression().map(drop) }
    }
}
