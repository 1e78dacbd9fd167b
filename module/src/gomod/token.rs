//! Words: when they need quotes, what quoted ones mean, and the shapes of versions and paths that go.mod knows.

use super::error::StringProblem;
use super::syntax::Token;
use crate::quote::{is_print, quote, unquote};

/// The ASCII characters that mean nothing but themselves: printable, no quotes, brackets or commas. Most words hold no
/// others, and a slash, which may begin a comment, isn't one of them.
const PLAIN: [bool; 256] = plain();

const fn plain() -> [bool; 256] {
    let mut plain = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        plain[byte as usize] =
            !matches!(byte, b'"' | b'\'' | b'`' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b'/');
        byte += 1;
    }
    plain
}

/// Whether a character of a word means nothing but itself.
pub(crate) fn is_plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

/// Whether `text` must be quoted to be one word of a go.mod line.
pub fn must_quote(text: impl AsRef<[u8]>) -> bool {
    let text = text.as_ref();
    if is_plain_word(text) {
        return false;
    }
    let needs_quotes = |c: char| match c {
        ' ' | '"' | '\'' | '`' => true,
        '(' | ')' | '[' | ']' | '{' | '}' | ',' => text.len() > 1,
        _ => !is_print(c),
    };
    text.is_empty()
        || text.utf8_chunks().any(|chunk| chunk.valid().chars().any(needs_quotes))
        || text.windows(2).any(|pair| matches!(pair, b"//" | b"/*"))
}

/// `text` as one word of a go.mod line, in quotes if it needs them.
pub fn auto_quote(text: &str) -> String {
    if must_quote(text) { quote(text) } else { text.to_owned() }
}

