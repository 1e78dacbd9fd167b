//! Build constraints: the expression of a `//go:build` line, and the older `// +build` lines.
//!
//! Exactly what `go/build/constraint` takes and refuses, in its words. Which tags are true is not known here; see
//! [`crate::tags`].

use modkeep_module::unicode;

/// More operands than this are refused, so that no input can exhaust the stack.
const MOST_OPERANDS: usize = 1000;

/// More operators than this are refused in one `// +build` line.
const MOST_OLD_OPERATORS: usize = 100;

/// An expression over build tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A tag, such as `linux`.
    Tag(String),
    /// The opposite of an expression.
    Not(Box<Expression>),
    /// Both expressions.
    And(Box<Expression>, Box<Expression>),
    /// At least one of the expressions.
    Or(Box<Expression>, Box<Expression>),
}

/// Why a line is no constraint; the words are those of `go/build/constraint`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// The line is neither a `//go:build` nor a `// +build` line.
    #[error("not a build constraint")]
    NoConstraint,
    /// The expression of a `//go:build` line is malformed.
    #[error("{text}")]
    Syntax {
        /// Where in the expression, in bytes.
        offset: usize,
        /// What is wrong there.
        text: String,
    },
    /// A `// +build` line of too many parts.
    #[error("expression too complex for // +build lines")]
    TooComplex,
}

impl Expression {
    /// Whether the expression holds where `holds` tells which tags do.
    pub fn eval(&self, holds: &impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Tag(tag) => holds(tag),
            Self::Not(x) => !x.eval(holds),
            Self::And(x, y) => x.eval(holds) && y.eval(holds),
            Self::Or(x, y) => x.eval(holds) || y.eval(holds),
        }
    }
}

/// Reads one line of either form (`go/build/constraint/expr.go:Parse`).
///
/// # Errors
/// For a line of neither form, and for a malformed expression.
pub fn parse(line: &str) -> Result<Expression, ConstraintError> {
    if let Some(text) = split_go_build(line) {
        return parse_expression(text);
    }
    split_plus_build(line).ok_or(ConstraintError::NoConstraint).and_then(parse_plus_build)
}

/// Reads what stands after `//go:build`.
///
/// # Errors
/// For a malformed expression.
pub fn parse_expression(text: &str) -> Result<Expression, ConstraintError> {
    let mut parser = Parser { text, next: 0, token: Token::End, start: 0, operands: 0 };
    let expression = parser.expression()?;
    match parser.token {
        Token::End => Ok(expression),
        token => Err(parser.unexpected(token)),
    }
}

/// What follows `//go:build` on a line that begins with it.
pub fn split_go_build(line: &str) -> Option<&str> {
    let line = single(line)?;
    let rest = line.starts_with("//go:build").then(|| &line.trim()["//go:build".len()..])?;
    after_space(rest)
}

/// What follows `+build` on a comment line that begins with it; the space before it may be missing.
pub fn split_plus_build(line: &str) -> Option<&str> {
    after_space(single(line)?.strip_prefix("//")?.trim().strip_prefix("+build")?)
}

/// The line without its one newline; `None` when there are more lines.
fn single(line: &str) -> Option<&str> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    (!line.contains('\n')).then_some(line)
}

fn after_space(rest: &str) -> Option<&str> {
    let trimmed = rest.trim();
    (rest.is_empty() || trimmed.len() < rest.len()).then_some(trimmed)
}

/// Reads what stands after `// +build`: alternatives between spaces, commas for both, `!` for not.
fn parse_plus_build(text: &str) -> Result<Expression, ConstraintError> {
    let mut operators = 0;
    let mut one_more = || {
        operators += 1;
        if operators > MOST_OLD_OPERATORS { Err(ConstraintError::TooComplex) } else { Ok(()) }
    };
    let mut whole: Option<Expression> = None;
    for clause in text.split_whitespace() {
        let mut all: Option<Expression> = None;
        for word in clause.split(',') {
            let literal = old_literal(word);
            all = Some(match all {
                None => literal,
                Some(before) => {
                    one_more()?;
                    Expression::And(Box::new(before), Box::new(literal))
                }
            });
        }
        whole = match (whole, all) {
            (Some(before), Some(all)) => {
                one_more()?;
                Some(Expression::Or(Box::new(before), Box::new(all)))
            }
            (before, all) => before.or(all),
        };
    }
    Ok(whole.unwrap_or_else(never))
}

fn old_literal(word: &str) -> Expression {
    if word.starts_with("!!") || word == "!" {
        return never();
    }
    let (negated, tag) = match word.strip_prefix('!') {
        Some(tag) => (true, tag),
        None => (false, word),
    };
    let tag = if is_tag(tag) { Expression::Tag(tag.to_owned()) } else { never() };
    if negated { Expression::Not(Box::new(tag)) } else { tag }
}

/// What stands for a word that can't be read: the tag that nobody sets.
fn never() -> Expression {
    Expression::Tag("ignore".to_owned())
}

