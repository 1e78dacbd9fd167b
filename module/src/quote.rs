//! Go's quoting of text: what `%q` prints, what a quoted token of go.mod means, which characters are printable.
//!
//! Go strings are bytes. Bytes that are no UTF-8 are written as `\xNN`, one escape a byte.
//! Printable is Go's `unicode.IsPrint`; Go 1.27 and Rust 1.95 both stand on Unicode 17.

use std::fmt::Write as _;

/// Quotes text as Go's `strconv.Quote` and `%q` do.
pub fn quote(text: impl AsRef<[u8]>) -> String {
    let mut quoted = String::from("\"");
    for chunk in text.as_ref().utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut quoted, c, '"');
        }
        for byte in chunk.invalid() {
            push_hex(&mut quoted, 'x', 2, u32::from(*byte));
        }
    }
    quoted.push('"');
    quoted
}

/// Quotes one character as Go's `strconv.QuoteRune` and `%q` of a rune do.
pub fn quote_char(c: char) -> String {
    let mut quoted = String::from("'");
    push_escaped(&mut quoted, c, '\'');
    quoted.push('\'');
    quoted
}

/// The meaning of a double-quoted Go string literal with its quotes; `None` where `strconv.Unquote` says "invalid syntax".
///
/// Escapes can name any byte, so the result need not be UTF-8.
pub fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    let inner = literal.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&first, after)) = rest.split_first() {
        match first {
            b'"' | b'\n' => return None,
            b'\\' => rest = unescape(after, &mut text)?,
            0..0x80 => {
                text.push(first);
                rest = after;
            }
            _ => {
                let (c, size) = decode(rest);
                push_char(&mut text, c);
                rest = &rest[size..];
            }
        }
    }
    Some(text)
}

/// Whether Go's `unicode.IsPrint` holds: a letter, mark, number, punctuation, symbol or the ASCII space.
pub fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // The standard library escapes exactly the other categories, and grapheme extenders only at the start.
    let mut after_letter = [0; 5];
    after_letter[0] = b'a';
    let size = 1 + c.encode_utf8(&mut after_letter[1..]).len();
    let text = std::str::from_utf8(&after_letter[..size]).unwrap_or_default();
    text.escape_debug().nth(1) == Some(c)
}

/// The first character of non-empty `text` and its width; a byte that is no UTF-8 is U+FFFD, one byte wide.
pub(crate) fn decode(text: &[u8]) -> (char, usize) {
    if text[0].is_ascii() {
        return (char::from(text[0]), 1);
    }
    let start = &text[..text.len().min(4)];
    match start.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

/// `text` with U+FFFD for each byte that is no UTF-8, as Go's `range` over a string sees it.
pub(crate) fn lossy(text: &[u8]) -> std::borrow::Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text) {
        return text.into();
    }
    let mut seen = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        seen.push_str(chunk.valid());
        seen.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    seen.into()
}

fn push_escaped(quoted: &mut String, c: char, delimiter: char) {
    match c {
        '\\' => quoted.push_str("\\\\"),
        _ if c == delimiter => {
            quoted.push('\\');
            quoted.push(c);
        }
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        _ if is_print(c) => quoted.push(c),
        '\0'..' ' | '\x7f' => push_hex(quoted, 'x', 2, c.into()),
        '\u{80}'..='\u{ffff}' => push_hex(quoted, 'u', 4, c.into()),
        _ => push_hex(quoted, 'U', 8, c.into()),
    }
}

fn push_hex(quoted: &mut String, kind: char, width: usize, value: u32) {
    write!(quoted, "\\{kind}{value:0width$x}").expect("a String takes all text");
}

fn push_char(text: &mut Vec<u8>, c: char) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Reads one escape after its backslash; what follows it.
fn unescape<'a>(escape: &'a [u8], text: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&kind, rest) = escape.split_first()?;
    let byte = match kind {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' | b'"' => kind,
        b'x' => u8::try_from(number(rest.get(..2)?, 16)?).ok()?,
        b'0'..=b'7' => u8::try_from(number(escape.get(..3)?, 8)?).ok()?,
        b'u' | b'U' => {
            let width = if kind == b'u' { 4 } else { 8 };
            push_char(text, char::from_u32(number(rest.get(..width)?, 16)?)?);
            return rest.get(width..);
        }
        _ => return None,
    };
    text.push(byte);
    match kind {
        b'x' | b'0'..=b'7' => rest.get(2..),
        _ => Some(rest),
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    digits.iter().try_fold(0u32, |value, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        value.checked_mul(radix)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_escapes_what_go_escapes() {
        let cases: &[(&[u8], &str)] = &[
            (b"", r#""""#),
            (b"v1.2.3", r#""v1.2.3""#),
            (b"a\"b\\c'", r#""a\"b\\c'""#),
            (b"\x00\x07\x08\t\n\x0b\x0c\r\x1f\x7f", r#""\x00\a\b\t\n\v\f\r\x1f\x7f""#),
            ("é日\u{a0}\u{feff}\u{1f600}\u{e0001}".as_bytes(), "\"é日\\u00a0\\ufeff\u{1f600}\\U000e0001\""),
            ("e\u{301}".as_bytes(), "\"e\u{301}\""),
            ("\u{301}".as_bytes(), "\"\u{301}\""),
            (b"a\xffb\xe2\x82", r#""a\xffb\xe2\x82""#),
        ];
        for (text, quoted) in cases {
            assert_eq!(quote(text), *quoted);
        }
        assert_eq!(quote_char('\''), r"'\''");
        assert_eq!(quote_char('"'), "'\"'");
        assert_eq!(quote_char('\0'), r"'\x00'");
    }

    #[test]
    fn unquoting_accepts_what_go_accepts() {
        let cases: &[(&[u8], Option<&[u8]>)] = &[
            (br#""a b""#, Some(b"a b")),
            (br#""\a\b\f\n\r\t\v\\\"""#, Some(b"\x07\x08\x0c\n\r\t\x0b\\\"")),
            (br#""\x41\101\u00e9\U0001F600""#, Some("AAé\u{1f600}".as_bytes())),
            (br#""\xff""#, Some(b"\xff")),
            (b"\"\xff\"", Some("\u{fffd}".as_bytes())),
            (br#""\'""#, None),
            (br#""\400""#, None),
            (br#""\ud800""#, None),
            (br#""\U00110000""#, None),
            (br#""\x4""#, None),
            (b"\"a\nb\"", None),
            (br#""a"b""#, None),
            (b"\"", None),
            (b"a", None),
        ];
        for (literal, text) in cases {
            assert_eq!(unquote(literal).as_deref(), *text, "{}", lossy(literal));
        }
    }

    #[test]
    fn bytes_that_are_no_text_count_one_by_one() {
        assert_eq!(decode(b"\xe2\x82"), (char::REPLACEMENT_CHARACTER, 1));
        assert_eq!(decode("日".as_bytes()), ('日', 3));
        assert_eq!(lossy(b"a\xe2\x82b"), "a\u{fffd}\u{fffd}b");
    }
}