/// Whether a path in a replace directive means a directory: rooted, or beginning with `.` or `..`.
///
/// go.mod files travel, so the syntax of Unix and of Windows are both known everywhere.
pub fn is_directory_path(path: impl AsRef<[u8]>) -> bool {
    match path.as_ref() {
        b"." | b".." => true,
        [b'/' | b'\\', ..] | [b'.', b'/' | b'\\', ..] | [b'.', b'.', b'/' | b'\\', ..] => true,
        [drive, b':', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Whether `version` may stand in a go line: `1.N`, `1.N.P`, `1.NrcM`, numbers without leading zeros.
pub fn is_go_version(version: impl AsRef<[u8]>) -> bool {
    let Some(rest) = go_language(version.as_ref()) else { return false };
    let rest = match rest.strip_prefix(b".") {
        Some(patch) => match number(patch) {
            Some(rest) => rest,
            None => return false,
        },
        None => rest,
    };
    let kind = skip(rest, u8::is_ascii_lowercase);
    let count = skip(kind, u8::is_ascii_digit);
    rest.is_empty() || (kind.len() < rest.len() && count.len() < kind.len() && count.is_empty())
}

/// `1.N` of a version in the go line of a dependency that isn't one of ours, as `v1.2beta` or `1.21.x`.
pub(crate) fn lax_go_version(version: &[u8]) -> Option<&[u8]> {
    let version = version.strip_prefix(b"v").unwrap_or(version);
    let rest = go_language(version)?;
    (!rest.is_empty() && !rest[0].is_ascii_digit()).then(|| &version[..version.len() - rest.len()])
}

/// Whether `name` may stand in a toolchain line: `default`, `go1` or `go1.…`.
pub fn is_toolchain_name(name: impl AsRef<[u8]>) -> bool {
    match name.as_ref() {
        b"default" => true,
        [b'g', b'o', b'1', rest @ ..] => rest.first().is_none_or(|byte| *byte == b'.'),
        _ => false,
    }
}

/// The meaning of a word; the word itself takes the one spelling that printing uses.
pub(crate) fn parse_string(token: &mut Token) -> Result<Vec<u8>, StringProblem> {
    if is_plain_word(token) {
        return Ok(token.clone());
    }
    let text = if token.starts_with(b"\"") {
        unquote(token).ok_or(StringProblem::Literal)?
    } else if token.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`')) {
        return Err(StringProblem::StrayQuote);
    } else {
        token.clone()
    };
    if must_quote(&text) {
        *token = quote(&text).into_bytes();
    } else {
        token.clone_from(&text);
    }
    Ok(text)
}

/// Whether a word is what it says: plain characters, and slashes that begin no comment.
fn is_plain_word(text: &[u8]) -> bool {
    let next = |index: usize| text.get(index + 1).copied();
    let plain = |(index, byte): (usize, &u8)| {
        is_plain(*byte) || (*byte == b'/' && !matches!(next(index), Some(b'/' | b'*')))
    };
    !text.is_empty() && text.iter().enumerate().all(plain)
}

/// What follows `MAJOR.MINOR`.
fn go_language(version: &[u8]) -> Option<&[u8]> {
    let after_major = number(version).filter(|_| version[0] != b'0')?;
    number(after_major.strip_prefix(b".")?)
}

/// What follows a number without leading zeros.
fn number(text: &[u8]) -> Option<&[u8]> {
    match text.first()? {
        b'0' => Some(&text[1..]),
        b'1'..=b'9' => Some(skip(text, u8::is_ascii_digit)),
        _ => None,
    }
}

fn skip(text: &[u8], class: impl Fn(&u8) -> bool) -> &[u8] {
    &text[text.iter().take_while(|byte| class(byte)).count()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_anything_special_need_quotes() {
        for plain in ["a", "rsc.io/quote", "(", ",", "v1.2.3+incompatible", "日本", "a/b*"] {
            assert!(!must_quote(plain), "{plain}");
            assert_eq!(auto_quote(plain), plain);
        }
        for special in ["", " ", "a b", "'", "`", "\"", "()", "a,", "a//b", "/*", "\u{a0}", "\x07"] {
            assert!(must_quote(special), "{special:?}");
            let mut token = auto_quote(special).into_bytes();
            assert_eq!(parse_string(&mut token), Ok(special.as_bytes().to_vec()));
        }
        assert!(!must_quote(b"\xff"));
    }

    #[test]
    fn a_string_takes_the_spelling_that_printing_uses() {
        type Case = (&'static [u8], Result<&'static [u8], StringProblem>, &'static [u8]);
        let cases: &[Case] = &[
            (b"a", Ok(b"a"), b"a"),
            (br#""a""#, Ok(b"a"), b"a"),
            (br#""a\x20b""#, Ok(b"a b"), br#""a b""#),
            (br#""\xff \t""#, Ok(b"\xff \t"), br#""\xff \t""#),
            (b"a'b", Err(StringProblem::StrayQuote), b"a'b"),
            (b"`a`", Err(StringProblem::StrayQuote), b"`a`"),
            (br#""a\y""#, Err(StringProblem::Literal), br#""a\y""#),
        ];
        for (word, text, spelling) in cases {
            let mut token = word.to_vec();
            assert_eq!(parse_string(&mut token).as_deref(), text.as_ref().copied());
            assert_eq!(token, *spelling);
        }
    }

    #[test]
    fn go_lines_hold_numbers_and_one_suffix() {
        for good in ["1.0", "1.21", "1.21.0", "1.21rc1", "1.21.3beta2", "10.20.30", "1.27x9"] {
            assert!(is_go_version(good), "{good}");
        }
        for bad in
            ["", "1", "1.", "01.2", "1.02", "1.2.", "1.2.03", "1.2rc", "1.2rc1x", "v1.2", "1.2-rc1", "0.1"]
        {
            assert!(!is_go_version(bad), "{bad}");
        }
    }

    #[test]
    fn a_dependencys_go_line_may_have_junk_behind_it() {
        let cases = [
            ("v1.13.5beta", Some("1.13")),
            ("1.21.x", Some("1.21")),
            ("1.20 ", Some("1.20")),
            ("1.21", None),
            ("v1.21", None),
            ("1.02x", None),
            ("x1.2y", None),
        ];
        for (version, language) in cases {
            assert_eq!(lax_go_version(version.as_bytes()), language.map(str::as_bytes), "{version}");
        }
    }

    #[test]
    fn directories_are_rooted_or_dotted() {
        for directory in [".", "..", "./a", "../a", ".\\a", "..\\a", "/a", "\\a", "c:", "C:\\a"] {
            assert!(is_directory_path(directory), "{directory}");
        }
        for other in ["", "a", "...", ".a", "a/b", "1:", "rsc.io/quote"] {
            assert!(!is_directory_path(other), "{other}");
        }
    }

    #[test]
    fn toolchains_are_named_after_go1() {
        for good in ["default", "go1", "go1.21", "go1.21.3-suffix"] {
            assert!(is_toolchain_name(good), "{good}");
        }
        for bad in ["", "go", "go2.0", "go11", "1.21", "defaults", "local"] {
            assert!(!is_toolchain_name(bad), "{bad}");
        }
    }
}
