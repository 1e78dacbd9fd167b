//! The text of a template taken apart: plain text, and the words of its actions.

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Copied as it is.
    Text(String),
    /// What stands between `{{` and `}}`, with its place in the template.
    Action(Vec<Word>, usize),
}

/// A word of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `.Name`
    Field(String),
    /// `.`
    Dot,
    /// `$name`, or `$`
    Variable(String),
    /// A name: a function or a word of the language.
    Name(String),
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// `(`, `)`, `|`, `,`, `=` or `:=`
    Sign(&'static str),
    /// Blanks, which end an operand.
    Space,
}

/// Takes a template apart.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trims = false;
    while let Some(at) = rest.find("{{") {
        let (text, action) = (&rest[..at], &rest[at + 2..]);
        let mut text = if trims { text.trim_start() } else { text };
        let mut action = action;
        if let Some(trimmed) = action.strip_prefix('-').filter(|rest| rest.starts_with([' ', '\t', '\n'])) {
            text = text.trim_end();
            action = trimmed;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        let place = template.len() - rest.len() + at;
        let (words, behind, ends_trimmed) = words(action)?;
        if !words.is_empty() || !action.trim_start().starts_with("/*") {
            pieces.push(Piece::Action(words, place));
        }
        (rest, trims) = (behind, ends_trimmed);
    }
    let text = if trims { rest.trim_start() } else { rest };
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
    Ok(pieces)
}

/// The words up to `}}`, what stands behind it, and whether blanks there are left out.
fn words(action: &str) -> Result<(Vec<Word>, &str, bool), String> {
    let mut words = Vec::new();
    let mut rest = action;
    if let Some(comment) = rest.trim_start().strip_prefix("/*") {
        let (_, behind) = comment.split_once("*/").ok_or("unclosed comment")?;
        rest = behind;
    }
    loop {
        if let Some(behind) = rest.strip_prefix("}}") {
            return Ok((words, behind, false));
        }
        if let Some(behind) =
            rest.trim_start().strip_prefix("-}}").filter(|_| rest.starts_with([' ', '\t', '\n']))
        {
            return Ok((words, behind, true));
        }
        let first = rest.chars().next().ok_or("unclosed action")?;
        let length = match first {
            ' ' | '\t' | '\n' | '\r' => {
                words.push(Word::Space);
                rest.len() - rest.trim_start().len()
            }
            '(' | ')' | '|' | ',' | '=' => {
                let sign = ["(", ")", "|", ",", "="].into_iter().find(|sign| rest.starts_with(sign));
                words.push(Word::Sign(sign.unwrap_or_default()));
                1
            }
            ':' if rest.starts_with(":=") => {
                words.push(Word::Sign(":="));
                2
            }
            '.' => {
                let name = name(&rest[1..]);
                words.push(if name.is_empty() { Word::Dot } else { Word::Field(name.to_owned()) });
                1 + name.len()
            }
            '$' => {
                let name = name(&rest[1..]);
                words.push(Word::Variable(name.to_owned()));
                1 + name.len()
            }
            '"' | '`' | '\'' => {
                let length = quoted(rest).ok_or("unterminated quoted string")?;
                words.push(literal(&rest[..length])?);
                length
            }
            '0'..='9' | '-' | '+' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
                let digits = rest[1..].find(|c| !is_part(c)).unwrap_or(rest.len() - 1);
                let text = &rest[..=digits];
                words.push(Word::Number(whole(text).ok_or_else(|| format!("bad number syntax: {text:?}"))?));
                digits + 1
            }
            _ => {
                let name = name(rest);
                if name.is_empty() {
                    return Err(format!("unexpected {first:?} in command"));
                }
                words.push(Word::Name(name.to_owned()));
                name.len()
            }
        };
        rest = &rest[length..];
    }
}

fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// A whole number as Go's sources have it, with a base and underscores.
fn whole(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase().replace('_', "");
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        Some(octal) if octal.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok().filter(|_| !digits.starts_with(['-', '+']))
}

fn quoted(text: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    let (_, quote) = chars.next()?;
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some(at + 1);
        }
        if c == '\\' && quote != '`' {
            chars.next()?;
        }
    }
    None
}

fn literal(text: &str) -> Result<Word, String> {
    if text.starts_with('`') {
        return Ok(Word::Text(text[1..text.len() - 1].to_owned()));
    }
    let inner = &text[1..text.len() - 1];
    // Between single quotes a double one stands for itself.
    let as_text = match text.starts_with('\'') {
        true => format!("\"{}\"", inner.replace("\\'", "'").replace('"', "\\\"")),
        false => text.to_owned(),
    };
    let value = modkeep_module::quote::unquote(as_text.as_bytes())
        .ok_or_else(|| format!("invalid syntax: {text}"))?;
    let value = String::from_utf8_lossy(&value).into_owned();
    match text.starts_with('\'') {
        true => Ok(Word::Number(value.chars().next().map_or(0, |c| i64::from(u32::from(c))))),
        false => Ok(Word::Text(value)),
    }
}
