//! The first sentence of a package's documentation.
//!
//! Source: `go/doc/synopsis.go`; of the markup of `go/doc/comment` what can stand in a first sentence.

use super::header::comment_lines;

/// Beginnings of comments that are no documentation.
const NO_DOCUMENTATION: [&str; 3] = ["copyright", "all rights", "author"];

/// Packages that links may name without a slash in their path (`go/doc/comment/std.go`).
const SHORT_PATHS: [&str; 41] = [
    "bufio", "bytes", "cmp", "context", "crypto", "embed", "encoding", "errors", "expvar", "flag", "fmt",
    "hash", "html", "image", "io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin",
    "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall",
    "testing", "time", "unicode", "unique", "unsafe", "uuid", "weak",
];

/// The first sentence of the comments, on one line.
pub(super) fn synopsis(comments: &[u8]) -> String {
    let lines = comment_lines(comments);
    let text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    let text = text.trim_start_matches('\n');
    let sentence = first_sentence(text);
    let lower = sentence.to_lowercase();
    if NO_DOCUMENTATION.iter().any(|prefix| lower.starts_with(prefix)) {
        return String::new();
    }
    plain(&first_paragraph(sentence))
}

/// Up to the first period before a blank that doesn't end an abbreviation of one capital.
fn first_sentence(text: &str) -> &str {
    let (mut third, mut second, mut last) = ('\0', '\0', '\0');
    for (at, c) in text.char_indices() {
        let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
        let is_end = c == ' ' && last == '.' && (!second.is_uppercase() || third.is_uppercase());
        if is_end || matches!(last, '。' | '．') {
            return &text[..at];
        }
        (third, second, last) = (second, last, c);
    }
    text
}

/// The words of the first paragraph; none where a heading or code stands first.
fn first_paragraph(text: &str) -> String {
    let lines = text.split('\n');
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let least = lines.clone().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut words = Vec::new();
    for line in lines.skip_while(|line| line.trim().is_empty()) {
        if line.trim().is_empty() || indent(line) > least {
            break;
        }
        words.extend(line.split_whitespace());
    }
    if words.first() == Some(&"#") { String::new() } else { words.join(" ") }
}

/// Without the marks of quotes and links.
fn plain(text: &str) -> String {
    let text = text.replace("``", "“").replace("''", "”");
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('[') {
        plain.push_str(&rest[..open]);
        rest = &rest[open..];
        match rest.find(']') {
            Some(close) if is_link(&rest[1..close]) => {
                plain.push_str(&rest[1..close]);
                rest = &rest[close + 1..];
            }
            _ => {
                plain.push('[');
                rest = &rest[1..];
            }
        }
    }
    plain + rest
}

/// Whether a text in brackets names something in another package.
fn is_link(text: &str) -> bool {
    let text = text.strip_prefix('*').unwrap_or(text);
    let is_path = |path: &str| {
        !path.is_empty()
            && path
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '/' | '.' | '_' | '-'))
    };
    let last = text.rsplit('/').next().unwrap_or(text);
    let package = text.len() - last.len() + last.find('.').unwrap_or(last.len());
    let names = &text[package..];
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    is_path(&text[..package])
        && names.split('.').skip(1).all(is_name)
        && (text.contains('/') || SHORT_PATHS.contains(&&text[..package]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synopsis_is_one_sentence_on_one_line() {
        for (comments, expected) in [
            ("// Package p does\n// this. And that.", "Package p does this."),
            ("// Package p, by J. Doe. More.", "Package p, by J. Doe."),
            ("/*\nPackage p is.\n\nMore.\n*/", "Package p is."),
            ("// Copyright me. Package p.", ""),
            (
                "// Package p wraps ``x'' and [io.Reader] and [Own]",
                "Package p wraps “x” and io.Reader and [Own]",
            ),
            ("// Package p\n//\n// second paragraph", "Package p"),
            ("//go:generate x\n// Package p.", "Package p."),
        ] {
            assert_eq!(synopsis(comments.as_bytes()), expected, "{comments}");
        }
    }
}
