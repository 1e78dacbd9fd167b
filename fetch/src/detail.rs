//! What an upstream says to the user about an error.
//!
//! The same rules by which the go command takes a text from a body
//! (`cmd/go/internal/web/api.go:formatErrorDetail`): plain text in UTF-8, nothing that could play with a
//! terminal, up to the first blank line, 8 lines. The text is kept as it was written, so that the next go
//! command prints what the first would have.

use futures_util::StreamExt;

/// The go command shows this many lines.
const MAX_LINES: usize = 8;
/// The go command cuts at 648; a little less leaves room for what it puts in front.
const MAX_BYTES: usize = 600;
/// How much of a body is read to find them.
const READ_BYTES: usize = 4096;

/// Reads the text of an error; empty where the upstream gave none that may be shown.
pub(crate) async fn read(response: reqwest::Response) -> String {
    let content_type = response.headers().get(reqwest::header::CONTENT_TYPE);
    if !content_type.and_then(|value| value.to_str().ok()).is_some_and(is_plain_text) {
        return String::new();
    }
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        body.extend_from_slice(&chunk);
        if body.len() >= READ_BYTES {
            break;
        }
    }
    body.truncate(READ_BYTES);
    text(&body)
}

fn is_plain_text(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next().is_some_and(|media| media.eq_ignore_ascii_case("text/plain")) {
        return false;
    }
    parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset")
            || ["utf-8", "us-ascii", ""]
                .contains(&value.trim().trim_matches('"').to_ascii_lowercase().as_str())
    })
}

/// The part of a body that may be shown.
fn text(body: &[u8]) -> String {
    let body = match std::str::from_utf8(body) {
        Ok(body) => body,
        // A character that the read limit cut in two.
        Err(error) if error.error_len().is_none() && body.len() == READ_BYTES => {
            std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return String::new(),
    };
    if body.chars().any(is_trick) {
        return String::new();
    }
    let mut text = String::new();
    for line in body.split('\n').take_while(|line| !line.trim().is_empty()).take(MAX_LINES) {
        let separator = usize::from(!text.is_empty());
        if text.len() + separator + line.len() > MAX_BYTES {
            if text.is_empty() {
                text.push_str(&line[..line.floor_char_boundary(MAX_BYTES)]);
            }
            break;
        }
        if separator == 1 {
            text.push('\n');
        }
        text.push_str(line);
    }
    text
}

/// Neither graphic nor space in Go's sense (`unicode.IsGraphic`, `unicode.IsSpace`), as far as a terminal or
/// a reader could be deceived: controls, format characters, private use.
fn is_trick(character: char) -> bool {
    if character.is_whitespace() {
        return false;
    }
    character.is_control()
        || matches!(u32::from(character),
            0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x180E | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFEFF | 0xFFF0..=0xFFFB | 0x110BD | 0x110CD
            | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE007F | 0xF0000..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_text_in_utf_8_is_read() {
        for (content_type, expected) in [
            ("text/plain", true),
            ("text/plain; charset=utf-8", true),
            ("Text/Plain;charset=\"UTF-8\"", true),
            ("text/plain; charset=us-ascii; format=flowed", true),
            ("text/plain; charset=iso-8859-1", false),
            ("text/html; charset=utf-8", false),
            ("application/json", false),
            ("text/plainer", false),
            ("", false),
        ] {
            assert_eq!(is_plain_text(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn a_text_is_kept_up_to_the_limits_of_the_go_command() {
        let long = "x".repeat(700);
        let check = |body: &[u8], expected: &str| assert_eq!(text(body), expected, "{body:?}");
        check(
            b"not found: m@v1: invalid version: unknown revision v1\n",
            "not found: m@v1: invalid version: unknown revision v1",
        );
        check(b"one\ntwo\n\nthree", "one\ntwo");
        check(b"\nhidden", "");
        check(b"1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8");
        check(long.as_bytes(), &long[..600]);
        check(format!("short\n{long}").as_bytes(), "short");
        check(b"\x1b[31mred", "");
        check("a\u{202e}b".as_bytes(), "");
        check(b"latin \xe9", "");
        check("schön, 終".as_bytes(), "schön, 終");
        check(b"tab\tand\r\nreturn", "tab\tand\r\nreturn");
    }
}