fn is_tag(word: &str) -> bool {
    !word.is_empty() && word.chars().all(is_tag_char)
}

/// Go takes decimal digits only; outside ASCII this takes a few more numerals, such as `Ⅷ`, where Go says that the
/// syntax is invalid.
fn is_tag_char(c: char) -> bool {
    unicode::is_letter(c) || c.is_numeric() || matches!(c, '_' | '.')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Operator(&'a str),
    Tag(&'a str),
    End,
}

struct Parser<'a> {
    text: &'a str,
    /// Where the next token is looked for.
    next: usize,
    token: Token<'a>,
    /// Where the token begins.
    start: usize,
    operands: usize,
}

/// What has been read of an expression in parentheses, or of the outermost one.
#[derive(Default)]
struct Level {
    /// The alternatives before the last `||`.
    or: Option<Expression>,
    /// The operands since then.
    and: Option<Expression>,
    /// Where the parenthesis opens.
    open: usize,
    negated: bool,
}

impl Level {
    fn whole(self) -> Option<Expression> {
        match (self.or, self.and) {
            (Some(x), Some(y)) => Some(Expression::Or(Box::new(x), Box::new(y))),
            (x, y) => x.or(y),
        }
    }
}

impl Parser<'_> {
    /// Reads operands and operators; levels lie on the heap, since parentheses may nest a thousand deep.
    fn expression(&mut self) -> Result<Expression, ConstraintError> {
        let mut outer = Vec::new();
        let mut level = Level::default();
        loop {
            let negated = self.negation()?;
            let tag = match self.token {
                Token::Tag(tag) => tag,
                Token::Operator("(") => {
                    let inner = Level { open: self.start, negated, ..Level::default() };
                    outer.push(std::mem::replace(&mut level, inner));
                    continue;
                }
                Token::End if !outer.is_empty() => return Err(syntax(self.start, "missing close paren")),
                token => return Err(self.unexpected(token)),
            };
            let mut operand = not_if(negated, Expression::Tag(tag.to_owned()));
            self.lex()?;
            loop {
                level.and = Some(match level.and.take() {
                    Some(x) => Expression::And(Box::new(x), Box::new(operand)),
                    None => operand,
                });
                if self.token == Token::Operator("&&") {
                    break;
                }
                let (open, negated) = (level.open, level.negated);
                let whole = level.whole();
                if self.token == Token::Operator("||") {
                    level = Level { or: whole, and: None, open, negated };
                    break;
                }
                let whole = whole.ok_or_else(|| syntax(self.start, UNEXPECTED_END))?;
                level = match outer.pop() {
                    None => return Ok(whole),
                    Some(_) if self.token != Token::Operator(")") => {
                        return Err(syntax(open, "missing close paren"));
                    }
                    Some(level) => level,
                };
                self.lex()?;
                operand = not_if(negated, whole);
            }
        }
    }

    /// Goes to the next operand; says whether a `!` stands before it.
    fn negation(&mut self) -> Result<bool, ConstraintError> {
        self.operands += 1;
        if self.operands > MOST_OPERANDS {
            return Err(syntax(self.start, "build expression too large"));
        }
        self.lex()?;
        if self.token != Token::Operator("!") {
            return Ok(false);
        }
        self.lex()?;
        if self.token == Token::Operator("!") {
            return Err(syntax(self.start, "double negation not allowed"));
        }
        Ok(true)
    }

    fn lex(&mut self) -> Result<(), ConstraintError> {
        let rest = self.text[self.next..].trim_start_matches([' ', '\t']);
        let start = self.text.len() - rest.len();
        self.next = start;
        let Some(first) = rest.chars().next() else {
            self.token = Token::End;
            self.start = start;
            return Ok(());
        };
        let length = match first {
            '(' | ')' | '!' => 1,
            '&' | '|' if rest[1..].starts_with(first) => 2,
            '&' | '|' => return Err(syntax(start, format!("invalid syntax at {first}"))),
            _ => 0,
        };
        if length > 0 {
            self.token = Token::Operator(&rest[..length]);
        } else {
            let tag = &rest[..rest.find(|c| !is_tag_char(c)).unwrap_or(rest.len())];
            if tag.is_empty() {
                return Err(syntax(start, format!("invalid syntax at {first}")));
            }
            self.token = Token::Tag(tag);
            self.next += tag.len();
        }
        self.next += length;
        self.start = start;
        Ok(())
    }

    fn unexpected(&self, token: Token<'_>) -> ConstraintError {
        match token {
            Token::Operator(text) | Token::Tag(text) => {
                syntax(self.start, format!("unexpected token {text}"))
            }
            Token::End => syntax(self.start, UNEXPECTED_END),
        }
    }
}

const UNEXPECTED_END: &str = "unexpected end of expression";

fn not_if(negated: bool, x: Expression) -> Expression {
    if negated { Expression::Not(Box::new(x)) } else { x }
}

fn syntax(offset: usize, text: impl Into<String>) -> ConstraintError {
    ConstraintError::Syntax { offset, text: text.into() }
}

#[cfg(test)]
mod tests;
