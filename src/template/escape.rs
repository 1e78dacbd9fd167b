//! Texts made safe for where they are put (`text/template/funcs.go`).

use std::fmt::Write;

use modkeep_module::quote::is_print;

/// For HTML.
pub(super) fn html(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '"' => safe.push_str("&#34;"),
            '\'' => safe.push_str("&#39;"),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\0' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// For texts of JavaScript.
pub(super) fn js(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => safe.extend(['\\', c]),
            '<' | '>' | '&' | '=' => {
                write!(safe, "\\u{:04X}", u32::from(c)).expect("a String takes all text")
            }
            c if c < ' ' || !c.is_ascii() && !is_print(c) => {
                write!(safe, "\\u{:04X}", u32::from(c)).expect("a String takes all text");
            }
            c => safe.push(c),
        }
    }
    safe
}

/// For the query of a URL.
pub(super) fn query(text: &str) -> String {
    let mut safe = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                safe.push(char::from(byte))
            }
            b' ' => safe.push('+'),
            byte => write!(safe, "%{byte:02X}").expect("a String takes all text"),
        }
    }
    safe
}
