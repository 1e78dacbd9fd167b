//! White space as Go sees it, in bytes that need not be UTF-8: `strings.TrimSpace` and `strings.Fields`.

use crate::quote;

/// `text` without the white space around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    if let Ok(text) = std::str::from_utf8(text) {
        return text.trim().as_bytes();
    }
    let mut text = text;
    while let Some(width) = leading(text) {
        text = &text[width..];
    }
    while let Some(width) = trailing(text) {
        text = &text[..text.len() - width];
    }
    text
}

/// The pieces of `text` between white space.
pub(crate) fn fields(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while let Some(width) = leading(rest) {
            rest = &rest[width..];
        }
        let mut end = 0;
        loop {
            end += rest[end..].iter().take_while(|byte| byte.is_ascii_graphic()).count();
            if end == rest.len() || leading(&rest[end..]).is_some() {
                break;
            }
            end += quote::decode(&rest[end..]).1;
        }
        let (field, after) = rest.split_at(end);
        rest = after;
        (!field.is_empty()).then_some(field)
    })
}

/// The width of the white space character that `text` begins with.
fn leading(text: &[u8]) -> Option<usize> {
    if text.is_empty() {
        return None;
    }
    let (c, width) = quote::decode(text);
    c.is_whitespace().then_some(width)
}

/// The width of the white space character that `text` ends with.
fn trailing(text: &[u8]) -> Option<usize> {
    (1..=text.len().min(3)).find(|width| {
        let last = &text[text.len() - width..];
        std::str::from_utf8(last)
            .is_ok_and(|last| last.chars().eq(last.chars().next()) && last.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_unicodes_even_between_broken_bytes() {
        let cases: &[(&[u8], &[&[u8]])] = &[
            (b"", &[]),
            (b" \t\r\n\x0b\x0c ", &[]),
            (b" a  b\t", &[b"a", b"b"]),
            ("\u{85}a\u{a0}b\u{3000}".as_bytes(), &[b"a", b"b"]),
            (b"\xff \xc2 a\xe2\x80", &[b"\xff", b"\xc2", b"a\xe2\x80"]),
            (b"\xc2\xa0\xff\xe3\x80\x80", &[b"\xff"]),
        ];
        for (text, expected) in cases {
            assert_eq!(&fields(text).collect::<Vec<_>>(), expected);
            let trimmed = trim(text);
            assert_eq!(leading(trimmed), None);
            assert_eq!(trailing(trimmed), None);
            assert_eq!(&fields(trimmed).collect::<Vec<_>>(), expected);
        }
    }
}
