//! Percent-encoding of request paths: read strictly, written as the go command writes it.

use std::borrow::Cow;
use std::fmt::Write;

use super::UrlProblem;

/// Decodes a raw path once. What comes back is ASCII without control characters, `\` and `;`; begins with `/`;
/// and has no empty element, no `.` and no `..`.
pub(super) fn decode(path: &str) -> Result<Cow<'_, str>, UrlProblem> {
    let elements = path.strip_prefix('/').ok_or(UrlProblem::Relative)?;
    let decoded =
        if elements.contains('%') { Cow::Owned(percent_decode(path)?) } else { Cow::Borrowed(path) };
    if let Some(char) = decoded.chars().find(|c| !matches!(c, ' '..='~') || matches!(c, '\\' | ';')) {
        return Err(UrlProblem::Character(char));
    }
    for element in decoded[1..].split('/') {
        match element {
            "" => return Err(UrlProblem::EmptyElement),
            "." | ".." => return Err(UrlProblem::DotElement),
            _ => {}
        }
    }
    Ok(decoded)
}

fn percent_decode(path: &str) -> Result<String, UrlProblem> {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.ok_or(UrlProblem::PercentEncoding)? {
            b'/' => return Err(UrlProblem::EncodedSlash),
            byte => decoded.push(char::from(byte)),
        }
        rest = &after[2..];
    }
    decoded.push_str(rest);
    Ok(decoded)
}

/// Appends ASCII text as Go's `url.PathEscape` does, but slashes, and `!` if so told, as they are.
pub(super) fn push_encoded(path: &mut String, text: &str, bangs: Bangs) {
    for c in text.chars() {
        match c {
            'a'..='z'
            | 'A'..='Z'
            | '0'..='9'
            | '/'
            | '.'
            | '-'
            | '@'
            | '_'
            | '~'
            | '+'
            | '$'
            | '&'
            | ':'
            | '=' => {
                path.push(c);
            }
            '!' if bangs == Bangs::Raw => path.push(c),
            _ => write!(path, "%{:02X}", u32::from(c)).expect("writing to a string cannot fail"),
        }
    }
}

/// How the marks of upper case are written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Bangs {
    /// `!`, as in requests to databases and in keys.
    Raw,
    /// `%21`, as in requests for files of modules.
    Encoded,
}
