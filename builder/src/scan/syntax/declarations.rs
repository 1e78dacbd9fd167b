//! Declarations and types.

use super::Parser;
use crate::scan::token::Kind;

impl Parser<'_> {
    pub(super) fn declaration(&mut self) -> Option<()> {
        let word = self.peek();
        if word.kind != Kind::Keyword {
            return None;
        }
        self.advance();
        match word.word {
            b"const" => self.group(|parser, index| parser.values(Some(index))),
            b"var" => self.group(|parser, _| parser.values(None)),
            b"type" => self.group(|parser, _| parser.type_declaration()),
            b"func" => self.function(),
            _ => None,
        }
    }

    /// Names with a type or values; gets the number of a constant in its group.
    fn values(&mut self, constant: Option<usize>) -> Option<()> {
        self.names()?;
        let has_type = self.begins_type();
        if has_type {
            self.kind()?;
        }
        let has_values = self.take(b"=");
        if has_values {
            self.expressions()?;
        }
        let is_whole = match constant {
            None => has_type || has_values,
            Some(index) => has_values || index > 0 && !has_type,
        };
        is_whole.then_some(())
    }

    fn type_declaration(&mut self) -> Option<()> {
        self.name()?;
        let rest = |parser: &mut Self| {
            parser.take(b"=");
            parser.kind()
        };
        if !self.is(b"[") {
            return rest(self);
        }
        self.either(
            |parser| {
                parser.type_parameters()?;
                rest(parser)
            },
            Self::kind,
        )
    }

    fn type_parameters(&mut self) -> Option<()> {
        self.mark(b"[")?;
        loop {
            self.names()?;
            self.union()?;
            if !self.take(b",") {
                break;
            }
            if self.is(b"]") {
                break;
            }
        }
        self.mark(b"]")
    }

    fn function(&mut self) -> Option<()> {
        let is_method = self.is(b"(");
        if is_method && self.parameters()? != 1 {
            return None;
        }
        self.name()?;
        if self.is(b"[") {
            if is_method {
                return None;
            }
            self.type_parameters()?;
        }
        self.signature()?;
        if self.is(b"{") { self.block() } else { Some(()) }
    }

    pub(super) fn signature(&mut self) -> Option<()> {
        self.parameters()?;
        if self.is(b"(") {
            return self.parameters().map(drop);
        }
        if self.begins_type() { self.kind() } else { Some(()) }
    }

    /// Gives how many there are.
    fn parameters(&mut self) -> Option<usize> {
        self.mark(b"(")?;
        let (mut count, mut named, mut unnamed) = (0, 0, 0);
        // Whether the last is a name that may get its type from one behind it, and whether one took all the rest.
        let (mut is_bare, mut is_open) = (false, false);
        while !self.is(b")") {
            if is_open {
                return None;
            }
            count += 1;
            let was_bare = std::mem::take(&mut is_bare);
            match self.parameter()? {
                // The rest has one name.
                Parameter::Named { takes_rest: true } if was_bare => return None,
                Parameter::Named { takes_rest } => (named, is_open) = (named + 1, takes_rest),
                Parameter::Bare => is_bare = true,
                Parameter::Type { takes_rest } => (unnamed, is_open) = (unnamed + 1, takes_rest),
            }
            if !self.take(b",") {
                break;
            }
        }
        self.mark(b")")?;
        let is_mixed = named > 0 && (unnamed > 0 || is_bare);
        (!is_mixed).then_some(count)
    }

    fn parameter(&mut self) -> Option<Parameter> {
        let next = self.behind(1);
        let may_be_named = self.peek().kind == Kind::Name;
        let is_followed_by = |mark: &[u8]| next.kind == Kind::Mark && next.word == mark;
        if !may_be_named || is_followed_by(b".") {
            let takes_rest = self.take(b"...");
            self.kind()?;
            return Some(Parameter::Type { takes_rest });
        }
        if is_followed_by(b",") || is_followed_by(b")") {
            self.advance();
            return Some(Parameter::Bare);
        }
        if !is_followed_by(b"[") {
            self.advance();
            let takes_rest = self.take(b"...");
            self.kind()?;
            return Some(Parameter::Named { takes_rest });
        }
        // A name and the type of an array, or the name of a type with others in brackets.
        let mut is_type = false;
        let named = |parser: &mut Self| {
            parser.advance();
            parser.kind()
        };
        self.either(named, |parser| {
            is_type = true;
            parser.kind()
        })?;
        let takes_rest = false;
        Some(if is_type { Parameter::Type { takes_rest } } else { Parameter::Named { takes_rest } })
    }

    /// Whether a type can begin so.
    pub(super) fn begins_type(&self) -> bool {
        let token = self.peek();
        match token.kind {
            Kind::Name => true,
            Kind::Mark => matches!(token.word, b"*" | b"(" | b"[" | b"<-"),
            Kind::Keyword => matches!(token.word, b"struct" | b"interface" | b"func" | b"map" | b"chan"),
            _ => false,
        }
    }

    /// A type.
    pub(super) fn kind(&mut self) -> Option<()> {
        self.deeper(Self::kind_inside)
    }

    fn kind_inside(&mut self) -> Option<()> {
        let token = self.peek();
        match (token.kind, token.word) {
            (Kind::Name, _) => self.named_type(),
            (Kind::Mark, b"*") => {
                self.advance();
                self.kind()
            }
            (Kind::Mark, b"(") => {
                self.advance();
                self.kind()?;
                self.mark(b")")
            }
            (Kind::Mark, b"<-") => {
                self.advance();
                self.keyword(b"chan")?;
                self.kind()
            }
            _ => self.literal_type(),
        }
    }

    /// A type that is no name and no pointer.
    pub(super) fn literal_type(&mut self) -> Option<()> {
        let token = self.peek();
        self.advance();
        match (token.kind, token.word) {
            (Kind::Mark, b"[") => {
                if !self.take(b"...") && !self.is(b"]") {
                    self.level += 1;
                    let length = self.expression();
                    self.level -= 1;
                    length?;
                }
                self.mark(b"]")?;
                self.kind()
            }
            (Kind::Keyword, b"map") => {
                self.mark(b"[")?;
                self.kind()?;
                self.mark(b"]")?;
                self.kind()
            }
            (Kind::Keyword, b"chan") => {
                self.take(b"<-");
                self.kind()
            }
            (Kind::Keyword, b"func") => self.signature(),
            (Kind::Keyword, b"struct") => self.members(Self::field),
            (Kind::Keyword, b"interface") => self.members(Self::element),
            _ => None,
        }
    }

    fn named_type(&mut self) -> Option<()> {
        self.name()?;
        if self.take(b".") {
            self.name()?;
        }
        if !self.take(b"[") {
            return Some(());
        }
        loop {
            self.kind()?;
            if !self.take(b",") || self.is(b"]") {
                return self.mark(b"]");
            }
        }
    }

    fn members(&mut self, one: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.mark(b"{")?;
        while !self.is(b"}") {
            one(self)?;
            self.end_of_line()?;
        }
        self.mark(b"}")
    }

    fn field(&mut self) -> Option<()> {
        let next = self.behind(1);
        let is_alone = match next.kind {
            Kind::Text | Kind::Semicolon | Kind::Newline => true,
            Kind::Mark => matches!(next.word, b"." | b"}"),
            _ => false,
        };
        if self.take(b"*") || is_alone {
            self.named_type()?;
        } else {
            let named = |parser: &mut Self| {
                parser.names()?;
                parser.kind()
            };
            self.either(named, Self::named_type)?;
        }
        if self.peek().kind == Kind::Text {
            self.advance();
        }
        Some(())
    }

    fn element(&mut self) -> Option<()> {
        let next = self.behind(1);
        if self.peek().kind == Kind::Name && next.kind == Kind::Mark && next.word == b"(" {
            self.advance();
            return self.signature();
        }
        self.union()
    }

    fn union(&mut self) -> Option<()> {
        loop {
            self.take(b"~");
            self.kind()?;
            if !self.take(b"|") {
                return Some(());
            }
        }
    }
}

enum Parameter {
    Named {
        takes_rest: bool,
    },
    /// A name alone.
    Bare,
    Type {
        takes_rest: bool,
    },
}
